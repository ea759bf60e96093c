//! Appending events each by itself: handed to the journal one after the other, awaited together.
//!
//! New events that follow one another are given to the journal in runs, which is not seen from
//! outside. Before anything is waited for (an id that is claimed, room), all that is in hand is
//! seen through first: nobody waits for an append that waits for them.

use foundation_store::event::Load;
use foundation_types::{Error, ErrorKind, Event, EventId, Result};
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
    events: Vec<Event>,
    ids: Vec<EventId>,
    /// Their places in the input.
    places: Vec<usize>,
}

/// A run that has its place.
struct Placed<'a> {
    open: Open<'a>,
    receipts: Vec<(usize, Receipt)>,
}

impl Core {
    /// Appends events each by itself.
    pub(super) async fn append_each(&self, events: Vec<Event>, to: Target) -> Vec<Outcome> {
        let stream = rules::stream_name(&to.stream, to.origin);
        let mut each = Each {
            core: self,
            to,
            run: Run::new(self),
            placed: Vec::new(),
            outcomes: events.iter().map(|_| None).collect(),
        };
        for (place, event) in events.into_iter().enumerate() {
            let mut one = Open::since(self, each.run.open.flight.started);
            one.offer(1);
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
        let mut event = rules::event(event, self.to.origin)?.into_inner();
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
        let load = load_of(std::slice::from_ref(&event), &self.to.stream);
        self.let_in(load).await?;
        one.flight.load = load;
        let id = self.core.identified(&mut event, self.core.clock.wall());
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

    async fn let_in(&mut self, load: Load) -> Result<()> {
        if self.core.try_let_in(load) {
            return Ok(());
        }
        self.see_through().await;
        self.core.let_in(load).await
    }

    /// Waits for everything in hand.
    async fn see_through(&mut self) {
        self.place_run().await;
        for mut placed in std::mem::take(&mut self.placed) {
            let outcome = placed.open.acked(self.core.level(&self.to)).await;
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
        let Run { mut open, events, ids, places } =
            std::mem::replace(&mut self.run, Run::new(self.core));
        match self.core.place(events, &self.to).await {
            Ok(commit) => {
                let receipts = places.into_iter().zip(Receipt::of_new(
                    ids,
                    commit.place(),
                    self.core.level(&self.to),
                ));
                let receipts = receipts.collect();
                open.placed(commit);
                self.placed.push(Placed { open, receipts });
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
    fn new(core: &'a Core) -> Self {
        let started = core.clock.monotonic();
        let (events, ids, places) = (Vec::new(), Vec::new(), Vec::new());
        Self { open: Open::since(core, started), events, ids, places }
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
