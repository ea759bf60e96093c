//! The state of a document, computed: from its changes, and from a change that is asked for.

use foundation_types::{Change, Error, Result, Value};
use foundation_validate::{ChangeRequest, Validated};

use crate::{diff, lens};

/// The tree after these changes, oldest first: how a document is read from its journal.
///
/// Nothing is validated here: changes that were logged are facts, and whether their result may
/// still be used is asked of the result.
///
/// # Errors
/// As [`diff::apply`], with the document and version of the change as context.
pub fn fold(base: &Value, changes: &[Change]) -> Result<Value> {
    changes.iter().try_fold(base.clone(), |value, change| {
        diff::apply(&value, &change.changes).map_err(|error| placed(error, change))
    })
}

/// The tree that the request asks for, to be validated before it is logged.
///
/// # Errors
/// As [`lens::set`] and [`lens::remove`]: removing what is not there is refused.
pub fn candidate(head: &Value, request: &Validated<ChangeRequest>) -> Result<Value> {
    request.edits.iter().try_fold(head.clone(), |value, (path, new)| match new {
        Some(new) => lens::set(&value, path, new.clone()),
        None => lens::remove(&value, path),
    })
}

fn placed(error: Error, change: &Change) -> Error {
    error.with("document", &change.document).with("version", change.version)
}
