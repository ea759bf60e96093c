//! A frame and the body of its record, under any seed.

use crate::seal::{self, FRAME};
use crate::store::{self, SEGMENT};

/// The input is the seed, whether length and checksum are put right, and the frame.
pub fn run(input: &[u8]) {
    let Some((seed, rest)) = input.split_first_chunk() else { return };
    let Some((mode, frame)) = rest.split_first() else { return };
    let seed = u32::from_le_bytes(*seed);
    let mut frame = frame.to_vec();
    if mode % 2 == 1 && frame.len() >= FRAME {
        let length = (frame.len() - FRAME) as u32;
        frame[..4].copy_from_slice(&length.to_le_bytes());
        seal::frame(&mut frame, seed);
    }
    foundation_store::fuzzing::frame(&frame, seed);
}

/// The frames of a small segment.
///
/// # Panics
/// If there is none.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let image = store::small();
    let segment = &image[SEGMENT];
    let seed = seal::seed_of(segment);
    let (mut seeds, mut start) = (Vec::new(), seal::HEADER);
    while start + FRAME <= segment.len() && seeds.len() < 12 {
        let end = start + FRAME + seal::number(segment, start) as usize;
        let mode = (seeds.len() % 2) as u8;
        let frame = segment.get(start..end).unwrap_or_default();
        seeds.push([&seed.to_le_bytes(), &[mode][..], frame].concat());
        start = end;
    }
    seeds
}
