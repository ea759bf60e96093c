//! Appending events together: all of them or none.

use std::collections::HashMap;

use foundation_types::{Durability, Error, ErrorKind, Event, EventId, Result};
use foundation_validate::event as rules;

use super::Core;
use super::append::Target;
use super::flight::Open;
use super::receipt::Receipt;
use super::repeats::{reused_within, say_the_same};
use super::writing::load_of;

/// Events that are appended together.
pub(super) struct Group {
    pub(super) events: Vec<Event>,
    pub(super) to: Target,
}

/// What becomes of one event of a group.
enum Part {
    /// It is written: the receipt is the nth of those that are.
    New(usize),
    /// It comes twice: it is the same as the nth that is written.
    Again(usize),
    /// It is stored already.
    Repeat(Receipt),
}

impl Core {
    /// Appends events together.
    pub(super) async fn append_group(&self, group: Group) -> Result<Vec<Receipt>> {
        let mut open = Open::new(self);
        let Group { events, mut to } = group;
        open.offer(&to.stream, events.len() as u64);
        let outcome = self.all_or_none(&mut open, events, &mut to).await;
        open.close(&outcome);
        match outcome {
            Err(error) => Err(self.with_missed(error, &to).await),
            receipts => receipts,
        }
    }

    /// Appends an event that depends on others.
    pub(super) async fn append_alone(&self, event: Event, to: Target) -> Result<Receipt> {
        let receipts = self.append_group(Group { events: vec![event], to }).await?;
        receipts.into_iter().next().ok_or_else(no_receipt)
    }

    async fn all_or_none(
        &self,
        open: &mut Open<'_>,
        events: Vec<Event>,
        to: &mut Target,
    ) -> Result<Vec<Receipt>> {
        rules::stream_name(&to.stream, to.origin)?;
        let mut events = self.validated_batch(events, to, open.flight.started)?;
        if events.iter().any(|event| self.is_personal(event)) {
            events = self.sealed_batch(events, to).await?;
        }
        if events.iter().all(|event| event.id.is_none()) {
            // What gives no id repeats nothing.
            return self.write(open, events, to).await;
        }
        let firsts = firsts(&events)?;
        let ids: Vec<EventId> = firsts.keys().cloned().collect();
        self.claim(open, &ids).await;
        let (parts, fresh) = self.sorted_out(events, &firsts, self.level(to)).await?;
        // Settled with the rest, when that is durable: all or none.
        open.repeated(parts.iter().filter(|part| !matches!(part, Part::New(_))).count() as u64);
        let receipts = match fresh.is_empty() {
            true => Vec::new(),
            false => self.write(open, fresh, to).await?,
        };
        let receipt = |part| match part {
            Part::New(nth) => receipts.get(nth).cloned(),
            Part::Again(nth) => receipts.get(nth).map(Receipt::again),
            Part::Repeat(receipt) => Some(receipt),
        };
        parts.into_iter().map(|part| receipt(part).ok_or_else(no_receipt)).collect()
    }

    /// Claims the ids, after whoever has them.
    pub(super) async fn claim(&self, open: &mut Open<'_>, ids: &[EventId]) {
        while let Err(other) = self.claims.claim(ids, &mut open.flight.claimed) {
            // Boxed, as it is seldom: what every append is made of stays small.
            Box::pin(other.ended()).await;
            self.sweep();
        }
    }

    /// What is to be written of the events, and what becomes of each.
    async fn sorted_out(
        &self,
        events: Vec<Event>,
        firsts: &HashMap<EventId, usize>,
        level: Durability,
    ) -> Result<(Vec<Part>, Vec<Event>)> {
        let mut parts: Vec<Part> = Vec::with_capacity(events.len());
        let mut fresh = Vec::with_capacity(events.len());
        for (at, event) in events.into_iter().enumerate() {
            let first = event.id.as_ref().and_then(|id| firsts.get(id)).copied();
            let part = match (&event.id, first) {
                (Some(_), Some(first)) if first < at => match parts.get(first) {
                    Some(Part::New(nth)) => Part::Again(*nth),
                    Some(Part::Repeat(receipt)) => Part::Repeat(receipt.clone()),
                    _ => return Err(no_receipt()),
                },
                (Some(id), _) => match self.repeat(id, &event, level).await? {
                    Some(receipt) => Part::Repeat(receipt),
                    None => Part::New(fresh.len()),
                },
                (None, _) => Part::New(fresh.len()),
            };
            if matches!(part, Part::New(_)) {
                fresh.push(event);
            }
            parts.push(part);
        }
        Ok((parts, fresh))
    }

    async fn write(
        &self,
        open: &mut Open<'_>,
        events: Vec<Event>,
        to: &mut Target,
    ) -> Result<Vec<Receipt>> {
        let mut events = self.prepared_together(open, events, to)?;
        if events.iter().any(|event| self.is_personal(event)) {
            // A stage has added something personal.
            events = self.sealed_batch(events, to).await?;
        }
        let now = self.clock.wall();
        let ids = events.iter_mut().map(|event| self.identified(event, now)).collect();
        let load = load_of(&events, &to.stream);
        self.let_in(open.flight.row, load, &to.stream).await?;
        open.flight.load = load;
        let commit = self.place(events, to).await?;
        let level = self.level(to);
        let receipts = Receipt::of_new(ids, to.stream.clone(), commit.place(), level).collect();
        open.placed(commit);
        open.acked(level).await?;
        Ok(receipts)
    }
}

/// Where each id that the events give comes first; those after it have to say the same.
fn firsts(events: &[Event]) -> Result<HashMap<EventId, usize>> {
    let mut firsts = HashMap::new();
    for (at, event) in events.iter().enumerate() {
        let Some(id) = &event.id else { continue };
        let first = *firsts.entry(id.clone()).or_insert(at);
        let is_same = first == at || events.get(first).is_some_and(|one| say_the_same(one, event));
        if !is_same {
            return Err(reused_within(id));
        }
    }
    Ok(firsts)
}

fn no_receipt() -> Error {
    Error::new(ErrorKind::Internal, "an event was appended without a receipt")
}
