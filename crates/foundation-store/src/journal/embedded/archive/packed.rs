//! The bytes of one block in an archive file: its columns, each compressed, or the block as it stands.

use foundation_types::{Error, ErrorKind, Result};

use super::super::index::varint;
use super::columns::{Column, Columns, Start};
use crate::record::reader::Reader;

/// More takes several times as long for a few hundredths, and archiving goes on beside a service.
const LEVEL: i32 = 9;
/// The block is compressed as it stands.
const PLAIN: u8 = 0;
/// Its columns are.
const IN_COLUMNS: u8 = 1;
/// How much larger than the block its columns can be, each for itself.
const GROWTH_MAX: usize = 2;

/// A block as it is kept. What comes of it again is compared here, byte by byte.
pub(super) fn pack(raw: &[u8], start: Start) -> Result<Vec<u8>> {
    if let Some(columns) = Columns::split(raw)
        && columns.join(start, raw.len()).is_some_and(|again| again == raw)
    {
        return pack_columns(&columns);
    }
    let mut out = vec![PLAIN];
    out.extend_from_slice(&compressed(raw)?);
    Ok(out)
}

fn pack_columns(columns: &Columns) -> Result<Vec<u8>> {
    let (mut out, mut bodies) = (vec![IN_COLUMNS], Vec::new());
    for column in Column::ALL {
        let bytes = columns.get(column);
        let small = compressed(bytes)?;
        // As many bytes as there are: not compressed.
        let kept = if small.len() < bytes.len() { &small } else { bytes };
        varint::put(&mut out, bytes.len() as u64);
        varint::put(&mut out, kept.len() as u64);
        bodies.extend_from_slice(kept);
    }
    out.extend_from_slice(&bodies);
    Ok(out)
}

/// Bytes that each column of a packed block takes; of one that is kept as it stands none.
#[cfg(test)]
pub(super) fn parts(packed: &[u8]) -> Vec<(Column, usize)> {
    let lengths = packed.split_first().and_then(|(form, rest)| {
        (*form == IN_COLUMNS).then(|| read_lengths(&mut Reader(rest), usize::MAX / GROWTH_MAX))?
    });
    let kept = |lengths: [(usize, usize); 16]| lengths.map(|(_, kept)| kept);
    Column::ALL.into_iter().zip(lengths.map(kept).into_iter().flatten()).collect()
}

/// The block again, of which it is known how long it is; `None` if this is none.
pub(super) fn unpack(packed: &[u8], start: Start, raw_length: usize) -> Option<Vec<u8>> {
    let (form, rest) = packed.split_first()?;
    match *form {
        PLAIN => decompressed(rest, raw_length),
        IN_COLUMNS => {
            let mut reader = Reader(rest);
            let lengths = read_lengths(&mut reader, raw_length)?;
            let mut columns = <[Vec<u8>; Column::ALL.len()]>::default();
            for (column, (length, kept)) in columns.iter_mut().zip(lengths) {
                let bytes = reader.bytes(kept)?;
                *column = match length == kept {
                    true => bytes.to_vec(),
                    false => decompressed(bytes, length)?,
                };
            }
            let is_used_up = reader.0.is_empty();
            if is_used_up { Columns::of(columns).join(start, raw_length) } else { None }
        }
        _ => None,
    }
}

/// The bytes of each column, and those that are kept of it.
fn read_lengths(
    reader: &mut Reader<'_>,
    raw_length: usize,
) -> Option<[(usize, usize); Column::ALL.len()]> {
    let mut lengths = [(0, 0); Column::ALL.len()];
    for place in &mut lengths {
        let length = usize::try_from(varint::get(reader)?).ok()?;
        let kept = usize::try_from(varint::get(reader)?).ok()?;
        if kept > length || length > raw_length.saturating_mul(GROWTH_MAX) {
            return None;
        }
        *place = (length, kept);
    }
    Some(lengths)
}

fn compressed(bytes: &[u8]) -> Result<Vec<u8>> {
    zstd::bulk::compress(bytes, LEVEL).map_err(|cause| {
        Error::new(ErrorKind::Internal, "a block cannot be compressed").caused_by(cause)
    })
}

fn decompressed(bytes: &[u8], length: usize) -> Option<Vec<u8>> {
    zstd::bulk::decompress(bytes, length).ok().filter(|raw| raw.len() == length)
}
