//! The way of an event through the stages: validate → rules → enrich → (protect) → route.
//!
//! Invariants: what is checked for a repeat is the event as it was sent, so that a repeat passes no
//! further stage than validate; a part that panics refuses its event and harms nothing else; an event
//! that is not what was sent says so in its record.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use foundation_logic::event::IntakeRules;
use foundation_store::event::sent_digest;
use foundation_types::event::{Alteration, Altered, Did};
use foundation_types::{Error, ErrorKind, Event, Result, Settings, Version};
use foundation_validate::{Origin, event as rules};

use super::Core;
use super::append::Target;
use super::flight::Open;
use super::pipeline::{IntakeContext, Part, Pipeline};
use super::stage_meters::{StageMeter, StageMeters};
use crate::telemetry::TelemetryService;

/// The stages of a store.
pub(super) struct Stages {
    pipeline: Pipeline,
    meters: StageMeters,
    /// The rules of a version of the settings, ready to be applied.
    ready: Mutex<(Version, Arc<IntakeRules>)>,
}

fn two_streams(one: &Target, two: &Target) -> Error {
    let message = format!(
        "the events of a batch go to the streams {:?} and {:?}: append them apart, or name the stream",
        one.stream.as_str(),
        two.stream.as_str()
    );
    Error::new(ErrorKind::InvalidArgument, message)
}

impl Stages {
    pub(super) fn new(pipeline: Pipeline, telemetry: &TelemetryService) -> Self {
        let meters = StageMeters::new(&pipeline, telemetry);
        Self { pipeline, meters, ready: Mutex::default() }
    }

    /// The rules of the settings as of now, if there are any.
    fn rules(&self, version: Version, settings: &Settings) -> Option<Arc<IntakeRules>> {
        if settings.events.rules.is_empty() {
            return None;
        }
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        if ready.0 != version {
            *ready = (version, Arc::new(IntakeRules::of(&settings.events.rules)));
        }
        Some(Arc::clone(&ready.1))
    }
}

impl Core {
    /// The stage `validate`: whether the event may enter, by Foundation's rules and the application's.
    pub(super) fn validated(&self, event: Event, to: &Target, started: Duration) -> Result<Event> {
        let stages = &self.stages;
        let event = stages.meters.validate.sampled(&*self.clock, started, || {
            rules::event(event, to.origin).map(foundation_validate::Validated::into_inner)
        })?;
        self.obeys(&event, to)?;
        Ok(event)
    }

    /// Whether the event keeps the rules of the application.
    pub(super) fn obeys(&self, event: &Event, to: &Target) -> Result<()> {
        if self.stages.pipeline.rules.is_empty() || to.origin != Origin::Application {
            return Ok(());
        }
        let context = IntakeContext { stream: &to.stream, received: self.clock.wall() };
        for (part, meter) in self.stages.pipeline.rules.iter().zip(&self.stages.meters.rules) {
            if part.types.admits(event.kind.as_str()) {
                self.guarded("rule", part, meter, || (part.run)(event, &context))?;
            }
        }
        Ok(())
    }

    /// The stages behind `validate`, for an event that is new: what is to be recorded, and where.
    ///
    /// # Errors
    /// `EventDropped` if a rule drops it, `Invalid` for a tag by `events.ttl_tag` that says no time, what a
    /// part says, `StageFailed` if a part panics or changes the id.
    fn prepared(&self, event: Event, to: &mut Target) -> Result<Event> {
        let current = self.settings.current();
        let ready = self.stages.rules(current.version(), &current);
        drop(current);
        let event = self.altered(event, to, ready.as_deref())?;
        // A rule may have made the tag.
        rules::time_to_live(&event, &self.settings.current().events)?;
        self.routed(&event, to)?;
        Ok(event)
    }

    /// As [`Core::prepared`], counted where it goes.
    pub(super) fn prepared_for(
        &self,
        open: &mut Open<'_>,
        event: Event,
        to: &mut Target,
    ) -> Result<Event> {
        if to.origin != Origin::Application || !self.has_stages() {
            return Ok(event);
        }
        let before = to.stream.clone();
        let event = self.prepared(event, to)?;
        if to.stream != before {
            open.rerouted(&to.stream);
        }
        Ok(event)
    }

    /// The stage `validate` for a batch.
    pub(super) fn validated_batch(
        &self,
        events: Vec<Event>,
        to: &Target,
        started: Duration,
    ) -> Result<Vec<Event>> {
        let events = self.stages.meters.validate.sampled(&*self.clock, started, || {
            rules::batch(events, to.origin).map(foundation_validate::Validated::into_inner)
        })?;
        for (at, event) in events.iter().enumerate() {
            self.obeys(event, to).map_err(|error| error.with("event", format_args!("[{at}]")))?;
        }
        Ok(events)
    }

    /// The stages behind `validate` for events that go together: to one stream, or not at all.
    pub(super) fn prepared_together(
        &self,
        open: &mut Open<'_>,
        events: Vec<Event>,
        to: &mut Target,
    ) -> Result<Vec<Event>> {
        if to.origin != Origin::Application || !self.has_stages() {
            return Ok(events);
        }
        let (mut prepared, mut chosen) = (Vec::with_capacity(events.len()), None::<Target>);
        for (at, event) in events.into_iter().enumerate() {
            let mut one = to.clone();
            let told = |error: Error| error.with("event", format_args!("[{at}]"));
            prepared.push(self.prepared(event, &mut one).map_err(told)?);
            match &mut chosen {
                None => chosen = Some(one),
                Some(chosen) if chosen.stream == one.stream => {
                    chosen.durability = chosen.durability.max(one.durability);
                }
                Some(chosen) => return Err(told(two_streams(chosen, &one))),
            }
        }
        if let Some(chosen) = chosen {
            open.rerouted(&chosen.stream);
            *to = chosen;
        }
        rules::batch(prepared, to.origin).map(foundation_validate::Validated::into_inner)
    }

    /// Whether anything can happen to an event behind `validate`.
    fn has_stages(&self) -> bool {
        let settings = self.settings.current();
        let events = &settings.events;
        let is_configured = !events.rules.is_empty() || !events.ttl_tag.is_empty();
        !self.stages.pipeline.is_empty() || is_configured
    }

    fn altered(&self, mut event: Event, to: &Target, ready: Option<&IntakeRules>) -> Result<Event> {
        let kind = event.kind.as_str();
        let ready = ready.filter(|ready| ready.concern(kind));
        let is_enriched = self.stages.pipeline.enrich.iter().any(|part| part.types.admits(kind));
        if ready.is_none() && !is_enriched {
            return Ok(event);
        }
        let mut told = Vec::new();
        if let Some(rule) = ready.and_then(|ready| ready.drops(kind)) {
            self.stages.meters.config.refused();
            let message = format!("events of the type {kind:?} are dropped by the rule {rule:?}");
            let setting = format!("events.rules.{rule}");
            return Err(Error::new(ErrorKind::EventDropped, message).with("setting", setting));
        }
        if let Some(ready) = ready {
            ready.redact(&mut event, &mut told);
        }
        let sent = event.clone();
        if let Some(ready) = ready {
            self.stages.meters.config.measured(&*self.clock, || ready.shape(&mut event, &mut told));
        }
        self.enriched(&mut event, to, &mut told)?;
        if told.is_empty() {
            return Ok(event);
        }
        let earlier = sent.altered.iter().flat_map(|altered| altered.by.iter().cloned());
        let by = earlier.chain(told).collect();
        event.altered = Some(Box::new(Altered { sent: sent_digest(&sent), by }));
        // What stages made may enter no more than what was sent.
        rules::event(event, to.origin).map(foundation_validate::Validated::into_inner)
    }

    fn enriched(&self, event: &mut Event, to: &Target, told: &mut Vec<Alteration>) -> Result<()> {
        let context = IntakeContext { stream: &to.stream, received: self.clock.wall() };
        for (part, meter) in self.stages.pipeline.enrich.iter().zip(&self.stages.meters.enrich) {
            if !part.types.admits(event.kind.as_str()) {
                continue;
            }
            let before = event.clone();
            self.guarded("enrich", part, meter, || (part.run)(event, &context))?;
            if event.id != before.id || event.altered != before.altered {
                let message = format!(
                    "the stage {:?} changed the id of an event or what is told of its alterations",
                    part.name
                );
                return Err(Error::new(ErrorKind::StageFailed, message).with("stage", &part.name));
            }
            if *event != before {
                let by = part.name.to_string();
                told.push(Alteration { by, did: Did::Change, path: None, bytes: None });
            }
        }
        Ok(())
    }

    /// The stage `route`: the stream of an event whose append names none, and when it is acked.
    fn routed(&self, event: &Event, to: &mut Target) -> Result<()> {
        let kind = event.kind.as_str();
        let routes = self.stages.pipeline.routes.iter().zip(&self.stages.meters.routes);
        if !to.is_named
            && let Some((part, meter)) = { routes }.find(|(part, _)| part.types.admits(kind))
        {
            let stream = self.guarded("route", part, meter, || Ok((part.run)(event)))?;
            rules::stream_name(&stream, to.origin)
                .map_err(|error| error.with("stage", &part.name))?;
            to.stream = stream;
        }
        if to.durability.is_none() {
            let mut levels = self.stages.pipeline.levels.iter();
            to.durability = levels.find(|(types, _)| types.admits(kind)).map(|(_, level)| *level);
        }
        Ok(())
    }

    /// Runs a part of the application's: a panic is its error.
    fn guarded<F: ?Sized, T>(
        &self,
        stage: &str,
        part: &Part<F>,
        meter: &StageMeter,
        run: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        // Whatever the part had half done is of this event only, which goes no further.
        let caught = meter.measured(&*self.clock, || catch_unwind(AssertUnwindSafe(run)));
        let outcome = caught.unwrap_or_else(|panic| {
            let said = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
            let said = said.or_else(|| panic.downcast_ref::<String>().cloned());
            let said: String = said.unwrap_or_default().chars().take(200).collect();
            let message = format!("the {stage} {:?} of events panicked: {said}", part.name);
            Err(Error::new(ErrorKind::StageFailed, message))
        });
        outcome.map_err(|error| {
            meter.refused();
            error.with("stage", format_args!("{stage}/{}", part.name))
        })
    }
}
