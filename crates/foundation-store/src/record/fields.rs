//! The body of a record as bytes: an event with its stream, field by field.

use foundation_types::{Event, Timestamp, Version};

use super::reader::Reader;
use super::uuid::uuid_of;

pub(crate) const HAS_TIME: u16 = 1;
pub(crate) const HAS_SOURCE: u16 = 1 << 1;
pub(crate) const HAS_SUBJECT: u16 = 1 << 2;
pub(crate) const HAS_CORRELATION: u16 = 1 << 3;
pub(crate) const HAS_PARENT: u16 = 1 << 4;
/// The id is a UUID in its usual text form and is kept as its 16 bytes.
pub(crate) const ID_IS_UUID: u16 = 1 << 5;
/// Data that follows another schema than the first.
pub(crate) const HAS_SCHEMA: u16 = 1 << 6;
pub(crate) const HAS_TAGS: u16 = 1 << 7;
/// What was done to the event on its way in.
pub(crate) const HAS_ALTERED: u16 = 1 << 8;
pub(crate) const KNOWN: u16 = (1 << 9) - 1;

/// The fields of a body. Their lengths fit the body; that text is text is not looked at.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a> {
    pub(super) version: Version,
    pub(super) stream: &'a [u8],
    pub(super) kind: &'a [u8],
    pub(super) id: IdBytes<'a>,
    pub(super) time: Option<Timestamp>,
    pub(super) source: Option<&'a [u8]>,
    pub(super) subject: Option<&'a [u8]>,
    pub(super) correlation: Option<&'a [u8]>,
    pub(super) parent: Option<&'a [u8]>,
    pub(super) schema: u16,
    pub(super) tags: TagBytes<'a>,
    pub(super) altered: Option<&'a [u8]>,
    pub(super) data: &'a [u8],
}

/// What a record is found by, as bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Names<'a> {
    pub(crate) id: IdBytes<'a>,
    pub(crate) stream: &'a [u8],
    pub(crate) kind: &'a [u8],
    pub(crate) correlation: Option<&'a [u8]>,
    pub(crate) parent: Option<&'a [u8]>,
    pub(crate) tags: TagBytes<'a>,
    /// As given, else when it was recorded.
    pub(crate) time: Timestamp,
}

/// The id of an event, as bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum IdBytes<'a> {
    Text(&'a [u8]),
    Uuid(u128),
}

impl<'a> IdBytes<'a> {
    /// The id with this text.
    pub(crate) fn of(text: &'a str) -> Self {
        uuid_of(text).map_or(Self::Text(text.as_bytes()), Self::Uuid)
    }
}

/// The tags of an event, each behind its length; whole ones only.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct TagBytes<'a>(&'a [u8]);

impl<'a> TagBytes<'a> {
    /// The next tags of a body, behind their number.
    fn read(reader: &mut Reader<'a>) -> Option<Self> {
        let count = reader.u8()?;
        let all = reader.0;
        for _ in 0..count {
            reader.short_bytes()?;
        }
        all.get(..all.len() - reader.0.len()).map(Self)
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = &'a [u8]> {
        let mut reader = Reader(self.0);
        std::iter::from_fn(move || reader.short_bytes())
    }
}

/// The stream of a body, which is the first of its names.
pub(super) fn stream(body: &[u8]) -> Option<&[u8]> {
    let reader = &mut Reader(body);
    reader.u16()?;
    reader.u64()?;
    reader.short_bytes()
}

impl<'a> Fields<'a> {
    /// `None` if a field is cut short or unknown, or the time is none.
    pub(super) fn read(body: &'a [u8]) -> Option<Self> {
        let reader = &mut Reader(body);
        let flags = reader.u16()?;
        if flags & !KNOWN != 0 {
            return None;
        }
        let has = |flag| flags & flag != 0;
        let version = Version::new(reader.u64()?);
        let stream = reader.short_bytes()?;
        let kind = reader.short_bytes()?;
        let id = if has(ID_IS_UUID) {
            IdBytes::Uuid(u128::from_be_bytes(reader.array()?))
        } else {
            IdBytes::Text(reader.short_bytes()?)
        };
        let time = if has(HAS_TIME) { Some(read_time(reader)?) } else { None };
        let source = if has(HAS_SOURCE) { Some(reader.long_bytes()?) } else { None };
        let subject = if has(HAS_SUBJECT) { Some(reader.long_bytes()?) } else { None };
        let correlation = if has(HAS_CORRELATION) { Some(reader.short_bytes()?) } else { None };
        let parent = if has(HAS_PARENT) { Some(reader.short_bytes()?) } else { None };
        let schema = if has(HAS_SCHEMA) { reader.u16()? } else { Event::FIRST_SCHEMA };
        let tags = if has(HAS_TAGS) { TagBytes::read(reader)? } else { TagBytes::default() };
        let altered = if has(HAS_ALTERED) { Some(reader.long_bytes()?) } else { None };
        Some(Self {
            version,
            stream,
            kind,
            id,
            time,
            source,
            subject,
            correlation,
            parent,
            schema,
            tags,
            altered,
            data: reader.0,
        })
    }

    pub(super) fn names(&self, recorded: Timestamp) -> Names<'a> {
        Names {
            id: self.id,
            stream: self.stream,
            kind: self.kind,
            correlation: self.correlation,
            parent: self.parent,
            tags: self.tags,
            time: self.time.unwrap_or(recorded),
        }
    }

    /// Whether all that has to be text is.
    pub(super) fn are_text(&self) -> bool {
        let id = match self.id {
            IdBytes::Text(bytes) => Some(bytes),
            IdBytes::Uuid(_) => None,
        };
        let optional = [id, self.source, self.subject, self.correlation, self.parent, self.altered];
        let fields = [self.stream, self.kind, self.data].into_iter();
        // Most text is ASCII, which is told many bytes at a time.
        fields
            .chain(optional.into_iter().flatten())
            .chain(self.tags.iter())
            .all(|bytes| bytes.is_ascii() || str::from_utf8(bytes).is_ok())
    }
}

fn read_time(reader: &mut Reader<'_>) -> Option<Timestamp> {
    let seconds = i64::from_le_bytes(reader.array()?);
    let nanoseconds = i32::from_le_bytes(reader.array()?);
    Timestamp::from_parts(seconds, nanoseconds)
}
