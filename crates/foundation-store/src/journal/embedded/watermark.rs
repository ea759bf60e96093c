//! How far the log is known to be durable: what tells a torn tail from lost acked data.
//!
//! Two slots in two sectors are written in turn, so that a torn write costs at most the newer
//! one. The mark is a lower bound: it is written when the writer is idle and when it closes.

use std::io;

use foundation_types::{Error, ErrorKind, Result, StoreId};

use super::disk_failure;
use super::identity::remove_if_there;
use crate::disk::{Access, Disk, DiskFile, read_full};
use crate::record::reader::Reader;

pub(super) const FILE: &str = "WATERMARK";
const NEW_FILE: &str = "WATERMARK.new";
const SLOT_BYTES: usize = 40;
const SLOT_STRIDE: u64 = 512;

/// The file of the mark, open for writing.
pub(super) struct Watermark {
    file: Box<dyn DiskFile>,
    store: StoreId,
    /// Counts writes; the slot with the greater count is the newer one.
    count: u64,
}

impl Watermark {
    /// Makes the file with two empty slots.
    pub(super) fn create(disk: &dyn Disk) -> io::Result<()> {
        remove_if_there(disk, NEW_FILE)?;
        let file = disk.open(NEW_FILE, Access::Create)?;
        file.write_at(&[0; 2 * SLOT_STRIDE as usize], 0)?;
        file.sync()?;
        disk.rename(NEW_FILE, FILE)
    }

    /// Opens the file; gives also the last durable sequence number that it knows.
    pub(super) fn open(disk: &dyn Disk, store: StoreId, access: Access) -> Result<(Self, u64)> {
        let fail = |cause| disk_failure("open the watermark", FILE, cause);
        let file = disk.open(FILE, access).map_err(|cause| {
            if cause.kind() == io::ErrorKind::NotFound {
                return Error::new(ErrorKind::ForeignFile, "the watermark of the store is missing")
                    .with("file", FILE);
            }
            fail(cause)
        })?;
        let first = read_slot(&*file, 0, store).map_err(fail)?;
        let second = read_slot(&*file, SLOT_STRIDE, store).map_err(fail)?;
        let newest = match (first, second) {
            (Slot::Damaged, Slot::Damaged) => {
                return Err(Error::new(ErrorKind::Corruption, "both watermarks are damaged")
                    .with("file", FILE));
            }
            (Slot::Mark { count: a, .. }, Slot::Mark { count: b, .. }) if a > b => first,
            (Slot::Mark { .. }, Slot::Empty | Slot::Damaged) => first,
            _ => second,
        };
        let (count, sequence) = match newest {
            Slot::Mark { count, sequence } => (count, sequence),
            Slot::Empty | Slot::Damaged => (0, 0),
        };
        Ok((Self { file, store, count }, sequence))
    }

    /// Writes that all up to `sequence` is durable.
    pub(super) fn advance(&mut self, sequence: u64) -> io::Result<()> {
        let count = self.count + 1;
        let offset = (count % 2) * SLOT_STRIDE;
        self.file.write_at(&encode(self.store, count, sequence), offset)?;
        self.file.sync()?;
        self.count = count;
        Ok(())
    }
}

#[derive(Clone, Copy)]
enum Slot {
    Empty,
    Damaged,
    Mark { count: u64, sequence: u64 },
}

fn encode(store: StoreId, count: u64, sequence: u64) -> [u8; SLOT_BYTES] {
    let mut bytes = [0; SLOT_BYTES];
    bytes[0..16].copy_from_slice(&store.to_bits().to_le_bytes());
    bytes[16..24].copy_from_slice(&count.to_le_bytes());
    bytes[24..32].copy_from_slice(&sequence.to_le_bytes());
    let sum = crc32c::crc32c(&bytes[..36]);
    bytes[36..40].copy_from_slice(&sum.to_le_bytes());
    bytes
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
    let (count, sequence) = (reader.u64()?, reader.u64()?);
    (id == store.to_bits()).then_some(Slot::Mark { count, sequence })
}
