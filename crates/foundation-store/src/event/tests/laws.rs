//! The law: whatever happened before, a query answers what a scan of everything kept answers.
//!
//! The judge takes the log's part as a function, so that it can be shown defective ones too.

use std::collections::BTreeMap;

use foundation_logic::event::matches;
use foundation_types::{Event, EventQuery, Order, Tag, Timestamp};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::sample::{Draft, at, bounds, positions, ready, records_of, unhurried};
use super::shelf::Shelf;
use crate::event::keys::{Keys, event_keys};
use crate::event::{EventLog, Rest};
use crate::journal::Follower;
use crate::record::Record;

const KINDS: [&str; 3] = ["order.placed", "order.paid", "order.sent"];
const PATTERNS: [&str; 6] = ["order.placed", "order.paid", "unknown", "order.p*", "*", "unknown*"];
const STREAMS: [&str; 2] = ["events", "config/app"];
const CORRELATIONS: [&str; 4] = ["a", "b", "c", "d"];

const TAGS: [&str; 3] = ["blue", "a", "events"];

/// What can happen to a log.
#[derive(Clone, Debug)]
enum Act {
    Append(Vec<Sketch>),
    SetBounds { events: u64, bytes: u64 },
    Truncate { back: u64 },
    Query { query: QuerySketch, max: usize },
}

#[derive(Clone, Debug)]
struct Sketch {
    gap: u64,
    kind: usize,
    stream: usize,
    correlation: Option<usize>,
    parent: Option<usize>,
    /// A bit for each tag.
    tags: u8,
    time: Option<i64>,
}

/// A query whose cursor is a share of the log and not yet a position.
#[derive(Clone, Debug)]
struct QuerySketch {
    types: Vec<usize>,
    stream: Option<usize>,
    correlation: Option<usize>,
    parent: Option<usize>,
    tags: u8,
    since: Option<i64>,
    until: Option<i64>,
    descending: bool,
    limit: Option<u64>,
    after: Option<u64>,
}

/// A log, the journal behind it, and everything that ever was.
struct World {
    log: EventLog,
    shelf: Shelf,
    all: Vec<Record>,
    next: u64,
}

/// How the log's part is played.
struct Player {
    append: fn(&EventLog, &[Record]),
    search: fn(&World, &EventQuery, usize) -> Vec<Record>,
}

const HONEST: Player = Player {
    append: |log, records| log.follow(records),
    search: |world, query, max| {
        ready(world.log.search(&world.shelf, query, max, &unhurried)).expect("all is readable")
    },
};

/// Half a microsecond apart, so that some share one; from before 1970.
fn time(halves: i64) -> Timestamp {
    let nanoseconds = halves * 500;
    let (seconds, rest) = (nanoseconds / 1_000_000_000, nanoseconds % 1_000_000_000);
    Timestamp::from_parts(seconds, rest as i32).expect("near 1970")
}

fn tags(bits: u8) -> Vec<Tag> {
    let is_set = |(at, _): &(usize, &&str)| bits & (1 << at) != 0;
    TAGS.iter().enumerate().filter(is_set).map(|(_, tag)| Tag::from(*tag)).collect()
}

impl World {
    fn new() -> Self {
        let log = EventLog::new(bounds(12, 1 << 20));
        Self { log, shelf: Shelf::with_pages_of(3), all: Vec::new(), next: 1 }
    }

    fn append(&mut self, sketches: &[Sketch], player: &Player) {
        let drafts: Vec<Draft> = sketches.iter().map(|sketch| self.draft(sketch)).collect();
        let records = records_of(&drafts);
        self.shelf.put(&records);
        (player.append)(&self.log, &records);
        self.all.extend(records);
    }

    fn draft(&mut self, sketch: &Sketch) -> Draft {
        let position = self.next + sketch.gap;
        self.next = position + 1;
        let mut event = Event::new(KINDS[sketch.kind]).id(format!("id-{position}"));
        event.correlation_id = sketch.correlation.map(|at| CORRELATIONS[at].into());
        event.parent_id = sketch.parent.map(|at| CORRELATIONS[at].into());
        event.tags = tags(sketch.tags);
        event.time = sketch.time.map(time);
        Draft { position, stream: STREAMS[sketch.stream], event }
    }

    fn query(&self, sketch: &QuerySketch) -> EventQuery {
        EventQuery {
            types: sketch.types.iter().map(|at| PATTERNS[*at].into()).collect(),
            parent_id: sketch.parent.map(|at| CORRELATIONS[at].into()),
            tags: tags(sketch.tags),
            source: None,
            subject: None,
            fields: Vec::new(),
            stream: sketch.stream.map(|at| STREAMS[at].into()),
            correlation_id: sketch.correlation.map(|at| CORRELATIONS[at].into()),
            since: sketch.since.map(time),
            until: sketch.until.map(time),
            order: if sketch.descending { Order::Desc } else { Order::Asc },
            limit: sketch.limit,
            after: sketch.after.map(|share| at(share * self.next / 100)),
        }
    }

    /// What a scan answers, among the records for which `kept` holds.
    fn scan(&self, query: &EventQuery, max: usize, kept: impl Fn(u64) -> bool) -> Vec<u64> {
        let answers = |record: &&Record| {
            kept(record.position().to_engine())
                && matches(query, &event_keys(record).expect("readable"))
        };
        let mut found: Vec<Record> = self.all.iter().filter(answers).cloned().collect();
        if query.order == Order::Desc {
            found.reverse();
        }
        found.truncate(query.limit.map_or(max, |limit| max.min(limit as usize)));
        positions(&found)
    }

    /// Both answers to a query against the scan.
    fn judge(&self, query: &EventQuery, max: usize, player: &Player) -> Result<(), String> {
        let (coverage, front) = (self.log.coverage().to_engine(), self.shelf.before_first());
        let expected = self.scan(query, max, |position| position > coverage.min(front));
        let found = positions(&(player.search)(self, query, max));
        if found != expected {
            return Err(format!("{query:?} up to {max}: {found:?}, not {expected:?}"));
        }
        let expected = self.scan(query, usize::MAX, |position| position > coverage);
        let reachable =
            query.order == Order::Desc || query.after.unwrap_or_default() >= at(coverage);
        let found = page_by_page(&self.log, query, max.max(1));
        if reachable && found != expected {
            return Err(format!("{query:?} in the buffer: {found:?}, not {expected:?}"));
        }
        Ok(())
    }

    /// The buffer against its bounds and its indices.
    fn judge_buffer(&self, events: u64, bytes: u64) -> Result<(), String> {
        let stats = self.log.stats();
        if stats.buffered_events > events || stats.buffered_bytes > bytes {
            return Err(format!("beyond {events} events or {bytes} bytes: {stats:?}"));
        }
        let state = self.log.state();
        let mut expected = BTreeMap::new();
        let mut correlated = 0;
        for offset in 0..state.ring.len() {
            let event = state.ring.get(offset).expect("in the ring").event().expect("readable");
            correlated += usize::from(event.correlation.is_some());
            *expected.entry(event.correlation).or_insert(0) += 1;
        }
        let indices = &state.indices;
        let found = [indices.kinds.entries(), indices.streams.entries(), indices.times.entries()];
        if found != [state.ring.len(); 3] || indices.correlations.entries() != correlated {
            return Err(format!("{} events, entries {found:?}", state.ring.len()));
        }
        expected.remove(&None);
        if indices.correlations.names() != expected.len() {
            return Err(format!("{} correlations", indices.correlations.names()));
        }
        Ok(())
    }

    /// The counts and ids against everything that ever was.
    fn judge_counts(&self) -> Result<(), String> {
        let stats = self.log.stats();
        let recorded = self.all.len() as u64;
        let by_type: u64 = stats.by_type.values().sum();
        let counted = [stats.ids, by_type, stats.buffered_events + stats.evicted];
        if counted != [recorded; 3] || stats.last_recorded != self.all.last().map(Record::recorded)
        {
            return Err(format!("{recorded} recorded, {stats:?}"));
        }
        let lost = self.all.iter().find(|record| {
            let id = record.event().expect("readable").id.to_string();
            self.log.position_of(&id) != Some(record.position())
        });
        lost.map_or(Ok(()), |record| Err(format!("{record:?} is not found by its id")))
    }
}

/// The answer of the buffer alone, read in pages.
fn page_by_page(log: &EventLog, query: &EventQuery, max: usize) -> Vec<u64> {
    let mut found = Vec::new();
    let mut next = query.clone();
    loop {
        next.limit = query.limit.map(|limit| limit - found.len() as u64);
        let page = log.query(&next, max).expect("readable");
        found.extend(positions(&page.records));
        match page.rest {
            Rest::Buffer(cursor) if next.limit != Some(page.records.len() as u64) => {
                next.after = Some(cursor);
            }
            _ => return found,
        }
    }
}

/// Lives through `acts` and says what was wrong first.
fn live_through(acts: &[Act], player: &Player) -> Result<(), String> {
    let mut world = World::new();
    let (mut events, mut bytes) = (12, 1 << 20);
    for act in acts {
        match act {
            Act::Append(sketches) => world.append(sketches, player),
            Act::SetBounds { events: most, bytes: widest } => {
                (events, bytes) = (*most, *widest);
                world.log.set_bounds(&bounds(events, bytes));
            }
            Act::Truncate { back } => world.shelf.truncate((world.next - 1).saturating_sub(*back)),
            Act::Query { query, max } => world.judge(&world.query(query), *max, player)?,
        }
        world.judge_buffer(events, bytes)?;
    }
    world.judge_counts()
}

fn sketches() -> impl Strategy<Value = Sketch> {
    let gap = prop_oneof![4 => Just(0_u64), 1 => 1..4_u64];
    let time = proptest::option::weighted(0.8, -40..40_i64);
    let correlation = proptest::option::weighted(0.7, 0..CORRELATIONS.len());
    let parent = proptest::option::weighted(0.3, 0..CORRELATIONS.len());
    (gap, 0..KINDS.len(), 0..STREAMS.len(), (correlation, parent, few_tags()), time).prop_map(
        |(gap, kind, stream, (correlation, parent, tags), time)| Sketch {
            gap,
            kind,
            stream,
            correlation,
            parent,
            tags,
            time,
        },
    )
}

fn few_tags() -> impl Strategy<Value = u8> {
    prop_oneof![3 => Just(0), 1 => 0..8_u8]
}

fn queries() -> impl Strategy<Value = QuerySketch> {
    use proptest::option::of;
    let types =
        prop_oneof![1 => Just(vec![]), 1 => proptest::collection::vec(0..PATTERNS.len(), 1..3)];
    let parent = proptest::option::weighted(0.2, 0..CORRELATIONS.len());
    let names = (types, of(0..STREAMS.len()), of(0..CORRELATIONS.len()), parent, few_tags());
    let times = (of(-42..42_i64), of(-42..42_i64));
    let rest = (any::<bool>(), of(0..12_u64), of(0..110_u64));
    (names, times, rest).prop_map(|(names, times, rest)| QuerySketch {
        types: names.0,
        stream: names.1,
        correlation: names.2,
        parent: names.3,
        tags: names.4,
        since: times.0,
        until: times.1,
        descending: rest.0,
        limit: rest.1,
        after: rest.2,
    })
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        6 => proptest::collection::vec(sketches(), 1..8).prop_map(Act::Append),
        1 => (1..20_u64, 200..6_000_u64)
            .prop_map(|(events, bytes)| Act::SetBounds { events, bytes }),
        1 => (0..60_u64).prop_map(|back| Act::Truncate { back }),
        8 => (queries(), 0..20_usize).prop_map(|(query, max)| Act::Query { query, max }),
    ];
    proptest::collection::vec(act, 1..60)
}

fn judge_many(cases: u32, player: &Player) -> Result<(), String> {
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    TestRunner::new(config)
        .run(&acts(), |acts| live_through(&acts, player).map_err(TestCaseError::fail))
        .map_err(|failure| failure.to_string())
}

#[test]
fn a_query_answers_what_a_scan_answers() {
    judge_many(2_000, &HONEST).expect("the law holds");
}

/// Evicts as the log does, but leaves the correlation where it is.
fn forget_a_correlation(log: &EventLog, records: &[Record]) {
    log.follow(records);
    let mut state = log.state_mut();
    let Some((ordinal, record)) = state.ring.pop() else { return };
    let keys = Keys::of(&record.names().expect("readable"), &log.hashing);
    state.indices.remove(&Keys { correlation: None, ..keys }, ordinal);
}

#[test]
fn the_law_catches_an_eviction_that_forgets_an_index() {
    let player = Player { append: forget_a_correlation, ..HONEST };
    let found = judge_many(200, &player).expect_err("it is defective");
    assert!(found.contains("correlations") || found.contains("entries"), "{found}");
}

#[test]
fn the_law_catches_a_cursor_that_is_off_by_one() {
    let search = |world: &World, query: &EventQuery, max: usize| {
        let mut off = query.clone();
        off.after = query.after.map(|after| match query.order {
            Order::Asc => at(after.to_engine().saturating_sub(1)),
            Order::Desc => at(after.to_engine() + 1),
        });
        (HONEST.search)(world, &off, max)
    };
    judge_many(500, &Player { search, ..HONEST }).expect_err("it is defective");
}

#[test]
fn the_law_catches_a_search_that_forgets_the_log() {
    let search = |world: &World, query: &EventQuery, max: usize| {
        world.log.query(query, max).expect("readable").records
    };
    judge_many(200, &Player { search, ..HONEST }).expect_err("it is defective");
}

#[test]
fn the_law_catches_an_end_of_time_that_is_inclusive() {
    let search = |world: &World, query: &EventQuery, max: usize| {
        let mut off = query.clone();
        off.until = query.until.map(|until| until.plus(std::time::Duration::from_nanos(1)));
        (HONEST.search)(world, &off, max)
    };
    judge_many(500, &Player { search, ..HONEST }).expect_err("it is defective");
}
