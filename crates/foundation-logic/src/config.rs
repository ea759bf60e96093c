//! The state of a document, computed: from its changes, and from a change that is asked for; and
//! what can be written down of a document before there is one.

use foundation_types::{Change, Error, Path, Problem, Result, Value};
use foundation_validate::{ChangeRequest, Validated};

use crate::{diff, lens, patch};

mod reference;
#[cfg(test)]
mod tests;
mod usual;

pub use reference::Reference;
pub use usual::usual_way;

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
/// The first operation of a patch that cannot be made, as [`patch::apply`] tells it; otherwise all
/// edits that cannot be made, each with its path, for the reasons of [`lens::set`] and
/// [`lens::remove`]: removing what is not there is refused.
pub fn candidate(head: &Value, request: &Validated<ChangeRequest>) -> Result<Value> {
    let mut value =
        request.patches.iter().try_fold(head.clone(), |value, one| patch::apply(&value, one))?;
    let mut found = Vec::new();
    for (path, new) in &request.edits {
        let edited = match new {
            Some(new) => lens::set(&value, path, new.clone()),
            None => lens::remove(&value, path),
        };
        match edited {
            Ok(edited) => value = edited,
            Err(error) => found.push(misfit(&error, path, new.as_ref())),
        }
    }
    if found.is_empty() { Ok(value) } else { Err(Error::of_problems(found)) }
}

fn misfit(error: &Error, path: &Path, new: Option<&Value>) -> Problem {
    let problem = Problem::new(error.kind(), path, error.message());
    match new {
        Some(new) => problem.value(new),
        None => problem,
    }
}

fn placed(error: Error, change: &Change) -> Error {
    error.with("document", &change.document).with("version", change.version)
}
