//! May this name of a table, this key, this value enter?

use foundation_types::limits::{TABLE_KEY_BYTES_MAX, TABLE_VALUE_BYTES_MAX};
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

/// Whether a table may have this name: as a document, 1 to 64 bytes of `[A-Za-z0-9_-]`.
///
/// # Errors
/// [`ErrorKind::Invalid`] for no or other characters, [`ErrorKind::TooLarge`] for a longer name.
pub fn table_name(name: &str) -> Result<()> {
    let mut found = Vec::new();
    NAME.check("table", name, &mut found);
    settle((), found).map(Validated::into_inner)
}

/// What the names of Foundation's own tables begin with; no table of an application has a dot.
pub const OWN_PREFIX: &str = "foundation.";

/// Whether this is the name of a table of Foundation's own.
#[must_use]
pub fn is_own_table(name: &str) -> bool {
    name.starts_with(OWN_PREFIX)
}

/// Whether a table of the log may have this name: as [`table_name`], or one of Foundation's own.
///
/// # Errors
/// As [`table_name`].
pub fn logged_table_name(name: &str) -> Result<()> {
    table_name(name.strip_prefix(OWN_PREFIX).unwrap_or(name))
}

/// The error of asking for a table that is not there, with the nearest of those that are.
///
/// ```
/// use foundation_validate::table::no_such_table;
/// let error = no_such_table("sesions", ["orders", "sessions"]);
/// assert_eq!(error.to_string(), "there is no table \"sesions\", did you mean sessions?");
/// ```
#[must_use]
pub fn no_such_table<'a>(
    name: &str,
    known: impl IntoIterator<Item = &'a str, IntoIter: Clone>,
) -> Error {
    let shown: String = name.chars().take(NAME_BYTES_MAX).collect();
    let meant =
        nearest(name, known).map_or_else(String::new, |meant| format!(", did you mean {meant}?"));
    Error::new(ErrorKind::NotFound, format!("there is no table {shown:?}{meant}"))
}

/// Whether a key with this JSON text may enter.
///
/// # Errors
/// [`ErrorKind::TooLarge`] beyond [`TABLE_KEY_BYTES_MAX`].
pub fn key(json: &str) -> Result<()> {
    at_most("key", json.len(), TABLE_KEY_BYTES_MAX)
}

/// Whether a value with this JSON text may enter.
///
/// # Errors
/// [`ErrorKind::TooLarge`] beyond [`TABLE_VALUE_BYTES_MAX`].
pub fn value(json: &str) -> Result<()> {
    at_most("value", json.len(), TABLE_VALUE_BYTES_MAX)
}

fn at_most(what: &str, bytes: usize, bytes_max: usize) -> Result<()> {
    if bytes <= bytes_max {
        return Ok(());
    }
    let message = format!("the {what} has {bytes} bytes as JSON, the limit is {bytes_max}");
    Err(Error::new(ErrorKind::TooLarge, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_documents() {
        for name in ["a", "Sessions_2-b", &"x".repeat(64)] {
            assert!(table_name(name).is_ok(), "{name}");
        }
        let refused = [("", ErrorKind::Invalid), ("a/b", ErrorKind::Invalid)];
        for (name, kind) in refused {
            assert_eq!(table_name(name).expect_err("is refused").kind(), kind, "{name}");
        }
        for (name, is_own) in [("foundation.a", true), ("foundation.", false), ("other.a", false)] {
            assert!(table_name(name).is_err(), "{name} is not for applications");
            assert_eq!(logged_table_name(name).is_ok(), is_own, "{name}");
        }
        let long = "x".repeat(65);
        assert_eq!(table_name(&long).expect_err("is refused").kind(), ErrorKind::TooLarge);
    }
}
