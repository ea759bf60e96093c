//! Two numbers that only grow: how far the log is known to be durable, and where it begins.
//!
//! Each has a file of its own. Two slots in two sectors are written in turn, so that a torn write
//! costs at most the newer one.
//!
//! The watermark tells a torn tail from lost acked data. It is a lower bound: it is written when
//! the writer is idle and when it closes. The front tells records that were let go of from ones
//! that are missing: it is written before the first file is removed.

use std::io;

use foundation_types::{Error, ErrorKind, Result, StoreId};

use super::identity::remove_if_there;
use super::{cause, disk_failure};
use crate::disk::{Access, Disk, DiskFile, read_full};
use crate::record::reader::Reader;

/// Up to where everything is durable.
pub(super) const WATERMARK: &str = "WATERMARK";
/// Up to where nothing is kept. A store of an early program does not have it.
pub(super) const FRONT: &str = "FRONT";

const SLOT_BYTES: usize = 40;
const SLOT_STRIDE: u64 = 512;
/// Nobody counts as far as this: what is added to a number below it is a number.
const REACHED_MAX: u64 = u64::MAX / 2;

/// The file of a mark.
pub(super) struct Mark {
    name: &'static str,
    file: Box<dyn DiskFile>,
    store: StoreId,
    /// Counts writes; the slot with the greater count is the newer one.
    count: u64,
    sequence: u64,
    /// What else it says, bit by bit.
    flags: u32,
    /// As they were found.
    slots: [Slot; 2],
}

/// What is wrong with a slot.
pub(super) struct Fault {
    pub(super) range: std::ops::Range<u64>,
    pub(super) what: String,
    /// Whether no crash leaves that.
    pub(super) damage: bool,
}

/// The front was moved by a program that keeps the versions of streams that are let go of.
pub(super) const HAS_HEADS: u32 = 1;

impl Mark {
    /// Makes the file with two empty slots. Its name is durable once names are synced.
    pub(super) fn create(disk: &dyn Disk, name: &'static str, store: StoreId) -> io::Result<Self> {
        let new_name = format!("{name}.new");
        remove_if_there(disk, &new_name)?;
        let file = disk.open(&new_name, Access::Create)?;
        file.write_at(&[0; 2 * SLOT_STRIDE as usize], 0)?;
        file.sync()?;
        disk.rename(&new_name, name)?;
        let slots = [Slot::Empty; 2];
        Ok(Self { name, file, store, count: 0, sequence: 0, flags: 0, slots })
    }

    /// Opens the file, if there is one.
    pub(super) fn open(
        disk: &dyn Disk,
        name: &'static str,
        store: StoreId,
        access: Access,
    ) -> Result<Option<Self>> {
        let fail = |cause| disk_failure("open a mark", name, cause);
        let file = match disk.open(name, access) {
            Ok(file) => file,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(cause) => return Err(fail(cause)),
        };
        let first = read_slot(&*file, 0, store).map_err(fail)?;
        let second = read_slot(&*file, SLOT_STRIDE, store).map_err(fail)?;
        let newest = match (first, second) {
            (Slot::Damaged | Slot::Foreign(_), Slot::Damaged | Slot::Foreign(_)) => {
                return Err(unreadable(name, [first, second]));
            }
            (Slot::Mark { count: a, .. }, Slot::Mark { count: b, .. }) if a > b => first,
            (Slot::Mark { .. }, Slot::Empty | Slot::Damaged | Slot::Foreign(_)) => first,
            _ => second,
        };
        let (count, sequence, flags) = match newest {
            Slot::Mark { count, sequence, flags } => (count, sequence, flags),
            // The very first write may have been torn.
            Slot::Empty | Slot::Damaged | Slot::Foreign(_) => (0, 0, 0),
        };
        let slots = [first, second];
        Ok(Some(Self { name, file, store, count, sequence, flags, slots }))
    }

    /// What is wrong with its slots, though it can be read. Whether a slot was torn by a crash or
    /// damaged later cannot be told, unless no crash leaves the two as they are.
    pub(super) fn faults(&self) -> Vec<Fault> {
        let [first, second] = self.slots;
        // The first write goes to the second slot, and a write begins when the one before is done.
        let is_alone = matches!((first, second), (Slot::Damaged, Slot::Empty));
        let of = |slot: Slot, offset: u64| {
            let (what, damage) = match slot {
                Slot::Foreign(theirs) => (format!("a mark belongs to store {theirs}"), true),
                Slot::Damaged if is_alone => ("the slot that was written is damaged".into(), true),
                Slot::Damaged => ("a slot of a mark is torn or damaged".into(), false),
                Slot::Empty | Slot::Mark { .. } => return None,
            };
            Some(Fault { range: offset..offset + SLOT_BYTES as u64, what, damage })
        };
        [of(first, 0), of(second, SLOT_STRIDE)].into_iter().flatten().collect()
    }

    /// The watermark, which a store always has.
    pub(super) fn watermark(disk: &dyn Disk, store: StoreId, access: Access) -> Result<Self> {
        Self::open(disk, WATERMARK, store, access)?.ok_or_else(|| {
            Error::new(ErrorKind::ForeignFile, "the watermark of the store is missing")
                .with("file", WATERMARK)
        })
    }

    /// A file that says the same.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0; 2 * SLOT_STRIDE as usize];
        // In the slot that the next write leaves alone.
        let at = (self.count % 2 * SLOT_STRIDE) as usize;
        bytes[at..at + SLOT_BYTES].copy_from_slice(&self.encode(self.count, self.sequence));
        bytes
    }

    /// The sequence number that it says.
    pub(super) fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Whether it says so.
    pub(super) fn has(&self, flag: u32) -> bool {
        self.flags & flag != 0
    }

    /// Has it say so from the next time on that it says another number.
    pub(super) fn set(&mut self, flag: u32) {
        self.flags |= flag;
    }

    /// Has it say another one, for good.
    ///
    /// # Errors
    /// `DiskFull` if there was no space for it, in which case it says what it said before; `Disk`
    /// if it is not known what it says.
    pub(super) fn advance(&mut self, sequence: u64) -> Result<()> {
        let count = self.count + 1;
        let offset = (count % 2) * SLOT_STRIDE;
        self.file
            .write_at(&self.encode(count, sequence), offset)
            .map_err(|cause| disk_failure("write a mark", self.name, cause))?;
        self.file.sync().map_err(|cause| {
            let error = Error::new(ErrorKind::Disk, format!("cannot sync a mark: {cause}"));
            error.with("file", self.name).caused_by(cause)
        })?;
        (self.count, self.sequence) = (count, sequence);
        Ok(())
    }

    fn encode(&self, count: u64, sequence: u64) -> [u8; SLOT_BYTES] {
        let mut bytes = [0; SLOT_BYTES];
        bytes[0..16].copy_from_slice(&self.store.to_bits().to_le_bytes());
        bytes[16..24].copy_from_slice(&count.to_le_bytes());
        bytes[24..32].copy_from_slice(&sequence.to_le_bytes());
        bytes[32..36].copy_from_slice(&self.flags.to_le_bytes());
        let sum = crc32c::crc32c(&bytes[..36]);
        bytes[36..40].copy_from_slice(&sum.to_le_bytes());
        bytes
    }
}

#[derive(Clone, Copy)]
enum Slot {
    Empty,
    Damaged,
    /// Of another store.
    Foreign(StoreId),
    Mark {
        count: u64,
        sequence: u64,
        flags: u32,
    },
}

fn unreadable(name: &str, slots: [Slot; 2]) -> Error {
    let theirs = slots.iter().find_map(|slot| match slot {
        Slot::Foreign(theirs) => Some(*theirs),
        _ => None,
    });
    let error = match theirs {
        Some(theirs) => cause::foreign("a mark", theirs),
        None => Error::new(ErrorKind::Corruption, "both slots of a mark are damaged"),
    };
    let range = format!("0..{}", SLOT_STRIDE as usize + SLOT_BYTES);
    error.with("file", name).with("range", range)
}

fn read_slot(file: &dyn DiskFile, offset: u64, store: StoreId) -> io::Result<Slot> {
    let mut bytes = [0; SLOT_BYTES];
    let count = read_full(file, &mut bytes, offset)?;
    if count < SLOT_BYTES {
        return Ok(Slot::Damaged);
    }
    if bytes.iter().all(|byte| *byte == 0) {
        return Ok(Slot::Empty);
    }
    Ok(decode(&bytes, store).unwrap_or(Slot::Damaged))
}

fn decode(bytes: &[u8; SLOT_BYTES], store: StoreId) -> Option<Slot> {
    if bytes[36..40] != crc32c::crc32c(&bytes[..36]).to_le_bytes() {
        return None;
    }
    let mut reader = Reader(bytes);
    let id = u128::from_le_bytes(reader.array()?);
    let (count, sequence, flags) = (reader.u64()?, reader.u64()?, reader.u32()?);
    if count.max(sequence) > REACHED_MAX {
        return None;
    }
    let theirs = StoreId::from_bits(id);
    let own = Slot::Mark { count, sequence, flags };
    Some(if theirs == store { own } else { Slot::Foreign(theirs) })
}
