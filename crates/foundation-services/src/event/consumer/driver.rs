//! What goes on for a consumer beside its members: reading the log, keeping its place, deadlines.

use std::sync::Arc;
use std::time::Duration;

use foundation_logic::event::Poisoned;
use foundation_types::event::{ConsumerPlace, ParkedEvent};
use foundation_types::limits::PARKED_EVENT_BYTES_MAX;
use foundation_types::{Error, ErrorKind, Position, Recorded, Result};
use foundation_validate::table::is_own_table;

use super::live::{Inner, Live};
use super::{Gap, Holds};
use crate::event::{Looked, Subscription};

/// How long to wait before what failed is tried again.
const RETRY: Duration = Duration::from_secs(1);
/// The longest wait for a deadline.
const LONGEST: Duration = Duration::from_secs(60 * 60);

/// What is to be made durable next.
enum Work {
    Park(Poisoned<Recorded>),
    Save(ConsumerPlace, u64),
    Retried(Position),
}

/// Works for a consumer until it is stopped, and then keeps what it knows once more.
pub(super) async fn drive(live: Arc<Live>, subscription: Subscription) {
    let work = async {
        tokio::join!(read(&live, subscription), keep(&live), watch_deadlines(&live), feed(&live))
    };
    tokio::select! {
        () = live.stopped() => {}
        _ = work => {}
    }
    let mut is_done = false;
    while !is_done {
        let work = next_work(&mut live.inner());
        is_done = match work {
            Some(work) => make_durable(&live, work).await.is_err(),
            None => true,
        };
    }
    live.core.consumers.leave(&live);
    live.end();
}

async fn read(live: &Live, mut subscription: Subscription) {
    loop {
        live.when(|inner| inner.deliveries.has_room().then_some(())).await;
        let after = subscription.looked();
        match subscription.look().await {
            Ok(Looked::Event(event, _)) if event.stream.table().is_some_and(is_own_table) => {
                live.change(|inner| inner.deliveries.look_past(event.position));
            }
            Ok(Looked::Event(event, bytes)) => live.change(|inner| {
                let (position, stream) = (event.position, event.stream.clone());
                inner.deliveries.take_in(position, stream, bytes, event);
            }),
            Ok(Looked::Nothing(position)) => live.change(|inner| {
                inner.deliveries.look_past(position);
            }),
            Err(error) if error.kind() == ErrorKind::Compacted => live.change(|inner| {
                let up_to = subscription.position();
                inner.deliveries.look_past(up_to);
                let after = inner.gap.take().map_or(after, |gap| gap.after);
                inner.gap = Some(Gap { error, after, up_to });
            }),
            Err(error) => {
                live.change(|inner| inner.failure = Some(error));
                tokio::time::sleep(RETRY).await;
                live.change(|inner| inner.failure = None);
            }
        }
    }
}

async fn keep(live: &Live) {
    loop {
        let work = live.when(next_work).await;
        match make_durable(live, work).await {
            Ok(()) => {
                if live.inner().failure.is_some() {
                    live.change(|inner| inner.failure = None);
                }
            }
            Err(error) => {
                live.change(|inner| inner.failure = Some(error));
                tokio::time::sleep(RETRY).await;
            }
        }
    }
}

/// What was parked is durable before the place goes past it, and the place is before anything is
/// forgotten of what was parked.
fn next_work(inner: &mut Inner) -> Option<Work> {
    if let Some(poisoned) = inner.deliveries.next_poisoned() {
        return Some(Work::Park(poisoned));
    }
    if let Some((place, change)) = inner.deliveries.to_save() {
        return Some(Work::Save(place, change));
    }
    inner.deliveries.next_retried().map(Work::Retried)
}

async fn make_durable(live: &Live, work: Work) -> Result<()> {
    let tables = live.core.consumers.tables()?;
    match work {
        Work::Park(poisoned) => {
            let position = poisoned.position;
            let outcome = park(live, poisoned).await;
            if outcome.is_err() {
                live.change(|inner| inner.deliveries.not_parked(position));
            }
            outcome
        }
        Work::Save(place, change) => {
            let released = live.holds == Holds::Nothing;
            let kept = ConsumerPlace { released, ..place.clone() };
            tables.consumers.insert(live.name.clone(), kept).await?;
            if !released {
                live.hold_from(place.position);
            }
            live.change(|inner| inner.deliveries.saved(&place, change));
            Ok(())
        }
        Work::Retried(position) => {
            tables.parked.remove(&(live.name.clone(), position)).await?;
            live.change(|inner| inner.deliveries.retried(position));
            Ok(())
        }
    }
}

async fn park(live: &Live, poisoned: Poisoned<Recorded>) -> Result<()> {
    let Poisoned { position, attempts, cause, event } = poisoned;
    let tables = live.core.consumers.tables()?;
    let key = (live.name.clone(), position);
    let count = live.core.consumers.parked_count(&live.name)?;
    if count >= live.parked_max && tables.parked.get(&key).is_none() {
        let message = format!("{count} events are parked, which is the limit; then: {cause}");
        live.change(|inner| {
            inner.is_full = true;
            inner.deliveries.refuse_parking(position, &message);
        });
        return Ok(());
    }
    // What is kept of it says no more than the log does; its type is the one that readers know.
    let read = live.core.reader.opened(Recorded::clone(&event));
    let kind = read.map_or_else(|_| event.event.kind.clone(), |read| read.event.kind);
    let parked = ParkedEvent {
        consumer: live.name.clone(),
        position,
        stream: event.stream.clone(),
        kind,
        id: event.event.id.clone(),
        attempts,
        cause,
        parked: live.core.clock.wall(),
        retrying: false,
        event: is_small(&event).then(|| Recorded::clone(&event)),
    };
    tables.parked.insert(key, parked).await?;
    live.change(|inner| inner.deliveries.parked(position));
    Ok(())
}

fn is_small(event: &Recorded) -> bool {
    event.event.data.as_json().len() < PARKED_EVENT_BYTES_MAX
        && serde_json::to_string(event).is_ok_and(|text| text.len() <= PARKED_EVENT_BYTES_MAX)
}

async fn watch_deadlines(live: &Live) {
    loop {
        let next = live.inner().deliveries.next_tick();
        let due = live.moment(next.unwrap_or(live.now() + LONGEST));
        tokio::select! {
            () = live.timed.notified() => {}
            () = tokio::time::sleep_until(due) => {
                let now = live.now();
                live.change(|inner| inner.deliveries.tick(now));
            }
        }
    }
}

/// Brings back what was parked, piece by piece.
async fn feed(live: &Live) {
    loop {
        let next = |inner: &mut Inner| {
            if inner.deliveries.has_room() { inner.extras.pop_front() } else { None }
        };
        let position = live.when(next).await;
        match parked_event(live, position).await {
            Ok(Some(event)) => live.change(|inner| {
                let (stream, bytes) = (event.stream.clone(), event.event.data.as_json().len());
                inner.deliveries.take_extra(position, stream, bytes, event);
            }),
            Ok(None) => {}
            Err(error) => {
                live.change(|inner| inner.failure = Some(error));
                tokio::time::sleep(RETRY).await;
                live.change(|inner| inner.extras.push_front(position));
            }
        }
    }
}

/// The event as it is stored, unless it is no longer parked or its record is gone, which is noted
/// beside it.
async fn parked_event(live: &Live, position: Position) -> Result<Option<Recorded>> {
    let parked = &live.core.consumers.tables()?.parked;
    let key = (live.name.clone(), position);
    let Some(entry) = parked.get(&key) else { return Ok(None) };
    if let Some(event) = &entry.event {
        return Ok(Some(event.clone()));
    }
    let gone: Error = match live.core.journal.record(position).await {
        Ok(record) => return live.core.reader.stored(&record).map(Some),
        Err(error) if error.kind() == ErrorKind::Compacted => error,
        Err(error) => return Err(error),
    };
    let entry = ParkedEvent {
        retrying: false,
        cause: foundation_types::event::cause_text(gone.message()),
        ..ParkedEvent::clone(&entry)
    };
    parked.insert(key, entry).await?;
    Ok(None)
}
