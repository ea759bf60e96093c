//! What an application adds to the way of an event: rules, enrichment, routes.
//!
//! The order is fixed: validate → enrich → (protect) → route. Within a stage, parts go in the order in
//! which they were given. A part sees the events whose type its pattern admits, and none of
//! Foundation's own.

use std::sync::Arc;

use foundation_types::limits::{INTAKE_NAME_BYTES_MAX, INTAKE_STAGES_MAX};
use foundation_types::{
    Durability, Error, ErrorKind, Event, Result, StreamName, Timestamp, TypePattern,
};

/// What a stage knows of an event beside the event.
#[derive(Clone, Copy, Debug)]
pub struct IntakeContext<'a> {
    /// The stream that it is for so far.
    pub stream: &'a StreamName,
    /// When it came in. It may not be the time at which it is recorded.
    pub received: Timestamp,
}

type RuleFn = dyn Fn(&Event, &IntakeContext<'_>) -> Result<()> + Send + Sync;
type EnrichFn = dyn Fn(&mut Event, &IntakeContext<'_>) -> Result<()> + Send + Sync;
type RouteFn = dyn Fn(&Event) -> StreamName + Send + Sync;

/// The parts that an application adds, to be given to the store when it is made.
///
/// ```
/// use foundation_services::event::Pipeline;
/// use foundation_types::{Error, ErrorKind, StreamName};
/// let pipeline = Pipeline::default()
///     .rule("who", "order.*", |event, _| match event.source {
///         Some(_) => Ok(()),
///         None => Err(Error::new(ErrorKind::Invalid, "an order says who placed it")),
///     })
///     .enrich("region", "order.*", |event, _| {
///         event.tags.push("region:eu".into());
///         Ok(())
///     })
///     .route("orders", "order.*", |_| StreamName::from("orders"));
/// assert!(pipeline.check().is_ok());
/// ```
#[derive(Clone, Default)]
pub struct Pipeline {
    pub(super) rules: Vec<Part<RuleFn>>,
    pub(super) enrich: Vec<Part<EnrichFn>>,
    pub(super) routes: Vec<Part<RouteFn>>,
    pub(super) levels: Vec<(TypePattern, Durability)>,
}

/// A part of a stage.
pub(super) struct Part<F: ?Sized> {
    pub(super) name: Arc<str>,
    pub(super) types: TypePattern,
    pub(super) run: Arc<F>,
}

impl Pipeline {
    /// With a rule on events of these types: its error refuses the event.
    #[must_use]
    pub fn rule(
        mut self,
        name: &str,
        types: impl Into<TypePattern>,
        rule: impl Fn(&Event, &IntakeContext<'_>) -> Result<()> + Send + Sync + 'static,
    ) -> Self {
        self.rules.push(Part { name: name.into(), types: types.into(), run: Arc::new(rule) });
        self
    }

    /// With what adds to events of these types, or refuses them by its error. It leaves the id as it is.
    #[must_use]
    pub fn enrich(
        mut self,
        name: &str,
        types: impl Into<TypePattern>,
        stage: impl Fn(&mut Event, &IntakeContext<'_>) -> Result<()> + Send + Sync + 'static,
    ) -> Self {
        self.enrich.push(Part { name: name.into(), types: types.into(), run: Arc::new(stage) });
        self
    }

    /// With a stream for events of these types whose append names none. The first route counts.
    #[must_use]
    pub fn route(
        mut self,
        name: &str,
        types: impl Into<TypePattern>,
        stream: impl Fn(&Event) -> StreamName + Send + Sync + 'static,
    ) -> Self {
        self.routes.push(Part { name: name.into(), types: types.into(), run: Arc::new(stream) });
        self
    }

    /// Has events of these types acked at this level, if their append does not say it. The first counts,
    /// before the level of the stream.
    #[must_use]
    pub fn durability(mut self, types: impl Into<TypePattern>, level: Durability) -> Self {
        self.levels.push((types.into(), level));
        self
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
            && self.enrich.is_empty()
            && self.routes.is_empty()
            && self.levels.is_empty()
    }

    /// # Errors
    /// `InvalidArgument` for more than 32 parts of a stage, and for a name that is empty, longer than 64
    /// bytes, other than printable ASCII, or given twice in a stage.
    pub fn check(&self) -> Result<()> {
        check_names("rule", self.rules.iter().map(|part| &*part.name))?;
        check_names("enrich", self.enrich.iter().map(|part| &*part.name))?;
        check_names("route", self.routes.iter().map(|part| &*part.name))?;
        if self.levels.len() > INTAKE_STAGES_MAX {
            return Err(too_many("durability", self.levels.len()));
        }
        Ok(())
    }
}

fn check_names<'a>(stage: &str, names: impl Iterator<Item = &'a str>) -> Result<()> {
    let mut seen: Vec<&str> = Vec::new();
    for name in names {
        let is_name = (1..=INTAKE_NAME_BYTES_MAX).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
        if !is_name || seen.contains(&name) {
            let message = format!(
                "{stage} {name:?}: give each {stage} of events a name of its own, 1 to \
                 {INTAKE_NAME_BYTES_MAX} printable ASCII characters"
            );
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        seen.push(name);
    }
    if seen.len() > INTAKE_STAGES_MAX { Err(too_many(stage, seen.len())) } else { Ok(()) }
}

fn too_many(stage: &str, count: usize) -> Error {
    let message = format!(
        "{count} parts of the stage {stage} of events, of which there may be {INTAKE_STAGES_MAX}"
    );
    Error::new(ErrorKind::InvalidArgument, message)
}

impl<F: ?Sized> Clone for Part<F> {
    fn clone(&self) -> Self {
        Self { name: self.name.clone(), types: self.types.clone(), run: self.run.clone() }
    }
}

impl std::fmt::Debug for Pipeline {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Pipeline")
            .field("rules", &self.rules.len())
            .field("enrich", &self.enrich.len())
            .field("routes", &self.routes.len())
            .finish_non_exhaustive()
    }
}
