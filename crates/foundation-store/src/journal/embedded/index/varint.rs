//! Numbers in as few bytes as they need: seven bits a byte, the lowest first, the upper bit of a
//! byte saying that more follow.

use crate::record::reader::Reader;

/// Bytes of the largest number.
pub(super) const VARINT_BYTES_MAX: usize = 10;

pub(in crate::journal::embedded) fn put(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// The next number; `None` if it is cut short or does not fit 64 bits.
pub(in crate::journal::embedded) fn get(reader: &mut Reader<'_>) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let byte = reader.u8()?;
        let bits = u64::from(byte & 0x7f);
        if shift == 63 && bits > 1 {
            return None;
        }
        number |= bits << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}
