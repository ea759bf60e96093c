//! Which values a field takes.

use std::fmt;

use serde::Serialize;

use super::field::Field;
use crate::limits::{DEPTH_MAX, PATH_BYTES_MAX};
use crate::path::Segment;

/// Which values a field takes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// `true` or `false`.
    Flag,
    /// A whole number in this range, both ends included.
    Integer {
        /// Smallest.
        min: i128,
        /// Largest.
        max: i128,
    },
    /// A number in this range, both ends included.
    Float {
        /// Smallest.
        min: f64,
        /// Largest.
        max: f64,
    },
    /// Text.
    Text,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A list of items of this shape.
    List(&'static Shape),
    /// A map to values of this shape.
    Map(&'static Shape),
    /// A map of exactly these fields.
    Fields(&'static [Field]),
    /// A secret whose content has this shape.
    Secret(&'static Shape),
    /// What its type takes; more is not known.
    Any,
}

impl Shape {
    /// The fields of a struct; of all else there are none.
    #[must_use]
    pub const fn fields(&self) -> &'static [Field] {
        match self {
            Self::Fields(fields) => fields,
            _ => &[],
        }
    }

    /// What stands at these steps inside.
    #[must_use]
    pub fn at(&self, steps: &[Segment]) -> Option<&Self> {
        steps.iter().try_fold(self, |shape, step| match (shape, step) {
            (Self::Fields(fields), Segment::Key(key)) => {
                fields.iter().find(|field| *field.name == **key).map(|field| &field.shape)
            }
            (Self::List(inner), Segment::Index(_)) | (Self::Map(inner), _) => Some(*inner),
            _ => None,
        })
    }

    /// Whether a value of it has a secret inside, so that it is not shown.
    #[must_use]
    pub fn has_secret(&self) -> bool {
        match self {
            Self::Secret(_) => true,
            Self::List(inner) | Self::Map(inner) => inner.has_secret(),
            Self::Fields(fields) => fields.iter().any(|field| field.shape.has_secret()),
            _ => false,
        }
    }

    /// Whether it is a secret, or a list or map of nothing else.
    #[must_use]
    pub const fn is_secret(&self) -> bool {
        match self {
            Self::Secret(_) => true,
            Self::List(inner) | Self::Map(inner) => inner.is_secret(),
            _ => false,
        }
    }

    /// Whether these steps end at a secret or lead into one.
    #[must_use]
    pub fn leads_into_secret(&self, steps: &[Segment]) -> bool {
        (0..=steps.len()).any(|end| matches!(self.at(&steps[..end]), Some(Self::Secret(_))))
    }

    /// Whether a path can name every field inside: what `Document` asserts where it is derived.
    #[must_use]
    pub const fn is_within_paths(&self) -> bool {
        is_named(*self, 0, 0)
    }

    /// The same numbers, but none smaller.
    #[must_use]
    pub const fn at_least(self, smallest: Bound) -> Self {
        match (self, smallest) {
            (Self::Integer { max, .. }, Bound::Integer(min)) => Self::Integer { min, max },
            (Self::Float { max, .. }, Bound::Float(min)) => Self::Float { min, max },
            (other, _) => other,
        }
    }

    /// The same numbers, but none larger.
    #[must_use]
    pub const fn at_most(self, largest: Bound) -> Self {
        match (self, largest) {
            (Self::Integer { min, .. }, Bound::Integer(max)) => Self::Integer { min, max },
            (Self::Float { min, .. }, Bound::Float(max)) => Self::Float { min, max },
            (other, _) => other,
        }
    }
}

/// Recursion ends with the types, which contain no struct twice.
const fn is_named(shape: Shape, depth: usize, bytes: usize) -> bool {
    let fields = shape.fields();
    let mut at = 0;
    while at < fields.len() {
        // A point stands before each key but the first.
        let bytes = bytes + fields[at].name.len() + (depth > 0) as usize;
        if !is_named(fields[at].shape, depth + 1, bytes) {
            return false;
        }
        at += 1;
    }
    depth <= DEPTH_MAX && bytes <= PATH_BYTES_MAX
}

/// An end of a range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// Of whole numbers.
    Integer(i128),
    /// Of numbers.
    Float(f64),
}

impl fmt::Display for Shape {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag => out.write_str("true or false"),
            // The ends of the widest types say nothing to a person.
            Self::Integer { min, max } => match (*min > i64::MIN.into(), *max < i64::MAX.into()) {
                (true, true) => write!(out, "integer, {min} to {max}"),
                (true, false) => write!(out, "integer, at least {min}"),
                (false, true) => write!(out, "integer, at most {max}"),
                (false, false) => out.write_str("integer"),
            },
            Self::Float { min, max } => match (min.is_finite(), max.is_finite()) {
                (true, true) => write!(out, "number, {min} to {max}"),
                (true, false) => write!(out, "number, at least {min}"),
                (false, true) => write!(out, "number, at most {max}"),
                (false, false) => out.write_str("number"),
            },
            Self::Text => out.write_str("text"),
            Self::Choice(words) => write!(out, "one of {}", words.join(", ")),
            Self::List(Self::Any) => out.write_str("list"),
            Self::List(inner) => write!(out, "list, each {inner}"),
            Self::Map(Self::Any) => out.write_str("map"),
            Self::Map(inner) => write!(out, "map, each {inner}"),
            Self::Fields(fields) => {
                let names: Vec<&str> = fields.iter().map(|field| field.name).collect();
                write!(out, "map of {}", names.join(", "))
            }
            Self::Secret(inner) => inner.fmt(out),
            Self::Any => out.write_str("any value"),
        }
    }
}
