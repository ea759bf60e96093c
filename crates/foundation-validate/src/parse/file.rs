//! A configuration file as text: the tree that it says, and where in it each value stands.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use foundation_types::limits::{CONFIG_BYTES_MAX, EXCERPT_BLANKS_MAX, EXCERPT_CHARS_MAX};
use foundation_types::{Error, ErrorKind, Path, Result, Value};

#[cfg(feature = "yaml")]
use super::yaml_file;
use super::{json_places, toml_file};

/// In what a configuration file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileFormat {
    /// TOML 1.1.
    Toml,
    /// JSON.
    Json,
    /// YAML 1.2, which is read with the feature `yaml` only.
    Yaml,
}

impl FileFormat {
    /// The format that a file of this name has, by its extension.
    ///
    /// # Errors
    /// `InvalidArgument` for any other extension than `toml`, `json`, `yaml` and `yml`.
    pub fn of(name: &std::path::Path) -> Result<Self> {
        match name.extension().and_then(|extension| extension.to_str()) {
            Some("toml") => Ok(Self::Toml),
            Some("json") => Ok(Self::Json),
            Some("yaml" | "yml") => Ok(Self::Yaml),
            _ => {
                let message =
                    "the name of a configuration file ends with .toml, .json, .yaml or .yml";
                Err(Error::new(ErrorKind::InvalidArgument, message).with("file", name.display()))
            }
        }
    }
}

/// Bytes of one value in the text, and of the key before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its key, or nothing where the value begins if it has none.
    pub key: Range<usize>,
    /// The value.
    pub value: Range<usize>,
}

/// A part of a line of the text, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excerpt {
    /// The part, with blanks for what may not be shown.
    pub text: String,
    /// The character of the line with which it begins, from 1.
    pub column: u32,
}

/// What a file says, and where.
#[derive(Clone, Default, PartialEq)]
pub struct Written {
    /// The tree.
    pub tree: Value,
    /// The places of its values. One whose key no path can name has none.
    pub places: BTreeMap<Path, Place>,
}

impl Written {
    /// The place of a value, or of what is around it.
    #[must_use]
    pub fn place(&self, path: &Path) -> Option<&Place> {
        (0..=path.segments().len()).rev().find_map(|steps| {
            let around = Path::from_segments(path.segments().iter().take(steps).cloned()).ok()?;
            self.places.get(&around)
        })
    }
}

/// The text of a configuration file.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct FileText(String);

impl FileText {
    /// The text that these bytes are: UTF-8, with or without a byte order mark.
    ///
    /// # Errors
    /// `TooLarge` beyond 1 MiB; `Malformed` for UTF-16, for what is no UTF-8, with the place of the
    /// first such byte, for a second byte order mark, and for a NUL character.
    pub fn of(bytes: Vec<u8>) -> Result<Self> {
        if bytes.len() > CONFIG_BYTES_MAX {
            let message = format!("the file has more than {CONFIG_BYTES_MAX} bytes");
            return Err(Error::new(ErrorKind::TooLarge, message));
        }
        if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
            let message = "the file is UTF-16; a configuration file is UTF-8";
            return Err(Error::new(ErrorKind::Malformed, message));
        }
        let text = String::from_utf8(bytes).map_err(|cause| {
            let valid = cause.utf8_error().valid_up_to();
            let line = cause.as_bytes()[..valid].iter().filter(|byte| **byte == b'\n').count() + 1;
            Error::new(ErrorKind::Malformed, "the file is not UTF-8").with("line", line)
        })?;
        let text = match text.strip_prefix('\u{feff}') {
            Some(rest) => rest.to_owned(),
            None => text,
        };
        let refused = |message: &str, at: usize| {
            Err(located(Error::new(ErrorKind::Malformed, message), &text, at))
        };
        if text.starts_with('\u{feff}') {
            return refused("the file begins with more than one byte order mark", 0);
        }
        match text.find('\0') {
            None => Ok(Self(text)),
            Some(at) => refused("the file has a NUL character", at),
        }
    }

    /// What the text says. Nothing but blanks says an empty map.
    ///
    /// # Errors
    /// `Malformed` if it breaks the grammar of its format, repeats a key, has a number that no value
    /// can be, or says something else than a map, with line and column as context; `TooLarge` beyond
    /// 64 levels; `InvalidArgument` for YAML without the feature `yaml`. Nothing of the text is in the
    /// message.
    pub fn read(&self, format: FileFormat) -> Result<Written> {
        if self.0.trim().is_empty() {
            return Ok(Written { tree: Value::empty_map(), places: BTreeMap::new() });
        }
        let written = match format {
            FileFormat::Toml => toml_file::read(&self.0)?,
            FileFormat::Json => json_places::read(&self.0)?,
            #[cfg(feature = "yaml")]
            FileFormat::Yaml => yaml_file::read(&self.0)?,
            #[cfg(not(feature = "yaml"))]
            FileFormat::Yaml => {
                let message =
                    "this program is built without the feature `yaml`; TOML and JSON are read";
                return Err(Error::new(ErrorKind::InvalidArgument, message));
            }
        };
        if matches!(written.tree, Value::Map(_)) {
            return Ok(written);
        }
        let message = format!(
            "the file says {}, and not a map from keys to values",
            written.tree.type_name()
        );
        Err(Error::new(ErrorKind::Malformed, message))
    }

    /// Whether there is nothing in it but blanks and comments, and the lines that begin and end YAML.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let says_nothing = |line: &str| {
            let mark = line.strip_prefix("---").or_else(|| line.strip_prefix("..."));
            let rest = mark.unwrap_or(line).trim_start();
            rest.is_empty() || rest.starts_with('#')
        };
        self.0.lines().map(str::trim).all(says_nothing)
    }

    /// The line and the character in it, both from 1, of a byte.
    #[must_use]
    pub fn line_and_column(&self, at: usize) -> (u32, u32) {
        line_and_column(&self.0, at)
    }

    /// The line of a place up to the end of its value, with blanks for what stands before its key:
    /// what else stands in the line may be a secret.
    #[must_use]
    pub fn excerpt(&self, place: &Place) -> Excerpt {
        let begin = self.line_begin(place.value.start);
        self.shown(begin, place.key.start.max(begin)..place.value.end)
    }

    /// The line of a key up to the end of the key: what a value is that nobody asked for is not known,
    /// and it may be a secret.
    #[must_use]
    pub fn excerpt_of_key(&self, place: &Place) -> Excerpt {
        self.shown(self.line_begin(place.key.start), place.key.clone())
    }

    fn line_begin(&self, at: usize) -> usize {
        self.0[..at].rfind('\n').map_or(0, |end| end + 1)
    }

    /// A part of the line that begins at a byte; far from there, without what is before it.
    fn shown(&self, begin: usize, part: Range<usize>) -> Excerpt {
        let before = self.0[begin..part.start].chars().count();
        let cut = if before > EXCERPT_BLANKS_MAX { before } else { 0 };
        let line = self.0[part].lines().next().unwrap_or_default();
        let blanks = std::iter::repeat_n(' ', before - cut);
        let text = blanks.chain(line.chars()).take(EXCERPT_CHARS_MAX).collect();
        Excerpt { text, column: count(cut + 1) }
    }
}

/// Shows nothing of the text: which part of it is secret is not known here.
impl fmt::Debug for FileText {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "FileText({} bytes)", self.0.len())
    }
}

/// The error with line and column of a byte as context.
pub(super) fn located(error: Error, text: &str, at: usize) -> Error {
    let (line, column) = line_and_column(text, at);
    error.with("line", line).with("column", column)
}

fn line_and_column(text: &str, at: usize) -> (u32, u32) {
    let before = text.get(..at.min(text.len())).unwrap_or(text);
    let begin = before.rfind('\n').map_or(0, |end| end + 1);
    (count(before.matches('\n').count() + 1), count(before[begin..].chars().count() + 1))
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
