//! A secret in a tree: one leaf, of which only a mark is ever written.

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

use serde::ser::{Serialize, SerializeMap, Serializer};
use zeroize::Zeroize;

use super::{Map, Value};
use crate::secret::HIDDEN;

/// The name by which serializer and deserializer of trees know a secret.
pub(crate) const SECRET: &str = "$foundation::Secret";

/// The one key of a secret's mark. No map of a document may have it.
pub(crate) const MARK: &str = "$secret";

/// What the mark of a secret that is not sealed says.
const UNSEALED: &str = "hidden";

/// Levels of maps that the mark of a secret has.
pub const MARK_LEVELS: usize = 2;

/// The content of a secret, its seal, both, or neither.
///
/// - Content alone is what an application or a file has put there.
/// - With a seal it can be written: what is written is the seal.
/// - A seal without content was read, and nobody with the key has opened it.
/// - Neither is what is read from a mark without a seal: somebody took the secret for what was
///   shown of it. It stands for what is there already.
///
/// As JSON it is `{"$secret":"hidden"}`, or `{"$secret":{"sealed":"…","digest":"…"}}`. `Debug` and
/// `Display` never have the content either.
///
/// Two secrets are equal if their contents are. Where one of them is not known the digests of the
/// seals decide, and without two of those they differ. A secret is equal to itself in any case.
#[derive(Clone)]
pub struct SecretValue(Arc<Inner>);

struct Inner {
    content: Option<Value>,
    seal: Option<Seal>,
}

/// A secret as it is written: what somebody with the key can open, and tell from others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seal {
    /// The encrypted content, as hexadecimal text.
    pub sealed: Arc<str>,
    /// A hash of the content under a key, as hexadecimal text: equal for equal contents at the
    /// same place.
    pub digest: Arc<str>,
}

impl SecretValue {
    /// A secret with this content, not sealed.
    #[must_use]
    pub fn new(content: Value) -> Self {
        Self::of(Some(content), None)
    }

    /// A secret whose content is not known here.
    #[must_use]
    pub fn closed(seal: Seal) -> Self {
        Self::of(None, Some(seal))
    }

    /// A secret of which nothing is known.
    #[must_use]
    pub fn hidden() -> Self {
        Self::of(None, None)
    }

    /// A secret with this content, which the seal has too.
    #[must_use]
    pub fn sealed(content: Value, seal: Seal) -> Self {
        Self::of(Some(content), Some(seal))
    }

    fn of(content: Option<Value>, seal: Option<Seal>) -> Self {
        Self(Arc::new(Inner { content, seal }))
    }

    /// What is secret, if it is known here. The caller sees to where it goes.
    #[must_use]
    pub fn expose(&self) -> Option<&Value> {
        self.0.content.as_ref()
    }

    /// Its seal, if it has one.
    #[must_use]
    pub fn seal(&self) -> Option<&Seal> {
        self.0.seal.as_ref()
    }

    /// The secret that this map is the mark of, if it is one.
    pub(super) fn of_mark(map: &Map) -> Option<Self> {
        let inside = map.get(MARK).filter(|_| map.len() == 1)?;
        match inside {
            Value::Text(word) if &**word == UNSEALED => Some(Self::hidden()),
            Value::Map(seal) if seal.len() == 2 => {
                let text = |key| match seal.get(key) {
                    Some(Value::Text(text)) => Some(text.clone()),
                    _ => None,
                };
                Some(Self::closed(Seal { sealed: text("sealed")?, digest: text("digest")? }))
            }
            _ => None,
        }
    }

    /// Whether a map may not be written, because what is read back would be no map.
    pub(super) fn is_taken(key: &str) -> bool {
        key == MARK
    }
}

impl PartialEq for SecretValue {
    fn eq(&self, other: &Self) -> bool {
        if Arc::ptr_eq(&self.0, &other.0) {
            return true;
        }
        match (self.expose(), other.expose()) {
            (Some(one), Some(other)) => one == other,
            _ => match (self.seal(), other.seal()) {
                (Some(one), Some(other)) => one.digest == other.digest,
                _ => false,
            },
        }
    }
}

impl fmt::Debug for SecretValue {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(HIDDEN)
    }
}

impl fmt::Display for SecretValue {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(HIDDEN)
    }
}

/// What nobody shares is overwritten before its memory is given back.
impl Drop for Inner {
    fn drop(&mut self) {
        self.content.take().into_iter().for_each(wipe);
    }
}

/// Recursion ends with the tree, after 64 levels.
fn wipe(value: Value) {
    match value {
        Value::Text(mut text) => {
            if let Some(text) = Arc::get_mut(&mut text) {
                text.zeroize();
            }
        }
        Value::List(list) => list.into_iter().for_each(wipe),
        Value::Map(map) => map.into_iter().for_each(|(_, value)| wipe(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Secret(_) => {}
    }
}

impl Serialize for SecretValue {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_newtype_struct(SECRET, &Handed(self))
    }
}

/// What is written of a secret that is typed: to the serializer of trees its content, to every
/// other one a mark.
pub(crate) struct Hidden<'a, T>(pub(crate) &'a T);

impl<T: Serialize> Serialize for Hidden<'_, T> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        if Reveal::is_asked_for() { self.0.serialize(out) } else { write_mark(None, out) }
    }
}

/// What is written of a secret in a tree: to the serializer of trees itself.
struct Handed<'a>(&'a SecretValue);

impl Serialize for Handed<'_> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        if Reveal::is_asked_for() {
            ASKED.replace(Asked::Handed(self.0.clone()));
            return out.serialize_unit();
        }
        write_mark(self.0.seal(), out)
    }
}

fn write_mark<S: Serializer>(seal: Option<&Seal>, out: S) -> Result<S::Ok, S::Error> {
    let mut mark = out.serialize_map(Some(1))?;
    match seal {
        Some(seal) => mark.serialize_entry(MARK, seal)?,
        None => mark.serialize_entry(MARK, UNSEALED)?,
    }
    mark.end()
}

impl Serialize for Seal {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let mut map = out.serialize_map(Some(2))?;
        map.serialize_entry("sealed", &*self.sealed)?;
        map.serialize_entry("digest", &*self.digest)?;
        map.end()
    }
}

thread_local! {
    /// What the serializer of trees has asked the secret that it is about to write. Serde has no
    /// way to tell a value which serializer it is written by.
    static ASKED: RefCell<Asked> = const { RefCell::new(Asked::Nothing) };
}

#[derive(Default)]
enum Asked {
    /// Nothing: any other serializer writes.
    #[default]
    Nothing,
    /// For its content.
    Content,
    /// It gave itself.
    Handed(SecretValue),
}

/// The question for the content of one secret. It is taken back by the first secret that hears it,
/// and at the latest when this is dropped.
pub(super) struct Reveal(());

/// How a secret has answered.
pub(super) enum Answer {
    /// It has written its content.
    Content,
    /// It gave itself.
    Itself(SecretValue),
    /// Whatever was written is none.
    Nothing,
}

impl Reveal {
    pub(super) fn ask() -> Self {
        ASKED.replace(Asked::Content);
        Self(())
    }

    pub(super) fn answer(self) -> Answer {
        match ASKED.replace(Asked::Nothing) {
            Asked::Nothing => Answer::Content,
            Asked::Handed(secret) => Answer::Itself(secret),
            Asked::Content => Answer::Nothing,
        }
    }

    fn is_asked_for() -> bool {
        let asked = ASKED.take();
        matches!(asked, Asked::Content)
    }
}

impl Drop for Reveal {
    fn drop(&mut self) {
        ASKED.replace(Asked::Nothing);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde::{Deserialize, Serialize};

    use super::*;
    use crate::value::{from_value, to_value, to_value_like};
    use crate::{ErrorKind, Secret};

    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    struct Keys {
        one: Secret<String>,
        maybe: Option<Secret<u32>>,
        many: Vec<Secret<String>>,
        named: BTreeMap<String, Secret<Vec<u8>>>,
        #[serde(default)]
        plain: String,
    }

    fn keys() -> impl Strategy<Value = Keys> {
        let secret = || ".{0,12}".prop_map(Secret::new);
        let named = prop::collection::vec(any::<u8>(), 0..4).prop_map(Secret::new);
        (
            secret(),
            any::<Option<u32>>().prop_map(|maybe| maybe.map(Secret::new)),
            prop::collection::vec(secret(), 0..4),
            prop::collection::btree_map("[a-z]{1,3}", named, 0..4),
            ".{0,4}",
        )
            .prop_map(|(one, maybe, many, named, plain)| Keys {
                one,
                maybe,
                many,
                named,
                plain,
            })
    }

    proptest! {
        #[test]
        fn secrets_survive_the_tree_and_nothing_else(before in keys()) {
            let tree = to_value(&before).expect("fits");
            prop_assert_eq!(&from_value::<Keys>(&tree).expect("comes back"), &before);
            prop_assert_eq!(&to_value_like(&before, &tree).expect("fits"), &tree);
            // A tree as a value is handed on with its secrets.
            prop_assert_eq!(&to_value(&tree).expect("fits"), &tree);
            let read: Value = serde_json::from_str(&tree.to_json()).expect("is JSON");
            let written = serde_json::to_string(&before).expect("writes");
            let error = from_value::<Keys>(&read).expect_err("its secrets are gone");
            prop_assert_eq!(error.kind(), ErrorKind::SecretUnknown);
            prop_assert_eq!(
                serde_json::from_str::<Value>(&written).expect("is JSON").to_json(),
                read.to_json()
            );
        }
    }

    fn seal(digest: &str) -> Seal {
        Seal { sealed: "c0de".into(), digest: digest.into() }
    }

    #[test]
    fn a_mark_is_read_as_the_secret_that_it_marks() {
        let sealed = Value::Secret(SecretValue::sealed("hunter2".into(), seal("d1")));
        let text = sealed.to_json();
        assert_eq!(text, r#"{"$secret":{"sealed":"c0de","digest":"d1"}}"#);
        assert_eq!(format!("{sealed} {sealed:?}"), format!("{text} {text}"));
        let read: Value = serde_json::from_str(&text).expect("is JSON");
        assert_eq!(read, sealed);
        assert!(matches!(&read, Value::Secret(secret) if secret.expose().is_none()));
        let changed = Value::Secret(SecretValue::closed(seal("d2")));
        assert_ne!(read, changed);
        let hidden: Value = serde_json::from_str(r#"{"$secret":"hidden"}"#).expect("is JSON");
        assert_ne!(hidden, sealed);
        assert_eq!(hidden, hidden.clone());
    }

    #[test]
    fn a_seal_stays_with_a_secret_that_did_not_change() {
        let keys = Keys { one: "hunter2".into(), ..Keys::default() };
        let sealed = Value::Secret(SecretValue::sealed("hunter2".into(), seal("d1")));
        let like = Value::Map(Map::unit("one".into(), sealed));
        let tree = to_value_like(&keys, &like).expect("fits");
        assert!(tree.to_json().contains("d1"), "{tree}");
        let keys = Keys { one: "hunter3".into(), ..Keys::default() };
        let tree = to_value_like(&keys, &like).expect("fits");
        assert!(!tree.to_json().contains("d1"), "{tree}");
    }

    #[test]
    fn a_secret_is_read_only_where_one_is_kept() {
        let tree = to_value(&Keys { one: "hunter2".into(), ..Keys::default() }).expect("fits");
        let Value::Map(map) = &tree else { panic!("it is a map") };
        let moved = Value::Map(map.update("plain".into(), map["one"].clone()));
        let error = from_value::<Keys>(&moved).expect_err("is no place for it");
        assert_eq!((error.kind(), &*error.problems()[0].path), (ErrorKind::WrongType, "plain"));
        let wrong: Value = Value::Map(map.update("maybe".into(), map["one"].clone()));
        let error = from_value::<Keys>(&wrong).expect_err("is no number");
        assert_eq!((error.kind(), &*error.problems()[0].path), (ErrorKind::WrongType, "maybe"));
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    }

    #[test]
    fn nothing_else_may_look_like_a_mark() {
        for map in
            [BTreeMap::from([("$secret", "open")]), BTreeMap::from([("$secret", ""), ("a", "")])]
        {
            assert_eq!(to_value(&map).expect_err("is taken").kind(), ErrorKind::Malformed);
        }
        #[derive(Serialize)]
        #[serde(tag = "kind")]
        enum Tagged {
            Key(BTreeMap<String, Secret<String>>),
        }
        let map = BTreeMap::from([("a".to_owned(), "hunter2".into())]);
        if let Ok(tree) = to_value(&Tagged::Key(map)) {
            assert!(!tree.to_json().contains("hunter2"));
        }
    }

    #[test]
    fn a_secret_inside_of_a_secret_is_part_of_it() {
        let nested = Secret::new(vec![Secret::new("hunter2".to_owned())]);
        let tree = to_value(&nested).expect("fits");
        let Value::Secret(secret) = &tree else { panic!("it is a secret") };
        assert_eq!(secret.expose().map(Value::to_json).as_deref(), Some(r#"["hunter2"]"#));
        assert_eq!(from_value::<Secret<Vec<Secret<String>>>>(&tree).expect("reads"), nested);
    }
}
