//! A value that nobody sees by accident: printed, logged and written it is a mark.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{
    Deserialize, Deserializer, Error, IntoDeserializer, MapAccess, SeqAccess, Visitor,
};
use serde::{Serialize, Serializer};
use validator::{ValidateLength, ValidateRange};
use zeroize::Zeroize;

use crate::config::{Shape, Shaped};
use crate::value::{Hidden, SECRET};

/// What stands in the place of a secret wherever it would be printed.
pub const HIDDEN: &str = "[secret]";

/// What is said of a value that is no such secret. What it is may not be said.
pub(crate) const MISFIT: &str = "the secret does not fit its type";

/// A password, a key, a token: held, and shown to nobody who does not ask for it.
///
/// `Debug` and `Display` print `[secret]`, and every serde format gets a mark in its place, so that
/// no log line, error, dump or file of an application has it. A document keeps it through
/// Foundation's own tree, see [`crate::value::SecretValue`]. In a file or a patch it is written as
/// what it is, and errors about it never repeat it.
///
/// When it is dropped its memory is overwritten, which is why `T` has to be [`Zeroize`]. Copies that
/// were made of it before, by a parser or in a tree, are overwritten as far as nobody shares them.
///
/// Comparing two secrets takes longer the more they are alike: it is for noticing that one was
/// changed. Whether a caller knows the secret is asked with a comparison in constant time.
///
/// It cannot stand where serde takes a value apart in two steps: in what is flattened, untagged or
/// tagged inside.
///
/// ```
/// use foundation_types::Secret;
/// let key = Secret::new("hunter2".to_owned());
/// assert_eq!(key.expose(), "hunter2");
/// assert_eq!(format!("{key} {key:?}"), "[secret] [secret]");
/// assert_eq!(serde_json::to_string(&key).expect("writes"), r#"{"$secret":"hidden"}"#);
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret<T: Zeroize>(T);

impl<T: Zeroize> Secret<T> {
    /// The secret with this content.
    pub const fn new(content: T) -> Self {
        Self(content)
    }

    /// What is secret. The caller sees to where it goes.
    pub const fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> From<T> for Secret<T> {
    fn from(content: T) -> Self {
        Self(content)
    }
}

impl From<&str> for Secret<String> {
    fn from(content: &str) -> Self {
        Self(content.to_owned())
    }
}

impl<T: Zeroize> Zeroize for Secret<T> {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.zeroize();
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(HIDDEN)
    }
}

impl<T: Zeroize> fmt::Display for Secret<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(HIDDEN)
    }
}

impl<T: Zeroize + Shaped> Shaped for Secret<T> {
    const SHAPE: Shape = Shape::Secret(&T::SHAPE);
    const OPTIONAL: bool = T::OPTIONAL;
}

impl<T: Zeroize + ValidateLength<u64>> ValidateLength<u64> for Secret<T> {
    fn length(&self) -> Option<u64> {
        self.0.length()
    }
}

impl<T: Zeroize + PartialOrd> ValidateRange<T> for Secret<T> {
    fn greater_than(&self, max: T) -> Option<bool> {
        Some(self.0 > max)
    }

    fn less_than(&self, min: T) -> Option<bool> {
        Some(self.0 < min)
    }
}

impl<T: Zeroize + Serialize> Serialize for Secret<T> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_newtype_struct(SECRET, &Hidden(&self.0))
    }
}

impl<'de, T: Zeroize + Deserialize<'de>> Deserialize<'de> for Secret<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_newtype_struct(SECRET, Content(PhantomData))
    }
}

/// Reads what is secret. Formats say in their errors what they found: none of that is passed on.
struct Content<T>(PhantomData<T>);

impl<'de, T: Zeroize + Deserialize<'de>> Content<T> {
    fn read<D: Deserializer<'de>>(from: D) -> Result<Secret<T>, D::Error> {
        T::deserialize(from).map(Secret).map_err(|_| D::Error::custom(MISFIT))
    }
}

macro_rules! visits {
    ($($visit:ident $kind:ty;)*) => {$(
        fn $visit<E: Error>(self, value: $kind) -> Result<Secret<T>, E> {
            Self::read(value.into_deserializer())
        }
    )*};
}

/// A format that knows no newtypes shows at once what is inside.
impl<'de, T: Zeroize + Deserialize<'de>> Visitor<'de> for Content<T> {
    type Value = Secret<T>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a secret")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, from: D) -> Result<Secret<T>, D::Error> {
        Self::read(from)
    }

    visits! {
        visit_bool bool;
        visit_i64 i64;
        visit_u64 u64;
        visit_f64 f64;
        visit_str &str;
        visit_bytes &[u8];
    }

    fn visit_unit<E: Error>(self) -> Result<Secret<T>, E> {
        Self::read(().into_deserializer())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Secret<T>, A::Error> {
        Self::read(SeqAccessDeserializer::new(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Secret<T>, A::Error> {
        Self::read(MapAccessDeserializer::new(entries))
    }
}

#[cfg(test)]
mod tests {
    use serde::de::value::{Error as Refused, StrDeserializer};

    use super::*;

    #[test]
    fn what_does_not_fit_is_not_repeated() {
        for text in ["\"hunter2\"", "[\"hunter2\"]", "{\"hunter2\": 1}", "[1, \"hunter2\"]"] {
            let error = serde_json::from_str::<Secret<u16>>(text).expect_err("is no number");
            assert!(error.to_string().starts_with(MISFIT), "{error}");
        }
        let from: StrDeserializer<'_, Refused> = "hunter2".into_deserializer();
        let error = Secret::<u16>::deserialize(from).expect_err("is no number");
        assert_eq!(error.to_string(), MISFIT);
    }

    #[test]
    fn it_is_read_as_what_it_is() {
        let read: Secret<Vec<u8>> = serde_json::from_str("[1, 2]").expect("a list");
        assert_eq!(read.expose(), &[1, 2]);
        let from: StrDeserializer<'_, Refused> = "hunter2".into_deserializer();
        assert_eq!(Secret::<String>::deserialize(from), Ok("hunter2".into()));
    }

    #[test]
    fn rules_look_inside() {
        let key: Secret<String> = "four".into();
        assert!(key.validate_length(Some(4), Some(4), None));
        assert!(!Secret::new(7_u16).validate_range(Some(8), None, None, None));
    }
}
