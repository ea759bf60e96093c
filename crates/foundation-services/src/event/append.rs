//! The calls that append, as values: what is appended, where to, under which expectation.

use std::future::IntoFuture;
use std::pin::Pin;

use foundation_types::{Durability, Event, EventQuery, ExpectedVersion, Result, StreamName};
use foundation_validate::Origin;

use super::Core;
use super::group::Group;
use super::receipt::Receipt;
use super::single::AppendFuture;

type Appending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// One event to append; nothing happens before it is awaited.
#[must_use = "nothing is appended before it is awaited"]
pub struct Append<'a> {
    core: &'a Core,
    event: Event,
    to: Target,
}

/// Events to append together; nothing happens before it is awaited.
#[must_use = "nothing is appended before it is awaited"]
pub struct AppendBatch<'a> {
    core: &'a Core,
    events: Vec<Event>,
    to: Target,
}

/// Events to append each by itself; nothing happens before it is awaited.
#[must_use = "nothing is appended before it is awaited"]
pub struct AppendEach<'a> {
    core: &'a Core,
    events: Vec<Event>,
    to: Target,
}

/// Where events go, on whose behalf, and what is expected there.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) stream: StreamName,
    /// Whether the call says the stream: no route counts then.
    pub(super) is_named: bool,
    pub(super) expected: ExpectedVersion,
    /// What no event may answer.
    pub(super) unless: Vec<EventQuery>,
    pub(super) origin: Origin,
    /// When it is acked, if the call says so.
    pub(super) durability: Option<Durability>,
}

impl Target {
    fn of(core: &Core, origin: Origin) -> Self {
        let stream = match origin {
            Origin::Application => &core.streams.events,
            Origin::Foundation => &core.streams.foundation,
        };
        let (stream, expected) = (stream.clone(), ExpectedVersion::Any);
        Self { stream, is_named: false, expected, unless: Vec::new(), origin, durability: None }
    }
}

impl<'a> Append<'a> {
    pub(super) fn new(core: &'a Core, event: Event, origin: Origin) -> Self {
        Self { core, event, to: Target::of(core, origin) }
    }

    /// To this stream instead of `events`.
    pub fn stream(mut self, stream: impl Into<StreamName>) -> Self {
        self.to.stream = stream.into();
        self.to.is_named = true;
        self
    }

    /// Only if the stream is at this version.
    pub fn expecting(mut self, expected: ExpectedVersion) -> Self {
        self.to.expected = expected;
        self
    }

    /// Only if no event answers this query, past its cursor if it has one. Called several times, none
    /// may answer any of them.
    ///
    /// Nothing comes between the look and the append, also no event of another stream or of a
    /// change of configuration. An event with the id of a stored one is a repeat, whatever the
    /// condition says by now.
    pub fn unless(mut self, query: EventQuery) -> Self {
        self.to.unless.push(query);
        self
    }

    /// Acked at this level, whatever the stream's own is.
    pub fn durability(mut self, level: Durability) -> Self {
        self.to.durability = Some(level);
        self
    }
}

impl<'a> AppendBatch<'a> {
    pub(super) fn new(core: &'a Core, events: Vec<Event>) -> Self {
        Self { core, events, to: Target::of(core, Origin::Application) }
    }

    /// To this stream instead of `events`.
    pub fn stream(mut self, stream: impl Into<StreamName>) -> Self {
        self.to.stream = stream.into();
        self.to.is_named = true;
        self
    }

    /// Only if the stream is at this version.
    pub fn expecting(mut self, expected: ExpectedVersion) -> Self {
        self.to.expected = expected;
        self
    }

    /// Only if no event answers this query, past its cursor if it has one. Called several times, none
    /// may answer any of them.
    ///
    /// Nothing comes between the look and the append, also no event of another stream or of a
    /// change of configuration. An event with the id of a stored one is a repeat, whatever the
    /// condition says by now.
    pub fn unless(mut self, query: EventQuery) -> Self {
        self.to.unless.push(query);
        self
    }

    /// Acked at this level, whatever the stream's own is.
    pub fn durability(mut self, level: Durability) -> Self {
        self.to.durability = Some(level);
        self
    }
}

impl<'a> AppendEach<'a> {
    pub(super) fn new(core: &'a Core, events: Vec<Event>) -> Self {
        Self { core, events, to: Target::of(core, Origin::Application) }
    }

    /// To this stream instead of `events`.
    pub fn stream(mut self, stream: impl Into<StreamName>) -> Self {
        self.to.stream = stream.into();
        self.to.is_named = true;
        self
    }

    /// Acked at this level, whatever the stream's own is.
    pub fn durability(mut self, level: Durability) -> Self {
        self.to.durability = Some(level);
        self
    }
}

impl<'a> IntoFuture for Append<'a> {
    type Output = Result<Receipt>;
    type IntoFuture = AppendFuture<'a>;

    fn into_future(self) -> Self::IntoFuture {
        AppendFuture::new(self.core, self.event, self.to)
    }
}

impl<'a> IntoFuture for AppendBatch<'a> {
    type Output = Result<Vec<Receipt>>;
    type IntoFuture = Appending<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.core.append_group(Group { events: self.events, to: self.to }))
    }
}

impl<'a> IntoFuture for AppendEach<'a> {
    type Output = Vec<Result<Receipt>>;
    type IntoFuture = Appending<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.core.append_each(self.events, self.to))
    }
}
