//! May this document, this change, this name of a document enter?

mod change;
mod document;
mod environment;
mod items;
mod known;
mod place;
mod said;
mod schema;
mod secrets;
#[cfg(test)]
mod tests;

pub use change::{ChangeRequest, change, change_of, edits};
pub use document::{BusinessRule, Stored, document, stored};
pub use environment::{Environment, environment, variable_of_two};
pub use known::no_such_key;
pub use said::{Said, is_secret, placed};
pub use secrets::{change_with_secrets, patch_with_secrets, with_secrets, without_plain_secrets};

use foundation_types::{Result, Value};

use crate::pipeline::settle;
use crate::text::{Characters, TextRule};
use crate::validated::Validated;

/// Longest name of a document, in bytes.
pub const NAME_BYTES_MAX: usize = 64;

/// Bytes that a mark with a seal has beside the content.
const SEAL_BYTES: usize = 256;

const NAME: TextRule = TextRule {
    bytes_min: 1,
    bytes_max: NAME_BYTES_MAX,
    characters: Characters::Alphanumeric("_-"),
};

/// Whether a document may have this name: 1 to 64 bytes of `[A-Za-z0-9_-]`.
///
/// # Errors
/// [`foundation_types::ErrorKind::Invalid`] for no or other characters,
/// [`foundation_types::ErrorKind::TooLarge`] for a longer name.
pub fn document_name(name: &str) -> Result<()> {
    let mut found = Vec::new();
    NAME.check("document", name, &mut found);
    settle((), found).map(Validated::into_inner)
}

/// Bytes of the value as JSON text, without making the text. A secret counts with what its seal will
/// take.
#[must_use]
pub fn json_bytes(value: &Value) -> usize {
    let mut counter = Counter(0);
    // Writing a value into a counter cannot fail: keys are text and numbers finite.
    match serde_json::to_writer(&mut counter, value) {
        Ok(()) => counter.0.saturating_add(hidden_bytes(value)),
        Err(_) => usize::MAX,
    }
}

/// Bytes of the secrets in it that their marks do not have. Sealed, a byte takes two of text.
fn hidden_bytes(value: &Value) -> usize {
    match value {
        Value::Secret(secret) if secret.seal().is_some() => 0,
        Value::Secret(secret) => {
            secret.expose().map_or(0, |content| 2 * json_bytes(content) + SEAL_BYTES)
        }
        Value::List(list) => list.iter().map(hidden_bytes).sum(),
        Value::Map(map) => map.values().map(hidden_bytes).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => 0,
    }
}

/// No fewer bytes than [`json_bytes`], counted without writing numbers or looking into text.
fn json_bytes_at_most(value: &Value) -> usize {
    // Each byte of a text may be written as "\u0000" is, and no number is longer than 24 bytes.
    let text = |text: &str| 6 * text.len() + 2;
    let inner = |value| json_bytes_at_most(value) + 1;
    match value {
        Value::Null | Value::Bool(_) => 5,
        Value::Number(_) => 24,
        Value::Text(this) => text(this),
        Value::Secret(secret) => {
            let seal = secret.seal().map_or(0, |seal| seal.sealed.len() + seal.digest.len());
            let content = secret.expose().map_or(0, json_bytes_at_most);
            2 * content + seal + SEAL_BYTES
        }
        Value::List(list) => 2 + list.iter().map(inner).sum::<usize>(),
        Value::Map(map) => {
            2 + map.iter().map(|(key, value)| text(key) + 1 + inner(value)).sum::<usize>()
        }
    }
}

struct Counter(usize);

impl std::io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 = self.0.saturating_add(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
