//! Right checksums over content that is not, by `docs/format.md` alone: what they guard is reached.

use sha2::{Digest, Sha256};

/// Bytes before the body of a frame.
pub const FRAME: usize = 40;
/// Bytes of a frame that opens a group.
pub const GROUP: usize = 56;
/// Bytes before the first group of a segment.
pub const HEADER: usize = 64;
/// Bytes of a page of an index.
pub const PAGE: usize = 4096;

/// Four bytes of a file as a number; 0 where it ends.
#[must_use]
pub fn number(bytes: &[u8], at: usize) -> u32 {
    let four = bytes.get(at..).and_then(|rest| rest.first_chunk());
    four.map_or(0, |four| u32::from_le_bytes(*four))
}

/// Puts the checksum of all before it at `at`.
pub fn at(bytes: &mut [u8], at: usize) {
    if bytes.len() >= at + 4 {
        let sum = crc32c::crc32c(&bytes[..at]);
        bytes[at..at + 4].copy_from_slice(&sum.to_le_bytes());
    }
}

/// What the checksum of each frame of a segment begins with.
#[must_use]
pub fn seed_of(segment: &[u8]) -> u32 {
    segment.get(12..48).map_or(0, crc32c::crc32c)
}

/// Gives a frame the checksum of its content.
pub fn frame(frame: &mut [u8], seed: u32) -> u32 {
    let sum = crc32c::crc32c_append(crc32c::crc32c_append(seed, &frame[..4]), &frame[8..]);
    frame[4..8].copy_from_slice(&sum.to_le_bytes());
    sum
}

/// The header of a segment, and every frame behind it, as far as their lengths lead, gets its
/// chain and checksum.
pub fn segment(bytes: &mut [u8]) {
    at(bytes, 60);
    let seed = seed_of(bytes);
    let mut chain = number(bytes, 48);
    let mut start = HEADER;
    while start + FRAME <= bytes.len() && bytes[start..start + FRAME].iter().any(|byte| *byte != 0)
    {
        let end = start.saturating_add(FRAME + number(bytes, start) as usize).min(bytes.len());
        bytes[start + 16..start + 20].copy_from_slice(&chain.to_le_bytes());
        chain = frame(&mut bytes[start..end], seed);
        start = end;
    }
}

/// The pages of an index beside a segment with this seed.
pub fn index(bytes: &mut [u8], segment_seed: u32) {
    at(bytes, 60);
    let mut seed = segment_seed;
    for (page, number) in bytes.chunks_exact_mut(PAGE).zip(0_u32..) {
        let (payload, place) = page.split_at_mut(PAGE - 4);
        let sum =
            crc32c::crc32c_append(crc32c::crc32c_append(seed, &number.to_le_bytes()), payload);
        place.copy_from_slice(&sum.to_le_bytes());
        seed = if number == 0 { sum } else { seed };
    }
}

/// The states that a snapshot says it has.
struct Listed {
    /// Where the hash of each stands, and how long it is.
    hashes: Vec<(usize, usize)>,
    /// Where the checksum stands.
    end: usize,
}

fn listed(bytes: &[u8]) -> Option<Listed> {
    let count = u16::from_le_bytes(*bytes.get(10..)?.first_chunk()?);
    let (mut hashes, mut end) = (Vec::new(), 56);
    for _ in 0..count {
        let name = usize::from(*bytes.get(end)?);
        let length = u64::from_le_bytes(*bytes.get(end + 1 + name..)?.first_chunk()?);
        hashes.push((end + 1 + name + 8, usize::try_from(length).ok()?));
        end += 1 + name + 8 + 32;
    }
    Some(Listed { hashes, end })
}

/// The hashes and the checksum of a snapshot, as far as it says where they are.
pub fn snapshot(bytes: &mut [u8]) {
    let Some(Listed { hashes, end }) = listed(bytes) else { return };
    let mut start = end + 4;
    for (place, length) in hashes {
        let after = start.saturating_add(length);
        let Some(content) = bytes.get(start..after) else { return };
        let hash = Sha256::digest(content);
        bytes[place..place + 32].copy_from_slice(&hash);
        start = after;
    }
    at(bytes, end);
}

/// Both slots of a mark, unless they are empty.
pub fn mark(bytes: &mut [u8]) {
    for slot in bytes.chunks_mut(512) {
        if slot.iter().take(40).any(|byte| *byte != 0) {
            at(slot, 36);
        }
    }
}

/// The last four bytes: the checksum of all before them.
pub fn last(bytes: &mut [u8]) {
    if let Some(end) = bytes.len().checked_sub(4) {
        at(bytes, end);
    }
}

/// Gives a manifest a last line that fits what stands before it.
pub fn manifest(bytes: &mut Vec<u8>) {
    let mark = b"\nsha256 ";
    let found = bytes.windows(mark.len()).rposition(|window| window == mark);
    bytes.truncate(found.map_or(bytes.len(), |at| at + 1));
    let sum = Sha256::digest(&*bytes);
    bytes.extend_from_slice(b"sha256 ");
    for byte in sum {
        bytes.extend_from_slice(format!("{byte:02x}").as_bytes());
    }
    bytes.push(b'\n');
}

/// The header, the table and the blocks of an archived segment, as far as it says where they are. What a
/// block is a checksum of besides stays: it is known only once the block is read.
pub fn archive(bytes: &mut [u8]) {
    const HEAD: usize = 160;
    const ENTRY: usize = 36;
    if let Some(segment) = bytes.get_mut(16..80) {
        at(segment, 60);
    }
    at(bytes, HEAD - 4);
    let (sum, blocks) = (number(bytes, HEAD - 4), number(bytes, 12) as usize);
    let Some(end) = blocks.checked_mul(ENTRY).and_then(|table| table.checked_add(HEAD)) else {
        return;
    };
    if bytes.len() < end.saturating_add(4) {
        return;
    }
    for (block, entry) in (HEAD..end).step_by(ENTRY).enumerate() {
        let (from, length) = (number(bytes, entry + 24), number(bytes, entry + 28));
        let (from, length) = (from as usize, length as usize);
        let Some(body) = bytes.get(from..from.saturating_add(length)) else { continue };
        let of = crc32c::crc32c_append(sum, &(block as u32).to_le_bytes());
        let of = crc32c::crc32c_append(of, body);
        bytes[entry + 32..entry + 36].copy_from_slice(&of.to_le_bytes());
    }
    let of = crc32c::crc32c_append(sum, &bytes[HEAD..end]);
    bytes[end..end + 4].copy_from_slice(&of.to_le_bytes());
}
