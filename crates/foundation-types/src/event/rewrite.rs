//! Parts of JSON text replaced, everything else left as it is written.
//!
//! A tree would be simpler, and would make other numbers of what has more digits than it holds.

use std::fmt;

use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::data::Data;
use crate::error::{Error, ErrorKind, Result};
use crate::path::Segment;

/// What a part becomes: given its place as a JSON pointer and its text. Nothing leaves it as it is.
pub type Replace<'a> = dyn FnMut(&str, &str) -> Result<Option<String>> + 'a;

impl Data {
    /// The data with what stands at these paths replaced; nothing if nothing was. A key that is looked
    /// for in a list is looked for in each of its elements.
    ///
    /// # Errors
    /// Whatever `replace` says; as [`Data::from_json`] of what comes out.
    pub fn replaced_at(
        &self,
        paths: &[Vec<Segment>],
        replace: &mut Replace<'_>,
    ) -> Result<Option<Self>> {
        let mut text: Option<String> = None;
        for path in paths {
            let now = text.as_deref().unwrap_or(self.as_json());
            if let Some(new) = at_path(now, path, &mut String::new(), replace)? {
                text = Some(new);
            }
        }
        text.map(|text| Self::from_json(&text)).transpose()
    }

    /// The data with every object that has this one key and no other replaced; nothing if nothing
    /// was. `replace` is given the text under the key.
    ///
    /// # Errors
    /// As [`Data::replaced_at`].
    pub fn replaced_marks(&self, key: &str, replace: &mut Replace<'_>) -> Result<Option<Self>> {
        // Most data has none: looking is quicker than reading.
        if !self.as_json().contains(key) {
            return Ok(None);
        }
        let text = marks(self.as_json(), key, &mut String::new(), replace)?;
        text.map(|text| Self::from_json(&text)).transpose()
    }
}

fn at_path(
    text: &str,
    path: &[Segment],
    place: &mut String,
    replace: &mut Replace<'_>,
) -> Result<Option<String>> {
    let Some((step, rest)) = path.split_first() else { return replace(place, text) };
    each(text, place, &mut |part, place, text| {
        let is_wanted = match (part, step) {
            (Part::Key(key), Segment::Key(name)) => **name == *key,
            (Part::Key(key), Segment::Index(index)) => key == index.to_string(),
            (Part::Element(at), Segment::Index(index)) => at == *index as usize,
            (Part::Element(_), Segment::Key(_)) => return at_path(text, path, place, replace),
        };
        if is_wanted { at_path(text, rest, place, replace) } else { Ok(None) }
    })
}

fn marks(
    text: &str,
    wanted: &str,
    place: &mut String,
    replace: &mut Replace<'_>,
) -> Result<Option<String>> {
    if let Whole::Map(entries) = whole(text)?
        && let [(key, inner)] = entries.as_slice()
        && key == wanted
    {
        return replace(place, inner.get());
    }
    each(text, place, &mut |_, place, text| marks(text, wanted, place, replace))
}

/// One part of a list or a map.
#[derive(Clone, Copy)]
enum Part<'a> {
    Key(&'a str),
    Element(usize),
}

type EachPart<'a> = dyn FnMut(Part<'_>, &mut String, &str) -> Result<Option<String>> + 'a;

/// The text with its parts replaced, if any was.
fn each(text: &str, place: &mut String, change: &mut EachPart<'_>) -> Result<Option<String>> {
    let length = place.len();
    let mut is_changed = false;
    let mut part = |part: Part<'_>, text: &str| -> Result<String> {
        match part {
            Part::Key(key) => place.extend(["/", &key.replace('~', "~0").replace('/', "~1")]),
            Part::Element(at) => place.push_str(&format!("/{at}")),
        }
        let new = change(part, place, text);
        place.truncate(length);
        let new = new?;
        is_changed |= new.is_some();
        Ok(new.unwrap_or_else(|| text.to_owned()))
    };
    let text = match whole(text)? {
        Whole::Map(entries) => {
            let mut parts = Vec::with_capacity(entries.len());
            for (key, value) in &entries {
                let key_text = serde_json::to_string(key).map_err(unreadable)?;
                parts.push(format!("{key_text}:{}", part(Part::Key(key), value.get())?));
            }
            format!("{{{}}}", parts.join(","))
        }
        Whole::List(elements) => {
            let mut parts = Vec::with_capacity(elements.len());
            for (at, value) in elements.iter().enumerate() {
                parts.push(part(Part::Element(at), value.get())?);
            }
            format!("[{}]", parts.join(","))
        }
        Whole::Leaf => return Ok(None),
    };
    Ok(is_changed.then_some(text))
}

/// A JSON value of which the parts are text still.
enum Whole<'a> {
    Map(Vec<(String, &'a RawValue)>),
    List(Vec<&'a RawValue>),
    Leaf,
}

fn whole(text: &str) -> Result<Whole<'_>> {
    if !text.trim_start().starts_with(['{', '[']) {
        return Ok(Whole::Leaf);
    }
    serde_json::Deserializer::from_str(text).deserialize_any(Parts).map_err(unreadable)
}

fn unreadable(cause: serde_json::Error) -> Error {
    Error::new(ErrorKind::Malformed, "the data is no JSON").caused_by(cause)
}

struct Parts;

impl<'de> Visitor<'de> for Parts {
    type Value = Whole<'de>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a list or a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Whole<'de>, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Whole::Map(entries))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Whole<'de>, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = list.next_element()? {
            elements.push(element);
        }
        Ok(Whole::List(elements))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path::Path;

    fn steps(path: &str) -> Vec<Segment> {
        path.parse::<Path>().expect("a path").segments().to_vec()
    }

    #[test]
    fn only_what_stands_at_the_paths_is_replaced() {
        let text = r#"{"n": 12345678901234567890123, "a": {"b": "x", "c~/": 1.50}, "l": [{"b": 1}, {"b": 2}, 3]}"#;
        let data = Data::from_json(text).expect("JSON");
        let mut seen = Vec::new();
        let paths = [steps("a.b"), steps("l.b"), steps("l[2]"), steps("a.none")];
        let new = data.replaced_at(&paths, &mut |place, text| {
            seen.push(format!("{place}={text}"));
            Ok(Some(format!("[{text}]")))
        });
        let new = new.expect("is read").expect("is changed");
        assert_eq!(
            new.as_json(),
            r#"{"n":12345678901234567890123,"a":{"b":["x"],"c~/":1.50},"l":[{"b":[1]},{"b":[2]},[3]]}"#
        );
        assert_eq!(seen, ["/a/b=\"x\"", "/l/0/b=1", "/l/1/b=2", "/l/2=3"]);
        let none = data.replaced_at(&[steps("z")], &mut |_, _| Ok(Some(String::new())));
        assert_eq!(none.expect("is read"), None);
    }

    #[test]
    fn a_mark_is_an_object_of_one_key() {
        let text = r#"{"a":{"$m":1},"b":{"$m":1,"x":2},"c":[{"$m":{"d":3}}],"t":"$m"}"#;
        let data = Data::from_json(text).expect("JSON");
        let new = data.replaced_marks("$m", &mut |place, text| {
            Ok(Some(format!("\"{place} {}\"", text.len())))
        });
        let new = new.expect("is read").expect("is changed");
        assert_eq!(new.as_json(), r#"{"a":"/a 1","b":{"$m":1,"x":2},"c":["/c/0 7"],"t":"$m"}"#);
        assert_eq!(new.replaced_marks("$none", &mut |_, _| Ok(None)).expect("is read"), None);
    }
}
