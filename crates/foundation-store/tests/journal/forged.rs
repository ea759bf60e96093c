//! Bytes with right checksums that no writer of this version wrote there: by a newer program, by
//! a defective one, or by somebody who puts frames into the text of an event.

use std::collections::BTreeMap;

use foundation_store::journal::{Batch, Mode, verify_store};
use foundation_store::record::RecordKind;
use foundation_types::{ErrorKind, Event, StreamName};

use super::super::simulated::SimulatedDisk;
use super::{append, batch, open, wait};

pub(super) type Image = BTreeMap<String, Vec<u8>>;

pub(super) const SEGMENT: &str = "00000000000000000001.seg";
const GROUP: usize = 56;
const HEADER: usize = 40;

fn segment(image: &mut Image) -> &mut Vec<u8> {
    image.get_mut(SEGMENT).expect("is there")
}

fn seed_of(segment: &[u8]) -> u32 {
    crc32c::crc32c(&segment[12..48])
}

/// Gives a frame the checksum that fits its content.
fn seal(frame: &mut [u8], seed: u32) -> u32 {
    let sum = crc32c::crc32c_append(crc32c::crc32c_append(seed, &frame[..4]), &frame[8..]);
    frame[4..8].copy_from_slice(&sum.to_le_bytes());
    sum
}

/// Writes the chain and the checksums of the group that begins at `start` anew,
/// as far as it says that it goes and the file has room.
pub(super) fn seal_group(segment: &mut [u8], start: usize) {
    let seed = seed_of(segment);
    let bytes = number(&segment[start + HEADER + 12..]) as usize;
    let mut chain = seal(&mut segment[start..start + GROUP], seed);
    let mut at = start + GROUP;
    while at < start + GROUP + bytes && at + HEADER <= segment.len() {
        let end = (at + HEADER + number(&segment[at..]) as usize).min(segment.len());
        segment[at + 16..at + 20].copy_from_slice(&chain.to_le_bytes());
        chain = seal(&mut segment[at..end], seed);
        at = end;
    }
}

fn number(bytes: &[u8]) -> u32 {
    u32::from_le_bytes(bytes[..4].try_into().expect("four bytes"))
}

/// The content of a store with one acked event, and with a batch of two behind it of which its
/// watermark does not know; and where their group begins.
pub(super) fn store(last: Batch) -> (Image, usize) {
    let disk = SimulatedDisk::default();
    let opened = open(&disk, Mode::Write).expect("opens");
    let first = append(&opened.journal, batch("a", &["one".to_owned()])).expect("placed");
    wait(first.durable()).expect("durable");
    let before = disk.image();
    wait(append(&opened.journal, last).expect("placed").durable()).expect("durable");
    let mut image = disk.image();
    image.insert("WATERMARK".to_owned(), before["WATERMARK"].clone());
    let used = before[SEGMENT].iter().rposition(|byte| *byte != 0).expect("a group") + 1;
    (image, used)
}

pub(super) fn two() -> Batch {
    batch("a", &["two".to_owned(), "three".to_owned()])
}

/// Opening and verifying both say this, and nothing is changed.
fn refused(what: &str, image: &Image, kind: ErrorKind) {
    let disk = SimulatedDisk::of_image(image);
    let verified = verify_store(&disk);
    for mode in [Mode::Read, Mode::Write] {
        let error = open(&disk, mode).err().unwrap_or_else(|| panic!("{what} is accepted"));
        assert_eq!(error.kind(), kind, "{what}: {error:?}");
    }
    assert_eq!(&disk.image(), image, "{what}");
    match verified {
        Ok(found) => assert!(kind == ErrorKind::Corruption && found.is_damaged(), "{what}"),
        Err(error) => assert_eq!(error.kind(), kind, "{what}"),
    }
}

#[test]
fn the_newest_group_of_a_newer_program_is_refused_and_not_cut() {
    let (image, start) = store(two());
    for (what, offset) in [("kind", 20), ("flags", 21), ("layout", 22), ("key", 32)] {
        for frame in [start, start + GROUP] {
            let mut newer = image.clone();
            segment(&mut newer)[frame + offset] = 9;
            seal_group(segment(&mut newer), start);
            refused(what, &newer, ErrorKind::UnknownFormat);
        }
    }
}

#[test]
fn a_group_that_is_whole_but_not_right_is_damage_and_not_cut() {
    let (image, start) = store(two());
    let changes: [(&str, usize, u8); 6] = [
        ("a record has another sequence", start + GROUP + 8, 9),
        ("the first of a batch says that more is to come", start + GROUP + 36, 9),
        ("the sequence is another", start + 8, 9),
        ("the chain is another", start + 16, 9),
        ("it was written after another group", start + HEADER, 9),
        ("it has another number of records", start + HEADER + 8, 9),
    ];
    for (what, offset, value) in changes {
        let mut wrong = image.clone();
        segment(&mut wrong)[offset] = value;
        seal_group(segment(&mut wrong), start);
        refused(what, &wrong, ErrorKind::Corruption);
    }
    let mut wrong = image.clone();
    let content = segment(&mut wrong);
    let second = start + GROUP + HEADER + number(&content[start + GROUP..]) as usize;
    let end = second + HEADER + number(&content[second..]) as usize;
    content[second + 16] ^= 1;
    let seed = seed_of(content);
    seal(&mut content[second..end], seed);
    refused("a record does not carry on the chain", &wrong, ErrorKind::Corruption);
}

#[test]
fn a_frame_inside_of_an_event_is_text_and_does_not_close_a_torn_store() {
    // What it takes: the seed, which is known to whoever can read the file, and a checksum that is
    // text, for which one number is tried after the other.
    let forged = |seed: u32| {
        (1_u32..).find_map(|sequence| {
            let mut frame = [0; GROUP];
            frame[0] = 16;
            frame[8..12].copy_from_slice(&(sequence & 0x7f7f_7f7f | 1 << 16).to_le_bytes());
            frame[20] = 1;
            frame[22] = 1;
            seal(&mut frame, seed);
            String::from_utf8(frame.to_vec()).ok()
        })
    };
    let disk = SimulatedDisk::default();
    let opened = open(&disk, Mode::Write).expect("opens");
    let first = append(&opened.journal, batch("a", &["one".to_owned()])).expect("placed");
    wait(first.durable()).expect("durable");
    let before = disk.image();
    let forged = forged(seed_of(&before[SEGMENT])).expect("there is one");
    let event = Event::new("test.happened").id("2").source(forged).data("two").expect("plain");
    let batch = Batch::new(StreamName::from("a"), RecordKind::Event, vec![event]).expect("fits");
    wait(append(&opened.journal, batch).expect("placed").durable()).expect("durable");
    let mut image = disk.image();
    image.insert("WATERMARK".to_owned(), before["WATERMARK"].clone());
    // Its last sector did not reach the disk.
    let end = segment(&mut image).iter().rposition(|byte| *byte != 0).expect("is there");
    segment(&mut image)[end] = 0;
    let torn = SimulatedDisk::of_image(&image);
    assert!(!verify_store(&torn).expect("reads").is_damaged());
    let opened = open(&torn, Mode::Write).expect("opens");
    assert_eq!(opened.told.all().len(), 1);
    assert!(opened.recovered.torn_bytes > 0);
}

#[test]
fn a_group_that_cannot_be_read_is_damage_and_not_cut_if_another_one_was_written_behind_it() {
    let disk = SimulatedDisk::default();
    let opened = open(&disk, Mode::Write).expect("opens");
    let empty = disk.image();
    for text in ["one", "two"] {
        let commit = append(&opened.journal, batch("a", &[text.to_owned()])).expect("placed");
        wait(commit.durable()).expect("durable");
    }
    let mut image = disk.image();
    image.insert("WATERMARK".to_owned(), empty["WATERMARK"].clone());
    // In the frame of the group, in that of its record, in its text.
    for at in [64 + 10, 64 + GROUP + 10, 64 + GROUP + HEADER + 20] {
        let mut damaged = image.clone();
        segment(&mut damaged)[at] ^= 1;
        refused("damage before a group", &damaged, ErrorKind::Corruption);
    }
}
