//! Bytes that nobody wrote, in every file: no panic, no memory for what is only announced, and
//! nothing but a typed error or what was written.

use proptest::prelude::*;

use foundation_store::disk::Disk;
use foundation_store::journal::{Mode, verify_store};

use super::super::simulated::SimulatedDisk;
use super::forged::{Image, SEGMENT, seal_group, store, two};
use super::{open, read_all};

#[derive(Clone, Debug)]
enum Change {
    /// These bytes stand there instead.
    Put(usize, Vec<u8>),
    /// A number that is as large as it can be.
    Huge(usize),
    Cut(usize),
    Grow(Vec<u8>),
}

fn change() -> impl Strategy<Value = Change> {
    let bytes = || prop::collection::vec(any::<u8>(), 1..80);
    prop_oneof![
        4 => (any::<usize>(), bytes()).prop_map(|(at, bytes)| Change::Put(at, bytes)),
        4 => any::<usize>().prop_map(Change::Huge),
        1 => any::<usize>().prop_map(Change::Cut),
        1 => bytes().prop_map(Change::Grow),
    ]
}

fn apply(content: &mut Vec<u8>, used: usize, change: Change) {
    match change {
        Change::Put(at, bytes) => {
            let at = at % used;
            let count = bytes.len().min(content.len() - at);
            content[at..at + count].copy_from_slice(&bytes[..count]);
        }
        Change::Huge(at) => {
            let at = at % (used - 4);
            content[at..at + 4].copy_from_slice(&u32::MAX.to_le_bytes());
        }
        Change::Cut(at) => content.truncate(at % used),
        Change::Grow(bytes) => content.extend(bytes),
    }
}

/// Opens and reads what there is in each way that there is.
fn look(image: &Image) {
    let disk = SimulatedDisk::of_image(image);
    let _ = verify_store(&disk);
    for mode in [Mode::Peek, Mode::Read, Mode::Write] {
        if let Ok(opened) = open(&disk, mode) {
            let told = opened.told.all();
            assert_eq!(read_all(&opened.journal), told);
        }
    }
    assert!(disk.list().is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_in_any_file_are_read_without_a_panic(
        file in any::<prop::sample::Index>(),
        changes in prop::collection::vec(change(), 1..4),
    ) {
        let (mut image, _) = store(two());
        let names: Vec<String> = image.keys().filter(|name| *name != "LOCK").cloned().collect();
        let content = image.get_mut(file.get(&names)).expect("is there");
        let used = content.iter().rposition(|byte| *byte != 0).map_or(8, |at| at + 1).max(8);
        for change in changes {
            if content.len() >= used {
                apply(content, used, change);
            }
        }
        look(&image);
    }

    /// With the checksums put right behind the change, so that what they guard is reached.
    #[test]
    fn a_group_that_says_anything_under_right_checksums_is_read_without_a_panic(
        changes in prop::collection::vec(change(), 1..3),
    ) {
        let (mut image, start) = store(two());
        let content = image.get_mut(SEGMENT).expect("is there");
        let used = content.iter().rposition(|byte| *byte != 0).expect("a group") + 1;
        let mut group = content[start..used].to_vec();
        let length = group.len();
        for change in changes {
            if group.len() >= length {
                apply(&mut group, length, change);
            }
        }
        group.truncate(length);
        content[start..start + group.len()].copy_from_slice(&group);
        seal_group(content, start);
        look(&image);
    }
}
