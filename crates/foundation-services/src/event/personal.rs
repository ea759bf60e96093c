//! Personal fields: sealed between validation and the journal, opened where an event is read.
//!
//! A field is sealed under the key of its subject, for its place in this event: a seal that was
//! copied elsewhere does not open. The same field of the same event is sealed to the same bytes, so
//! that a repeat is known as one.

mod forget;
mod opening;
mod rules;
mod touched;

pub use forget::{Forgetting, Forgotten};
pub use opening::VaultParts;
pub use rules::{PersonalRule, SubjectIn};
pub use touched::{Cut, Touched};

use std::io::Read;
use std::sync::Arc;

use foundation_store::config::SecretKey;
use foundation_store::personal::{KeyId, SubjectKeys};
use foundation_types::event::{Data, FORGOTTEN_MARK, SEALED_MARK};
use foundation_types::limits::SUBJECT_BYTES_MAX;
use foundation_types::{Error, ErrorKind, Event, Problem, Recorded, Result};
use serde::{Deserialize, Serialize};

/// What seals and opens the personal fields of events.
#[derive(Debug)]
pub struct Vault {
    rules: Vec<PersonalRule>,
    keys: Arc<SubjectKeys>,
}

/// What stands in the place of a personal value, under [`SEALED_MARK`].
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Seal {
    key: String,
    data: String,
}

impl Vault {
    /// Whether something of the event is still to be sealed.
    pub(super) fn concerns(&self, event: &Event) -> bool {
        self.rules_of(event).any(|rule| {
            let mut is_clear = false;
            let looked = event.data.replaced_at(rule.paths(), &mut |_, text| {
                is_clear |= self.is_clear(text);
                Ok(None)
            });
            looked.is_err() || is_clear
        })
    }

    /// Whether there is a rule for events of this type.
    pub(super) fn has_rules_for(&self, event: &Event) -> bool {
        self.rules_of(event).next().is_some()
    }

    /// The event with its personal fields sealed. It has an id.
    ///
    /// # Errors
    /// `Invalid` if its subject is not said where a rule looks for it; as [`SubjectKeys::add`].
    pub(super) async fn seal(self: &Arc<Self>, mut event: Event) -> Result<Event> {
        let rules: Vec<PersonalRule> = self.rules_of(&event).cloned().collect();
        for rule in rules {
            let subject = subject_of(&rule, &event)?;
            let (id, key) = self.key_of(subject).await?;
            let event_id = event.id.as_ref().map(|id| id.as_str().to_owned()).unwrap_or_default();
            let sealed = event.data.replaced_at(rule.paths(), &mut |pointer, text| {
                if !self.is_clear(text) {
                    return Ok(None);
                }
                let bytes = key.encrypt(&place(&event_id, pointer), text.as_bytes(), [0, 0]);
                let bytes = bytes.ok_or_else(unencrypted)?;
                let seal = Seal { key: id.to_string(), data: hex(&bytes) };
                let mark = serde_json::json!({ SEALED_MARK: seal });
                Ok(Some(mark.to_string()))
            })?;
            event.data = sealed.unwrap_or(event.data);
        }
        Ok(event)
    }

    /// The event with what is sealed in it opened; what was forgotten is marked as that, and what there
    /// is no key for stays as it is.
    ///
    /// # Errors
    /// As [`SubjectKeys::of_id`].
    pub(super) fn open(&self, mut recorded: Recorded) -> Result<Recorded> {
        let event_id = recorded.event.id.as_ref().map(|id| id.as_str()).unwrap_or_default();
        let opened = recorded.event.data.replaced_marks(SEALED_MARK, &mut |pointer, inner| {
            let Some((id, bytes)) = sealed_in(inner) else { return Ok(None) };
            if self.keys.is_destroyed(id) {
                return Ok(Some(format!("{{\"{FORGOTTEN_MARK}\":true}}")));
            }
            let Some(key) = self.keys.of_id(id)? else { return Ok(None) };
            let text = key.decrypt(&place(event_id, pointer), &bytes);
            Ok(text.and_then(|text| String::from_utf8(text.to_vec()).ok()))
        })?;
        recorded.event.data = opened.unwrap_or(recorded.event.data);
        Ok(recorded)
    }

    /// Whether two data say the same but for what was forgotten in the stored one.
    pub(super) fn says_what_is_left(&self, given: &Data, stored: &Data) -> bool {
        let mut has_forgotten = false;
        let bare = stored.replaced_marks(SEALED_MARK, &mut |_, inner| {
            has_forgotten |= sealed_in(inner).is_some_and(|(id, _)| self.keys.is_destroyed(id));
            Ok(Some("null".to_owned()))
        });
        let given = given.replaced_marks(SEALED_MARK, &mut |_, _| Ok(Some("null".to_owned())));
        match (bare, given) {
            (Ok(Some(bare)), Ok(Some(given))) => has_forgotten && bare.says_the_same(&given),
            _ => false,
        }
    }

    fn rules_of<'a>(&'a self, event: &'a Event) -> impl Iterator<Item = &'a PersonalRule> {
        self.rules.iter().filter(|rule| rule.types().admits(event.kind.as_str()))
    }

    /// Whether there is something to seal: `null` says nothing, and what is sealed is.
    fn is_clear(&self, text: &str) -> bool {
        if text.trim() == "null" {
            return false;
        }
        let inner = serde_json::from_str::<std::collections::HashMap<String, Seal>>(text).ok();
        let seal = inner.filter(|map| map.len() == 1).and_then(|mut map| map.remove(SEALED_MARK));
        let id = seal.and_then(|seal| KeyId::parse(&seal.key));
        // What only looks like a seal of ours is a value like any other.
        !id.is_some_and(|id| {
            self.keys.is_destroyed(id) || matches!(self.keys.of_id(id), Ok(Some(_)))
        })
    }

    /// The key of a subject; a new one, which is durable by then, if it has none.
    async fn key_of(self: &Arc<Self>, subject: String) -> Result<(KeyId, SecretKey)> {
        if let Some(known) = self.keys.of_subject(&subject)? {
            return Ok(known);
        }
        let keys = Arc::clone(&self.keys);
        let added = tokio::task::spawn_blocking(move || {
            let (id, key) = (random::<16>()?, zeroize::Zeroizing::new(random::<32>()?));
            keys.add(&subject, KeyId::of_bytes(id), &key)?;
            keys.of_subject(&subject)
        });
        let forgotten =
            || Error::new(ErrorKind::Unavailable, "the subject is just being forgotten");
        added.await.map_err(panicked)??.ok_or_else(forgotten)
    }
}

/// Random bytes of the system.
fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    let read = std::fs::File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes));
    read.map_err(|cause| {
        let message = format!("the system gives no random bytes for a key: {cause}");
        Error::new(ErrorKind::Unavailable, message).caused_by(cause)
    })?;
    Ok(bytes)
}

fn panicked(cause: tokio::task::JoinError) -> Error {
    Error::new(ErrorKind::Internal, "writing the keys of persons panicked").caused_by(cause)
}

fn unencrypted() -> Error {
    Error::new(ErrorKind::Internal, "a personal field cannot be encrypted")
}

fn subject_of(rule: &PersonalRule, event: &Event) -> Result<String> {
    let (place, subject) = match rule.subject() {
        SubjectIn::Event => ("subject".to_owned(), event.subject.clone()),
        SubjectIn::Field(path) => {
            let value = event.data.at(path);
            let text = value.and_then(|value| match value {
                foundation_types::Value::Text(text) => Some(text.to_string()),
                foundation_types::Value::Number(_) => Some(value.to_json()),
                _ => None,
            });
            (format!("data.{path}"), text)
        }
    };
    let refused = |message: &str| {
        let problem = Problem::new(ErrorKind::Invalid, &place, message);
        Error::of_problems(vec![problem]).with("type", &event.kind)
    };
    match subject.filter(|subject| !subject.is_empty()) {
        Some(subject) if subject.len() <= SUBJECT_BYTES_MAX => Ok(subject),
        Some(_) => Err(refused("the subject of personal fields has more than 512 bytes")),
        None => {
            Err(refused("the event has personal fields, and says here of whom: a text or number"))
        }
    }
}

/// What a field is sealed for. An id has no line breaks.
fn place(event: &str, pointer: &str) -> Vec<u8> {
    [event.as_bytes(), b"\n", pointer.as_bytes()].concat()
}

fn sealed_in(inner: &str) -> Option<(KeyId, Vec<u8>)> {
    let seal: Seal = serde_json::from_str(inner).ok()?;
    Some((KeyId::parse(&seal.key)?, unhex(&seal.data)?))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = text.as_bytes().chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return None;
    }
    pairs.map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}
