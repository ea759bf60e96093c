//! Any bytes as identity, watermark or front of a store.

use std::sync::LazyLock;

use arbitrary::Unstructured;

use crate::ask;
use crate::edits::{self, Script, byte};
use crate::seal;
use crate::store::{self, Image, disk_of};

const NAMES: [&str; 3] = ["STORE", "WATERMARK", "FRONT"];

static STORE: LazyLock<Image> = LazyLock::new(|| {
    let mut image = store::small();
    // A front is made of a watermark: they are the same but for what they speak of.
    let mut front = image["WATERMARK"].clone();
    front[24..32].copy_from_slice(&3_u64.to_le_bytes());
    seal::mark(&mut front);
    image.insert("FRONT".to_owned(), front);
    image
});

/// The input is which file, flags, and what the file is: 1 changed instead of anew, 2 with right
/// checksums, 4 without indices and snapshots, 8 without a front.
///
/// # Panics
/// If a promise is broken.
pub fn run(input: &[u8]) {
    let mut input = Unstructured::new(input);
    let (which, flags) = (usize::from(byte(&mut input)) % 3, byte(&mut input));
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
        seeds.push([&[which, 4][..], &STORE[*name][..48]].concat());
        seeds.push([&[which, 6][..], &STORE[*name]].concat());
        for at in [8, 16, 24, 32] {
            seeds.push(Script::of(&[which, 3 | 8]).huge(at).0);
            seeds.push(Script::of(&[which, 3 | 4]).byte(at, 5).0);
        }
        seeds.push(Script::of(&[which, 1]).cut(20).0);
    }
    seeds
}
