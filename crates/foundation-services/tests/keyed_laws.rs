//! What is read of a projection by key is the fold of the log, key by key, whatever happens: events,
//! restarts, rebuilds, and a later version beside the one before.

use std::collections::BTreeMap;
use std::time::Duration;

use foundation_services::event::EventStore;
use foundation_services::projection::{KeyedHandle, KeyedProjection, KeyedView};
use foundation_types::{Error, Event, EventQuery, Position, Recorded, Result};
use proptest::prelude::*;

use crate::projection_crashes::{Node, open};
use crate::simulated::SimulatedDisk;

/// What each key was told, in order; each version tells itself apart.
pub(crate) struct Ledger<const VERSION: u32>;

pub(crate) type States = BTreeMap<String, Vec<u64>>;

impl<const VERSION: u32> KeyedProjection for Ledger<VERSION> {
    const NAME: &'static str = "ledger";
    const VERSION: u32 = VERSION;
    type State = Vec<u64>;

    fn filter() -> EventQuery {
        EventQuery::all().kind("tick")
    }

    fn keys(event: &Recorded) -> Result<Vec<String>> {
        Ok(keys_of(event.event.data.to()?))
    }

    fn apply(_: &str, state: &mut Option<Vec<u64>>, event: &Recorded) -> Result<()> {
        step(state, event.event.data.to::<u64>()?, VERSION);
        Ok(())
    }
}

/// One key, two, or none.
fn keys_of(number: u64) -> Vec<String> {
    let key = |number: u64| format!("k/{}\u{e9}", number % 5);
    match number % 4 {
        0 => Vec::new(),
        1 => vec![key(number), key(number / 5)],
        _ => vec![key(number / 3)],
    }
}

/// Some numbers end a key.
fn step(state: &mut Option<Vec<u64>>, number: u64, version: u32) {
    match number % 11 {
        0 => *state = None,
        _ => state.get_or_insert_default().push(number * u64::from(version)),
    }
}

/// The fold of the log up to a position, as a query tells it.
pub(crate) async fn fold_up_to(events: &EventStore, to: Position, version: u32) -> Result<States> {
    let query = EventQuery::all().kind("tick").limit(1_000);
    let mut states = BTreeMap::<String, Option<Vec<u64>>>::new();
    for event in events.query(query).await?.events {
        let number = event.event.data.to()?;
        let mut keys = if event.position <= to { keys_of(number) } else { Vec::new() };
        keys.sort_unstable();
        keys.dedup();
        for key in keys {
            step(states.entry(key).or_default(), number, version);
        }
    }
    Ok(states.into_iter().filter_map(|(key, state)| Some((key, state?))).collect())
}

/// All keys, read in pages of this size.
pub(crate) fn all_of(view: &KeyedView<Vec<u64>>, size: usize) -> Result<States> {
    let (mut all, mut after) = (States::new(), None::<String>);
    loop {
        let page = view.page(after.as_deref(), size)?;
        assert!(page.entries.len() <= size);
        all.extend(page.entries.into_iter().map(|(key, state)| (key, state.to_vec())));
        after = page.next;
        if after.is_none() {
            return Ok(all);
        }
    }
}

pub(crate) async fn tick(events: &EventStore, number: u64) -> Result<Position> {
    Ok(events.append(Event::new("tick").data(&number)?).await?.position)
}

#[derive(Clone, Debug)]
enum Op {
    Tick(u64),
    Look,
    Rebuild,
    Restart,
    Later,
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![
        12 => (0_u64..200).prop_map(Op::Tick),
        3 => Just(Op::Look),
        1 => Just(Op::Rebuild),
        2 => Just(Op::Restart),
        1 => Just(Op::Later),
    ];
    proptest::collection::vec(op, 1..40)
}

struct Running {
    node: Node,
    one: KeyedHandle<Ledger<1>>,
    two: Option<KeyedHandle<Ledger<2>>>,
}

impl Running {
    fn start(disk: &SimulatedDisk, later: bool) -> Result<Self> {
        let node = open(disk)?;
        let Node { events, projections, tasks } = &node;
        let one = projections.add_keyed::<Ledger<1>>()?;
        let two = later.then(|| projections.add_keyed::<Ledger<2>>()).transpose()?;
        projections.start_keyed(&one, events, tasks);
        if let Some(two) = &two {
            projections.start_keyed(two, events, tasks);
        }
        Ok(Self { node, one, two })
    }

    async fn look(&self, last: Position) -> Result<()> {
        let newest = match &self.two {
            Some(two) => check(&self.node.events, two, last).await?,
            None => check(&self.node.events, &self.one, last).await?,
        };
        let served = self.node.projections.served_keys("ledger", None, 1_000)?;
        if served.position >= newest.position() {
            let named: Result<States> =
                served.entries.iter().map(|(key, state)| Ok((key.clone(), state.to()?))).collect();
            let wanted = fold_up_to(&self.node.events, served.position, served.version).await?;
            assert_eq!(named?, wanted, "by name");
        }
        Ok(())
    }
}

async fn check<const VERSION: u32>(
    events: &EventStore,
    handle: &KeyedHandle<Ledger<VERSION>>,
    last: Position,
) -> Result<KeyedView<Vec<u64>>> {
    let view = handle.wait_for(last).await?;
    let wanted = fold_up_to(events, view.position(), VERSION).await?;
    for size in [1, 2, 1_000] {
        assert_eq!(all_of(&view, size)?, wanted, "in pages of {size}");
    }
    assert_eq!(view.len(), wanted.len() as u64);
    for number in 0..200 {
        for key in keys_of(number) {
            assert_eq!(view.get(&key)?.as_deref(), wanted.get(&key), "{key}");
        }
    }
    Ok(view)
}

async fn run(ops: Vec<Op>) -> Result<()> {
    let disk = SimulatedDisk::default();
    let (mut later, mut last) = (false, Position::START);
    let mut running = Running::start(&disk, later)?;
    for op in ops {
        match op {
            Op::Tick(number) => last = tick(&running.node.events, number).await?,
            Op::Look => running.look(last).await?,
            Op::Rebuild => {
                running.one.rebuild();
                running.two.iter().for_each(KeyedHandle::rebuild);
            }
            Op::Restart | Op::Later => {
                later |= matches!(op, Op::Later);
                running.node.tasks.stop(Duration::from_secs(10)).await;
                drop(running);
                running = Running::start(&disk, later)?;
            }
        }
    }
    running.look(last).await?;
    running.node.tasks.stop(Duration::from_secs(10)).await;
    Ok::<(), Error>(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_is_read_is_the_fold_of_the_log_key_by_key(ops in ops()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let outcome = runtime.expect("a runtime").block_on(run(ops));
        prop_assert!(outcome.is_ok(), "{outcome:?}");
    }
}
