//! A configuration file as text: the tree that it says, and where in it each value stands.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use foundation_types::limits::CONFIG_BYTES_MAX;
use foundation_types::{Error, ErrorKind, Path, Result, Value};

#[cfg(feature = "yaml")]
use super::yaml_file;
use super::{json_places, toml_file};

/// Longest excerpt of a line, in characters.
const EXCERPT_MAX: usize = 160;

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
                let message = "the name of a configuration file ends with .toml, .json or .yaml";
                Err(Error::new(ErrorKind::InvalidArgument, message).with("file", name.display()))
            }
        }
    }
}

/// Bytes of one value in the text, and of the key before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Where its key begins, or the value itself if it has none.
    pub key: usize,
    /// The value.
    pub value: Range<usize>,
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
    /// first such byte, and for a NUL character.
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
        match text.find('\0') {
            None => Ok(Self(text)),
            Some(at) => {
                let error = Error::new(ErrorKind::Malformed, "the file has a NUL character");
                Err(located(error, &text, at))
            }
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

    /// Whether there is nothing in it but blanks and comments, and the lines that begin YAML.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let says_nothing = |line: &str| line.is_empty() || line.starts_with('#') || line == "---";
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
    pub fn excerpt(&self, place: &Place) -> String {
        let begin = self.0[..place.value.start].rfind('\n').map_or(0, |end| end + 1);
        let shown = place.key.max(begin);
        let blanks = self.0[begin..shown].chars().map(|_| ' ');
        let value = &self.0[shown..place.value.end];
        let line = value.lines().next().unwrap_or_default();
        blanks.chain(line.chars()).take(EXCERPT_MAX).collect()
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
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    (count(before.matches('\n').count() + 1), count(before[begin..].chars().count() + 1))
}
