//! Snapshots: the derived states as of one record, in a file beside the log.
//!
//! A snapshot is a shortcut and never a source: it holds what folding the log up to its record
//! gives, with the hash of that, and names the record by its checksum. One that is damaged, or
//! that speaks of another log, is passed over for the one before it, or for the whole log.

use std::io;

use foundation_types::{Error, ErrorKind, Result, StoreId};
use sha2::{Digest, Sha256};

use super::identity::remove_if_there;
use super::{cause, disk_failure};
use crate::disk::{Access, Disk, read_full};
use crate::record::reader::Reader;

const MAGIC: &[u8; 8] = b"FNDSNAPS";
const FORMAT: u16 = 1;
const HEADER_BYTES: usize = 56;
const SUFFIX: &str = ".snap";
const NEW_FILE: &str = "SNAPSHOT.new";
/// Bytes of a file that is read as a snapshot at all.
const FILE_BYTES_MAX: u64 = 1 << 30;

/// The states as of one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Snapshot {
    pub(super) store: StoreId,
    pub(super) epoch: u64,
    /// Sequence number of that record.
    pub(super) last: u64,
    /// Checksum of its frame.
    pub(super) chain: u32,
    pub(super) states: Vec<Kept>,
}

/// One state in a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
}

/// What a snapshot says of a state before its content.
struct Listed {
    name: String,
    length: u64,
    /// SHA-256 of the content.
    hash: [u8; 32],
}

impl Snapshot {
    /// The bytes of a state.
    pub(super) fn state(&self, name: &str) -> Option<&[u8]> {
        self.states.iter().find(|kept| kept.name == name).map(|kept| kept.bytes.as_slice())
    }

    /// Writes the file and gives it its name once its content is durable.
    pub(super) fn write(&self, disk: &dyn Disk) -> Result<()> {
        let name = name_of(self.last);
        let write = || -> io::Result<()> {
            remove_if_there(disk, NEW_FILE)?;
            let file = disk.open(NEW_FILE, Access::Create)?;
            file.write_at(&self.to_bytes(), 0)?;
            file.sync()?;
            disk.rename(NEW_FILE, &name)?;
            disk.sync_names()
        };
        write().map_err(|cause| disk_failure("write a snapshot", &name, cause))
    }

    /// Reads and verifies the snapshot with this name.
    pub(super) fn read(disk: &dyn Disk, name: &str, store: StoreId) -> Result<Self> {
        let fail = |cause| disk_failure("read a snapshot", name, cause);
        let file = disk.open(name, Access::Read).map_err(fail)?;
        let bytes = file.len().map_err(fail)?;
        if bytes > FILE_BYTES_MAX {
            return Err(damaged(name, "it is larger than a snapshot can be"));
        }
        let mut buffer = vec![0; usize::try_from(bytes).unwrap_or(usize::MAX)];
        let count = read_full(&*file, &mut buffer, 0).map_err(fail)?;
        buffer.truncate(count);
        let snapshot = Self::of_bytes(&buffer, name)?;
        if snapshot.store != store {
            return Err(cause::foreign("a snapshot", snapshot.store).with("file", name));
        }
        if name != name_of(snapshot.last) {
            let message = format!("a snapshot of position {} has another name", snapshot.last);
            return Err(Error::new(ErrorKind::ForeignFile, message).with("file", name));
        }
        Ok(snapshot)
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER_BYTES);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&FORMAT.to_le_bytes());
        // There are a few states, each with a short name.
        bytes.extend_from_slice(&(self.states.len() as u16).to_le_bytes());
        bytes.extend_from_slice(&self.chain.to_le_bytes());
        bytes.extend_from_slice(&self.store.to_bits().to_le_bytes());
        bytes.extend_from_slice(&self.epoch.to_le_bytes());
        bytes.extend_from_slice(&self.last.to_le_bytes());
        bytes.extend_from_slice(&[0; 8]);
        for Kept { name, bytes: content } in &self.states {
            bytes.push(name.len() as u8);
            bytes.extend_from_slice(name.as_bytes());
            bytes.extend_from_slice(&(content.len() as u64).to_le_bytes());
            bytes.extend_from_slice(&Sha256::digest(content));
        }
        let sum = crc32c::crc32c(&bytes);
        bytes.extend_from_slice(&sum.to_le_bytes());
        self.states.iter().for_each(|kept| bytes.extend_from_slice(&kept.bytes));
        bytes
    }

    fn of_bytes(bytes: &[u8], name: &str) -> Result<Self> {
        let mut reader = Reader(bytes);
        if reader.array::<8>().as_ref() != Some(MAGIC) {
            return Err(damaged(name, "it does not begin with its mark"));
        }
        let format = reader.u16().ok_or_else(|| damaged(name, "it is cut short"))?;
        if format != FORMAT {
            let message = format!("a snapshot has format {format}, this program knows {FORMAT}");
            return Err(Error::new(ErrorKind::UnknownFormat, message).with("file", name));
        }
        let (mut snapshot, table) =
            Self::read_table(&mut reader).ok_or_else(|| damaged(name, "it is cut short"))?;
        let covered = bytes.len() - reader.0.len();
        let sum = reader.u32().ok_or_else(|| damaged(name, "it is cut short"))?;
        if bytes.get(..covered).map(crc32c::crc32c) != Some(sum) {
            return Err(damaged(name, "its checksum does not match"));
        }
        let mut content = reader.0;
        for Listed { name: state, length, hash } in table {
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            let (own, rest) =
                content.split_at_checked(length).ok_or_else(|| damaged(name, "it is cut short"))?;
            if Sha256::digest(own).as_slice() != hash {
                return Err(damaged(name, "the hash of a state does not match"));
            }
            snapshot.states.push(Kept { name: state, bytes: own.to_vec() });
            content = rest;
        }
        if !content.is_empty() {
            return Err(damaged(name, "something stands behind it"));
        }
        Ok(snapshot)
    }

    /// The header, and what follows it.
    fn read_table(reader: &mut Reader<'_>) -> Option<(Self, Vec<Listed>)> {
        let (count, chain) = (reader.u16()?, reader.u32()?);
        let store = StoreId::from_bits(u128::from_le_bytes(reader.array()?));
        let (epoch, last) = (reader.u64()?, reader.u64()?);
        reader.u64()?;
        let mut table = Vec::new();
        for _ in 0..count {
            let name = String::from_utf8(reader.short_bytes()?.to_vec()).ok()?;
            table.push(Listed { name, length: reader.u64()?, hash: reader.array()? });
        }
        Some((Self { store, epoch, last, chain, states: Vec::new() }, table))
    }
}

/// The names of all snapshots, newest first.
pub(super) fn names(disk: &dyn Disk) -> Result<Vec<String>> {
    let names = disk.list().map_err(|cause| disk_failure("list the store", "", cause))?;
    let mut names: Vec<String> = names.into_iter().filter(|name| last_of(name).is_some()).collect();
    names.sort_unstable_by(|one, two| two.cmp(one));
    Ok(names)
}

/// Removes all but the newest `keep` snapshots that can be read; gives the records of these, newest
/// first. What a newer program wrote stays, and does not count.
pub(super) fn prune(disk: &dyn Disk, store: StoreId, keep: usize) -> Result<Vec<u64>> {
    let mut kept = Vec::new();
    for name in names(disk)? {
        let read = if kept.len() < keep { Some(Snapshot::read(disk, &name, store)) } else { None };
        match read {
            Some(Ok(snapshot)) => {
                kept.push(snapshot.last);
                continue;
            }
            // Somebody put it there, and may miss it.
            Some(Err(error)) if cause::is_no_file(&error) => continue,
            Some(Err(error)) if error.kind() == ErrorKind::UnknownFormat => continue,
            // What cannot be read now may be whole.
            Some(Err(error)) if !cause::is_damage(&error) => return Err(error),
            _ => {}
        }
        disk.remove(&name).map_err(|cause| disk_failure("remove a snapshot", &name, cause))?;
    }
    Ok(kept)
}

fn name_of(last: u64) -> String {
    format!("{last:020}{SUFFIX}")
}

/// The number in the name of a snapshot.
pub(super) fn last_of(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(SUFFIX)?;
    let proper = digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit());
    if proper { digits.parse().ok() } else { None }
}

fn damaged(name: &str, what: &str) -> Error {
    let message = format!("a snapshot is damaged: {what}");
    Error::new(ErrorKind::Corruption, message).with("file", name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::MemoryDisk;

    fn sample() -> Snapshot {
        let kept = |name: &str, bytes: &str| Kept {
            name: name.to_owned(),
            bytes: bytes.as_bytes().to_vec(),
        };
        let states = vec![kept("config", "{\"port\":1}"), kept("tables", "")];
        Snapshot { store: StoreId::from_bits(7), epoch: 1, last: 12, chain: 99, states }
    }

    #[test]
    fn what_was_written_is_read() {
        let disk = MemoryDisk::default();
        sample().write(&disk).expect("written");
        let names = names(&disk).expect("lists");
        assert_eq!(names, ["00000000000000000012.snap"]);
        let read = Snapshot::read(&disk, &names[0], StoreId::from_bits(7)).expect("reads");
        assert_eq!(read, sample());
        let foreign = Snapshot::read(&disk, &names[0], StoreId::from_bits(8));
        assert_eq!(foreign.map_err(|error| error.kind()), Err(ErrorKind::ForeignFile));
    }

    #[test]
    fn no_flipped_bit_and_no_cut_is_read_as_a_snapshot() {
        let bytes = sample().to_bytes();
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(Snapshot::of_bytes(&flipped, "x").is_err(), "bit {bit}");
        }
        for length in 0..bytes.len() {
            assert!(Snapshot::of_bytes(&bytes[..length], "x").is_err(), "cut to {length}");
        }
    }

    #[test]
    fn the_newest_ones_that_can_be_read_are_kept() {
        let disk = MemoryDisk::default();
        for last in [3, 20, 100] {
            Snapshot { last, ..sample() }.write(&disk).expect("written");
        }
        let damaged = disk.open("00000000000000000020.snap", Access::Write).expect("is there");
        damaged.write_at(&[1], 60).expect("written");
        let kept = prune(&disk, StoreId::from_bits(7), 2).expect("pruned");
        assert_eq!(kept, [100, 3], "one that cannot be read is none");
        let names = names(&disk).expect("lists");
        assert_eq!(names, ["00000000000000000100.snap", "00000000000000000003.snap"]);
        let kept = prune(&disk, StoreId::from_bits(7), 1).expect("pruned");
        assert_eq!(kept, [100]);
    }
}
