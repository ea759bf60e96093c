//! A store on a simulated disk, the list that it is held against, and those who follow it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use foundation_logic::event::{EventKeys, matches};
use foundation_services::event::{Consumer, EventStore, Start, Subscription};
use foundation_store::journal::Journal;
use foundation_types::{
    Durability, ErrorKind, Event, EventQuery, ExpectedVersion, Order, Position, Recorded, Settings,
    StreamName, Timestamp, Version,
};

use super::draws::{Act, Draft, If, KINDS};
use crate::simulated::{Dice, Failure, Lie, SimulatedDisk};
use crate::stored;

/// Deliveries that the consumer may have open.
const IN_FLIGHT_MAX: usize = 4;

type Told<T = ()> = Result<T, String>;

/// Microseconds near 1970.
pub(super) fn time(micros: i64) -> Timestamp {
    Timestamp::from_unix_micros(micros)
}

/// An event of the list.
#[derive(Clone, Debug)]
struct Listed {
    recorded: Recorded,
    /// Whether its append was acked on the disk.
    is_safe: bool,
}

/// What the list knows of an event whose append failed when the power went: one batch.
type InDoubt = Vec<Event>;

pub(super) struct World {
    disk: SimulatedDisk,
    store: Option<(EventStore, Arc<dyn Journal>)>,
    subscription: Option<Subscription>,
    consumer: Option<Consumer>,
    list: Vec<Listed>,
    in_doubt: InDoubt,
    /// Ids of the events that the consumer has acked in all lives.
    consumed: BTreeSet<String>,
    pub(super) cuts: u64,
}

fn own(stream: &StreamName) -> bool {
    stream.as_str().starts_with("table/") || stream.as_str() == StreamName::FOUNDATION
}

impl World {
    pub(super) async fn new(lie: Lie) -> Self {
        let mut world = Self {
            disk: SimulatedDisk::lying(&Default::default(), lie),
            store: None,
            subscription: None,
            consumer: None,
            list: Vec::new(),
            in_doubt: Vec::new(),
            consumed: BTreeSet::new(),
            cuts: 0,
        };
        world.open(Position::START).await.expect("an empty disk");
        world
    }

    async fn open(&mut self, told: Position) -> foundation_types::Result<()> {
        let (events, journal) = stored::with_consumers(&self.disk)?;
        self.subscription = Some(events.subscribe(Start::After(told), followed())?);
        let builder = events.consumer("billing").filter(followed()).in_flight_max(IN_FLIGHT_MAX);
        self.consumer = Some(builder.from(Start::Beginning).open().await?);
        self.store = Some((events, journal));
        Ok(())
    }

    fn events(&self) -> &EventStore {
        &self.store.as_ref().expect("is open").0
    }

    pub(super) async fn act(&mut self, act: &Act, dice: &mut Dice) -> Told {
        match act {
            Act::Append { drafts, stream, on, level } => {
                self.append(drafts, stream, on, *level, dice).await?;
            }
            Act::Query { query, after } => {
                let after = after.map(|newest| self.cursor(newest));
                self.query(EventQuery { after, ..query.clone() }).await?;
            }
            Act::Get { id } => self.get(&format!("i{id}")).await?,
            Act::Evict { events } => {
                let mut settings = Settings::default();
                settings.events.buffer.max_events = *events;
                self.events().apply_settings(&settings);
            }
            Act::Checkpoint => {
                let journal = self.store.as_ref().expect("is open").1.clone();
                // A disk that is going to fail may fail here; the next append tells.
                let _ = journal.checkpoint().await;
            }
            Act::Consume { events } => drop(self.consume(*events).await?),
            Act::Reopen => self.reopen(dice).await?,
            Act::Crash => self.crash(dice).await?,
            Act::CrashSoon { calls } => {
                self.disk.set_failure(Failure::PowerOffAt(self.disk.calls() + calls));
            }
        }
        self.follow().await
    }

    /// The position behind which so many of the newest events lie.
    fn cursor(&self, newest: u64) -> Position {
        let at = (self.list.len() as u64).checked_sub(newest + 1);
        at.and_then(|at| self.list.get(at as usize))
            .map_or(Position::START, |one| one.recorded.position)
    }

    async fn append(
        &mut self,
        drafts: &[Draft],
        stream: &'static str,
        on: &If,
        level: Durability,
        dice: &mut Dice,
    ) -> Told {
        let events: Vec<Event> = drafts.iter().map(event_of).collect();
        let version = self.version(stream);
        let mut append =
            self.events().append_batch(events.clone()).stream(stream).durability(level);
        let mut stands_against = false;
        match on {
            If::Anyhow => {}
            If::AtVersion { behind } => {
                append = append.expecting(ExpectedVersion::Exactly(Version::new(
                    version.saturating_sub(*behind),
                )));
            }
            If::Unless { query, newest } => {
                let query = EventQuery { after: Some(self.cursor(*newest)), ..query.clone() };
                stands_against = self.scan(&query).next().is_some();
                append = append.unless(query);
            }
        }
        let outcome = append.await;
        let expected = self.expected(&events, on, version, stands_against);
        match (outcome, expected) {
            (Ok(receipts), Ok(fresh)) => {
                let repeats = receipts.iter().filter(|receipt| receipt.repeated).count();
                if repeats != events.len() - fresh.len() {
                    return Err(format!(
                        "{repeats} repeats in {receipts:?}, not those of {fresh:?}"
                    ));
                }
                self.note(&events, &receipts, stream, level)
            }
            (Err(error), Err(kind)) if error.kind() == kind => Ok(()),
            (Err(error), expected) if is_of_the_disk(error.kind()) => {
                self.in_doubt = expected.unwrap_or_default();
                self.crash(dice).await
            }
            (outcome, expected) => Err(format!("{outcome:?}, not {expected:?}")),
        }
    }

    /// Which of the events are new, or why the append is refused.
    fn expected(
        &self,
        events: &[Event],
        on: &If,
        version: u64,
        stands_against: bool,
    ) -> Result<Vec<Event>, ErrorKind> {
        let mut fresh: Vec<Event> = Vec::new();
        let in_list = |id: &str| self.list.iter().find(|one| id_of(&one.recorded.event) == id);
        for (at, event) in events.iter().enumerate() {
            let Some(id) = &event.id else {
                fresh.push(event.clone());
                continue;
            };
            let earlier = events[..at].iter().find(|one| one.id.as_ref() == Some(id));
            if earlier.is_some_and(|one| one != event) {
                return Err(ErrorKind::IdReused);
            }
            if earlier.is_none() && in_list(id.as_str()).is_none() {
                fresh.push(event.clone());
            }
        }
        for event in events {
            let known = event.id.as_ref().and_then(|id| in_list(id.as_str()));
            if known.is_some_and(|known| known.recorded.event != *event) {
                return Err(ErrorKind::IdReused);
            }
        }
        match on {
            _ if fresh.is_empty() => Ok(fresh),
            If::AtVersion { behind } if version.saturating_sub(*behind) != version => {
                Err(ErrorKind::VersionConflict)
            }
            If::Unless { .. } if stands_against => Err(ErrorKind::ConditionFailed),
            _ => Ok(fresh),
        }
    }

    fn note(
        &mut self,
        events: &[Event],
        receipts: &[foundation_services::event::Receipt],
        stream: &str,
        level: Durability,
    ) -> Told {
        for (event, receipt) in events.iter().zip(receipts) {
            let known =
                self.list.iter_mut().find(|one| id_of(&one.recorded.event) == receipt.id.as_str());
            if let Some(known) = known {
                if known.recorded.position != receipt.position {
                    return Err(format!("{receipt:?} of {known:?}"));
                }
                // A repeat that is acked on the disk is as safe as that.
                known.is_safe |= level == Durability::Disk;
                continue;
            }
            let version = self.version(stream) + 1;
            if receipt.version != Version::new(version) {
                return Err(format!("{receipt:?} is not version {version}"));
            }
            if self.list.last().is_some_and(|last| last.recorded.position >= receipt.position) {
                return Err(format!("{receipt:?} is not behind all others"));
            }
            let event = Event { id: Some(receipt.id.clone()), ..event.clone() };
            let recorded = Recorded {
                position: receipt.position,
                stream: stream.into(),
                version: receipt.version,
                recorded: receipt.recorded,
                event,
            };
            self.list.push(Listed { recorded, is_safe: level == Durability::Disk });
        }
        // What is synced behind others has synced them too.
        if level == Durability::Disk {
            let last = receipts.iter().map(|receipt| receipt.position).max();
            let before = |one: &&mut Listed| last.is_some_and(|last| one.recorded.position <= last);
            self.list.iter_mut().filter(before).for_each(|one| one.is_safe = true);
        }
        Ok(())
    }

    fn version(&self, stream: &str) -> u64 {
        self.list.iter().filter(|one| one.recorded.stream.as_str() == stream).count() as u64
    }

    fn scan<'a>(&'a self, query: &'a EventQuery) -> impl Iterator<Item = &'a Recorded> {
        let all = self.list.iter().map(|one| &one.recorded);
        all.filter(|recorded| matches(query, &EventKeys::from(*recorded)))
    }

    async fn query(&self, query: EventQuery) -> Told {
        let mut expected: Vec<&Recorded> = self.scan(&query).collect();
        if query.order == Order::Desc {
            expected.reverse();
        }
        expected.truncate(query.limit.map_or(usize::MAX, |limit| limit as usize));
        match self.everything(query.clone()).await? {
            Some(found) => compare(&found, &expected),
            // The power is off.
            None => Ok(()),
        }
    }

    /// All pages, less the changes of Foundation's own tables; `None` if the power is off.
    async fn everything(&self, query: EventQuery) -> Told<Option<Vec<Recorded>>> {
        // They would use up the limit.
        let limit = query.limit;
        let mut pages = self.events().pages(EventQuery { limit: None, ..query });
        let mut all = Vec::new();
        loop {
            match pages.next().await {
                Ok(Some(page)) => all.extend(page.into_iter().filter(|one| !own(&one.stream))),
                Ok(None) => break,
                Err(error) if is_of_the_disk(error.kind()) => return Ok(None),
                Err(error) => return Err(format!("{error:?}")),
            }
        }
        all.truncate(limit.map_or(usize::MAX, |limit| limit as usize));
        Ok(Some(all))
    }

    async fn get(&self, id: &str) -> Told {
        let known = self.list.iter().find(|one| id_of(&one.recorded.event) == id);
        match (self.events().get(id).await, known) {
            (Ok(found), Some(known)) => compare(&[found], &[&known.recorded]),
            (Err(error), None) if error.kind() == ErrorKind::NotFound => Ok(()),
            (Err(error), _) if is_of_the_disk(error.kind()) => Ok(()),
            (found, known) => Err(format!("{found:?}, not {known:?}")),
        }
    }

    /// The follower is told of what is new, once and in order; the ledger adds up.
    async fn follow(&mut self) -> Told {
        let subscription = self.subscription.as_mut().expect("is open");
        let mut told = Vec::new();
        let before = subscription.position();
        loop {
            match tokio::time::timeout(Duration::from_micros(1), subscription.next()).await {
                Ok(Ok(event)) => told.push(event),
                // The power is off: it is told after the next start.
                Ok(Err(error)) if is_of_the_disk(error.kind()) => return Ok(()),
                Ok(Err(error)) => return Err(format!("{error:?}")),
                Err(_) => break,
            }
        }
        let query = followed().after(before);
        let expected: Vec<&Recorded> = self.scan(&query).collect();
        compare(&told, &expected)?;
        let stats = self.events().stats();
        let settled = stats.stored + stats.repeated + stats.rejected + stats.dropped;
        if (stats.offered, stats.in_flight) != (settled, 0) {
            return Err(format!("the ledger is {stats:?}"));
        }
        Ok(())
    }

    /// Takes up to so many events of those that are there; gives how many.
    async fn consume(&mut self, events: u64) -> Told<u64> {
        let Some(consumer) = &self.consumer else { return Ok(0) };
        let mut taken = 0;
        while taken < events {
            let next = tokio::time::timeout(Duration::from_micros(1), consumer.next()).await;
            let Ok(Ok(delivery)) = next else { break };
            let event = &delivery.event().event;
            if !KINDS.contains(&event.kind.as_str()) {
                return Err(format!("the consumer was given {event:?}"));
            }
            let id = id_of(event).to_owned();
            if delivery.ack().is_ok() {
                self.consumed.insert(id);
            }
            taken += 1;
        }
        Ok(taken)
    }

    /// The consumer takes all that is left: each event was acked in some life.
    pub(super) async fn drain(&mut self) -> Told {
        // As many as may be open at once, until their place is kept.
        while self.consume(IN_FLIGHT_MAX as u64).await? > 0 {
            if let Some(consumer) = &self.consumer {
                consumer.flush().await.map_err(|error| format!("{error:?}"))?;
            }
        }
        let missed = |one: &&Listed| !self.consumed.contains(id_of(&one.recorded.event));
        match self.list.iter().find(missed) {
            Some(missed) => Err(format!("the consumer was never given {missed:?}")),
            None => Ok(()),
        }
    }

    async fn reopen(&mut self, dice: &mut Dice) -> Told {
        let told = self.subscription.take().map_or(Position::START, |one| one.position());
        if let Some(consumer) = self.consumer.take() {
            consumer.stop().await;
        }
        let (_, journal) = self.store.take().expect("is open");
        if journal.close().await.is_err() {
            return self.restart(dice).await;
        }
        drop(journal);
        match self.open(told).await {
            Ok(()) => self.look_over().await,
            // The power went meanwhile.
            Err(error) if is_of_the_disk(error.kind()) => self.restart(dice).await,
            Err(error) => Err(format!("it does not open: {error:?}")),
        }
    }

    async fn crash(&mut self, dice: &mut Dice) -> Told {
        self.disk.set_failure(Failure::PowerOffAt(self.disk.calls()));
        drop((self.subscription.take(), self.consumer.take(), self.store.take()));
        self.restart(dice).await
    }

    /// Starts on what a power cut has left.
    async fn restart(&mut self, dice: &mut Dice) -> Told {
        self.cuts += 1;
        drop((self.subscription.take(), self.consumer.take(), self.store.take()));
        self.disk = self.disk.after_crash(dice);
        self.open(Position::START).await.map_err(|error| format!("it does not open: {error:?}"))?;
        let found = self.everything(EventQuery::all()).await?.ok_or("it cannot be read")?;
        self.list.sort_by_key(|one| one.recorded.position);
        let kept = found.len().min(self.list.len());
        let known: Vec<&Recorded> = self.list.iter().take(kept).map(|one| &one.recorded).collect();
        compare(&found[..kept], &known)?;
        if let Some(lost) = self.list.iter().skip(kept).find(|one| one.is_safe) {
            return Err(format!("acked on the disk and lost: {lost:?}"));
        }
        let beyond = &found[kept..];
        let doubted: Vec<&Event> = beyond.iter().map(|one| &one.event).collect();
        if !beyond.is_empty() && !is_whole(&doubted, &self.in_doubt) {
            return Err(format!("{beyond:?} came up, {:?} was on its way", self.in_doubt));
        }
        self.in_doubt.clear();
        self.list = found.into_iter().map(|recorded| Listed { recorded, is_safe: true }).collect();
        Ok(())
    }

    /// All that is there after a clean start is what was there.
    async fn look_over(&self) -> Told {
        self.query(EventQuery::all()).await
    }
}

/// What the subscription and the consumer are about.
fn followed() -> EventQuery {
    KINDS.into_iter().fold(EventQuery::all(), |query, kind| query.kind(kind))
}

fn event_of(draft: &Draft) -> Event {
    let mut event = Event::new(draft.kind).at(time(draft.time));
    event.id = draft.id.map(|id| format!("i{id}").into());
    event.correlation_id = draft.correlation.map(|id| format!("r{id}").into());
    event.parent_id = draft.parent.map(|id| format!("i{id}").into());
    event.tags = draft.tags.iter().map(|tag| (*tag).into()).collect();
    event.data(&serde_json::json!({"n": draft.number})).expect("plain data")
}

fn id_of(event: &Event) -> &str {
    event.id.as_ref().map_or("", |id| id.as_str())
}

/// Whether these are the batch, with ids drawn where it gave none.
fn is_whole(found: &[&Event], batch: &[Event]) -> bool {
    let same = |(found, sent): (&&Event, &Event)| {
        **found == Event { id: sent.id.clone().or(found.id.clone()), ..sent.clone() }
    };
    found.len() == batch.len() && found.iter().zip(batch).all(same)
}

/// A failure that comes of the power being off.
fn is_of_the_disk(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::Disk | ErrorKind::Fenced | ErrorKind::Indeterminate | ErrorKind::Unavailable
    )
}

fn compare(found: &[Recorded], expected: &[&Recorded]) -> Told {
    let is_same = |(found, expected): (&Recorded, &&Recorded)| {
        // The receipts of a batch say when its last event was recorded.
        *found == Recorded { recorded: found.recorded, ..(*expected).clone() }
    };
    if found.len() == expected.len() && found.iter().zip(expected).all(is_same) {
        return Ok(());
    }
    let places =
        |of: &[&Recorded]| -> Vec<u64> { of.iter().map(|one| one.position.to_engine()).collect() };
    let found: Vec<&Recorded> = found.iter().collect();
    Err(format!("positions {:?}, not {:?}", places(&found), places(expected)))
}
