//! The file that says which store a directory is, and in which format.

use std::io;

use foundation_types::{Error, ErrorKind, Result, Stamp, StoreId};

use super::mark::{FRONT, Mark, WATERMARK};
use super::options::Mode;
use super::{disk_failure, segment};
use crate::clock::Clock;
use crate::disk::{Access, Disk, read_small};
use crate::random::Rng;
use crate::record::reader::Reader;

pub(super) const FILE: &str = "STORE";
const NEW_FILE: &str = "STORE.new";
const MAGIC: &[u8; 8] = b"FNDSTORE";
const FORMAT: u16 = 1;
const BYTES: usize = 48;

/// The identity of the store on this disk; a new one on an empty disk.
pub(super) fn open_or_create(
    disk: &dyn Disk,
    mode: Mode,
    clock: &dyn Clock,
    rng: &dyn Rng,
) -> Result<StoreId> {
    if let Some(store) = read(disk)? {
        return Ok(store);
    }
    match mode {
        Mode::Read | Mode::Peek => Err(no_store(disk)),
        Mode::Write => create(disk, clock, rng),
    }
}

/// Whether there is a store on this disk; nothing is changed.
///
/// # Errors
/// `NotFound` if there is none; `ForeignFile` for segments without an identity; a kind of corruption, or
/// `UnknownFormat`, if the identity is not what was written; `Disk`.
pub fn require_store(disk: &dyn Disk) -> Result<()> {
    read(disk)?.map(drop).ok_or_else(|| no_store(disk))
}

/// The identity of the store on this disk, if there is one.
pub(super) fn read(disk: &dyn Disk) -> Result<Option<StoreId>> {
    match disk.open(FILE, Access::Read) {
        Ok(file) => {
            let bytes = read_small(&*file, BYTES + 1)
                .map_err(|cause| disk_failure("read the identity", FILE, cause))?;
            decode(&bytes).map(Some)
        }
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => {
            check_empty(disk)?;
            Ok(None)
        }
        Err(cause) => Err(disk_failure("open the identity", FILE, cause)),
    }
}

fn check_empty(disk: &dyn Disk) -> Result<()> {
    let names = disk.list().map_err(|cause| disk_failure("list the store", "", cause))?;
    if names.iter().any(|name| segment::is_segment(name)) {
        let message = "the directory has segments but no identity";
        return Err(Error::new(ErrorKind::ForeignFile, message).with("file", FILE));
    }
    Ok(())
}

pub(super) fn no_store(disk: &dyn Disk) -> Error {
    Error::new(ErrorKind::NotFound, format!("there is no store in {}", disk.place()))
}

/// The marks are made first: a directory with an identity has them. The front has its place from
/// the beginning, since a full disk may be why it is needed.
fn create(disk: &dyn Disk, clock: &dyn Clock, rng: &dyn Rng) -> Result<StoreId> {
    let store = StoreId::from_bits(u128::from(rng.bits()) << 64 | u128::from(rng.bits()));
    for mark in [WATERMARK, FRONT] {
        Mark::create(disk, mark, store)
            .map_err(|cause| disk_failure("make a mark", mark, cause))?;
    }
    disk.sync_names().map_err(|cause| disk_failure("make the marks", WATERMARK, cause))?;
    let bytes = encode(store, Stamp::default().next(clock.wall()));
    let write = || -> io::Result<()> {
        remove_if_there(disk, NEW_FILE)?;
        let file = disk.open(NEW_FILE, Access::Create)?;
        file.write_at(&bytes, 0)?;
        file.sync()?;
        disk.rename(NEW_FILE, FILE)?;
        disk.sync_names()
    };
    write().map_err(|cause| disk_failure("make the store", FILE, cause))?;
    Ok(store)
}

/// Removes what an interrupted attempt left behind, for good: a name that came back after a crash
/// would be taken for the new file.
pub(super) fn remove_if_there(disk: &dyn Disk, name: &str) -> io::Result<()> {
    match disk.remove(name) {
        Ok(()) => disk.sync_names(),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(cause) => Err(cause),
    }
}

fn encode(store: StoreId, created: Stamp) -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    bytes[0..8].copy_from_slice(MAGIC);
    bytes[8..10].copy_from_slice(&FORMAT.to_le_bytes());
    bytes[16..32].copy_from_slice(&store.to_bits().to_le_bytes());
    bytes[32..40].copy_from_slice(&created.to_bits().to_le_bytes());
    let sum = crc32c::crc32c(&bytes[..44]);
    bytes[44..48].copy_from_slice(&sum.to_le_bytes());
    bytes
}

fn decode(bytes: &[u8]) -> Result<StoreId> {
    let damaged = |what: &str| {
        Error::new(ErrorKind::Corruption, format!("the identity of the store is damaged: {what}"))
            .with("file", FILE)
    };
    let mut reader = Reader(bytes);
    if reader.array::<8>().as_ref() != Some(MAGIC) {
        return Err(damaged("it does not begin with its mark"));
    }
    // The version comes before the checksum: a later format may move the checksum.
    let format = reader.u16().ok_or_else(|| damaged("it is cut short"))?;
    if format != FORMAT {
        let message = format!("the store has format {format}, this program knows {FORMAT}");
        return Err(Error::new(ErrorKind::UnknownFormat, message).with("file", FILE));
    }
    let whole: &[u8; BYTES] = bytes.try_into().map_err(|_| damaged("its length is wrong"))?;
    let sum = crc32c::crc32c(&whole[..44]);
    if whole[44..48] != sum.to_le_bytes() {
        return Err(damaged("its checksum does not match"));
    }
    let mut id = [0; 16];
    id.copy_from_slice(&whole[16..32]);
    Ok(StoreId::from_bits(u128::from_le_bytes(id)))
}
