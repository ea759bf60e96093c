//! Secrets as they are logged: sealed under a key, with a digest that tells them apart.
//!
//! A secret is sealed for its place: the name of the document and the way to it are authenticated
//! with it, so that a seal that was copied elsewhere does not open. What is kept in memory has the
//! content beside the seal, what is written has the seal alone.

mod key;

pub use key::SecretKey;

use std::sync::Arc;

use foundation_types::path::Segment;
use foundation_types::value::{Seal, SecretValue};
use foundation_types::{Edit, Error, ErrorKind, Path, Problem, Result, Value};

use zeroize::Zeroizing;

use crate::random::{Rng, SystemRng};

/// What seals and opens the secrets of documents, if there is a key.
pub struct Seals {
    key: Option<SecretKey>,
    /// Keys that open and seal nothing new.
    former: Vec<SecretKey>,
    rng: Arc<dyn Rng>,
}

impl Default for Seals {
    fn default() -> Self {
        Self { key: None, former: Vec::new(), rng: Arc::new(SystemRng::default()) }
    }
}

impl std::fmt::Debug for Seals {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Seals").field("has_key", &self.key.is_some()).finish_non_exhaustive()
    }
}

impl Seals {
    /// Seals under this key, if there is one. What it does not open the former keys may.
    #[must_use]
    pub fn new(key: Option<SecretKey>, former: Vec<SecretKey>, rng: Arc<dyn Rng>) -> Self {
        Self { key, former, rng }
    }

    /// The edits with every secret that they put somewhere sealed for its place.
    ///
    /// # Errors
    /// `NoSealingKey` if there is one and no key.
    pub fn seal(&self, document: &str, edits: Vec<Edit>) -> Result<Vec<Edit>> {
        let seal = |mut edit: Edit| {
            if let Some(after) = &edit.after {
                let steps = edit.path.segments().to_vec();
                let sealed = replaced(after, steps, &mut |secret, steps| {
                    self.sealed(document, secret, steps).map(Some)
                })?;
                edit.after = sealed.or(edit.after);
            }
            Ok(edit)
        };
        edits.into_iter().map(seal).collect()
    }

    /// The tree with the content of every secret in it.
    ///
    /// # Errors
    /// `SecretSealed` for the first that does not open, `SecretUnknown` for one without a seal,
    /// each with its path and the document as context.
    pub fn open(&self, document: &str, tree: &Value) -> Result<Value> {
        self.settle(document, tree, &Value::Null)
    }

    /// The value at a place with the content of every secret in it.
    ///
    /// # Errors
    /// As [`Seals::open`].
    pub fn open_at(&self, document: &str, path: &Path, value: &Value) -> Result<Value> {
        let opened = replaced(value, path.segments().to_vec(), &mut |secret, steps| match (
            secret.expose(),
            secret.seal(),
        ) {
            (None, Some(seal)) => self.opened(document, seal, steps).map(Some),
            _ => Ok(None),
        })?;
        Ok(opened.unwrap_or_else(|| value.clone()))
    }

    /// The tree with the content of each secret that opens; the others are as they were.
    #[must_use]
    pub fn open_what_opens(&self, document: &str, tree: &Value) -> Value {
        let opened = replaced(tree, Vec::new(), &mut |secret, steps| {
            let seal = secret.seal().filter(|_| secret.expose().is_none());
            Ok(seal.and_then(|seal| self.opened(document, seal, steps).ok()))
        });
        opened.ok().flatten().unwrap_or_else(|| tree.clone())
    }

    /// As [`Seals::open`], where head has what is secret already. A secret of which nothing is
    /// known stands for the one that head has at the same place; in a list the place is a number.
    ///
    /// # Errors
    /// As [`Seals::open`].
    pub fn settle(&self, document: &str, tree: &Value, head: &Value) -> Result<Value> {
        // Most documents have none: looking is quicker than remembering where one is.
        if !tree.has_secret() {
            return Ok(tree.clone());
        }
        let settled = replaced(tree, Vec::new(), &mut |secret, steps| {
            if secret.expose().is_some() {
                return Ok(None);
            }
            match (at(head, steps), secret.seal()) {
                (Some(Value::Secret(there)), None) if there.expose().is_some() => {
                    Ok(Some(there.clone()))
                }
                (Some(Value::Secret(there)), Some(_)) if there == secret => Ok(Some(there.clone())),
                (_, Some(seal)) => self.opened(document, seal, steps).map(Some),
                (_, None) => {
                    let message = "there is no secret that the mark could stand for";
                    Err(misfit(ErrorKind::SecretUnknown, document, steps, message))
                }
            }
        })?;
        Ok(settled.unwrap_or_else(|| tree.clone()))
    }

    /// Whether there is a key to seal under.
    #[must_use]
    pub fn can_seal(&self) -> bool {
        self.key.is_some()
    }

    /// The key of something else, wrapped under this one; nothing if there is no key.
    pub(crate) fn wrap(&self, place: &[u8], key: &[u8; 32]) -> Option<Vec<u8>> {
        let drawn = [self.rng.bits(), self.rng.bits()];
        self.key.as_ref()?.encrypt(place, key, drawn)
    }

    /// What was wrapped under this key or a former one.
    pub(crate) fn unwrap(&self, place: &[u8], wrapped: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        self.key.iter().chain(&self.former).find_map(|key| key.decrypt(place, wrapped))
    }

    /// What a subject is called where nobody is to know it: under this key, then under former ones.
    pub(crate) fn subject_hashes(&self, subject: &str) -> impl Iterator<Item = [u8; 32]> {
        self.key.iter().chain(&self.former).map(move |key| key.subject_hash(subject))
    }

    fn sealed(
        &self,
        document: &str,
        secret: &SecretValue,
        steps: &[Segment],
    ) -> Result<SecretValue> {
        let refused = |kind, message| Err(misfit(kind, document, steps, message));
        let Some(key) = &self.key else {
            return refused(ErrorKind::NoSealingKey, "a secret is kept only under a sealing key");
        };
        let Some(content) = secret.expose() else {
            return refused(ErrorKind::SecretUnknown, "the secret is not known here");
        };
        let drawn = [self.rng.bits(), self.rng.bits()];
        let Some(seal) = key.seal(&place(document, steps), content, drawn) else {
            return refused(ErrorKind::Internal, "the secret cannot be encrypted");
        };
        Ok(SecretValue::sealed(content.clone(), seal))
    }

    fn opened(&self, document: &str, seal: &Seal, steps: &[Segment]) -> Result<SecretValue> {
        let refused = |message| misfit(ErrorKind::SecretSealed, document, steps, message);
        let mut keys = self.key.iter().chain(&self.former).peekable();
        if keys.peek().is_none() {
            let message = "the secret is sealed, and no sealing key was given to open it with";
            return Err(refused(message));
        }
        let place = place(document, steps);
        let content = keys.find_map(|key| key.open(&place, seal)).ok_or_else(|| {
            refused("the secret was sealed under another key or for another place, or is damaged")
        })?;
        Ok(SecretValue::sealed(content, seal.clone()))
    }
}

fn misfit(kind: ErrorKind, document: &str, steps: &[Segment], message: &str) -> Error {
    let path = foundation_types::path::dotted(steps);
    Error::of_problems(vec![Problem::new(kind, path, message)]).with("document", document)
}

/// What a secret is sealed for. No two places have the same text.
fn place(document: &str, steps: &[Segment]) -> Vec<u8> {
    let mut text = document.to_owned();
    for step in steps {
        text.push('/');
        match step {
            Segment::Key(key) => text.push_str(&key.replace('~', "~0").replace('/', "~1")),
            // What a path may write as an index is a key where a map is.
            Segment::Index(index) => text.push_str(&index.to_string()),
        }
    }
    text.into_bytes()
}

fn at<'a>(tree: &'a Value, steps: &[Segment]) -> Option<&'a Value> {
    steps.iter().try_fold(tree, |value, step| match (value, step) {
        (Value::Map(map), Segment::Key(key)) => map.get(key),
        (Value::List(list), Segment::Index(index)) => list.get(usize::try_from(*index).ok()?),
        _ => None,
    })
}

type Replace<'a> = dyn FnMut(&SecretValue, &[Segment]) -> Result<Option<SecretValue>> + 'a;

/// The value with other secrets in it; nothing if all stay. Recursion ends with the tree, after 64
/// levels.
fn replaced(
    value: &Value,
    mut steps: Vec<Segment>,
    replace: &mut Replace<'_>,
) -> Result<Option<Value>> {
    replaced_at(value, &mut steps, replace)
}

fn replaced_at(
    value: &Value,
    steps: &mut Vec<Segment>,
    replace: &mut Replace<'_>,
) -> Result<Option<Value>> {
    let mut inside = |value, step, replace: &mut Replace<'_>| {
        steps.push(step);
        let new = replaced_at(value, steps, replace);
        steps.pop();
        new
    };
    match value {
        Value::Secret(secret) => Ok(replace(secret, steps)?.map(Value::Secret)),
        Value::Map(map) => {
            let mut new = None;
            for (key, value) in map {
                if let Some(value) = inside(value, Segment::Key(key.clone()), replace)? {
                    new.get_or_insert_with(|| map.clone()).insert(key.clone(), value);
                }
            }
            Ok(new.map(Value::Map))
        }
        Value::List(list) => {
            let mut new = None;
            for (index, value) in list.iter().enumerate() {
                let step = Segment::Index(u32::try_from(index).unwrap_or(u32::MAX));
                if let Some(value) = inside(value, step, replace)? {
                    new.get_or_insert_with(|| list.clone()).set(index, value);
                }
            }
            Ok(new.map(Value::List))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => Ok(None),
    }
}
