//! A path into a [`crate::Value`]: dotted text with indices, or a JSON Pointer.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};
use crate::limits::{DEPTH_MAX, PATH_BYTES_MAX, PATH_SEGMENT_BYTES_MAX};

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Segment {
    /// A key of a map: 1 to 128 bytes of `[A-Za-z0-9_-]`.
    Key(Arc<str>),
    /// An index of a list, from 0. On a map it names the key with the same digits.
    Index(u32),
}

/// A parsed path of 0 to 64 segments; the empty path is the whole value.
///
/// ```
/// use foundation_types::Path;
/// let path: Path = "servers[2].limits.max-rate".parse()?;
/// assert_eq!(path.to_pointer(), "/servers/2/limits/max-rate");
/// assert_eq!(Path::from_pointer("/servers/2/limits/max-rate")?, path);
/// # Ok::<(), foundation_types::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path(Arc<[Segment]>);

impl Path {
    /// The path of the whole value.
    #[must_use]
    pub fn root() -> Self {
        Self::default()
    }

    /// The path with these segments.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidPath`] when a segment or the whole breaks the grammar or a limit.
    pub fn from_segments(segments: impl IntoIterator<Item = Segment>) -> Result<Self> {
        let mut checked = Vec::new();
        for segment in segments {
            if checked.len() == DEPTH_MAX {
                return Err(refused("it has more than 64 parts", &checked));
            }
            if let Segment::Key(key) = &segment {
                check_key(key, &checked)?;
            }
            checked.push(segment);
        }
        if text_bytes(&checked) > PATH_BYTES_MAX {
            return Err(refused("it is longer than 512 bytes", &checked));
        }
        Ok(Self(checked.into()))
    }

    /// The path that an RFC 6901 pointer names; a part of digits is taken for an index.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidPath`] as for [`Path::from_segments`], or without a leading `/`.
    pub fn from_pointer(pointer: &str) -> Result<Self> {
        if pointer.is_empty() {
            return Ok(Self::root());
        }
        let Some(parts) = pointer.strip_prefix('/') else {
            return Err(Error::new(
                ErrorKind::InvalidPath,
                format!("pointer {:?} does not begin with \"/\"", shorten(pointer)),
            ));
        };
        Self::from_segments(parts.split('/').map(|part| {
            index_of(part).map_or_else(|| Segment::Key(unescape(part).into()), Segment::Index)
        }))
    }

    /// The RFC 6901 pointer of this path. Its grammar leaves nothing to escape.
    #[must_use]
    pub fn to_pointer(&self) -> String {
        let mut pointer = String::new();
        for segment in self.segments() {
            pointer.push('/');
            match segment {
                Segment::Key(key) => pointer.push_str(key),
                Segment::Index(index) => pointer.push_str(&index.to_string()),
            }
        }
        pointer
    }

    /// The segments from the root on.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// Whether this is the path of the whole value.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// This path with one more segment.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidPath`] as for [`Path::from_segments`].
    pub fn join(&self, segment: Segment) -> Result<Self> {
        Self::from_segments(self.segments().iter().cloned().chain([segment]))
    }

    /// The path of segments that are known to keep the grammar and the limits.
    pub(crate) fn of_checked(segments: Vec<Segment>) -> Self {
        Self(segments.into())
    }

    /// This path with all segments of another one behind it.
    pub(crate) fn followed_by(&self, inner: &Self) -> Self {
        Self(self.segments().iter().chain(inner.segments()).cloned().collect())
    }

    /// Whether this path leads to a place or to something inside of it.
    #[must_use]
    pub fn is_in(&self, place: &Self) -> bool {
        self.0.starts_with(&place.0)
    }

    /// Whether one of the two paths lies on the way to the other, or both are the same.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.0.iter().zip(other.0.iter()).all(|(ours, theirs)| ours == theirs)
    }
}

/// Bytes of the path as dotted text, without making the text.
fn text_bytes(segments: &[Segment]) -> usize {
    let bytes = |(at, segment): (usize, &Segment)| match segment {
        Segment::Key(key) => key.len() + usize::from(at > 0),
        Segment::Index(index) => 3 + index.checked_ilog10().unwrap_or(0) as usize,
    };
    segments.iter().enumerate().map(bytes).sum()
}

fn check_key(key: &str, before: &[Segment]) -> Result<()> {
    if key.is_empty() {
        return Err(refused("it has an empty part", before));
    }
    if key.len() > PATH_SEGMENT_BYTES_MAX {
        return Err(refused("it has a part longer than 128 bytes", before));
    }
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if key.bytes().all(allowed) {
        return Ok(());
    }
    let reason = format!("its part {:?} has characters other than A-Z a-z 0-9 _ -", shorten(key));
    Err(refused(&reason, before))
}

fn refused(reason: &str, before: &[Segment]) -> Error {
    let shown = Path(before.iter().take(8).cloned().collect());
    // What comes before is not checked yet: it may be long, and have what drives a terminal.
    let shown = shorten(&shown.to_string()).escape_debug().to_string();
    let place = if shown.is_empty() { String::new() } else { format!(" (after {shown})") };
    Error::new(ErrorKind::InvalidPath, format!("the path is refused: {reason}{place}"))
}

fn shorten(text: &str) -> String {
    text.chars().take(64).collect()
}

fn index_of(part: &str) -> Option<u32> {
    let canonical = part == "0" || !part.starts_with('0');
    let digits = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if canonical && digits { part.parse().ok() } else { None }
}

fn unescape(part: &str) -> String {
    part.replace("~1", "/").replace("~0", "~")
}

/// Steps as dotted text. Unlike a path they may have keys of any characters.
#[must_use]
pub fn dotted(steps: &[Segment]) -> String {
    let mut text = String::new();
    for (at, step) in steps.iter().enumerate() {
        match step {
            Segment::Key(key) if at == 0 => text.push_str(key),
            Segment::Key(key) => text.extend([".", &**key]),
            Segment::Index(index) => text.push_str(&format!("[{index}]")),
        }
    }
    text
}

impl fmt::Display for Path {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&dotted(self.segments()))
    }
}

impl FromStr for Path {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if text.is_empty() {
            return Ok(Self::root());
        }
        if text.len() > PATH_BYTES_MAX {
            let reason = format!("it is {} bytes long, the limit is 512", text.len());
            return Err(refused(&reason, &[]));
        }
        let mut segments = Vec::new();
        for part in text.split('.') {
            let (key, indices) = part.split_at(part.find('[').unwrap_or(part.len()));
            // "[0].a": a path into a list begins with an index and has no key before it.
            if !key.is_empty() || !segments.is_empty() || indices.is_empty() {
                segments.push(Segment::Key(key.into()));
            }
            parse_indices(indices, &mut segments)?;
        }
        Self::from_segments(segments)
    }
}

fn parse_indices(mut rest: &str, segments: &mut Vec<Segment>) -> Result<()> {
    while !rest.is_empty() {
        let index = rest.strip_prefix('[').and_then(|open| open.split_once(']'));
        let Some((digits, after)) = index else {
            return Err(refused("an index is written [N]", segments));
        };
        let Some(index) = index_of(digits) else {
            let reason = format!(
                "[{}] is not an index from 0 to 4294967295",
                shorten(digits).escape_debug()
            );
            return Err(refused(&reason, segments));
        };
        segments.push(Segment::Index(index));
        rest = after;
    }
    Ok(())
}

impl Serialize for Path {
    fn serialize<S: serde::Serializer>(&self, out: S) -> std::result::Result<S::Ok, S::Error> {
        out.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Path {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn segment() -> impl Strategy<Value = Segment> {
        prop_oneof![
            "[A-Za-z_-][A-Za-z0-9_-]{0,12}".prop_map(|key| Segment::Key(key.into())),
            any::<u32>().prop_map(Segment::Index),
            Just(Segment::Index(0)),
        ]
    }

    proptest! {
        #[test]
        fn text_and_pointer_lead_back_to_the_path(
            segments in prop::collection::vec(segment(), 0..20),
        ) {
            let path = Path::from_segments(segments).expect("is short");
            let text = path.to_string();
            prop_assert_eq!(text.len(), text_bytes(path.segments()));
            prop_assert_eq!(text.parse::<Path>().expect("reads back"), path.clone());
            prop_assert_eq!(Path::from_pointer(&path.to_pointer()).expect("reads back"), path);
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,600}") {
            let _ = text.parse::<Path>();
            let _ = Path::from_pointer(&text);
        }
    }
}
