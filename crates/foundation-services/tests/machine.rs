//! The event store as a machine against a plain list: appends under ids, versions and conditions,
//! queries, evictions, checkpoints, subscriptions and a durable consumer, with power cuts and closings
//! at any moment in between.
//!
//! After each step: what an index answers is what a scan of the list answers, the ledger is exact, and
//! a follower was told of each event once, in order. After each power cut: what was acked on the disk is
//! there, what was not is there as a whole batch or not at all, and nothing else is.

mod draws;
mod world;

use crate::simulated::{Dice, Lie};
use draws::{Act, draw};
use world::World;

const RUNS: u64 = 150;
const ACTS: u64 = 60;

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Lives through the acts that a seed says; gives how many of them were power cuts, or what was wrong
/// first.
async fn live(seed: u64, lie: Lie) -> Result<u64, String> {
    let mut dice = Dice::of(seed);
    let mut world = World::new(lie).await;
    for nth in 0..ACTS {
        let act = draw(&mut dice);
        let wrong = |what: String| format!("step {nth}, {act:?}: {what}");
        world.act(&act, &mut dice).await.map_err(wrong)?;
    }
    world.act(&Act::Crash, &mut dice).await.map_err(|what| format!("at the end: {what}"))?;
    world.drain().await.map_err(|what| format!("at the end: {what}"))?;
    Ok(world.cuts)
}

#[tokio::test(start_paused = true)]
async fn the_store_is_a_list_whatever_happens_to_it() {
    let runs = setting("PROOF_RUNS").unwrap_or(RUNS);
    let one = setting("PROOF_SEED");
    let mut cuts = 0;
    for seed in one.map_or(1..=runs, |seed| seed..=seed) {
        match live(seed, Lie::None).await {
            Ok(more) => cuts += more,
            Err(what) => panic!(
                "seed {seed}: {what}\nreplay: PROOF_SEED={seed} cargo test -p foundation-services \
                 --test all the_store_is_a_list"
            ),
        }
    }
    println!("{runs} lives of {ACTS} acts each, {cuts} power cuts: differences 0");
}

/// A device that does not keep what it says it has synced is found out: the checker can fail.
#[tokio::test(start_paused = true)]
async fn a_disk_that_lies_about_its_syncs_is_found_out() {
    let mut found = 0;
    for seed in 1..=20 {
        found += u64::from(live(seed, Lie::FileSync).await.is_err());
    }
    assert!(found > 0, "20 lives on a lying disk, and nothing was wrong");
}
