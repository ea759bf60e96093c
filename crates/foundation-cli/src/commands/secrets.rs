//! Secrets that were typed: the words of a command are seen by every user of the host, and stay in
//! the history of the shell.

use foundation::config::{Operation, Patch};
use foundation::node::ConfigFields;
use foundation::{Document, Error, ErrorKind, Path, Result, Segment, Settings, Value};

use crate::connection::Intent;
use crate::exit::Outcome;
use crate::program::Program;

/// Refuses a typed value that has a secret for the document.
pub(super) async fn refuse_value(
    program: &mut Program,
    document: &str,
    path: &Path,
    value: &Value,
) -> Outcome {
    for secret in secrets(program, document).await? {
        refuse(&secret, path.segments(), value)?;
    }
    Ok(())
}

/// Refuses a typed patch that has a secret for the document.
pub(super) async fn refuse_patch(program: &mut Program, document: &str, patch: &Patch) -> Outcome {
    for secret in secrets(program, document).await? {
        match patch {
            Patch::Merge(value) => refuse(&secret, &[], value)?,
            Patch::Operations(operations) => {
                operations.iter().try_for_each(|one| refuse_operation(&secret, one))?;
            }
        }
    }
    Ok(())
}

fn refuse_operation(secret: &Path, operation: &Operation) -> Result<()> {
    let Some(value) = operation.value() else { return Ok(()) };
    let step = |part: &String| match part.parse() {
        Ok(index) => Segment::Index(index),
        Err(_) => Segment::Key(part.as_str().into()),
    };
    let steps: Vec<Segment> = operation.path().parts().iter().map(step).collect();
    refuse(secret, &steps, value)
}

/// The paths of the document's secrets, as far as who has the store knows its type.
async fn secrets(program: &mut Program, document: &str) -> Outcome<Vec<Path>> {
    // Foundation's own settings have none, and are the one document without an application.
    if document == Settings::NAME {
        return Ok(Vec::new());
    }
    let call = ConfigFields { document: document.to_owned() };
    let rows = program.ask(Intent::Read, call).await?;
    Ok(rows.into_iter().filter(|row| row.secret).map(|row| row.path).collect())
}

/// Refuses the value if it has anything at the place of the secret.
fn refuse(secret: &Path, steps: &[Segment], value: &Value) -> Result<()> {
    let around = secret.segments();
    let inside = match around.strip_prefix(steps) {
        Some(rest) => rest.iter().try_fold(value, |value, step| match (value, step) {
            (Value::Map(map), Segment::Key(key)) => map.get(key),
            _ => None,
        }),
        None if steps.starts_with(around) => Some(value),
        None => None,
    };
    match inside {
        None | Some(Value::Null | Value::Secret(_)) => Ok(()),
        Some(_) => {
            let message = format!(
                "\"{secret}\" is a secret: what is typed can be read by others, so give - in its \
                 place and the value on standard input"
            );
            Err(Error::new(ErrorKind::InvalidArgument, message))
        }
    }
}
