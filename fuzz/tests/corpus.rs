//! All that is in the corpus is run once: what was found stays found.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use fuzz::TARGETS;

/// Bytes that all files of the corpus may take together.
const CORPUS_BYTES_MAX: u64 = 200 * 1024;

fn files(name: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap_or_else(|cause| panic!("{}: {cause}", folder.display()))
        .map(|file| file.expect("reads").path())
        .collect();
    files.sort();
    files
}

#[test]
fn every_input_of_the_corpus_keeps_the_promises() {
    for target in TARGETS {
        for path in files(target.name) {
            let input = std::fs::read(&path).expect("reads");
            assert!(input.len() <= target.input_bytes_max, "{}", path.display());
            println!("{}", path.display());
            (target.run)(&input);
        }
    }
}

#[test]
fn the_inputs_that_a_target_begins_with_are_in_the_corpus() {
    let mut bytes = 0;
    for target in TARGETS {
        let paths = files(target.name);
        let kept: BTreeSet<Vec<u8>> =
            paths.iter().map(|path| std::fs::read(path).expect("reads")).collect();
        bytes += kept.iter().map(|input| input.len() as u64).sum::<u64>();
        for (number, seed) in (target.seeds)().iter().enumerate() {
            let what = "run `cargo run --release --bin smash -- seeds` in fuzz/";
            assert!(kept.contains(seed), "seed {number} of {} is missing: {what}", target.name);
        }
    }
    assert!(bytes <= CORPUS_BYTES_MAX, "{bytes} bytes");
}

#[test]
fn a_store_that_inputs_change_is_the_same_each_time() {
    assert!(fuzz::store::small() == fuzz::store::small());
    assert!(fuzz::store::many() == fuzz::store::many());
}
