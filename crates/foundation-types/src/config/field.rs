//! What is known of one field of a document.

use serde::Serialize;

use super::shape::Shape;
use crate::path::{Path, Segment};

/// One field of a struct, as it is known before any document is there.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Field {
    /// Its key, as serialised.
    pub name: &'static str,
    /// Its name in the code. None if it is serialised by functions of its own (`with`): what a
    /// lens would put there is written in another way.
    pub ident: Option<&'static str>,
    /// One sentence on what it does; may be empty.
    pub doc: &'static str,
    /// Which values it takes.
    pub shape: Shape,
    /// Whether it may have no value.
    pub optional: bool,
    /// Whether its value is for nobody's eyes, as its type says: a `Secret`, or a list or map of
    /// them. No reference has it or its default.
    pub secret: bool,
    /// What becomes of its value if several sources of configuration have one.
    pub merge: Merge,
}

impl Field {
    /// Which values it takes, as said to a person.
    #[must_use]
    pub fn takes(&self) -> String {
        let optional = if self.optional { ", or none" } else { "" };
        let secret = if self.secret { ", secret" } else { "" };
        format!("{}{optional}{secret}", self.shape)
    }
}

/// How a list or a map that several sources of configuration have becomes one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Merge {
    /// The last source has it all.
    #[default]
    Replace,
    /// The items of a later source come behind those of an earlier one.
    Append,
    /// As `Append` without what is there already; in a map the later source has each key.
    Union,
}

/// A field that has no fields of its own, with the way to it from the root.
#[derive(Clone, Debug, PartialEq)]
pub struct Leaf {
    /// Where.
    pub path: Path,
    /// What.
    pub field: &'static Field,
    /// Whether it, what is around it or something inside of it is a secret.
    pub secret: bool,
}

impl Leaf {
    /// The fields without fields of their own below these, in the order of the code.
    ///
    /// ```
    /// use foundation_types::{Document, Settings, config::Leaf};
    /// let leaves = Leaf::all(Settings::FIELDS);
    /// assert_eq!(leaves[0].path.to_string(), "log.level");
    /// assert_eq!(leaves[1].variable(), "CONFIG__HISTORY__VERSIONS");
    /// ```
    #[must_use]
    pub fn all(fields: &'static [Field]) -> Vec<Self> {
        let mut leaves = Vec::new();
        collect(fields, &Path::root(), false, &mut leaves);
        leaves
    }

    /// The environment variable that stands for it, behind the prefix of the application: upper
    /// case, with `__` between levels.
    #[must_use]
    pub fn variable(&self) -> String {
        let level = |segment: &Segment| match segment {
            Segment::Key(key) => key.to_uppercase().replace('-', "_"),
            Segment::Index(index) => index.to_string(),
        };
        self.path.segments().iter().map(level).collect::<Vec<_>>().join("__")
    }
}

/// Recursion ends with the types, which contain no struct twice.
fn collect(fields: &'static [Field], around: &Path, secret: bool, leaves: &mut Vec<Leaf>) {
    for field in fields {
        // A key that no path can name, or that lies too deep, is part of what is around it.
        let Ok(path) = around.join(Segment::Key(field.name.into())) else { continue };
        let secret = secret || field.secret;
        match field.shape {
            Shape::Fields(inner) => collect(inner, &path, secret, leaves),
            shape => leaves.push(Leaf { path, field, secret: secret || shape.has_secret() }),
        }
    }
}
