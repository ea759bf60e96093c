//! Types whose shape is known: what may stand in a document without more words.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;

use super::shape::Shape;
use crate::path::Path;
use crate::time::Timestamp;
use crate::value::Value;

/// A type whose values have a known shape.
///
/// Numbers, text, flags, lists, maps and options of such types have it. Structs with named fields,
/// structs around one value, and enums without data get it by `#[derive(Shaped)]`.
///
/// ```
/// use foundation_types::config::{Shape, Shaped};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize, Shaped)]
/// #[document(crate = "foundation_types")]
/// #[serde(rename_all = "kebab-case")]
/// enum Rounding {
///     ToNearest,
///     Up,
/// }
///
/// assert_eq!(Rounding::SHAPE, Shape::Choice(&["to-nearest", "up"]));
/// assert_eq!(Vec::<Rounding>::SHAPE.to_string(), "list, each one of to-nearest, up");
/// ```
#[diagnostic::on_unimplemented(
    message = "which values a `{Self}` takes is not known",
    label = "its shape is not known",
    note = "derive `Shaped` for it, or put `#[document(opaque)]` before the field"
)]
pub trait Shaped {
    /// Which values it takes.
    const SHAPE: Shape;

    /// Whether it may be no value at all.
    const OPTIONAL: bool = false;
}

macro_rules! integers {
    ($($type:ty),*) => {
        $(impl Shaped for $type {
            // Every type in the list is narrower than the shape's numbers.
            const SHAPE: Shape =
                Shape::Integer { min: <$type>::MIN as i128, max: <$type>::MAX as i128 };
        })*
    };
}

integers!(u8, u16, u32, u64, usize, i8, i16, i32, i64, isize);

macro_rules! shapes {
    ($($shape:expr => $($type:ty),*;)*) => {
        $($(impl Shaped for $type {
            const SHAPE: Shape = $shape;
        })*)*
    };
}

const NUMBER: Shape = Shape::Float { min: f64::NEG_INFINITY, max: f64::INFINITY };

shapes! {
    Shape::Flag => bool;
    NUMBER => f32, f64;
    Shape::Text => String, Box<str>, Arc<str>, char, std::path::PathBuf, Path, Timestamp;
    // Addresses as data: nothing here opens one.
    Shape::Text => core::net::IpAddr, core::net::Ipv4Addr, core::net::Ipv6Addr, core::net::SocketAddr;
    Shape::Any => Value;
}

impl<T: Shaped> Shaped for Option<T> {
    const SHAPE: Shape = T::SHAPE;
    const OPTIONAL: bool = true;
}

impl<T: Shaped> Shaped for Box<T> {
    const SHAPE: Shape = T::SHAPE;
    const OPTIONAL: bool = T::OPTIONAL;
}

impl<T: Shaped> Shaped for Arc<T> {
    const SHAPE: Shape = T::SHAPE;
    const OPTIONAL: bool = T::OPTIONAL;
}

macro_rules! lists {
    ($($type:ident $(<$more:ident>)?),*) => {
        $(impl<T: Shaped $(, $more)?> Shaped for $type<T $(, $more)?> {
            const SHAPE: Shape = Shape::List(&T::SHAPE);
        })*
    };
}

lists!(Vec, VecDeque, BTreeSet, HashSet<S>);

impl<K, V: Shaped> Shaped for BTreeMap<K, V> {
    const SHAPE: Shape = Shape::Map(&V::SHAPE);
}

impl<K, V: Shaped, S> Shaped for HashMap<K, V, S> {
    const SHAPE: Shape = Shape::Map(&V::SHAPE);
}
