//! Appending events each by itself: handed to the journal one after the other, awaited together.
//!
//! New events that follow one another are given to the journal in runs, which is not seen from
//! outside. Before anything is waited for (an id that is claimed, room), all that is in hand is
//! seen through first: nobody waits for an append that waits for them.

use foundation_store::event::Load;
use foundation_types::{Durability, Error, ErrorKind, Event, EventId, Result};
use foundation_validate::event as rules;

use super::Core;
use super::append::Target;
use super::flight::Open;
use super::receipt::Receipt;
use super::writing::load_of;

/// Events in one run.
const RUN_EVENTS_MAX: usize = 256;
/// Bytes in one run.
const RUN_BYTES_MAX: u64 = 1024 * 1024;

type Outcome = Result<Receipt>;

/// An append of many, on its way.
struct Each<'a> {
    core: &'a Core,
    to: Target,
    run: Run<'a>,
    /// Runs that have their place, oldest first.
    placed: Vec<Placed<'a>>,
    /// By place in the input; `None` while open.
    outcomes: Vec<Option<Outcome>>,
}

/// New events that are let in and wait to be given to the journal together.
struct Run<'a> {
    open: Open<'a>,
    /// Where they go.
    to: Target,
    events: Vec<Event>,
    ids: Vec<EventId>,
    /// Their places in the input.
    places: Vec<usize>,
}

/// A run that has its place.
struct Placed<'a> {
    open: Open<'a>,
    level: Durability,
    receipts: Vec<(usize, Receipt)>,
}

impl Core {
    /// Appends events each by itself.
    pub(super) async fn append_each(&self, events: Vec<Event>, to: Target) -> Vec<Outcome> {
        let stream = rules::stream_name(&to.stream, to.origin);
        let mut each = Each {
            core: self,
            run: Run::new(self, &to),
            to,
            placed: Vec::new(),
            outcomes: events.iter().map(|_| None).collect(),
        };
        for (place, event) in events.into_iter().enumerate() {
            let mut one = Open::since(self, each.run.open.flight.started);
            one.offer(&each.to.stream, 1);
            let known = match &stream {
                Ok(()) => each.take(place, event, &mut one).await,
                Err(error) => Err(error.clone()),
            };
            if let Some(outcome) = known.transpose() {
                one.close(&outcome);
                each.put(place, outcome);
            }
        }
        each.see_through().await;
        let lost = || Error::new(ErrorKind::Internal, "an event was appended without an outcome");
        each.outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(|| Err(lost()))).collect()
    }
}

impl<'a> Each<'a> {
    /// Takes the next event into the run, unless its outcome is known at once.
    async fn take(
        &mut self,
        place: usize,
        event: Event,
        one: &mut Open<'a>,
    ) -> Result<Option<Receipt>> {
        let mut event = self.core.validated(event, &self.to, one.flight.started)?;
        if self.core.is_personal(&event) {
            let sealed = self.core.sealed(event).await?;
            event = rules::event(sealed, self.to.origin)?.into_inner();
        }
        if let Some(id) = event.id.clone() {
            self.claim(&id, one).await;
            if let Some(receipt) = self.core.repeat(&id, &event, self.core.level(&self.to)).await? {
                one.repeated(1);
                return Ok(Some(receipt));
            }
        }
        let mut to = self.to.clone();
        let mut event = self.core.prepared_for(one, event, &mut to)?;
        if self.core.is_personal(&event) {
            // A stage has added something personal.
            let sealed = self.core.sealed(event).await?;
            event = rules::event(sealed, to.origin)?.into_inner();
        }
        if !self.run.goes_to(&to) {
            self.place_run().await;
        }
        let load = load_of(std::slice::from_ref(&event), &to.stream);
        self.let_in(one, load, &to).await?;
        one.flight.load = load;
        let id = self.core.identified(&mut event, self.core.clock.wall());
        self.run.to = to;
        self.run.push(place, id, event, one);
        if self.run.is_full() {
            self.place_run().await;
        }
        Ok(None)
    }

    async fn claim(&mut self, id: &EventId, one: &mut Open<'a>) {
        let ids = std::slice::from_ref(id);
        while let Err(other) = self.core.claims.claim(ids, &mut one.flight.claimed) {
            // It may be our own: an id that comes twice in the input.
            self.see_through().await;
            other.ended().await;
            self.core.sweep();
        }
    }

    async fn let_in(&mut self, one: &Open<'_>, load: Load, to: &Target) -> Result<()> {
        if self.core.try_let_in(one.flight.row, load, &to.stream) {
            return Ok(());
        }
        self.see_through().await;
        self.core.let_in(one.flight.row, load, &to.stream).await
    }

    /// Waits for everything in hand.
    async fn see_through(&mut self) {
        self.place_run().await;
        for mut placed in std::mem::take(&mut self.placed) {
            let outcome = placed.open.acked(placed.level).await;
            placed.open.close(&outcome);
            for (place, receipt) in placed.receipts {
                self.put(place, outcome.clone().map(|()| receipt));
            }
        }
    }

    /// Gives the run to the journal and begins a new one.
    async fn place_run(&mut self) {
        if self.run.events.is_empty() {
            return;
        }
        let Run { mut open, to, events, ids, places } =
            std::mem::replace(&mut self.run, Run::new(self.core, &self.to));
        let level = self.core.level(&to);
        match self.core.place(events, &to).await {
            Ok(commit) => {
                let receipts = Receipt::of_new(ids, to.stream, commit.place(), level);
                let receipts = places.into_iter().zip(receipts).collect();
                open.placed(commit);
                self.placed.push(Placed { open, level, receipts });
            }
            Err(error) => {
                let outcome = Err(error);
                open.close(&outcome);
                places.into_iter().for_each(|place| self.put(place, outcome.clone()));
            }
        }
    }

    fn put(&mut self, place: usize, outcome: Outcome) {
        if let Some(there) = self.outcomes.get_mut(place) {
            *there = Some(outcome);
        }
    }
}

impl<'a> Run<'a> {
    fn new(core: &'a Core, to: &Target) -> Self {
        let started = core.clock.monotonic();
        let (events, ids, places) = (Vec::new(), Vec::new(), Vec::new());
        Self { open: Open::since(core, started), to: to.clone(), events, ids, places }
    }

    /// Whether an event that goes there can be of this run.
    fn goes_to(&self, to: &Target) -> bool {
        self.events.is_empty()
            || (self.to.stream == to.stream && self.to.durability == to.durability)
    }

    fn push(&mut self, place: usize, id: EventId, event: Event, one: &mut Open<'a>) {
        self.open.absorb(one);
        self.events.push(event);
        self.ids.push(id);
        self.places.push(place);
    }

    fn is_full(&self) -> bool {
        self.events.len() >= RUN_EVENTS_MAX || self.open.flight.load.bytes >= RUN_BYTES_MAX
    }
}
