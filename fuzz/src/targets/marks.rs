//! Any bytes as identity, watermark, front or heads of a store.

use std::sync::LazyLock;

use arbitrary::Unstructured;

use crate::ask;
use crate::edits::{self, Script, byte};
use crate::seal;
use crate::store::{self, Image, disk_of};

const NAMES: [&str; 4] = ["STORE", "WATERMARK", "FRONT", "HEADS"];

static STORE: LazyLock<Image> = LazyLock::new(|| {
    let mut image = store::small();
    // A front is made of a watermark: they are the same but for what they speak of.
    let mut front = image["WATERMARK"].clone();
    front[24..32].copy_from_slice(&3_u64.to_le_bytes());
    // There are heads beside it.
    for slot in front.chunks_mut(512).filter(|slot| slot[16..24] != [0; 8]) {
        slot[32] = 1;
    }
    seal::mark(&mut front);
    image.insert("FRONT".to_owned(), front);
    image.insert("HEADS".to_owned(), heads(&image["STORE"]));
    image
});

/// The versions of two streams up to the front.
fn heads(store: &[u8]) -> Vec<u8> {
    let mut bytes = b"FNDHEADS".to_vec();
    bytes.extend_from_slice(&[1, 0, 0, 0, 0, 0, 0, 0]);
    bytes.extend_from_slice(&store[16..32]);
    for number in [3_u64, 2] {
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    for stream in ["a", "orders"] {
        bytes.extend_from_slice(&2_u64.to_le_bytes());
        bytes.push(stream.len() as u8);
        bytes.extend_from_slice(stream.as_bytes());
    }
    bytes.extend_from_slice(&[0; 4]);
    seal::last(&mut bytes);
    bytes
}

/// The input is which file, flags, and what the file is: 1 changed instead of anew, 2 with right
/// checksums, 4 without indices and snapshots, 8 without a front.
///
/// # Panics
/// If a promise is broken.
pub fn run(input: &[u8]) {
    let mut input = Unstructured::new(input);
    let (which, flags) = (usize::from(byte(&mut input)) % 4, byte(&mut input));
    let mut image = STORE.clone();
    if flags & 4 != 0 {
        image.retain(|name, _| name.ends_with(".seg") || !name.contains('.'));
    }
    if flags & 8 != 0 && which != 2 {
        image.remove("FRONT");
    }
    let content = image.get_mut(NAMES[which]).expect("is there");
    if flags & 1 == 0 {
        *content = input.peek_bytes(input.len()).unwrap_or_default().to_vec();
    } else {
        edits::apply(&mut input, content);
    }
    match (flags & 2, which) {
        (0, _) => {}
        (_, 0) => seal::at(content, 44),
        (_, 3) => seal::last(content),
        (_, _) => seal::mark(content),
    }
    ask::all_ways(&disk_of(&image));
}

/// Each file with each of its fields changed.
///
/// # Panics
/// If the store lacks one.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for (which, name) in NAMES.iter().enumerate() {
        let which = which as u8;
        let beginning = STORE[*name].get(..48).expect("is longer");
        seeds.push([&[which, 4][..], beginning].concat());
        seeds.push([&[which, 6][..], &STORE[*name]].concat());
        for at in [8, 16, 24, 32] {
            seeds.push(Script::of(&[which, 3 | 8]).huge(at).0);
            seeds.push(Script::of(&[which, 3 | 4]).byte(at, 5).0);
        }
        seeds.push(Script::of(&[which, 1]).cut(20).0);
    }
    seeds
}
