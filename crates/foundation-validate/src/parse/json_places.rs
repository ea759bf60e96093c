//! JSON text as a tree with places.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use foundation_types::path::Segment;
use foundation_types::{Path, Result};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::file::{Place, Written};

/// What the text says: bounded and without repeated keys, as [`super::value`] reads it.
pub(super) fn read(text: &str) -> Result<Written> {
    let mut written = Written { tree: super::value(text)?, ..Written::default() };
    place(text, text.trim_start(), &Path::root(), &mut written);
    Ok(written)
}

/// Notes the places inside of a value. It is known to be JSON, and no deeper than the limit.
fn place(text: &str, value: &str, path: &Path, written: &mut Written) {
    if value.starts_with('{') {
        let Ok(Entries(entries)) = serde_json::from_str(value) else { return };
        for (key, raw) in entries {
            if let Ok(inner) = path.join(Segment::Key(key.as_ref().into())) {
                let begin = offset(text, raw.get());
                note(text, raw.get(), key_before(text, begin), inner, written);
            }
        }
    } else if value.starts_with('[') {
        let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(value) else { return };
        for (index, raw) in (0..).zip(items) {
            if let Ok(inner) = path.join(Segment::Index(index)) {
                let begin = offset(text, raw.get());
                note(text, raw.get(), begin..begin, inner, written);
            }
        }
    }
}

fn note(text: &str, raw: &str, key: Range<usize>, path: Path, written: &mut Written) {
    let begin = offset(text, raw);
    place(text, raw, &path, written);
    written.places.insert(path, Place { key, value: begin..begin + raw.len() });
}

/// Where in a text a part of it begins.
fn offset(text: &str, part: &str) -> usize {
    (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize).min(text.len())
}

/// The key of a value: before it are a colon and, at the end of a quoted text, a quote.
fn key_before(text: &str, value: usize) -> Range<usize> {
    let before = text[..value].trim_end().trim_end_matches(':').trim_end();
    let Some(inside) = before.strip_suffix('"') else { return value..value };
    let mut end = inside.len();
    while let Some(quote) = text[..end].rfind('"') {
        let escapes = text[..quote].bytes().rev().take_while(|byte| *byte == b'\\').count();
        if escapes % 2 == 0 {
            return quote..before.len();
        }
        end = quote;
    }
    value..value
}

/// The entries of an object in their order, each value as it stands in the text.
struct Entries<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Entries<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(EntriesVisitor)
    }
}

struct EntriesVisitor;

impl<'de> Visitor<'de> for EntriesVisitor {
    type Value = Entries<'de>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry::<Cow<'de, str>, &'de RawValue>()? {
            entries.push(entry);
        }
        Ok(Entries(entries))
    }
}
