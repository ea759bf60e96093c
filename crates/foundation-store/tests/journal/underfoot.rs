//! Damage that comes while a store is open: opening and verification have passed, and the reads
//! themselves have to notice.

use foundation_store::disk::{Access, Disk, MemoryDisk};
use foundation_store::journal::{EmbeddedOptions, Journal, Mode};
use foundation_store::record::Record;
use foundation_types::{ErrorKind, Position, Result};

use super::super::simulated::Dice;
use super::{Opened, open_with, rot, said, wait};

/// The store as files that can be changed under whoever has them open.
fn shared(store: &rot::Store) -> MemoryDisk {
    let disk = MemoryDisk::default();
    for (name, content) in &store.disk.0 {
        let file = disk.open(name, Access::Create).expect("is made");
        file.write_at(content, 0).expect("is written");
    }
    disk
}

/// Whether an answer is about damage, given that none of its records is wrong.
fn tells(page: Result<Vec<Record>>, written: &[String], what: &str) -> bool {
    match page {
        Ok(page) => {
            for record in page {
                let at = record.position().to_engine() as usize;
                assert_eq!(said(&record), written[at - 1], "{what}: a wrong value");
            }
            false
        }
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Corruption, "{what}");
            true
        }
    }
}

/// Reads all that there is, in each way that there is; says whether anybody tells of damage.
fn look(opened: &Opened, written: &[String], dice: &mut Dice, what: &str) -> bool {
    let journal = &opened.journal;
    let (mut told, mut cursor) = (false, Position::START);
    while !told && cursor.to_engine() < written.len() as u64 {
        let page = wait(journal.read_after(cursor, 1 << 16));
        let last = page.as_ref().ok().and_then(|page| page.last()).map(Record::position);
        told |= tells(page, written, what);
        match last {
            Some(last) => {
                assert!(last > cursor, "{what}: reading does not go on");
                cursor = last;
            }
            None => assert!(told, "{what}: reading ends at {cursor}, and nobody tells"),
        }
    }
    for _ in 0..8 {
        let at = Position::from_engine(1 + dice.below(written.len() as u64));
        let is_told = tells(wait(journal.read_before(at, 5_000)), written, what);
        // What one of them tells, another one need not meet.
        let is_told = is_told | tells(wait(journal.record(at)).map(|one| vec![one]), written, what);
        told |= is_told;
    }
    told
}

/// Whether verification tells: it looks at bytes too that no read needs.
fn verifies(opened: &Opened) -> bool {
    match wait(opened.journal.verify()) {
        Ok(found) => !found.findings.is_empty(),
        Err(error) => error.kind() == ErrorKind::UnknownFormat,
    }
}

#[test]
fn a_bit_that_flips_under_an_open_store_is_never_read() {
    let (seed, count) = (rot::number("PROOF_SEED", 1), rot::number("PROOF_FLIPS", 200));
    let store = rot::store(rot::SMALL, seed);
    let disk = shared(&store);
    let opened = open_with(&disk, EmbeddedOptions::of(Mode::Read)).expect("opens");
    let mut dice = Dice::of(seed);
    let names: Vec<&String> = store.disk.0.keys().filter(|name| name.ends_with(".seg")).collect();
    let (mut by_reads, mut by_verification) = (0, 0);
    for _ in 0..count {
        let name = names[dice.below(names.len() as u64) as usize];
        let content = &store.disk.0[name];
        // What stands behind the log's end is looked at when it is opened, not while it is open.
        let at = dice.below(rot::meaning(content).len() as u64);
        let byte = content[at as usize];
        let bit = dice.below(8);
        let what = format!("seed {seed}, bit {bit} of byte {at} of {name}");
        let file = disk.open(name, Access::Write).expect("is there");
        file.write_at(&[byte ^ (1 << bit)], at).expect("is written");
        let is_read = look(&opened, &store.written, &mut dice, &what);
        by_reads += u64::from(is_read);
        let is_verified = verifies(&opened);
        by_verification += u64::from(is_verified);
        assert!(is_read || is_verified, "{what}: nobody tells");
        file.write_at(&[byte], at).expect("is written");
    }
    assert!(!look(&opened, &store.written, &mut dice, "repaired"));
    println!(
        "{count} random bits flipped under an open store (seed {seed}): told by reads {by_reads}, by \
         verification {by_verification}; undetected 0, wrong values 0"
    );
}
