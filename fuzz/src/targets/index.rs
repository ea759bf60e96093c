//! Any bytes as an index beside a right segment.
//!
//! With checksums that do not fit, every answer is that of the log itself. With checksums that were
//! put right, an index may say anything that somebody wants it to: nothing panics and nothing goes
//! on for ever.

use std::sync::LazyLock;

use arbitrary::Unstructured;
use foundation_store::journal::Mode;
use foundation_types::ErrorKind;

use crate::ask::{self, Answers};
use crate::edits::{self, Script, byte};
use crate::seal;
use crate::store::{self, From, INDEX, Image, MANY_BYTES, SEGMENT, disk_of};

static STORE: LazyLock<Image> = LazyLock::new(|| {
    let mut image = store::many();
    image.retain(|name, _| name.ends_with(".seg") || !name.contains('.') || name == INDEX);
    image
});

/// What is answered: with the index as it was written, and without it.
static ANSWERS: LazyLock<Answers> = LazyLock::new(|| {
    let mut without = STORE.clone();
    without.remove(INDEX);
    let answers = |image| {
        let opened = store::open(&disk_of(image), Mode::Read, From::Snapshot, MANY_BYTES);
        ask::everything(&opened.expect("opens")).expect("answers")
    };
    let whole = answers(&STORE);
    assert!(whole == answers(&without), "an index changes no answer");
    whole
});

const RAW: u8 = 0;
const CHANGED: u8 = 1;
const SEALED: u8 = 2;

/// The input is a way, which also says whether it is opened for writing, and what the way says.
///
/// # Panics
/// If a promise is broken.
pub fn run(input: &[u8]) {
    let mut input = Unstructured::new(input);
    let head = byte(&mut input);
    let way = match head % 8 {
        0 => RAW,
        1 | 2 => CHANGED,
        _ => SEALED,
    };
    let mut image = STORE.clone();
    let content = image.get_mut(INDEX).expect("is there");
    match way {
        RAW => *content = input.peek_bytes(input.len()).unwrap_or_default().to_vec(),
        _ => edits::apply(&mut input, content),
    }
    if way == SEALED && content.len() >= seal::PAGE {
        let seed = seal::seed_of(&STORE[SEGMENT]);
        seal::index(content, seed);
        forged(&image);
    } else {
        damaged(&image, if (head / 8).is_multiple_of(4) { Mode::Write } else { Mode::Read });
    }
}

fn damaged(image: &Image, mode: Mode) {
    let disk = disk_of(image);
    let opened = store::open(&disk, mode, From::Snapshot, MANY_BYTES);
    let opened = opened.expect("an index is no reason not to open");
    assert_eq!(ask::everything(&opened).expect("the log answers"), *ANSWERS);
    if mode == Mode::Write {
        drop(opened);
        let again = store::open(&disk, Mode::Read, From::Snapshot, MANY_BYTES).expect("opens");
        assert_eq!(ask::everything(&again).expect("the log answers"), *ANSWERS);
    }
}

fn forged(image: &Image) {
    match store::open(&disk_of(image), Mode::Read, From::Snapshot, MANY_BYTES) {
        Ok(opened) => {
            if let Err(error) = ask::everything(&opened) {
                is_typed(error.kind());
            }
            let _ = (ask::forward(&opened.journal), ask::backward(&opened.journal));
        }
        Err(error) => is_typed(error.kind()),
    }
}

fn is_typed(kind: ErrorKind) {
    let is_so = matches!(
        kind,
        ErrorKind::Corruption
            | ErrorKind::ForeignFile
            | ErrorKind::UnknownFormat
            | ErrorKind::AckedDataMissing
            | ErrorKind::NotFound
            | ErrorKind::Compacted
    );
    assert!(is_so, "{kind:?}");
}

/// Changes of each field of the first page, and of the beginning of each other.
///
/// # Panics
/// If the store has no index.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = vec![vec![RAW], [&[RAW][..], &STORE[INDEX][..200]].concat()];
    let places = (64..240).step_by(8).chain([8, 44]);
    let pages = (1..STORE[INDEX].len() / seal::PAGE).map(|page| page * seal::PAGE);
    for at in places.chain(pages) {
        let at = at as u32;
        seeds.push(Script::of(&[3]).huge(at).0);
        seeds.push(Script::of(&[4]).byte(at, 1).number(at + 2, 0x0102_0304).0);
    }
    seeds.push(Script::of(&[1]).byte(5_000, 7).0);
    seeds
}
