//! TOML text as a tree with places.

use std::sync::Arc;

use foundation_types::limits::DEPTH_MAX;
use foundation_types::path::Segment;
use foundation_types::value::{List, Map, Number};
use foundation_types::{Error, ErrorKind, Path, Result, Value};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::file::{Place, Written, located};

/// What the text says.
pub(super) fn read(text: &str) -> Result<Written> {
    let (table, errors) = DeTable::parse_recoverable(text);
    if let Some(first) = errors.first() {
        // The message of the parser alone: its display has the line, which may be a secret.
        let message = format!("the text is not TOML: {}", first.message());
        let error = Error::new(ErrorKind::Malformed, message);
        let at = first.span().map_or(0, |span| span.start);
        return Err(located(error, text, at));
    }
    let mut reader = Reader { text, written: Written::default() };
    let tree = reader.table(table.get_ref(), Some(&Path::root()), 0)?;
    reader.written.tree = tree;
    Ok(reader.written)
}

struct Reader<'a> {
    text: &'a str,
    written: Written,
}

impl Reader<'_> {
    /// The map that a table is. Recursion ends with the limit of depth.
    fn table(&mut self, table: &DeTable<'_>, path: Option<&Path>, depth: usize) -> Result<Value> {
        let mut map = Map::new();
        for (key, value) in table {
            let name: Arc<str> = Arc::from(key.get_ref().as_ref());
            let inner = path.and_then(|path| path.join(Segment::Key(name.clone())).ok());
            let (span, place) = (value.span(), key.span());
            if let Some(inner) = &inner {
                // A table of its own has its place in its header.
                let key = if place.start <= span.start { place } else { span.clone() };
                self.written.places.insert(inner.clone(), Place { key, value: span });
            }
            map.insert(name, self.value(value, inner.as_ref(), depth)?);
        }
        Ok(Value::Map(map))
    }

    fn value(
        &mut self,
        value: &Spanned<DeValue<'_>>,
        path: Option<&Path>,
        depth: usize,
    ) -> Result<Value> {
        let at = value.span().start;
        if depth >= DEPTH_MAX {
            let message = format!("the file nests deeper than {DEPTH_MAX} levels");
            return Err(located(Error::new(ErrorKind::TooLarge, message), self.text, at));
        }
        let number = |number: Option<Value>| {
            let message = "the number is beyond what a value can be";
            number.ok_or_else(|| located(Error::new(ErrorKind::Malformed, message), self.text, at))
        };
        match value.get_ref() {
            DeValue::String(text) => Ok(Value::from(&**text)),
            DeValue::Boolean(flag) => Ok(Value::from(*flag)),
            DeValue::Datetime(time) => Ok(Value::from(time.to_string())),
            DeValue::Integer(integer) => number(whole(integer.as_str(), integer.radix())),
            DeValue::Float(float) => {
                let float: Option<f64> = float.as_str().parse().ok();
                number(float.and_then(Number::from_f64).map(Value::Number))
            }
            DeValue::Table(table) => self.table(table, path, depth + 1),
            DeValue::Array(array) => {
                let mut list = List::new();
                for (index, item) in (0..).zip(array.iter()) {
                    let inner = path.and_then(|path| path.join(Segment::Index(index)).ok());
                    if let Some(inner) = &inner {
                        let span = item.span();
                        let place = Place { key: span.start..span.start, value: span };
                        self.written.places.insert(inner.clone(), place);
                    }
                    list.push_back(self.value(item, inner.as_ref(), depth + 1)?);
                }
                Ok(Value::List(list))
            }
        }
    }
}

fn whole(digits: &str, radix: u32) -> Option<Value> {
    let signed = i64::from_str_radix(digits, radix).ok().map(Value::from);
    signed.or_else(|| u64::from_str_radix(digits, radix).ok().map(Value::from))
}
