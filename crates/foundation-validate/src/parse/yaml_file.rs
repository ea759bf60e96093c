//! YAML 1.2 text as a tree with places: one document of what JSON can say, and nothing by reference.

use std::ops::Range;
use std::sync::Arc;

use foundation_types::limits::DEPTH_MAX;
use foundation_types::path::Segment;
use foundation_types::value::{List, Map, Number};
use foundation_types::{Error, ErrorKind, Path, Result, Value};
use granit_parser::{
    ErrorKind as Broken, Event, Marker, Parser, ScalarStyle, ScanError, Span, StrInput,
    StructureStyle,
};

use super::file::{Place, Written, located};

const BEYOND: &str = "the number is beyond what a value can be";
const ZERO_BEFORE: &str = "a number with a zero before it means different numbers to different \
                           readers; leave the zero out, or write the text in quotes";

/// What the text says; an empty map if there is no document in it, or an empty one.
pub(super) fn read(text: &str) -> Result<Written> {
    let mut options = granit_parser::options! {
        strict_indentation: true,
        disallow_directives: true,
    };
    options.set_emit_comments(false);
    let events = Parser::new_from_str_with_options(text, options);
    let mut reader = Reader { text, events, written: Written::default() };
    reader.written.tree = reader.document()?;
    Ok(reader.written)
}

struct Reader<'a> {
    text: &'a str,
    events: Parser<'a, StrInput<'a>>,
    written: Written,
}

/// A value, and the bytes that it is written as. What is in block style, over lines of its own, is
/// shown by its key alone: what its lines say may be secret.
struct Node {
    value: Value,
    bytes: Range<usize>,
    block: bool,
}

impl<'a> Reader<'a> {
    fn document(&mut self) -> Result<Value> {
        let mut tree = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamEnd => return Ok(tree.unwrap_or_else(Value::empty_map)),
                Event::DocumentStart(..) if tree.is_some() => {
                    let message = "the file has a second document; a configuration file is one";
                    return Err(self.refused(message, span.start));
                }
                Event::DocumentStart(..) => {
                    let (event, span) = self.next()?;
                    let node = self.node(event, &span, Some(&Path::root()), 0)?;
                    let is_empty = node.value == Value::Null && node.bytes.is_empty();
                    tree = Some(if is_empty { Value::empty_map() } else { node.value });
                }
                _ => {}
            }
        }
    }

    fn next(&mut self) -> Result<(Event<'a>, Span)> {
        match self.events.next_event() {
            Some(Ok(next)) => Ok(next),
            Some(Err(error)) => Err(self.broken(&error)),
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    /// The value that begins with an event. Recursion ends with the limit of depth.
    fn node(
        &mut self,
        event: Event<'a>,
        span: &Span,
        path: Option<&Path>,
        depth: usize,
    ) -> Result<Node> {
        self.plain_node(&event, span)?;
        let begin = self.byte(&span.start);
        if depth >= DEPTH_MAX && !matches!(event, Event::Scalar(..)) {
            return Err(self.too_deep(&span.start));
        }
        match event {
            Event::Scalar(text, style, ..) => {
                let value = match style {
                    ScalarStyle::Plain => plain(&text),
                    _ => Ok(Value::from(&*text)),
                };
                let value = value.map_err(|message| self.refused(message, span.start))?;
                let block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
                Ok(Node { value, bytes: begin..self.byte(&span.end).max(begin), block })
            }
            Event::SequenceStart(style, ..) => self.list(begin, style, path, depth),
            Event::MappingStart(style, ..) => self.map(begin, style, path, depth),
            _ => Err(self.refused("the text is not YAML: a value is missing", span.start)),
        }
    }

    fn map(
        &mut self,
        begin: usize,
        style: StructureStyle,
        path: Option<&Path>,
        depth: usize,
    ) -> Result<Node> {
        let mut map = Map::new();
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                return Ok(self.collection(Value::Map(map), begin, style, &span));
            }
            let name = self.key(&event, &span)?;
            if map.contains_key(&name) {
                return Err(self.refused("the text is not YAML: a key is repeated", span.start));
            }
            let inner = path.and_then(|path| path.join(Segment::Key(name.clone())).ok());
            let key = self.byte(&span.start)..self.byte(&span.end);
            let (event, span) = self.next()?;
            let node = self.node(event, &span, inner.as_ref(), depth + 1)?;
            if let Some(inner) = inner {
                // Nothing is written for what is left out, and nothing but its key for a block.
                let value =
                    if node.block || node.bytes.is_empty() { key.clone() } else { node.bytes };
                self.written.places.insert(inner, Place { key, value });
            }
            map.insert(name, node.value);
        }
    }

    fn list(
        &mut self,
        begin: usize,
        style: StructureStyle,
        path: Option<&Path>,
        depth: usize,
    ) -> Result<Node> {
        let mut list = List::new();
        for index in 0.. {
            let (event, span) = self.next()?;
            if matches!(event, Event::SequenceEnd) {
                return Ok(self.collection(Value::List(list), begin, style, &span));
            }
            let inner = path.and_then(|path| path.join(Segment::Index(index)).ok());
            let node = self.node(event, &span, inner.as_ref(), depth + 1)?;
            if let Some(inner) = inner {
                let start = node.bytes.start;
                let value = if node.block { start..start } else { node.bytes };
                self.written.places.insert(inner, Place { key: start..start, value });
            }
            list.push_back(node.value);
        }
        Err(Error::new(ErrorKind::TooLarge, "the file has a list that no path can count"))
    }

    fn collection(&self, value: Value, begin: usize, style: StructureStyle, end: &Span) -> Node {
        let bytes = begin..self.byte(&end.end).max(begin);
        Node { value, bytes, block: style == StructureStyle::Block }
    }

    /// The text that a key is.
    fn key(&self, event: &Event<'_>, span: &Span) -> Result<Arc<str>> {
        self.plain_node(event, span)?;
        match event {
            Event::Scalar(text, ScalarStyle::Plain, ..) if text == "<<" => {
                Err(self.refused("merge keys are not read; write the values out", span.start))
            }
            Event::Scalar(text, ScalarStyle::Plain, ..)
                if !matches!(plain(text), Ok(Value::Text(_))) =>
            {
                let message = "a key is text; write one that looks like something else in quotes";
                Err(self.refused(message, span.start))
            }
            Event::Scalar(text, ..) => Ok(Arc::from(&**text)),
            _ => Err(self.refused("a key is text, and no list or map", span.start)),
        }
    }

    /// Refuses what says by a name what is to be read as what, or again: a few lines of it can mean
    /// more than memory holds.
    fn plain_node(&self, event: &Event<'_>, span: &Span) -> Result<()> {
        if event.tag().is_some() {
            let message = "tags are not read; write text in quotes, and nothing else";
            return Err(self.refused(message, span.start));
        }
        if event.anchor_id().is_some() || event.is_alias() {
            let message = "anchors and aliases are not read; write the value out";
            return Err(self.refused(message, span.start));
        }
        Ok(())
    }

    fn broken(&self, error: &ScanError) -> Error {
        match error.kind() {
            Broken::RecursionLimitExceeded => self.too_deep(error.marker()),
            // Its message has a character of the text.
            Broken::UnexpectedCharacter { .. } => {
                self.refused("the text is not YAML: unexpected character", *error.marker())
            }
            Broken::UnknownAnchor => {
                let message = "anchors and aliases are not read; write the value out";
                self.refused(message, *error.marker())
            }
            kind => self.refused(&format!("the text is not YAML: {kind}"), *error.marker()),
        }
    }

    fn too_deep(&self, at: &Marker) -> Error {
        let message = format!("the file nests deeper than {DEPTH_MAX} levels");
        located(Error::new(ErrorKind::TooLarge, message), self.text, self.byte(at))
    }

    fn refused(&self, message: &str, at: Marker) -> Error {
        located(Error::new(ErrorKind::Malformed, message), self.text, self.byte(&at))
    }

    fn byte(&self, at: &Marker) -> usize {
        at.byte_offset().unwrap_or_else(|| {
            let mut begins = self.text.char_indices().map(|(begin, _)| begin);
            begins.nth(at.index()).unwrap_or(self.text.len())
        })
    }
}

/// What text without quotes says by the core schema of YAML 1.2: `no` and `1:30` are text.
fn plain(text: &str) -> Result<Value, &'static str> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Value::Null),
        "true" | "True" | "TRUE" => return Ok(Value::from(true)),
        "false" | "False" | "FALSE" => return Ok(Value::from(false)),
        ".nan" | ".NaN" | ".NAN" => return Err(BEYOND),
        _ => {}
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") {
        return Err(BEYOND);
    }
    for (prefix, radix) in [("0o", 8), ("0x", 16)] {
        if let Some(digits) = text.strip_prefix(prefix)
            && !digits.is_empty()
            && digits.chars().all(|digit| digit.is_digit(radix))
        {
            return u64::from_str_radix(digits, radix).map(Value::from).map_err(|_| BEYOND);
        }
    }
    if is_digits(unsigned) {
        return whole(text, unsigned);
    }
    if is_float(unsigned) {
        let float = text.parse().ok().and_then(Number::from_f64);
        return float.map(Value::Number).ok_or(BEYOND);
    }
    Ok(Value::from(text))
}

fn whole(text: &str, unsigned: &str) -> Result<Value, &'static str> {
    if unsigned.len() > 1 && unsigned.starts_with('0') {
        return Err(ZERO_BEFORE);
    }
    let signed = text.parse::<i64>().ok().map(Value::from);
    signed.or_else(|| text.parse::<u64>().ok().map(Value::from)).ok_or(BEYOND)
}

fn is_float(unsigned: &str) -> bool {
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let exponent_fits =
        exponent.is_none_or(|it| is_digits(it.strip_prefix(['-', '+']).unwrap_or(it)));
    let (before, after) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let are_digits = match (before.is_empty(), after.is_empty()) {
        (false, false) => is_digits(before) && is_digits(after),
        (false, true) => is_digits(before),
        (true, _) => is_digits(after),
    };
    exponent_fits && are_digits
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
