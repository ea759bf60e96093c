//! The law: whatever came before, every outcome and every answer is that of a plain list.

use foundation_logic::event::{EventKeys, matches};
use foundation_types::{
    ErrorKind, Event, EventQuery, ExpectedVersion, Order, Position, Recorded, Version,
};
use proptest::prelude::*;

use super::sample::World;

const KINDS: [&str; 3] = ["order.placed", "order.paid", "order.sent"];
const STREAMS: [&str; 2] = ["events", "order-7"];

/// What can happen to a store.
#[derive(Clone, Debug)]
enum Act {
    One(Sketch, Option<u64>),
    Batch(Vec<Sketch>),
    Each(Vec<Sketch>),
    Bound(u64),
    Page(u64),
    Query(QuerySketch),
}

/// An event in few words; ids and bodies are few, so that they come again.
#[derive(Clone, Debug)]
struct Sketch {
    id: Option<u8>,
    kind: usize,
    correlation: Option<u8>,
    stream: usize,
    is_bad: bool,
}

#[derive(Clone, Debug)]
struct QuerySketch {
    kind: Option<usize>,
    correlation: Option<u8>,
    stream: Option<usize>,
    is_descending: bool,
    limit: Option<u64>,
    after: Option<usize>,
}

impl Sketch {
    fn event(&self) -> Event {
        let kind = if self.is_bad { "bad\u{7}" } else { KINDS[self.kind] };
        let event = Event::new(kind);
        Event {
            id: self.id.map(|id| id.to_string().into()),
            correlation_id: self.correlation.map(|one| format!("c{one}").into()),
            ..event
        }
    }
}

/// What one event came to: its place in the list, and whether it was there before.
type Told = Result<(usize, bool), ErrorKind>;

/// The plain list: each event with its stream.
#[derive(Default)]
struct Model {
    events: Vec<(Event, &'static str)>,
    /// Stored, repeated, rejected.
    ledger: [u64; 3],
}

impl Model {
    fn version(&self, stream: &str) -> u64 {
        self.events.iter().filter(|(_, theirs)| *theirs == stream).count() as u64
    }

    fn append(&mut self, sketch: &Sketch, stream: &'static str, expected: Option<u64>) -> Told {
        if sketch.is_bad {
            return Err(ErrorKind::Invalid);
        }
        let event = sketch.event();
        let known = self.events.iter().position(|(one, _)| one.id.is_some() && one.id == event.id);
        match known {
            Some(at) if self.events[at].0 == event => Ok((at, true)),
            Some(_) => Err(ErrorKind::IdReused),
            None if expected.is_some_and(|version| version != self.version(stream)) => {
                Err(ErrorKind::VersionConflict)
            }
            None => {
                self.events.push((event, stream));
                Ok((self.events.len() - 1, false))
            }
        }
    }

    fn batch(&mut self, sketches: &[Sketch], stream: &'static str) -> Vec<Told> {
        let before = self.events.len();
        if sketches.iter().any(|sketch| sketch.is_bad) {
            return vec![Err(ErrorKind::Invalid); sketches.len()];
        }
        let told: Vec<Told> =
            sketches.iter().map(|sketch| self.append(sketch, stream, None)).collect();
        if told.iter().all(Result::is_ok) {
            return told;
        }
        self.events.truncate(before);
        vec![Err(ErrorKind::IdReused); sketches.len()]
    }

    fn count(&mut self, told: &[Told]) {
        for one in told {
            let at = match one {
                Ok((_, false)) => 0,
                Ok((_, true)) => 1,
                Err(_) => 2,
            };
            self.ledger[at] += 1;
        }
    }
}

/// A store, the list that it is held against, and what the store has recorded.
struct Trial {
    world: World,
    model: Model,
    /// In memory, what leaves the buffer is gone: the list is compared with one that holds all.
    bound_min: u64,
}

impl Trial {
    /// What the log has, read without a query.
    async fn recorded(&self) -> Vec<Recorded> {
        let journal = &self.world.events.0.journal;
        let records = journal.read_after(Position::START, usize::MAX).await.expect("is kept");
        records.iter().map(|record| record.decode().expect("readable")).collect()
    }

    async fn act(&mut self, act: &Act) {
        let events = |sketches: &[Sketch]| sketches.iter().map(Sketch::event).collect();
        match act {
            Act::One(sketch, expected) => {
                let stream = STREAMS[sketch.stream];
                let told = self.model.append(sketch, stream, *expected);
                let expected = expected.map_or(ExpectedVersion::Any, |version| {
                    ExpectedVersion::Exactly(Version::new(version))
                });
                let append = self.world.events.append(sketch.event()).stream(stream);
                let got = append.expecting(expected).await;
                self.judge(&[told], vec![got]).await;
            }
            Act::Batch(sketches) => {
                let told = self.model.batch(sketches, STREAMS[0]);
                let got = self.world.events.append_batch(events(sketches)).await;
                let got = match got {
                    Ok(receipts) => receipts.into_iter().map(Ok).collect(),
                    Err(error) => sketches.iter().map(|_| Err(error.clone())).collect(),
                };
                self.judge(&told, got).await;
            }
            Act::Each(sketches) => {
                let told: Vec<Told> = sketches
                    .iter()
                    .map(|sketch| self.model.append(sketch, STREAMS[1], None))
                    .collect();
                let got = self.world.events.append_each(events(sketches)).stream(STREAMS[1]).await;
                self.judge(&told, got).await;
            }
            Act::Bound(events) => {
                self.world.set("events.buffer.max_events", self.bound_min + events).await;
            }
            Act::Page(rows) => self.world.set("interface.max_results", rows).await,
            Act::Query(sketch) => self.ask(sketch).await,
        }
    }

    async fn judge(
        &mut self,
        told: &[Told],
        got: Vec<foundation_types::Result<crate::event::Receipt>>,
    ) {
        let recorded = self.recorded().await;
        assert_eq!(recorded.len(), self.model.events.len());
        for (told, got) in told.iter().zip(got) {
            match (told, got) {
                (Ok((at, repeated)), Ok(receipt)) => {
                    assert_eq!(recorded[*at].position, receipt.position);
                    assert_eq!(recorded[*at].version, receipt.version);
                    assert_eq!(*repeated, receipt.repeated);
                }
                (Err(kind), Err(error)) => assert_eq!(*kind, error.kind()),
                (told, got) => panic!("{told:?} was to be, {got:?} is"),
            }
        }
        self.model.count(told);
        let stats = self.world.settled();
        assert_eq!([stats.stored, stats.repeated, stats.rejected], self.model.ledger);
    }

    async fn ask(&self, sketch: &QuerySketch) {
        let recorded = self.recorded().await;
        let after = sketch.after.and_then(|at| recorded.get(at)).map(|event| event.position);
        let query = EventQuery {
            types: sketch.kind.map(|kind| KINDS[kind].into()).into_iter().collect(),
            correlation_id: sketch.correlation.map(|one| format!("c{one}").into()),
            stream: sketch.stream.map(|stream| STREAMS[stream].into()),
            order: if sketch.is_descending { Order::Desc } else { Order::Asc },
            limit: sketch.limit,
            after,
            ..EventQuery::all()
        };
        let mut expected: Vec<Recorded> =
            recorded.into_iter().filter(|event| matches(&query, &EventKeys::from(event))).collect();
        if sketch.is_descending {
            expected.reverse();
        }
        expected.truncate(sketch.limit.map_or(usize::MAX, |limit| limit as usize));
        assert_eq!(self.world.all(query).await, expected);
    }
}

fn sketch() -> impl Strategy<Value = Sketch> {
    let id = prop_oneof![2 => Just(None), 3 => (0..12_u8).prop_map(Some)];
    let correlation = prop_oneof![Just(None), (0..2_u8).prop_map(Some)];
    (id, 0..3_usize, correlation, 0..2_usize, prop::bool::weighted(0.05)).prop_map(
        |(id, kind, correlation, stream, is_bad)| Sketch { id, kind, correlation, stream, is_bad },
    )
}

fn query() -> impl Strategy<Value = QuerySketch> {
    let kind = prop::option::of(0..3_usize);
    let stream = prop::option::of(0..2_usize);
    let (limit, after) = (prop::option::of(1..12_u64), prop::option::of(0..40_usize));
    (kind, prop::option::of(0..2_u8), stream, any::<bool>(), limit, after).prop_map(
        |(kind, correlation, stream, is_descending, limit, after)| QuerySketch {
            kind,
            correlation,
            stream,
            is_descending,
            limit,
            after,
        },
    )
}

fn act() -> impl Strategy<Value = Act> {
    let many = || prop::collection::vec(sketch(), 1..8);
    prop_oneof![
        3 => (sketch(), prop::option::weighted(0.2, 0..4_u64)).prop_map(|(one, v)| Act::One(one, v)),
        2 => many().prop_map(Act::Batch),
        2 => many().prop_map(Act::Each),
        1 => (1..20_u64).prop_map(Act::Bound),
        1 => (1..6_u64).prop_map(Act::Page),
        4 => query().prop_map(Act::Query),
    ]
}

fn run(world: World, bound_min: u64, acts: &[Act]) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let mut trial = Trial { world, model: Model::default(), bound_min };
        for act in acts {
            trial.act(act).await;
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn in_memory_a_store_is_a_plain_list(acts in prop::collection::vec(act(), 1..40)) {
        run(World::in_memory(), 1_000, &acts);
    }
}

/// What is left in memory after these events with this bound, by query and by id.
async fn kept(bound: u64, kinds: &[usize]) {
    let world = World::in_memory();
    world.set("events.buffer.max_events", bound).await;
    let mut receipts = Vec::new();
    for (at, kind) in kinds.iter().enumerate() {
        let event = Event::new(KINDS[*kind]).id(at.to_string());
        receipts.push(world.events.append(event).await.expect("stored"));
    }
    let gone = kinds.len().saturating_sub(usize::try_from(bound).expect("small"));
    let kept: Vec<_> = receipts[gone..].iter().map(|receipt| receipt.position).collect();
    let positions = |found: Vec<Recorded>| found.iter().map(|one| one.position).collect::<Vec<_>>();
    assert_eq!(positions(world.all(EventQuery::all()).await), kept);
    for (at, kind) in KINDS.iter().enumerate() {
        let of_kind: Vec<_> = (gone..kinds.len())
            .filter(|one| kinds[*one] == at)
            .map(|one| kept[one - gone])
            .collect();
        assert_eq!(positions(world.all(EventQuery::all().kind(*kind)).await), of_kind);
    }
    for (at, _) in kinds.iter().enumerate() {
        let told = world.events.get(at.to_string()).await.map(|found| found.position);
        match at < gone {
            true => assert_eq!(told.map_err(|error| error.kind()), Err(ErrorKind::NotFound)),
            false => assert_eq!(told.ok(), Some(receipts[at].position)),
        }
    }
    assert_eq!(world.events.0.journal.extent().records, kept.len() as u64);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn in_memory_the_newest_events_are_kept_and_no_others(
        bound in 1..200_u64,
        kinds in prop::collection::vec(0..3_usize, 1..400),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(kept(bound, &kinds));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn on_disk_a_store_is_a_plain_list(acts in prop::collection::vec(act(), 1..40)) {
        run(World::on_disk(), 0, &acts);
    }
}
