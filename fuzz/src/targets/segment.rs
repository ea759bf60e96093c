//! Any bytes as a segment beside a right identity and watermark.

use std::sync::LazyLock;

use arbitrary::Unstructured;

use crate::ask;
use crate::edits::{self, Script, byte};
use crate::seal::{self, HEADER};
use crate::store::{self, Image, SEGMENT, disk_of};

static STORE: LazyLock<Image> = LazyLock::new(store::small);

/// The whole file is the rest of the input.
const RAW: u8 = 0;
/// The file is changed.
const CHANGED: u8 = 1;
/// The file is changed, and its checksums are right again.
const SEALED: u8 = 2;
/// Behind a right header, frames are the rest of the input, with right checksums.
const FRAMES: u8 = 3;

/// Flag: the watermark says nothing, so that a torn tail can be one.
const UNMARKED: u8 = 1;
/// Flag: with indices and snapshots.
const DERIVED: u8 = 2;
/// Flag: without the segments behind it.
const LAST: u8 = 4;

/// The input is a way, flags, which segment it is, and what the way says.
///
/// # Panics
/// If a promise is broken.
pub fn run(input: &[u8]) {
    let mut input = Unstructured::new(input);
    let (way, flags, which) = (byte(&mut input) % 4, byte(&mut input), byte(&mut input));
    let mut image = STORE.clone();
    let names: Vec<String> = image.keys().filter(|name| name.ends_with(".seg")).cloned().collect();
    let alone = matches!(way, RAW | FRAMES);
    let name = if alone { SEGMENT } else { names[usize::from(which) % names.len()].as_str() };
    let derived = flags & DERIVED != 0 && way == CHANGED;
    image.retain(|other, _| {
        let is_log = other.ends_with(".seg");
        let is_kept = !is_log || other.as_str() <= name || !(alone || flags & LAST != 0);
        is_kept && (derived || is_log || !other.contains('.'))
    });
    if flags & UNMARKED != 0 {
        image.insert("WATERMARK".to_owned(), vec![0; 1024]);
    }
    let content = image.get_mut(name).expect("is there");
    change(&mut input, way, content);
    ask::all_ways(&disk_of(&image));
}

fn change(input: &mut Unstructured<'_>, way: u8, content: &mut Vec<u8>) {
    match way {
        RAW => *content = input.peek_bytes(input.len()).unwrap_or_default().to_vec(),
        CHANGED => edits::apply(input, content),
        SEALED => {
            edits::apply(input, content);
            if content.len() >= HEADER {
                seal::segment(content);
            }
        }
        _ => {
            content.truncate(HEADER);
            content.extend_from_slice(input.peek_bytes(input.len()).unwrap_or_default());
            seal::segment(content);
        }
    }
}

/// One of each way.
///
/// # Panics
/// If the store has no segment.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let first = &STORE[SEGMENT];
    let last = STORE.keys().filter(|name| name.ends_with(".seg")).count() as u8 - 1;
    let mut seeds = vec![
        [&[RAW, UNMARKED, 0][..], first].concat(),
        [&[RAW, 0, 0][..], &first[..HEADER]].concat(),
        [&[FRAMES, UNMARKED, 0][..], &first[HEADER..]].concat(),
        [&[FRAMES, 0, 0][..], &first[HEADER..400]].concat(),
    ];
    let scripts = |head: &[u8]| {
        let script = || Script::of(head);
        // The header; the first group; its first record; the end.
        [
            script().byte(8, 2),
            script().huge(40),
            script().number(64, 17),
            script().huge(104),
            script().byte(120 + 20, 3),
            script().huge(120 + 24),
            script().number(120 + 36, 1),
            script().insert(160, b"new"),
            script().cut(500),
            script().number(160, 0x3f),
            script().huge(162),
        ]
    };
    for head in [[CHANGED, 0, 0], [CHANGED, UNMARKED | DERIVED, last], [SEALED, UNMARKED | LAST, 0]]
    {
        seeds.extend(scripts(&head).map(|script| script.0));
    }
    seeds
}
