//! What is read from standard input as a whole: bounded, and UTF-8.

use std::borrow::Cow;
use std::io::Read;

use foundation::limits::{CONFIG_BYTES_MAX, EVENT_BYTES_MAX};
use foundation::{Error, ErrorKind, Result, parse};

/// The most that one value or one event may be, with room for what is around it.
const BYTES_MAX: usize =
    64 * 1024 + if CONFIG_BYTES_MAX > EVENT_BYTES_MAX { CONFIG_BYTES_MAX } else { EVENT_BYTES_MAX };

/// The word that stands for standard input.
pub(super) const STANDARD: &str = "-";

/// The text of a value that was typed, or that standard input has. A flag that is written wrongly
/// is no value.
pub(super) fn typed(word: &str) -> Result<Cow<'_, str>> {
    if word == STANDARD {
        let text = standard_text()?;
        return Ok(text.trim_end_matches(['\n', '\r']).to_owned().into());
    }
    if word.starts_with("--") && !std::env::args_os().any(|word| word == "--") {
        let message = format!("{word:?} is no flag of this command; as a value it goes behind --");
        return Err(Error::new(ErrorKind::InvalidArgument, message));
    }
    Ok(word.into())
}

/// The text of a configuration file.
pub(super) fn file(path: &std::path::Path) -> Result<String> {
    String::from_utf8(parse::file_bytes(path)?).map_err(|_| {
        let message = "the file is not UTF-8, as a configuration file has to be";
        Error::new(ErrorKind::Malformed, message).with("file", path.display())
    })
}

/// Standard input up to its end.
pub(super) fn standard_bytes() -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let limit = BYTES_MAX as u64 + 1;
    std::io::stdin().lock().take(limit).read_to_end(&mut bytes).map_err(|cause| {
        let message = format!("cannot read standard input: {cause}");
        Error::new(ErrorKind::Disk, message).caused_by(cause)
    })?;
    if bytes.len() > BYTES_MAX {
        let message = format!("standard input has more than {BYTES_MAX} bytes, which is the limit");
        return Err(Error::new(ErrorKind::TooLarge, message));
    }
    Ok(bytes)
}

/// Standard input up to its end, as text.
pub(super) fn standard_text() -> Result<String> {
    String::from_utf8(standard_bytes()?).map_err(|cause| {
        let from = cause.utf8_error().valid_up_to();
        let message = format!("standard input is not UTF-8 from byte {from} on");
        Error::new(ErrorKind::Malformed, message)
    })
}
