//! Whatever names a place in a document.

use foundation_types::{Path, Result};

/// A path, or text that is one.
pub trait IntoPath {
    /// The path.
    ///
    /// # Errors
    /// `InvalidPath` for text that breaks the grammar of paths or a limit.
    fn into_path(self) -> Result<Path>;

    /// The text that would be parsed, if it is text.
    fn as_text(&self) -> Option<&str> {
        None
    }
}

impl IntoPath for Path {
    fn into_path(self) -> Result<Path> {
        Ok(self)
    }
}

impl IntoPath for &Path {
    fn into_path(self) -> Result<Path> {
        Ok(self.clone())
    }
}

impl IntoPath for &str {
    fn into_path(self) -> Result<Path> {
        self.parse()
    }

    fn as_text(&self) -> Option<&str> {
        Some(self)
    }
}

impl IntoPath for &String {
    fn into_path(self) -> Result<Path> {
        self.parse()
    }

    fn as_text(&self) -> Option<&str> {
        Some(self)
    }
}

impl IntoPath for String {
    fn into_path(self) -> Result<Path> {
        self.parse()
    }

    fn as_text(&self) -> Option<&str> {
        Some(self)
    }
}
