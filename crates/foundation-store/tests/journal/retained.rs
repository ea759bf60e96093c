//! How much is kept: whichever bound is exceeded, the oldest segments go.

use std::sync::Arc;
use std::time::Duration;

use foundation_store::clock::SystemClock;
use foundation_store::journal::{Embedded, EmbeddedOptions, Journal, Mode, Retention};
use foundation_store::random::SystemRng;

use super::super::simulated::SimulatedDisk;
use super::{append, batch, wait};

/// What is kept of 400 records in small segments, and in how many segments it is.
fn kept(keep: Retention) -> (u64, u64) {
    let options = EmbeddedOptions {
        background: false,
        segment_bytes: 2_048,
        mode: Mode::Write,
        reserve_bytes: 0,
    };
    let (clock, rng) = (Arc::new(SystemClock::default()), SystemRng::default());
    let disk = Arc::new(SimulatedDisk::default());
    let (journal, _) = Embedded::open(disk, options, clock, &rng, Arc::new(())).expect("opens");
    for number in 0..400 {
        let commit = append(&journal, batch("a", &[number.to_string()])).expect("placed");
        wait(commit.durable()).expect("durable");
    }
    wait(journal.retain(keep)).expect("lets go");
    let status = journal.status();
    (status.extent.records, status.segments)
}

#[test]
fn the_oldest_segments_go_as_soon_as_one_bound_is_exceeded() {
    let (all, segments) = kept(Retention::default());
    assert!(all == 400 && segments > 4);
    let in_a_segment = all / (segments - 1) + 1;
    let wide = Retention {
        records: Some(1_000_000),
        bytes: Some(u64::MAX),
        age: Some(Duration::from_secs(86_400)),
    };
    assert_eq!(kept(wide), (all, segments));
    // What the others would keep goes all the same.
    assert_eq!(kept(Retention { bytes: Some(1), ..wide }).1, 1);
    assert_eq!(kept(Retention { age: Some(Duration::ZERO), ..wide }).1, 1);
    let (few, _) = kept(Retention { records: Some(100), ..wide });
    assert!(
        (100..100 + in_a_segment).contains(&few),
        "{few} of {all}, {in_a_segment} in a segment"
    );
}
