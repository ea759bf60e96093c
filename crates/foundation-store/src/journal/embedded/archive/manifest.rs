//! The file that says which segments are in the archive. It stands in the store: so a store opens
//! without its archive, and a segment is in the archive exactly when this says so.

use std::io;

use foundation_types::{Error, ErrorKind, Result, StoreId, Timestamp, limits};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::backup::{hex, store_text, sum_line};
use super::super::disk_failure;
use super::super::identity::remove_if_there;
use super::super::segment::{self, HEADER_BYTES, SegmentHeader};
use super::container::Header;
use crate::disk::{Access, Disk, read_small};

pub(in super::super) const FILE: &str = "ARCHIVE";
const NEW_FILE: &str = "ARCHIVE.new";
const FORMAT: u64 = 1;
/// Bytes of a file that is read as a manifest at all.
const BYTES_MAX: usize = 16 * 1024 * 1024;
const SUFFIX: &str = ".arc";
/// Where the archive is, seen from the store, unless somebody says otherwise.
const PLACE: &str = "archive";

/// Which segments are in the archive, and where that is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Manifest {
    format: u64,
    #[serde(with = "store_text")]
    pub(super) store: StoreId,
    /// The directory, seen from that of the store.
    place: String,
    /// Oldest first.
    segments: Vec<ArchivedSegment>,
}

/// A segment in the archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArchivedSegment {
    /// Name of its file in the archive.
    pub name: String,
    /// Sequence number of its first record.
    pub first: u64,
    /// Sequence number of its last record.
    pub last: u64,
    /// Records in it.
    pub records: u64,
    /// When the first of them was recorded.
    pub first_recorded: Option<Timestamp>,
    /// When the last of them was recorded.
    pub last_recorded: Option<Timestamp>,
    /// Bytes of the segment.
    pub bytes: u64,
    /// Bytes of its file in the archive.
    pub stored: u64,
    /// SHA-256 of the bytes of the segment, in hexadecimal digits.
    pub sha256: String,
    /// The first 64 bytes of the segment, likewise.
    pub(super) header: String,
}

impl ArchivedSegment {
    /// What a file of so many bytes with this header says of itself.
    pub(super) fn of(header: &Header, stored: u64) -> Self {
        let [first_recorded, last_recorded] =
            header.stamps.map_or([None; 2], |stamps| stamps.map(|one| Some(one.recorded())));
        Self {
            name: name_of(header.segment.first),
            first: header.segment.first,
            last: header.last,
            records: header.records,
            first_recorded,
            last_recorded,
            bytes: header.raw_bytes,
            stored,
            sha256: hex(&header.hash),
            header: hex(&header.segment.to_bytes()),
        }
    }

    /// The first bytes of the segment.
    pub(super) fn header_bytes(&self) -> Result<[u8; HEADER_BYTES as usize]> {
        let bad = || damaged("the beginning of a segment is not 64 bytes");
        let mut bytes = [0; HEADER_BYTES as usize];
        if self.header.len() != 2 * bytes.len() {
            return Err(bad());
        }
        for (at, byte) in bytes.iter_mut().enumerate() {
            let digits = self.header.get(2 * at..2 * at + 2).ok_or_else(bad)?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| bad())?;
        }
        Ok(bytes)
    }
}

/// The name in the archive of the segment that begins with this number.
pub(in super::super) fn name_of(first: u64) -> String {
    format!("{first:020}{SUFFIX}")
}

/// Whether a file has the name of an archived segment.
pub(in super::super) fn is_archived(name: &str) -> bool {
    name.strip_suffix(SUFFIX).is_some_and(|digits| segment::is_segment(&format!("{digits}.seg")))
}

impl Manifest {
    pub(super) fn new(store: StoreId, place: String) -> Self {
        Self { format: FORMAT, store, place, segments: Vec::new() }
    }

    /// All segments, oldest first.
    pub(super) fn segments(&self) -> &[ArchivedSegment] {
        &self.segments
    }

    /// The segment that begins with this number.
    pub(super) fn of(&self, first: u64) -> Option<&ArchivedSegment> {
        self.segments.iter().find(|segment| segment.first == first)
    }

    /// This and one more, or another of the same number.
    pub(super) fn with(&self, segment: ArchivedSegment) -> Result<Self> {
        let mut with = self.without(segment.first);
        if with.segments.len() >= limits::ARCHIVED_SEGMENTS_MAX {
            let most = limits::ARCHIVED_SEGMENTS_MAX;
            let message = format!("the archive has {most} segments, which is as many as it can");
            return Err(Error::new(ErrorKind::TooLarge, message));
        }
        with.segments.push(segment);
        with.segments.sort_by_key(|one| one.first);
        Ok(with)
    }

    /// This with the archive at another place.
    pub(super) fn at(self, place: &str) -> Self {
        Self { place: place.to_owned(), ..self }
    }

    /// This without the segment that begins with this number.
    pub(super) fn without(&self, first: u64) -> Self {
        let mut without = self.clone();
        without.segments.retain(|segment| segment.first != first);
        without
    }

    /// Puts it in the place of the one before: after this it is durable.
    pub(super) fn write(&self, disk: &dyn Disk) -> Result<()> {
        let bytes = self.to_bytes()?;
        let write = || -> io::Result<()> {
            remove_if_there(disk, NEW_FILE)?;
            let file = disk.open(NEW_FILE, Access::Create)?;
            file.write_at(&bytes, 0)?;
            file.sync()?;
            disk.rename(NEW_FILE, FILE)?;
            disk.sync_names()
        };
        write().map_err(|cause| disk_failure("write the manifest of the archive", FILE, cause))
    }

    /// Reads it, if there is one.
    pub(super) fn read(disk: &dyn Disk) -> Result<Option<Self>> {
        let fail = |cause| disk_failure("read the manifest of the archive", FILE, cause);
        let file = match disk.open(FILE, Access::Read) {
            Ok(file) => file,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(cause) => return Err(fail(cause)),
        };
        let length = file.len().map_err(fail)?;
        if length > BYTES_MAX as u64 {
            return Err(damaged("it is larger than a manifest can be"));
        }
        let bytes = read_small(&*file, length as usize).map_err(fail)?;
        Self::of_bytes(&bytes).map(Some)
    }

    pub(super) fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut bytes = serde_json::to_vec_pretty(self).map_err(|cause| {
            Error::new(ErrorKind::Internal, "a manifest cannot be written as JSON").caused_by(cause)
        })?;
        bytes.push(b'\n');
        let sum = sum_line(&bytes);
        bytes.extend_from_slice(sum.as_bytes());
        Ok(bytes)
    }

    pub(super) fn of_bytes(bytes: &[u8]) -> Result<Self> {
        let at = bytes.len().saturating_sub(sum_line(&[]).len());
        let (json, sum) = bytes.split_at_checked(at).unwrap_or_default();
        if sum_line(json).as_bytes() != sum {
            return Err(damaged("its hash does not match"));
        }
        let value: Value = serde_json::from_slice(json).map_err(|_| damaged("it is not JSON"))?;
        match value.get("format").and_then(Value::as_u64) {
            Some(FORMAT) => {}
            Some(format) => {
                let message =
                    format!("the archive has format {format}, this program knows {FORMAT}");
                return Err(Error::new(ErrorKind::UnknownFormat, message).with("file", FILE));
            }
            None => return Err(damaged("it does not say its format")),
        }
        let manifest: Self = serde_json::from_value(value)
            .map_err(|cause| damaged(&format!("a field is not as it should be: {cause}")))?;
        manifest.check()?;
        Ok(manifest)
    }

    /// Only segments of this store under their own names, one behind the other.
    pub(super) fn check(&self) -> Result<()> {
        let mut next = 1;
        for segment in &self.segments {
            let header = SegmentHeader::read(&segment.header_bytes()?, FILE)?;
            let fits = segment.name == name_of(segment.first)
                && (header.store, header.first) == (self.store, segment.first)
                && segment.first >= next
                && segment.last.checked_add(1).is_some_and(|end| end >= segment.first)
                && segment.bytes >= HEADER_BYTES
                && segment.bytes <= limits::ARCHIVE_SEGMENT_BYTES_MAX as u64;
            if !fits {
                return Err(damaged("a segment is not one that can be in it"));
            }
            next = segment.last + 1;
        }
        Ok(())
    }
}

/// Where the store on this disk has its archive, seen from its directory.
///
/// # Errors
/// `Corruption` if the manifest of the archive is damaged, `UnknownFormat`, or `Disk`.
pub fn archive_place(disk: &dyn Disk) -> Result<String> {
    let noted = Manifest::read(disk)?.map(|manifest| manifest.place);
    Ok(noted.unwrap_or_else(|| PLACE.to_owned()))
}

/// Whether a store has segments in an archive.
pub(in super::super) fn has_segments(disk: &dyn Disk) -> Result<bool> {
    Ok(Manifest::read(disk)?.is_some_and(|manifest| !manifest.segments.is_empty()))
}

fn damaged(what: &str) -> Error {
    let message = format!("the manifest of the archive is damaged: {what}");
    Error::new(ErrorKind::Corruption, message).with("file", FILE)
}
