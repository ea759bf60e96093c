//! One version of a document, and the guard through which readers look at the published one.

use std::ops::Deref;
use std::sync::Arc;

use foundation_types::{Value, Version};

/// One version of a document: immutable, typed and as a tree.
#[derive(Clone, Debug)]
pub struct Snapshot<T> {
    /// Version.
    pub version: Version,
    /// The document as the application's type.
    pub document: T,
    /// The document as a tree.
    pub tree: Value,
}

/// The published version of a document, held while it is looked at.
///
/// It dereferences to the document. Reading it takes no lock and allocates nothing; all that is
/// read through one of them is of one version.
pub struct Current<T>(pub(super) arc_swap::Guard<Arc<Snapshot<T>>>);

impl<T> Current<T> {
    /// The version that is looked at.
    #[must_use]
    pub fn version(&self) -> Version {
        self.0.version
    }

    /// The document as a tree.
    #[must_use]
    pub fn tree(&self) -> &Value {
        &self.0.tree
    }

    /// The snapshot itself, to be kept as long as needed.
    #[must_use]
    pub fn to_snapshot(&self) -> Arc<Snapshot<T>> {
        Arc::clone(&self.0)
    }
}

impl<T> Deref for Current<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0.document
    }
}

impl<T: std::fmt::Debug> std::fmt::Debug for Current<T> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(out)
    }
}
