//! What an error says of a file: that its bytes are not what was written, that they are another
//! store's, or only that it could not be read now, which says nothing of them.

use std::io;

use foundation_types::error::Category;
use foundation_types::{Error, ErrorKind, StoreId};

/// Names the store in the context of an error about a file of another one.
const STORE: &str = "store";

/// Whether an error tells of bytes that are not what was written: a format that a newer program
/// wrote is none, and neither is a call of the system that failed.
pub(super) fn is_damage(error: &Error) -> bool {
    error.kind().row().category == Category::Corruption && error.kind() != ErrorKind::UnknownFormat
}

/// The error about a file of another store.
pub(super) fn foreign(what: &str, theirs: StoreId) -> Error {
    let message = format!("{what} belongs to store {theirs}");
    Error::new(ErrorKind::ForeignFile, message).with(STORE, theirs)
}

/// Whether an error is about a file of another store: it is somebody's, whatever it is worth here.
pub(super) fn is_foreign(error: &Error) -> bool {
    error.kind() == ErrorKind::ForeignFile && error.context().iter().any(|(name, _)| name == STORE)
}

/// Whether what has the name of a file is none: a directory, a link, a pipe.
pub(super) fn is_irregular(cause: &io::Error) -> bool {
    cause.kind() == io::ErrorKind::InvalidInput
}

/// Whether an error is about such a name.
pub(super) fn is_no_file(error: &Error) -> bool {
    let cause = std::error::Error::source(error).and_then(|cause| cause.downcast_ref());
    cause.is_some_and(is_irregular)
}
