//! Whether a name of a consumer or an export may be given, and what was meant by one that is not there.

use foundation_types::{Error, ErrorKind, Result};

use crate::config::NAME_BYTES_MAX;
use crate::nearest::nearest;
use crate::pipeline::settle;
use crate::text::{Characters, TextRule};
use crate::validated::Validated;

const NAME: TextRule = TextRule {
    bytes_min: 1,
    bytes_max: NAME_BYTES_MAX,
    characters: Characters::Alphanumeric("_-"),
};

/// Whether a consumer may have this name: 1 to 64 bytes of `[A-Za-z0-9_-]`.
///
/// # Errors
/// [`ErrorKind::Invalid`] for no or other characters, [`ErrorKind::TooLarge`] for a longer name.
pub fn consumer_name(name: &str) -> Result<()> {
    check("consumer", name)
}

/// Whether an export may have this name, as [`consumer_name`].
///
/// # Errors
/// As [`consumer_name`].
pub fn export_name(name: &str) -> Result<()> {
    check("export", name)
}

fn check(what: &'static str, name: &str) -> Result<()> {
    let mut found = Vec::new();
    NAME.check(what, name, &mut found);
    settle((), found).map(Validated::into_inner)
}

/// The error of asking for a consumer that is not there, with the nearest of those that are.
///
/// ```
/// use foundation_validate::event::no_such_consumer;
/// let error = no_such_consumer("biling", ["billing", "mail"]);
/// assert_eq!(error.to_string(), "there is no consumer \"biling\", did you mean billing?");
/// ```
#[must_use]
pub fn no_such_consumer<'a>(
    name: &str,
    known: impl IntoIterator<Item = &'a str, IntoIter: Clone>,
) -> Error {
    absent("consumer", name, nearest(name, known))
}

/// The error of asking for an export that is not there, with the nearest of those that are.
#[must_use]
pub fn no_such_export<'a>(
    name: &str,
    known: impl IntoIterator<Item = &'a str, IntoIter: Clone>,
) -> Error {
    absent("export", name, nearest(name, known))
}

fn absent(what: &str, name: &str, meant: Option<&str>) -> Error {
    let shown: String = name.chars().take(NAME_BYTES_MAX).collect();
    let meant = meant.map_or_else(String::new, |meant| format!(", did you mean {meant}?"));
    Error::new(ErrorKind::NotFound, format!("there is no {what} {shown:?}{meant}"))
}
