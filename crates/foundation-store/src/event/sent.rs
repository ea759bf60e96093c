//! The digest of an event as it was sent: by it a record that is not what was sent is known as its own.

use std::fmt::Write;

use foundation_types::{Event, Tag};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Bytes of the digest that are kept.
const KEPT_BYTES: usize = 16;

/// The first 128 bits of the SHA-256 of all fields but the id, as hexadecimal text. The order of keys
/// and white space say nothing.
#[must_use]
pub fn sent_digest(event: &Event) -> String {
    let mut hash = Sha256::new();
    let mut field = |text: Option<&str>| {
        // A length in front: no two rows of fields make the same bytes.
        hash.update(text.map_or(u64::MAX, |text| text.len() as u64).to_le_bytes());
        hash.update(text.unwrap_or_default());
    };
    let time = event.time.map(|time| format!("{:?}", time.to_parts()));
    field(Some(event.kind.as_str()));
    field(time.as_deref());
    field(event.source.as_deref());
    field(event.subject.as_deref());
    field(event.correlation_id.as_ref().map(|id| id.as_str()));
    field(event.parent_id.as_ref().map(|id| id.as_str()));
    field(Some(&event.schema.to_string()));
    field(Some(&event.tags.len().to_string()));
    event.tags.iter().map(Tag::as_str).for_each(|tag| field(Some(tag)));
    field(event.altered.as_ref().map(|altered| altered.sent.as_str()));
    field(Some(&canonical(event.data.as_json())));
    hash.finalize().iter().take(KEPT_BYTES).fold(String::new(), |mut out, byte| {
        // Writing into text cannot fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// The text with keys in order and without white space. Data is JSON: what is none stands for itself.
fn canonical(text: &str) -> String {
    serde_json::from_str::<Value>(text).map_or_else(
        |_| text.to_owned(),
        |mut value| {
            value.sort_all_objects();
            value.to_string()
        },
    )
}

#[cfg(test)]
mod tests {
    use foundation_types::{Data, Timestamp};

    use super::*;

    #[test]
    fn every_field_counts_and_white_space_does_not() {
        let event = |json: &str| Event { data: Data::from_checked(json), ..Event::new("a") };
        let one = event(r#"{"x": 1, "y": [2]}"#);
        assert_eq!(sent_digest(&one), sent_digest(&event(r#"{"y":[2],"x":1}"#)));
        assert_eq!(sent_digest(&one), sent_digest(&one.clone().id("an id says nothing")));
        let others = [
            Event { kind: "b".into(), ..one.clone() },
            one.clone().at(Timestamp::UNIX_EPOCH),
            one.clone().source("s"),
            one.clone().subject("s"),
            one.clone().correlation("s"),
            one.clone().parent("s"),
            one.clone().schema(2),
            one.clone().tag("s"),
            event(r#"{"x": 1, "y": [3]}"#),
        ];
        let mut seen: Vec<String> = others.iter().chain([&one]).map(sent_digest).collect();
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 10);
    }
}
