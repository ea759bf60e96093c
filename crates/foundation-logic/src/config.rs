//! The state of a document, computed: from its changes, and from a change that is asked for; and
//! what can be written down of a document before there is one.

use foundation_types::path::Segment;
use foundation_types::{Change, Error, Path, Problem, Result, Value};
use foundation_validate::{ChangeRequest, Validated};

use crate::{diff, lens, patch};

mod evolution;
mod hidden;
mod layers;
mod migrations;
mod moves;
mod pins;
mod reference;
#[cfg(test)]
mod tests;
mod usual;

pub use evolution::{Evolution, Migrated};
pub use hidden::hidden_secrets;
pub use layers::{Given, Layers, on};
pub use migrations::{Migration, Migrations};
pub use pins::pins;
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
/// An edit that puts nothing takes away what was set at run time: what `below` has there counts then.
///
/// # Errors
/// The first operation of a patch that cannot be made, as [`patch::apply`] tells it; otherwise all
/// edits that cannot be made, each with its path, for the reasons of [`lens::set`] and
/// [`lens::remove`]: removing what is not there is refused.
pub fn candidate(head: &Value, below: &Value, request: &Validated<ChangeRequest>) -> Result<Value> {
    let mut value =
        request.patches.iter().try_fold(head.clone(), |value, one| patch::apply(&value, one))?;
    let mut found = Vec::new();
    for (path, new) in &request.edits {
        let edited = match new {
            Some(new) => lens::set(&value, path, new.clone()),
            None => withdrawn(&value, below, path),
        };
        match edited {
            Ok(edited) => value = edited,
            Err(error) => found.push(misfit(&error, path, new.as_ref())),
        }
    }
    if found.is_empty() { Ok(value) } else { Err(Error::of_problems(found)) }
}

/// The tree with what is below at a place; an item of a list has nothing below it.
fn withdrawn(value: &Value, below: &Value, path: &Path) -> Result<Value> {
    let is_key = |segment: &Segment| matches!(segment, Segment::Key(_));
    match lens::get(below, path).filter(|_| path.segments().iter().all(is_key)) {
        Some(below) => lens::set(value, path, below.clone()),
        None => lens::remove(value, path),
    }
}

fn misfit(error: &Error, path: &Path, new: Option<&Value>) -> Problem {
    let problem = Problem::new(error.kind(), path, error.message());
    match new {
        Some(new) if !new.has_secret() => problem.value(new),
        _ => problem,
    }
}

fn placed(error: Error, change: &Change) -> Error {
    error.with("document", &change.document).with("version", change.version)
}
