//! Any bytes as a snapshot beside a right log, restored into documents and tables.
//!
//! A snapshot is a shortcut and never a source: one whose checksums do not fit changes nothing. One
//! that was put right may say anything; then nothing panics, and the store opens.

use std::sync::LazyLock;

use arbitrary::Unstructured;
use foundation_store::journal::{Journal, Mode};

use crate::edits::{self, Script, byte};
use crate::seal;
use crate::store::{self, From, Image, SEGMENT_BYTES, disk_of, wait};

static STORE: LazyLock<Image> = LazyLock::new(store::small);

static STATES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let opened = store::open(&disk_of(&STORE), Mode::Read, From::Snapshot, SEGMENT_BYTES);
    opened.expect("opens").states()
});

/// The whole file is the rest of the input.
const RAW: u8 = 0;
/// The file is changed.
const CHANGED: u8 = 1;
/// The file is changed, and its checksums are right again.
const SEALED: u8 = 2;
/// A state is the rest of the input.
const STATE: u8 = 3;
/// A state is changed.
const CHANGED_STATE: u8 = 4;

/// The input is a way, which snapshot and state, and what the way says.
///
/// # Panics
/// If a promise is broken.
pub fn run(input: &[u8]) {
    let mut input = Unstructured::new(input);
    let (way, which) = (byte(&mut input) % 5, byte(&mut input));
    let mut image = STORE.clone();
    let names: Vec<String> = image.keys().filter(|name| name.ends_with(".snap")).cloned().collect();
    let name = &names[usize::from(which & 1) % names.len()];
    let content = image.get_mut(name).expect("is there");
    let state = usize::from(which >> 1) % 2;
    match way {
        RAW => *content = input.peek_bytes(input.len()).unwrap_or_default().to_vec(),
        CHANGED | SEALED => edits::apply(&mut input, content),
        _ => {
            let (mut head, mut states) = parts(content);
            if way == STATE {
                states[state] = input.peek_bytes(input.len()).unwrap_or_default().to_vec();
            } else {
                edits::apply(&mut input, &mut states[state]);
            }
            join(&mut head, &states, content);
        }
    }
    if way > CHANGED {
        seal::snapshot(content);
    }
    look(&image, way > CHANGED);
    // With the damaged one alone.
    let other = names.iter().find(|other| *other != name).expect("there are two");
    image.remove(other);
    look(&image, way > CHANGED);
}

fn look(image: &Image, is_sealed: bool) {
    for mode in [Mode::Read, Mode::Write] {
        let disk = disk_of(image);
        let opened = store::open(&disk, mode, From::Snapshot, SEGMENT_BYTES);
        let opened = opened.expect("a snapshot is no reason not to open");
        let states = opened.states();
        assert!(is_sealed || states == *STATES, "what is damaged is passed over");
        asked(&opened);
        if mode == Mode::Write {
            wait(opened.journal.close()).expect("closes");
            drop(opened);
            let again = store::open(&disk, Mode::Read, From::Snapshot, SEGMENT_BYTES);
            assert_eq!(again.expect("opens").states(), states);
        }
    }
}

/// Asks documents and tables what there is to ask.
fn asked(opened: &store::Opened) {
    for name in opened.documents.names() {
        let Some(timeline) = opened.documents.timeline(&name) else { continue };
        let (last, _) = timeline.last();
        for version in [foundation_types::Version::new(1), last] {
            let _ = wait(timeline.tree_at(&opened.journal, version));
            let _ = wait(timeline.change_at(&opened.journal, version));
        }
        let _ = timeline.fault();
    }
    for name in opened.tables.names() {
        if let Some(table) = opened.tables.unlinked(&name) {
            let _ = (table.capture().entries().len(), table.fault());
        }
    }
}

/// A snapshot as its table of contents and its two states.
fn parts(file: &[u8]) -> (Vec<u8>, Vec<Vec<u8>>) {
    let (mut lengths, mut end) = (Vec::new(), 56);
    for _ in 0..2 {
        end += 1 + usize::from(file[end]);
        lengths.push(seal::number(file, end) as usize);
        end += 40;
    }
    let (head, content) = file.split_at(end + 4);
    let (first, rest) = content.split_at(lengths[0]);
    (head.to_vec(), vec![first.to_vec(), rest.to_vec()])
}

fn join(head: &mut [u8], states: &[Vec<u8>], file: &mut Vec<u8>) {
    let mut end = 56;
    for state in states {
        end += 1 + usize::from(head[end]);
        head[end..end + 8].copy_from_slice(&(state.len() as u64).to_le_bytes());
        end += 40;
    }
    *file = [&*head, &states.concat()].concat();
}

/// One of each way, and both states.
///
/// # Panics
/// If the store has no snapshots.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    let files = STORE.iter().filter(|(name, _)| name.ends_with(".snap"));
    for ((_, file), which) in files.zip(0_u8..) {
        let (_, states) = parts(file);
        seeds.push([&[RAW, which][..], &file[..120]].concat());
        for (at, state) in states.iter().enumerate() {
            let which = which | (at as u8) << 1;
            seeds.push([&[STATE, which][..], state].concat());
            seeds.push(Script::of(&[CHANGED_STATE, which]).byte(20, b'9').insert(30, b",{}").0);
        }
        for (way, at) in [(CHANGED, 9), (SEALED, 10), (SEALED, 40), (SEALED, 57), (SEALED, 66)] {
            seeds.push(Script::of(&[way, which]).byte(at, 2).0);
            seeds.push(Script::of(&[way, which]).huge(at).0);
        }
    }
    let versions = (1..200).map(|at| at.to_string()).collect::<Vec<_>>().join(",");
    let many = format!(
        r#"{{"documents":[{{"name":"shop","positions":[{versions}],"trees":[[],[],[]],"overlay":[{{"path":"a.b","value":1}},{{"path":"a"}}]}}]}}"#
    );
    seeds.push([&[STATE, 0][..], many.as_bytes()].concat());
    let tables = br#"{"tables":[{"name":"a b","position":3,"table":{"version":18446744073709551615,"entries":[[1,2],["k1",[]]]}},{"name":"stock","position":18446744073709551615,"table":{"version":1,"entries":[]}}]}"#;
    seeds.push([&[STATE, 2][..], tables].concat());
    seeds
}
