//! Defects that are planted, each to be noticed by the checker that is there for it.
//!
//! A journal that syncs too little is the same, seen from outside, as a disk that tells of syncs
//! which it does not do; so what is planted is in the disk, or in what the store gives out.

use super::super::simulated::Lie;
use super::{crash, machine, rot};

/// A planted defect, and whether its checker found it.
type Planted = (&'static str, bool);

fn by_power_cuts(what: &'static str, lie: Lie) -> Planted {
    (what, crash::lives(0..50, lie).is_err())
}

fn by_the_model(what: &'static str, lie: Lie) -> Planted {
    (what, (0..60).any(|seed| machine::case(seed, lie, 0).is_err()))
}

/// What the judge of damage says of a store that gives out `given` where `written` was written.
fn by_the_judge(what: &'static str, given: &rot::Still, written: &[String]) -> Planted {
    (what, rot::judge(given, written, written.len()).is_err())
}

#[test]
fn planted_defects_are_caught() {
    let store = rot::store(rot::SMALL, 1);
    let written = store.written.to_vec();
    let mut other = written.clone();
    other[7].push('!');
    let mut more = written.clone();
    more.insert(9, written[8].clone());
    let crashed = rot::crashed(&store, rot::SMALL, 1).written.to_vec();
    let planted = [
        by_power_cuts("an ack before the sync", Lie::FileSync),
        by_power_cuts("a skipped sync of names", Lie::NameSync),
        by_the_model("an ack before the sync", Lie::FileSync),
        by_the_model("a skipped sync of names", Lie::NameSync),
        by_the_model("a sync that is tried again after it failed", Lie::FailedSync),
        // Cut at damage in its middle, a log is what it was when it ended there.
        by_the_judge("a log that is cut at damage in its middle", &store.earlier, &written),
        by_the_judge("a wrong value under a right checksum", &store.disk, &other),
        by_the_judge("a record that is left out", &store.disk, &more),
        by_the_judge("a tail that is discarded without a word", &store.disk, &crashed),
    ];
    let missed: Vec<&str> = planted.iter().filter(|one| !one.1).map(|one| one.0).collect();
    assert!(missed.is_empty(), "not caught: {missed:?}");
    assert_eq!(rot::judge(&store.disk, &written, written.len()), Ok(rot::Verdict::Whole));
    println!("planted bugs caught {}/{}", planted.len() - missed.len(), planted.len());
}
