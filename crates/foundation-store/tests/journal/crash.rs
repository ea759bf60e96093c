//! Power cuts at any call to the disk, on every kind of image that they can leave behind, and
//! deaths of the process, after which the disk goes on with what it was given.
//!
//! The oracle stands outside of the store: what was acked is there, what was said not to be
//! applied is not, nothing else is, and all is in order.

use foundation_store::journal::Mode;
use foundation_types::ErrorKind;

use super::super::simulated::{Dice, Failure, Lie, SimulatedDisk};
use super::{append, batch, open, wait};

/// Images that are made of each power cut.
const IMAGES: u64 = 8;
const ROUNDS: usize = 4;

/// What is known of a store from outside.
#[derive(Clone, Debug, Default)]
struct Oracle {
    /// Texts in the order in which they were placed.
    placed: Vec<String>,
    /// How many of them were acked.
    acked: usize,
}

impl Oracle {
    /// Compares with what a store told; what is there from now on is acked.
    fn check(&mut self, told: &[String]) -> Result<(), String> {
        let told: Vec<&str> =
            told.iter().map(|text| text.split('"').nth(1).unwrap_or("")).collect();
        if told.len() < self.acked {
            return Err(format!("{} records were acked, {} are there", self.acked, told.len()));
        }
        if !self.placed.iter().map(String::as_str).collect::<Vec<_>>().starts_with(&told) {
            return Err(format!("told {told:?}, placed {:?}", self.placed));
        }
        self.placed.truncate(told.len());
        self.acked = told.len();
        Ok(())
    }
}

/// One life of a store with several power cuts; gives how many images were opened.
fn live(seed: u64, lie: Lie) -> Result<u64, String> {
    let mut dice = Dice::of(seed);
    let mut disk = SimulatedDisk::new(Failure::PowerOffAt(1 + dice.below(250)), lie);
    let mut oracle = Oracle::default();
    let mut images = 0;
    for round in 0..ROUNDS {
        write_until_it_fails(&disk, &mut oracle, &mut dice, round)?;
        let mut next = None;
        for _ in 0..IMAGES {
            let image = disk.after_crash(&mut dice);
            let mut seen = oracle.clone();
            let opened = open(&image, Mode::Write)
                .map_err(|error| format!("the store does not open: {error:?}"))?;
            seen.check(&opened.told.all())?;
            drop(opened);
            // What recovery changed does not change what the next recovery finds.
            let again = open(&image, Mode::Write)
                .map_err(|error| format!("the store does not open again: {error:?}"))?;
            let mut twice = seen.clone();
            twice.check(&again.told.all())?;
            drop(again);
            images += 1;
            next = Some((image, seen));
        }
        let Some((image, seen)) = next else { break };
        // In half of the lives, every other time only the process died. What it wrote and did not
        // sync is read by the next one as if it were on the disk, and is lost if the power goes
        // after all.
        let only_died = seed.is_multiple_of(2) && dice.coin();
        if !only_died {
            (disk, oracle) = (image, seen);
        }
        let calls = disk.calls();
        disk.set_failure(Failure::PowerOffAt(calls + 1 + dice.below(250)));
    }
    Ok(images)
}

fn write_until_it_fails(
    disk: &SimulatedDisk,
    oracle: &mut Oracle,
    dice: &mut Dice,
    round: usize,
) -> Result<(), String> {
    let Ok(opened) = open(disk, Mode::Write) else { return Ok(()) };
    oracle.check(&opened.told.all())?;
    for step in 0..60 {
        let mut commits = Vec::new();
        for at in 0..=dice.below(3) {
            let count = 1 + dice.below(3);
            let filler = "x".repeat(dice.below(700) as usize);
            let texts: Vec<String> =
                (0..count).map(|item| format!("{round}-{step}-{at}-{item}-{filler}")).collect();
            match append(&opened.journal, batch("a", &texts)) {
                Ok(commit) => commits.push((commit, texts)),
                Err(_) => break,
            }
        }
        let mut failed = commits.is_empty();
        for (commit, texts) in commits {
            match wait(commit.durable()).map_err(|error| error.kind()) {
                Ok(_) if failed => return Err("an ack after a failure".to_owned()),
                Ok(_) => {
                    oracle.placed.extend(texts);
                    oracle.acked = oracle.placed.len();
                }
                Err(ErrorKind::Indeterminate) => {
                    oracle.placed.extend(texts);
                    failed = true;
                }
                Err(_) => failed = true,
            }
        }
        if failed {
            return Ok(());
        }
    }
    Ok(())
}

/// Lives that once found a defect: a removed name that came back was taken for a new segment.
const FOUND: [u64; 1] = [1255];

/// Runs lives with these seeds until one fails.
pub(super) fn lives(seeds: impl Iterator<Item = u64>, lie: Lie) -> Result<u64, String> {
    let mut images = 0;
    for seed in seeds {
        images += live(seed, lie).map_err(|what| {
            format!("seed {seed}: {what}\nreplay: PROOF_SEED={seed} cargo test -p foundation-store --test all crash")
        })?;
    }
    Ok(images)
}

#[test]
fn nothing_acked_is_lost_and_nothing_invented_whenever_the_power_fails() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seeds = match number("PROOF_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("PROOF_LIVES").unwrap_or(60),
    };
    match lives(seeds.chain(FOUND), Lie::None) {
        Ok(images) => println!("{images} crash images: acked lost 0, invented 0, unopenable 0"),
        Err(what) => panic!("{what}"),
    }
}
