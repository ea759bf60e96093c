//! Changing one place of the data of an event while all other text of it stays as it is.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::data::Data;
use crate::path::{Path, Segment};

/// What becomes of a value that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TextEdit {
    /// It stays.
    Keep,
    /// This JSON text takes its place.
    Replace(String),
    /// It goes, with its key.
    Remove,
}

impl Data {
    /// This data with the value at `path` edited; `None` if there is no such value or it stays.
    ///
    /// The editor sees the JSON text of the value. Numbers and the order of keys elsewhere stay as given.
    /// The whole is never removed: `null` takes its place.
    ///
    /// ```
    /// use foundation_types::Data;
    /// use foundation_types::event::TextEdit;
    /// let data = Data::from_json(r#"{"n": 12345678901234567890123, "card": "4111"}"#)?;
    /// let hidden = data.edited(&"card".parse()?, |_| TextEdit::Replace("\"x\"".to_owned()));
    /// let hidden = hidden.expect("it is there");
    /// assert_eq!(hidden.as_json(), r#"{"n":12345678901234567890123,"card":"x"}"#);
    /// # Ok::<(), foundation_types::Error>(())
    /// ```
    #[must_use]
    pub fn edited(&self, path: &Path, edit: impl FnOnce(&str) -> TextEdit) -> Option<Self> {
        match edited(self.as_json(), path.segments(), edit)? {
            TextEdit::Keep => None,
            // Made of checked text. Whether it grew too large is for validation to say: an edit that
            // hides a value is not left out for it.
            TextEdit::Replace(text) => Some(Self::from_checked(&text)),
            TextEdit::Remove => Some(Self::null()),
        }
    }
}

fn edited(
    text: &str,
    segments: &[Segment],
    edit: impl FnOnce(&str) -> TextEdit,
) -> Option<TextEdit> {
    let Some((first, rest)) = segments.split_first() else { return Some(edit(text)) };
    let mut parts = Parts::read(text)?;
    let at = parts.place(first)?;
    let (_, value) = parts.entries.get(at)?;
    match edited(value, rest, edit)? {
        TextEdit::Keep => return Some(TextEdit::Keep),
        TextEdit::Remove => drop(parts.entries.remove(at)),
        TextEdit::Replace(new) => parts.entries.get_mut(at)?.1 = Cow::Owned(new),
    }
    Some(TextEdit::Replace(parts.to_json()))
}

/// The parts of a list or an object, as text.
struct Parts<'a> {
    is_list: bool,
    entries: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

impl<'a> Parts<'a> {
    /// `None` for what has no parts.
    fn read(text: &'a str) -> Option<Self> {
        serde_json::Deserializer::from_str(text).deserialize_any(PartsVisitor).ok()
    }

    fn place(&self, segment: &Segment) -> Option<usize> {
        match segment {
            Segment::Index(at) if self.is_list => {
                usize::try_from(*at).ok().filter(|at| *at < self.entries.len())
            }
            Segment::Index(at) => self.named(&at.to_string()),
            Segment::Key(key) if !self.is_list => self.named(key),
            Segment::Key(_) => None,
        }
    }

    fn named(&self, key: &str) -> Option<usize> {
        self.entries.iter().position(|(name, _)| name == key)
    }

    fn to_json(&self) -> String {
        let (open, close) = if self.is_list { ('[', ']') } else { ('{', '}') };
        let mut out = String::from(open);
        for (at, (key, value)) in self.entries.iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            if !self.is_list {
                out.push_str(&serde_json::Value::from(&**key).to_string());
                out.push(':');
            }
            out.push_str(value);
        }
        out.push(close);
        out
    }
}

struct PartsVisitor;

impl<'de> Visitor<'de> for PartsVisitor {
    type Value = Parts<'de>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a list or an object")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(value) = list.next_element::<&'de RawValue>()? {
            entries.push((Cow::Borrowed(""), Cow::Borrowed(value.get())));
        }
        Ok(Parts { is_list: true, entries })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            entries.push((key, Cow::Borrowed(map.next_value::<&'de RawValue>()?.get())));
        }
        Ok(Parts { is_list: false, entries })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_place_is_edited() {
        let data = r#"{"a": [1, {"b\n": 1e999, "c": 2}], "7": null}"#;
        let cases = [
            ("a[1].c", TextEdit::Remove, Some(r#"{"a":[1,{"b\n":1e999}],"7":null}"#)),
            ("a[0]", TextEdit::Remove, Some(r#"{"a":[{"b\n": 1e999, "c": 2}],"7":null}"#)),
            (
                "[7]",
                TextEdit::Replace("0".into()),
                Some(r#"{"a":[1, {"b\n": 1e999, "c": 2}],"7":0}"#),
            ),
            ("a[0]", TextEdit::Keep, None),
            ("a[2]", TextEdit::Remove, None),
            ("a.b", TextEdit::Remove, None),
            ("x", TextEdit::Remove, None),
            ("", TextEdit::Remove, Some("null")),
        ];
        let data = Data::from_checked(data);
        for (path, edit, expected) in cases {
            let path = if path.is_empty() { Path::root() } else { path.parse().expect("a path") };
            let found = data.edited(&path, |_| edit);
            assert_eq!(found.as_ref().map(Data::as_json), expected, "{path}");
        }
    }
}
