//! Whether a change may be applied, before anybody looks at the document.

use std::time::Duration;

use foundation_types::config::{OnConflict, Patch, Unchanged};
use foundation_types::limits::{CONFIG_BYTES_MAX, REASON_BYTES_MAX, TRANSACTION_EDITS_MAX};
use foundation_types::{Document, ErrorKind, ExpectedVersion, Path, Problem, Result, Value};

use super::{json_bytes, secrets};
use crate::pipeline::settle;
use crate::text::{Characters, TextRule};
use crate::validated::Validated;

/// Longest time that something is set for.
const LASTS_MAX: Duration = Duration::from_secs(366 * 86_400);

const REASON: TextRule =
    TextRule { bytes_min: 0, bytes_max: REASON_BYTES_MAX, characters: Characters::Printable };

/// What a writer wants to change in a document: applied as a whole or not at all.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChangeRequest {
    /// Patches, made before the edits, one after the other.
    pub patches: Vec<Patch>,
    /// Where to put what; `None` removes what is there.
    pub edits: Vec<(Path, Option<Value>)>,
    /// The version that the writer has seen.
    pub expected: ExpectedVersion,
    /// What happens if the document is at another version; if absent, what is usual where it
    /// changes something.
    pub on_conflict: Option<OnConflict>,
    /// What may not have changed since the writer has seen it; refused otherwise.
    pub unchanged: Vec<Unchanged>,
    /// How long what it puts stays before it gives way to what was there; for good if absent.
    pub lasts: Option<Duration>,
    /// Where what is set at run time is taken away beside the edits, if they leave there what the
    /// sources say.
    pub withdrawn: Vec<Path>,
    /// Whether the defaults may count where something is taken away, also in a document whose sources
    /// this program was not given.
    pub defaults: bool,
    /// Who changes it.
    pub actor: Option<String>,
    /// Why.
    pub reason: Option<String>,
}

/// Whether a change may be tried on a document.
///
/// # Errors
/// Every problem found: as for [`edits`], and [`ErrorKind::TooLarge`] or [`ErrorKind::Invalid`]
/// for an actor or reason of more than 1,024 bytes or with control characters.
pub fn change(request: ChangeRequest) -> Result<Validated<ChangeRequest>> {
    let mut found = Vec::new();
    inspect(&request.edits, &request.patches, &mut found);
    if request.unchanged.len() > TRANSACTION_EDITS_MAX {
        let message = format!("the change expects {} paths", request.unchanged.len());
        let expected = format!("at most {TRANSACTION_EDITS_MAX}");
        found.push(Problem::new(ErrorKind::TooLarge, "", message).expected(expected));
    }
    if request.withdrawn.len() > TRANSACTION_EDITS_MAX {
        let message =
            format!("the change leaves {} places to the sources", request.withdrawn.len());
        let expected = format!("at most {TRANSACTION_EDITS_MAX}");
        found.push(Problem::new(ErrorKind::TooLarge, "", message).expected(expected));
    }
    if request.lasts.is_some_and(|lasts| lasts.is_zero() || lasts > LASTS_MAX) {
        let problem =
            Problem::new(ErrorKind::OutOfRange, "", "what is set for a time has no such time");
        found.push(problem.expected("up to 366 days"));
    }
    for (path, text) in [("actor", &request.actor), ("reason", &request.reason)] {
        text.iter().for_each(|text| REASON.check(path, text, &mut found));
    }
    settle(request, found)
}

/// As [`change`], of a document whose type is known: what it brings along for secrets is taken as
/// such from here on.
///
/// # Errors
/// As [`change`].
pub fn change_of<T: Document>(request: ChangeRequest) -> Result<Validated<ChangeRequest>> {
    change(secrets::of_request::<T>(request))
}

/// Whether these edits make one transaction: 1 to 1,000 of them, together no larger than 1 MiB
/// as JSON, none inside the place of another.
///
/// Two ways to name the same key of a map, as in `a.0` and `a[0]`, count as the same place.
///
/// # Errors
/// Every problem found: [`ErrorKind::Invalid`] for no edits and overlapping ones,
/// [`ErrorKind::TooLarge`] beyond a limit.
pub fn edits(edits: &[(Path, Option<Value>)]) -> Result<()> {
    let mut found = Vec::new();
    inspect(edits, &[], &mut found);
    settle((), found).map(Validated::into_inner)
}

fn inspect(edits: &[(Path, Option<Value>)], patches: &[Patch], found: &mut Vec<Problem>) {
    let expected = format!("1 to {TRANSACTION_EDITS_MAX} edits");
    let steps = edits.len() + patches.iter().map(steps).sum::<usize>();
    if steps == 0 && patches.is_empty() {
        let problem = Problem::new(ErrorKind::Invalid, "", "the change has no edits");
        found.push(problem.expected(expected));
    } else if steps > TRANSACTION_EDITS_MAX {
        let message = format!("the change has {steps} edits");
        found.push(Problem::new(ErrorKind::TooLarge, "", message).expected(expected));
        return;
    }
    let values = edits.iter().map(|(path, value)| (path.to_string(), value.as_ref()));
    check_bytes(values.chain(patches.iter().flat_map(values_of)), found);
    check_overlaps(edits, found);
}

fn steps(patch: &Patch) -> usize {
    match patch {
        Patch::Merge(_) => 1,
        Patch::Operations(operations) => operations.len(),
    }
}

/// What a patch brings along, each with its place.
fn values_of(patch: &Patch) -> Vec<(String, Option<&Value>)> {
    match patch {
        Patch::Merge(value) => vec![(String::new(), Some(value))],
        Patch::Operations(operations) => {
            operations.iter().map(|one| (one.path().to_string(), one.value())).collect()
        }
    }
}

fn check_bytes<'a>(
    values: impl Iterator<Item = (String, Option<&'a Value>)>,
    found: &mut Vec<Problem>,
) {
    let expected = || format!("at most {CONFIG_BYTES_MAX} bytes");
    let mut together = 0_usize;
    for (place, value) in values {
        let bytes = value.map_or(0, json_bytes);
        together = together.saturating_add(bytes);
        if bytes > CONFIG_BYTES_MAX {
            let message = format!("the value has {bytes} bytes as JSON");
            found.push(Problem::new(ErrorKind::TooLarge, place, message).expected(expected()));
            return;
        }
    }
    if together > CONFIG_BYTES_MAX {
        let message = format!("the values have {together} bytes as JSON together");
        found.push(Problem::new(ErrorKind::TooLarge, "", message).expected(expected()));
    }
}

fn check_overlaps(edits: &[(Path, Option<Value>)], found: &mut Vec<Problem>) {
    // A closing "/" makes the pointer of a place a prefix of all places in it and of no other,
    // and in sorted order all places in it follow it at once.
    let mut pointers: Vec<(String, &Path)> =
        edits.iter().map(|(path, _)| (path.to_pointer() + "/", path)).collect();
    pointers.sort();
    for pair in pointers.windows(2) {
        let [(outer, around), (inner, path)] = pair else { continue };
        if inner.starts_with(outer) {
            let message = if inner == outer {
                "is changed twice in one transaction".to_owned()
            } else {
                format!("lies inside {}, which the same transaction changes", named(around))
            };
            found.push(Problem::new(ErrorKind::Invalid, path, message));
        }
    }
}

fn named(path: &Path) -> String {
    if path.is_root() { "the whole document".to_owned() } else { path.to_string() }
}
