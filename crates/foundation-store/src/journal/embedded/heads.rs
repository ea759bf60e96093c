//! The versions of streams whose records were let go of, so that no version is ever given out twice.
//!
//! Unlike an index this file is no shortcut: what it says stands nowhere else. It is written, as a
//! whole and under its name, before the front passes what it is made from.

use std::collections::BTreeMap;
use std::io;

use foundation_types::{Error, ErrorKind, Result, StoreId, Version};

use super::identity::remove_if_there;
use super::mark::{HAS_HEADS, Mark};
use super::{cause, disk_failure};
use crate::disk::{Access, Disk, read_full};
use crate::record::reader::Reader;

pub(super) const FILE: &str = "HEADS";
pub(super) const NEW_FILE: &str = "HEADS.new";
const MAGIC: &[u8; 8] = b"FNDHEADS";
const FORMAT: u16 = 1;
const HEADER_BYTES: usize = 48;
/// Bytes of a stream without its name.
const ENTRY_BYTES: usize = 9;
const SUM_BYTES: usize = 4;
/// Bytes of a file that is read as heads at all.
const FILE_BYTES_MAX: u64 = 1 << 30;

/// The last version of each stream that has records up to some position. Memory grows with the
/// streams that were let go of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Heads {
    /// The last record that counts.
    last: u64,
    versions: BTreeMap<Box<str>, Version>,
}

impl Heads {
    /// Those of a log of which everything up to this mark was let go of. A store that an early
    /// program shortened has none.
    ///
    /// # Errors
    /// `AckedDataMissing` if the file is not there or does not reach as far; `Corruption`,
    /// `ForeignFile` or `UnknownFormat` if it is not what was written here; `Disk`.
    pub(super) fn read(disk: &dyn Disk, store: StoreId, front: Option<&Mark>) -> Result<Self> {
        match front.filter(|front| front.has(HAS_HEADS)) {
            Some(front) => Self::read_up_to(disk, store, front.sequence()),
            None => Ok(Self::default()),
        }
    }

    fn read_up_to(disk: &dyn Disk, store: StoreId, front: u64) -> Result<Self> {
        let missing = |what: &str| {
            let message = format!("the versions of streams up to position {front} {what}");
            Error::new(ErrorKind::AckedDataMissing, message).with("file", FILE)
        };
        let fail = |cause| disk_failure("read the versions of streams", FILE, cause);
        let file = match disk.open(FILE, Access::Read) {
            Ok(file) => file,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => {
                return Err(missing("are not there"));
            }
            Err(cause) => return Err(fail(cause)),
        };
        let bytes = file.len().map_err(fail)?;
        if bytes > FILE_BYTES_MAX {
            return Err(damaged("it is larger than it can be"));
        }
        let mut buffer = vec![0; usize::try_from(bytes).unwrap_or(usize::MAX)];
        let count = read_full(&*file, &mut buffer, 0).map_err(fail)?;
        buffer.truncate(count);
        let (owner, heads) = Self::of_bytes(&buffer)?;
        if owner != store {
            return Err(cause::foreign("what is known of streams", owner).with("file", FILE));
        }
        if heads.last < front {
            return Err(missing(&format!("are known up to position {} only", heads.last)));
        }
        Ok(heads)
    }

    /// The last version of a stream, if it has records here.
    pub(super) fn version(&self, stream: &str) -> Option<Version> {
        self.versions.get(stream).copied()
    }

    /// Bytes of the file.
    pub(super) fn bytes(&self) -> usize {
        let entries = self.versions.keys().map(|stream| ENTRY_BYTES + stream.len());
        HEADER_BYTES + entries.sum::<usize>() + SUM_BYTES
    }

    /// These, and what the next segment says of its streams.
    pub(super) fn add(&mut self, last: u64, streams: impl IntoIterator<Item = (String, Version)>) {
        self.last = self.last.max(last);
        let streams = streams.into_iter().map(|(name, version)| (name.into_boxed_str(), version));
        self.versions.extend(streams);
    }

    /// Writes the file and gives it its name once its content is durable.
    pub(super) fn write(&self, disk: &dyn Disk, store: StoreId) -> Result<()> {
        let write = || -> io::Result<()> {
            remove_if_there(disk, NEW_FILE)?;
            let file = disk.open(NEW_FILE, Access::Create)?;
            file.write_at(&self.to_bytes(store), 0)?;
            file.sync()?;
            disk.rename(NEW_FILE, FILE)?;
            disk.sync_names()
        };
        write().map_err(|cause| disk_failure("write the versions of streams", FILE, cause))
    }

    pub(super) fn to_bytes(&self, store: StoreId) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.bytes());
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&FORMAT.to_le_bytes());
        bytes.extend_from_slice(&[0; 6]);
        bytes.extend_from_slice(&store.to_bits().to_le_bytes());
        bytes.extend_from_slice(&self.last.to_le_bytes());
        bytes.extend_from_slice(&(self.versions.len() as u64).to_le_bytes());
        for (stream, version) in &self.versions {
            bytes.extend_from_slice(&version.number().to_le_bytes());
            // A body has its stream behind a length of one byte, so none is cut.
            bytes.push(stream.len() as u8);
            bytes.extend_from_slice(stream.as_bytes());
        }
        let sum = crc32c::crc32c(&bytes);
        bytes.extend_from_slice(&sum.to_le_bytes());
        bytes
    }

    fn of_bytes(bytes: &[u8]) -> Result<(StoreId, Self)> {
        let mut reader = Reader(bytes);
        if reader.array::<8>().as_ref() != Some(MAGIC) {
            return Err(damaged("it does not begin with its mark"));
        }
        let format = reader.u16().ok_or_else(|| damaged("it is cut short"))?;
        if format != FORMAT {
            let message = format!(
                "the versions of streams have format {format}, this program knows {FORMAT}"
            );
            return Err(Error::new(ErrorKind::UnknownFormat, message).with("file", FILE));
        }
        let (covered, sum) =
            bytes.split_last_chunk::<4>().ok_or_else(|| damaged("it is cut short"))?;
        if crc32c::crc32c(covered).to_le_bytes() != *sum {
            return Err(damaged("its checksum does not match"));
        }
        let mut reader = Reader(covered.get(16..).unwrap_or_default());
        Self::read_body(&mut reader).ok_or_else(|| damaged("its parts do not fit together"))
    }

    fn read_body(reader: &mut Reader<'_>) -> Option<(StoreId, Self)> {
        let store = StoreId::from_bits(u128::from_le_bytes(reader.array()?));
        let (last, count) = (reader.u64()?, reader.u64()?);
        let mut versions = BTreeMap::new();
        while !reader.0.is_empty() {
            let version = Version::new(reader.u64()?);
            let stream = String::from_utf8(reader.short_bytes()?.to_vec()).ok()?;
            versions.insert(stream.into_boxed_str(), version);
        }
        (versions.len() as u64 == count).then_some((store, Self { last, versions }))
    }
}

fn damaged(what: &str) -> Error {
    let message = format!("the versions of streams are damaged: {what}");
    Error::new(ErrorKind::Corruption, message).with("file", FILE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::MemoryDisk;

    const STORE: StoreId = StoreId::from_bits(7);

    fn sample() -> Heads {
        let mut heads = Heads::default();
        heads.add(9, [("order-1".to_owned(), Version::new(3)), ("ö".to_owned(), Version::new(1))]);
        heads.add(12, [("order-1".to_owned(), Version::new(4))]);
        heads
    }

    #[test]
    fn what_was_written_is_read_and_the_newer_version_counts() {
        let disk = MemoryDisk::default();
        sample().write(&disk, STORE).expect("writes");
        let read = Heads::read_up_to(&disk, STORE, 12).expect("reads");
        assert_eq!(read, sample());
        assert_eq!(read.bytes(), read.to_bytes(STORE).len());
        assert_eq!(read.version("order-1"), Some(Version::new(4)));
        assert_eq!(read.version("order-2"), None);
    }

    #[test]
    fn without_a_front_nothing_is_asked_for_and_with_one_the_file_has_to_reach_it() {
        let disk = MemoryDisk::default();
        assert_eq!(Heads::read(&disk, STORE, None).expect("none"), Heads::default());
        let kind =
            |front, store| Heads::read_up_to(&disk, store, front).expect_err("refused").kind();
        assert_eq!(kind(1, STORE), ErrorKind::AckedDataMissing);
        sample().write(&disk, STORE).expect("writes");
        assert_eq!(kind(13, STORE), ErrorKind::AckedDataMissing);
        assert_eq!(kind(12, StoreId::from_bits(8)), ErrorKind::ForeignFile);
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_noticed() {
        let right = sample().to_bytes(STORE);
        for bit in 0..right.len() * 8 {
            let mut bytes = right.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(Heads::of_bytes(&bytes).is_err(), "bit {bit}");
        }
        for length in 0..right.len() {
            assert!(Heads::of_bytes(&right[..length]).is_err(), "{length} bytes");
        }
    }
}
