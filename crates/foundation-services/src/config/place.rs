//! Whatever names a place in a document: a lens, a path, or text that is one.

use foundation_types::config::Lens;
use foundation_types::{Path, Result, Secret};
use serde::Serialize;

/// A place in the document `T`.
///
/// A [`Lens`] is checked when the application is compiled: it leads into its own document only, and
/// to a field that is there. A [`Path`], and text that is one, are checked when they are used.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no place in the document `{T}`",
    label = "no place in `{T}`",
    note = "a place is `lens!({T}, field)`, a `Path`, or text that is a path"
)]
pub trait Place<T> {
    /// Its path.
    ///
    /// # Errors
    /// `InvalidPath` for text that breaks the grammar of paths or a limit.
    fn into_path(self) -> Result<Path>;

    /// The path, if it is there without being made.
    fn as_path(&self) -> Option<&Path> {
        None
    }

    /// The text that would be parsed, if it is text.
    fn as_text(&self) -> Option<&str> {
        None
    }
}

/// A place where a `V` can be put: with a lens a value of the field's type, elsewhere any value,
/// which is checked when it is put.
#[diagnostic::on_unimplemented(
    message = "a `{V}` cannot be put at `{Self}`",
    label = "takes another type than `{V}`",
    note = "a lens takes a value of the type of its field, and text for a `String`"
)]
pub trait Accepts<V> {}

impl<T, V> Place<T> for Lens<T, V> {
    fn into_path(self) -> Result<Path> {
        Ok(self.path().clone())
    }

    fn as_path(&self) -> Option<&Path> {
        Some(self.path())
    }
}

impl<T, V> Place<T> for &Lens<T, V> {
    fn into_path(self) -> Result<Path> {
        Ok(self.path().clone())
    }

    fn as_path(&self) -> Option<&Path> {
        Some(self.path())
    }
}

impl<T, V> Accepts<V> for Lens<T, V> {}
impl<T, V> Accepts<V> for &Lens<T, V> {}
impl<T> Accepts<&str> for Lens<T, String> {}
impl<T> Accepts<&str> for &Lens<T, String> {}

impl<T> Accepts<&str> for Lens<T, Secret<String>> {}
impl<T> Accepts<&str> for &Lens<T, Secret<String>> {}
impl<T> Accepts<String> for Lens<T, Secret<String>> {}
impl<T> Accepts<String> for &Lens<T, Secret<String>> {}

impl<T> Place<T> for Path {
    fn into_path(self) -> Result<Path> {
        Ok(self)
    }

    fn as_path(&self) -> Option<&Path> {
        Some(self)
    }
}

impl<T> Place<T> for &Path {
    fn into_path(self) -> Result<Path> {
        Ok(self.clone())
    }

    fn as_path(&self) -> Option<&Path> {
        Some(self)
    }
}

macro_rules! text {
    ($($type:ty),*) => {
        $(impl<T> Place<T> for $type {
            fn into_path(self) -> Result<Path> {
                self.parse()
            }

            fn as_text(&self) -> Option<&str> {
                Some(self)
            }
        })*
    };
}

text!(&str, &String, String);

macro_rules! accept_all {
    ($($type:ty),*) => {
        $(impl<V: Serialize> Accepts<V> for $type {})*
    };
}

accept_all!(Path, &Path, &str, &String, String);
