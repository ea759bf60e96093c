//! The rows of the file `KEYS`, byte by byte as `docs/format.md` draws them.

use foundation_types::StoreId;

use super::keys::KeyId;
use crate::record::reader::Reader;

pub(super) const MAGIC: &[u8; 8] = b"FNDKEYS\0";
pub(super) const FORMAT: u16 = 1;
pub(super) const HEADER_BYTES: usize = 36;
/// Longest row: a destroyed key whose event is still to be written, with who and why.
pub(super) const ROW_BYTES_MAX: usize = 8 * 1024;

const LIVE: u8 = 1;
const DESTROYED: u8 = 2;
const UNTOLD: u8 = 3;
const SUM_BYTES: usize = 4;

/// What is known of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Row {
    /// Whose it is, as a keyed hash, and the key, wrapped.
    Live { subject: [u8; 32], wrapped: Vec<u8> },
    /// It is no more.
    Destroyed,
    /// It is no more, and the log does not say so yet; this is what it is to say.
    Untold { certificate: Vec<u8> },
}

pub(super) fn header(store: StoreId) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend(FORMAT.to_le_bytes());
    bytes.extend([0; 6]);
    bytes.extend(store.to_bits().to_le_bytes());
    let sum = crc32c::crc32c(&bytes);
    bytes.extend(sum.to_le_bytes());
    bytes
}

/// Appends a row.
pub(super) fn write(id: KeyId, row: &Row, out: &mut Vec<u8>) {
    let mut body = Vec::new();
    let kind = match row {
        Row::Live { subject, wrapped } => {
            body.extend(subject);
            body.extend(wrapped);
            LIVE
        }
        Row::Destroyed => DESTROYED,
        Row::Untold { certificate } => {
            body.extend(certificate);
            UNTOLD
        }
    };
    let start = out.len();
    let length = u16::try_from(body.len()).unwrap_or(u16::MAX);
    out.extend(length.to_le_bytes());
    out.push(kind);
    out.extend(id.to_bytes());
    out.extend(&body[..length.into()]);
    let sum = crc32c::crc32c(out.get(start..).unwrap_or_default());
    out.extend(sum.to_le_bytes());
}

/// Whether a whole row begins anywhere in these bytes.
pub(super) fn has_any(bytes: &[u8]) -> bool {
    (0..bytes.len()).any(|at| bytes.get(at..).and_then(read).is_some())
}

/// The next row, and what is left after it; nothing if what is there is none.
pub(super) fn read(bytes: &[u8]) -> Option<(KeyId, Row, &[u8])> {
    let mut reader = Reader(bytes);
    let length = reader.u16()?;
    let kind = reader.u8()?;
    let id = KeyId::of_bytes(reader.array()?);
    let body = reader.bytes(length.into())?;
    let summed = bytes.len() - reader.0.len();
    let sum = u32::from_le_bytes(reader.array::<SUM_BYTES>()?);
    if crc32c::crc32c(bytes.get(..summed)?) != sum {
        return None;
    }
    let row = match kind {
        LIVE => {
            let (subject, wrapped) = body.split_first_chunk::<32>()?;
            Row::Live { subject: *subject, wrapped: wrapped.to_vec() }
        }
        DESTROYED => Row::Destroyed,
        UNTOLD => Row::Untold { certificate: body.to_vec() },
        _ => return None,
    };
    Some((id, row, reader.0))
}
