//! Numbers in right checksums that no store ever gets to: damage, not an overflow.

use foundation_store::journal::Mode;
use foundation_types::ErrorKind;

use super::super::simulated::SimulatedDisk;
use super::forged::{Image, store, two};
use super::open;

/// A mark with one slot, which says this.
fn mark(image: &Image, count: u64, sequence: u64) -> Vec<u8> {
    let mut bytes = vec![0; 1024];
    bytes[..16].copy_from_slice(&image["STORE"][16..32]);
    bytes[16..24].copy_from_slice(&count.to_le_bytes());
    bytes[24..32].copy_from_slice(&sequence.to_le_bytes());
    let sum = crc32c::crc32c(&bytes[..36]);
    bytes[36..40].copy_from_slice(&sum.to_le_bytes());
    // The other one is no slot, so that this is the only thing to go by.
    bytes[512] = 1;
    bytes
}

#[test]
fn a_mark_that_is_as_large_as_it_can_be_is_damage() {
    let (image, _) = store(two());
    for (name, count, sequence) in
        [("WATERMARK", u64::MAX, 1), ("WATERMARK", 1, u64::MAX), ("FRONT", 1, u64::MAX)]
    {
        let mut forged = image.clone();
        forged.insert(name.to_owned(), mark(&image, count, sequence));
        for mode in [Mode::Read, Mode::Write] {
            let error = open(&SimulatedDisk::of_image(&forged), mode).err();
            let kind = error.map(|error| error.kind());
            assert_eq!(kind, Some(ErrorKind::Corruption), "{name} {count} {sequence}");
        }
    }
}

#[test]
fn a_front_beyond_the_end_of_the_log_is_told_as_missing_data() {
    let (mut image, _) = store(two());
    let front = mark(&image, 1, 1_000);
    image.insert("FRONT".to_owned(), front);
    for mode in [Mode::Peek, Mode::Read, Mode::Write] {
        let disk = SimulatedDisk::of_image(&image);
        let error = open(&disk, mode).err();
        assert_eq!(error.map(|error| error.kind()), Some(ErrorKind::AckedDataMissing));
        let segments = |image: &Image| {
            let of_log = image.iter().filter(|(name, _)| name.ends_with(".seg"));
            of_log.map(|(name, bytes)| (name.clone(), bytes.clone())).collect::<Vec<_>>()
        };
        assert_eq!(segments(&disk.image()), segments(&image), "nothing of the log is removed");
    }
}
