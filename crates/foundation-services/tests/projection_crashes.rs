//! Power cuts at each call to the disk while a projection folds: what is kept of it is the fold of
//! the log up to the place that is kept with it.

use std::collections::BTreeMap;
use std::sync::Arc;

use foundation_services::event::EventStore;
use foundation_services::projection::{Projection, ProjectionStates, Projections};
use foundation_services::tasks::Tasks;
use foundation_store::journal::Journal;
use foundation_store::table::Tables;
use foundation_store::together::Together;
use foundation_types::{Event, EventQuery, Position, Recorded, Result};

use crate::simulated::{Dice, Failure, SimulatedDisk};
use crate::stored;

const IMAGES: u64 = 4;
const ROUNDS: u64 = 6;

/// Everything that was told, in order.
struct Told;

impl Projection for Told {
    const NAME: &'static str = "told";
    const VERSION: u32 = 1;
    type State = Vec<u64>;

    fn filter() -> EventQuery {
        EventQuery::all().kind("tick")
    }

    fn apply(state: &mut Vec<u64>, event: &Recorded) -> Result<()> {
        state.push(event.event.data.to()?);
        Ok(())
    }
}

pub(crate) struct Node {
    pub(crate) events: EventStore,
    pub(crate) projections: Projections,
    pub(crate) tasks: Tasks,
}

pub(crate) fn open(disk: &SimulatedDisk) -> Result<Node> {
    let (log, mut tables) = (stored::log(), Tables::default());
    let states = ProjectionStates::link(&mut tables)?;
    let followers = Arc::new(Together::new(vec![log.clone(), Arc::new(tables)]));
    let journal: Arc<dyn Journal> = stored::journal(disk, stored::SMALL, followers)?;
    let projections = states.open(&journal)?;
    let events = EventStore::new(stored::parts(journal, log)?);
    Ok(Node { events, projections, tasks: Tasks::default() })
}

/// Starts again and again, appends, folds and stops, so that the state is kept at each end.
async fn work_until_it_fails(disk: &SimulatedDisk) -> Result<()> {
    for round in 0..ROUNDS {
        let node = open(disk)?;
        let handle = node.projections.add::<Told>()?;
        node.projections.start(&handle, &node.events, &node.tasks);
        let mut last = Position::START;
        for number in 0..4 {
            let event = Event::new("tick").data(&(round * 4 + number))?;
            last = node.events.append(event).await?.position;
        }
        handle.wait_for(last).await?;
        node.tasks.stop(std::time::Duration::from_secs(10)).await;
    }
    Ok(())
}

/// The fold of the log up to a position, told by a query.
async fn fold_up_to(events: &EventStore, position: Position) -> Result<Vec<u64>> {
    let page = events.query(Told::filter().limit(1_000)).await?;
    let before = page.events.iter().filter(|event| event.position <= position);
    before.map(|event| event.event.data.to()).collect()
}

async fn check(disk: &SimulatedDisk) -> Result<usize, String> {
    let said = |error| format!("{error:?}");
    let node = open(disk).map_err(said)?;
    let handle = node.projections.add::<Told>().map_err(said)?;
    let kept = handle.get();
    let wanted = fold_up_to(&node.events, kept.position).await.map_err(said)?;
    if *kept.state != wanted {
        return Err(format!("{:?} is kept for {}, not {wanted:?}", kept.state, kept.position));
    }
    node.projections.start(&handle, &node.events, &node.tasks);
    let last = node.events.append(Event::new("tick").data(&99).map_err(said)?).await;
    let seen = handle.wait_for(last.map_err(said)?.position).await.map_err(said)?;
    let wanted = fold_up_to(&node.events, seen.position).await.map_err(said)?;
    if *seen.state != wanted {
        return Err(format!("{:?} goes on from {}, not {wanted:?}", seen.state, kept.position));
    }
    Ok(kept.state.len())
}

#[tokio::test]
async fn what_is_kept_is_the_fold_of_the_log_wherever_the_power_is_cut() {
    let disk = SimulatedDisk::default();
    work_until_it_fails(&disk).await.expect("nothing fails");
    let calls = disk.calls();
    let mut kept = BTreeMap::<usize, u64>::new();
    for call in 1..=calls {
        let disk = SimulatedDisk::default();
        disk.set_failure(Failure::PowerOffAt(call));
        let _ = work_until_it_fails(&disk).await;
        for image in 0..IMAGES {
            let after = disk.after_crash(&mut Dice::of((call << 8) + image + 1));
            match check(&after).await {
                Ok(events) => *kept.entry(events).or_default() += 1,
                Err(what) => panic!("power cut at call {call}, image {image}: {what}"),
            }
        }
    }
    assert!(kept.len() > 2, "too little is kept to be of interest: {kept:?}");
    println!(
        "{} images of a projection after {calls} power cuts: unlike the log 0",
        calls * IMAGES
    );
}
