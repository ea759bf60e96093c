//! A directory that is missing because a restore was interrupted: a store that was made in its
//! place would hide the one that is meant.

use std::ffi::OsStr;
use std::path::Path;

use foundation_types::{Error, ErrorKind, Result};

/// Refuses a missing directory beside which a restore has left something.
///
/// # Errors
/// `AckedDataMissing`, with what to type.
pub(super) fn refuse_in_place_of(directory: &Path) -> Result<()> {
    let Some(name) = directory.file_name().and_then(OsStr::to_str) else { return Ok(()) };
    let parent = match directory.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    // What cannot be looked at is told by opening.
    let Ok(entries) = std::fs::read_dir(parent) else { return Ok(()) };
    let (making, kept) = (format!("{name}.restoring"), format!("{name}.replaced-"));
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut left: Vec<String> =
        names.filter(|name| *name == making || name.starts_with(&kept)).collect();
    left.sort_unstable();
    let Some(last) = left.last() else { return Ok(()) };
    let (place, parent) = (directory.display(), parent.display());
    let back = match left.iter().rev().find(|name| name.starts_with(&kept)) {
        Some(kept) => format!("to go back to what was there before: mv {parent}/{kept} {place}; "),
        None => String::new(),
    };
    let message = format!(
        "there is no store in {place}, and {} beside it is what a restore left: it was interrupted, \
         or the store was moved away. To end it, type the same `foundation restore` again; {back}to \
         begin with an empty store: mkdir {place}",
        left.join(" and ")
    );
    Err(Error::new(ErrorKind::AckedDataMissing, message).with("file", last))
}
