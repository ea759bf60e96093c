//! Power cuts at each call to the disk while a projection by key folds, is made anew and gets a later
//! version: what is served of it is the fold of the log up to its place, key by key.

use std::collections::BTreeMap;
use std::time::Duration;

use foundation_services::projection::{KeyedHandle, KeyedProjection};
use foundation_types::{ErrorKind, Position, Result};

use crate::keyed_laws::{Ledger, States, all_of, fold_up_to, tick};
use crate::projection_crashes::{Node, open};
use crate::simulated::{Dice, Failure, SimulatedDisk};

const IMAGES: u64 = 4;
const ROUNDS: u64 = 6;

/// One start: appends, folds until a look, and stops, so that what changed is kept at the end.
async fn round<P: KeyedProjection<State = Vec<u64>>>(disk: &SimulatedDisk, of: u64) -> Result<()> {
    let node = open(disk)?;
    let handle = node.projections.add_keyed::<P>()?;
    node.projections.start_keyed(&handle, &node.events, &node.tasks);
    let mut last = Position::START;
    for number in 0..4 {
        last = tick(&node.events, 1 + of * 23 + number * 7).await?;
    }
    handle.wait_for(last).await?;
    if of % 2 == 1 {
        handle.rebuild();
        settled(&node, &handle).await?;
    }
    node.tasks.stop(Duration::from_secs(10)).await;
    Ok(())
}

/// Waits until a rebuild took its place and nothing is left of what was before.
async fn settled<P: KeyedProjection>(node: &Node, handle: &KeyedHandle<P>) -> Result<()> {
    for _ in 0..10_000 {
        let rows = node.projections.list(Position::START);
        if let Some(halted) = rows.iter().find_map(|row| row.halted.clone()) {
            return Err(foundation_types::Error::new(ErrorKind::Unavailable, halted));
        }
        if handle.is_serving() && rows.len() == 1 {
            break;
        }
        tokio::task::yield_now().await;
    }
    Ok(())
}

async fn work_until_it_fails(disk: &SimulatedDisk) -> Result<()> {
    for of in 0..ROUNDS {
        match of {
            0..4 => round::<Ledger<1>>(disk, of).await?,
            _ => round::<Ledger<2>>(disk, of).await?,
        }
    }
    Ok(())
}

/// What is kept, by name and without a type; then what goes on from it.
async fn check(disk: &SimulatedDisk) -> Result<(u32, usize), String> {
    let said = |error| format!("{error:?}");
    let node = open(disk).map_err(said)?;
    let kept = match node.projections.served_keys("ledger", None, 1_000) {
        Ok(served) => {
            let typed = |(key, state): &(String, foundation_types::Data)| {
                Ok::<_, String>((key.clone(), state.to().map_err(said)?))
            };
            let states: States = served.entries.iter().map(typed).collect::<Result<_, _>>()?;
            let to = served.position;
            let wanted = fold_up_to(&node.events, to, served.version).await.map_err(said)?;
            if states != wanted {
                return Err(format!("{states:?} is kept for {to}, not {wanted:?}"));
            }
            (served.version, states.len())
        }
        Err(error) if error.kind() == ErrorKind::NotFound => (0, 0),
        Err(error) => return Err(said(error)),
    };
    goes_on::<1>(&node).await?;
    node.tasks.stop(Duration::from_secs(10)).await;
    drop(node);
    let node = open(disk).map_err(said)?;
    goes_on::<2>(&node).await?;
    Ok(kept)
}

async fn goes_on<const VERSION: u32>(node: &Node) -> Result<(), String> {
    let said = |error| format!("{error:?}");
    let handle = node.projections.add_keyed::<Ledger<VERSION>>().map_err(said)?;
    node.projections.start_keyed(&handle, &node.events, &node.tasks);
    let last = tick(&node.events, 98).await.map_err(said)?;
    let seen = handle.wait_for(last).await.map_err(said)?;
    let wanted = fold_up_to(&node.events, seen.position(), VERSION).await.map_err(said)?;
    let states = all_of(&seen, 1_000).map_err(said)?;
    if states != wanted || seen.len() != wanted.len() as u64 {
        let keys = seen.len();
        return Err(format!("{states:?} with {keys} keys, version {VERSION}, not {wanted:?}"));
    }
    Ok(())
}

#[tokio::test]
async fn what_is_kept_by_key_is_the_fold_of_the_log_wherever_the_power_is_cut() {
    let disk = SimulatedDisk::default();
    work_until_it_fails(&disk).await.expect("nothing fails");
    let calls = disk.calls();
    let mut kept = BTreeMap::<(u32, usize), u64>::new();
    for call in 1..=calls {
        let disk = SimulatedDisk::default();
        disk.set_failure(Failure::PowerOffAt(call));
        let _ = work_until_it_fails(&disk).await;
        for image in 0..IMAGES {
            let after = disk.after_crash(&mut Dice::of((call << 8) + image + 1));
            match check(&after).await {
                Ok(what) => *kept.entry(what).or_default() += 1,
                Err(what) => panic!("power cut at call {call}, image {image}: {what}"),
            }
        }
    }
    let versions: Vec<u32> = kept.keys().map(|(version, _)| *version).collect();
    assert!(versions.contains(&1) && versions.contains(&2) && kept.len() > 4, "{kept:?}");
    println!(
        "{} images of a projection by key after {calls} power cuts: unlike the log 0",
        calls * IMAGES
    );
}
