//! Old data in the shape of today: chains of functions from one schema to the next.
//!
//! Laws: an event is brought up step by step, each from its schema to the one after it, until no
//! further step is known; so bringing it up twice is bringing it up once, and from where the way
//! was begun is not seen at its end. An event that no step is meant for is not even looked into.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use foundation_types::event::{Data, NewerSchema, TypePattern};
use foundation_types::limits::UPCASTERS_MAX;
use foundation_types::{Error, ErrorKind, EventQuery, EventType, Recorded, Result, Value};

/// What a step makes of data.
type Make = Arc<dyn Fn(Value) -> Result<Value> + Send + Sync>;

/// One step: from a schema of a type to the one after it.
#[derive(Clone)]
pub struct Upcaster {
    pattern: TypePattern,
    from: u16,
    renamed: Option<EventType>,
    make: Make,
}

impl Upcaster {
    /// The step of these types from this schema to the one after it.
    pub fn new(
        types: impl Into<TypePattern>,
        from: u16,
        make: impl Fn(Value) -> Result<Value> + Send + Sync + 'static,
    ) -> Self {
        Self { pattern: types.into(), from, renamed: None, make: Arc::new(make) }
    }

    /// The same, of which the event has this type from then on.
    #[must_use]
    pub fn renamed(mut self, kind: impl Into<EventType>) -> Self {
        self.renamed = Some(kind.into());
        self
    }
}

/// All steps that a program knows, and the newest schemas.
#[derive(Clone, Default)]
pub struct Upcasters {
    exact: BTreeMap<String, BTreeMap<u16, Upcaster>>,
    /// Those of types that begin alike, the longest beginning first.
    prefixes: Vec<Upcaster>,
    newest: BTreeMap<String, u16>,
    newer: NewerSchema,
}

impl Upcasters {
    /// These steps, beside what is declared as the newest schema of types.
    ///
    /// # Errors
    /// `InvalidArgument` for two steps of the same types from the same schema, a step from schema 0,
    /// one of or to a type of Foundation's, a step that leads beyond the newest schema, and for more
    /// than 1,000 steps.
    pub fn new(
        steps: Vec<Upcaster>,
        newest: BTreeMap<String, u16>,
        newer: NewerSchema,
    ) -> Result<Self> {
        if steps.len() > UPCASTERS_MAX {
            let message =
                format!("there are {} upcasters, the limit is {UPCASTERS_MAX}", steps.len());
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        let mut all = Self { newest, newer, ..Self::default() };
        let mut seen = BTreeSet::new();
        for step in steps {
            all.check(&step)?;
            if !seen.insert((step.pattern.clone(), step.from)) {
                return Err(wrong(&step, "there are two of them"));
            }
            match &step.pattern {
                TypePattern::Exact(kind) => {
                    let of_type = all.exact.entry(kind.as_str().to_owned()).or_default();
                    of_type.insert(step.from, step);
                }
                TypePattern::Prefix(_) => all.prefixes.push(step),
            }
        }
        let length = |step: &Upcaster| match &step.pattern {
            TypePattern::Prefix(start) => start.len(),
            TypePattern::Exact(_) => 0,
        };
        all.prefixes.sort_by_key(|step| std::cmp::Reverse(length(step)));
        Ok(all)
    }

    fn check(&self, step: &Upcaster) -> Result<()> {
        let is_own = |kind: &str| kind.starts_with(EventType::RESERVED_PREFIX);
        let of_own = match &step.pattern {
            TypePattern::Exact(kind) => is_own(kind.as_str()),
            TypePattern::Prefix(start) => is_own(start),
        };
        if of_own || step.renamed.as_ref().is_some_and(|kind| is_own(kind.as_str())) {
            return Err(wrong(step, "types of Foundation have none"));
        }
        if step.from == 0 || step.from == u16::MAX {
            return Err(wrong(step, "schemas are 1 to 65,535, and a step leads to the next one"));
        }
        if let (TypePattern::Exact(kind), None) = (&step.pattern, &step.renamed) {
            let newest = self.newest.get(kind.as_str());
            if newest.is_some_and(|newest| step.from >= *newest) {
                return Err(wrong(step, "it leads beyond the newest schema that was declared"));
            }
        }
        Ok(())
    }

    /// Whether no event is ever changed or refused.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.prefixes.is_empty() && self.newer == NewerSchema::AsIs
    }

    /// The event as a reader of today knows it.
    ///
    /// # Errors
    /// `UpcastFailed` with position, type and schema if a step fails, panics, or makes data that no
    /// event may have; `NewerSchema` if it is newer than what is known and that is refused.
    pub fn upcast(&self, mut recorded: Recorded) -> Result<Recorded> {
        if recorded.event.kind.is_reserved() {
            return Ok(recorded);
        }
        let stored = (recorded.event.kind.clone(), recorded.event.schema);
        let mut data = None;
        while let Some(step) = self.step(recorded.event.kind.as_str(), recorded.event.schema) {
            let failed = |cause: Error| failed(&stored, &recorded, cause);
            let value = match data.take() {
                Some(value) => value,
                None => recorded.event.data.to().map_err(failed)?,
            };
            data = Some(made(step, value).map_err(failed)?);
            recorded.event.schema += 1;
            if let Some(kind) = &step.renamed {
                recorded.event.kind = kind.clone();
            }
        }
        if let Some(value) = data {
            recorded.event.data =
                Data::of(&value).map_err(|cause| failed(&stored, &recorded, cause))?;
        }
        match self.newest(recorded.event.kind.as_str()) {
            Some(newest) if self.newer == NewerSchema::Refuse && recorded.event.schema > newest => {
                Err(too_new(&recorded, newest))
            }
            _ => Ok(recorded),
        }
    }

    /// The newest schema of a type that is known: as declared, or where its steps lead.
    #[must_use]
    pub fn newest(&self, kind: &str) -> Option<u16> {
        let declared = self.newest.get(kind).copied();
        let own = self.exact.get(kind).and_then(|steps| steps.keys().next_back());
        let led = own.map(|from| from + 1);
        let alike = self.prefixes.iter().filter(|step| step.pattern.admits(kind));
        let alike = alike.map(|step| step.from + 1).max();
        declared.or(led.max(alike))
    }

    /// A query that finds in the log whatever may answer this one once it is brought up, and perhaps
    /// more; nothing if this query does so itself.
    #[must_use]
    pub fn widened(&self, query: &EventQuery) -> Option<EventQuery> {
        let mut wide = query.clone();
        let mut steps: Vec<&Upcaster> =
            self.exact.values().flat_map(BTreeMap::values).chain(&self.prefixes).collect();
        let mut is_touched = false;
        loop {
            let before = steps.len();
            // A step may lead to a type that is asked for, from one that another leads to.
            steps.retain(|step| {
                let leads = step.renamed.as_ref().is_some_and(|to| wide.admits_type(to.as_str()));
                if leads && !wide.types.is_empty() {
                    wide.types.push(step.pattern.clone());
                }
                let is_asked = leads || admits_some(&wide, &step.pattern);
                is_touched |= is_asked && (step.renamed.is_some() || !query.fields.is_empty());
                !is_asked
            });
            if steps.len() == before {
                break;
            }
        }
        if !is_touched {
            return None;
        }
        wide.fields.clear();
        Some(wide)
    }

    fn step(&self, kind: &str, schema: u16) -> Option<&Upcaster> {
        let exact = self.exact.get(kind).and_then(|steps| steps.get(&schema));
        exact.or_else(|| {
            self.prefixes.iter().find(|step| step.from == schema && step.pattern.admits(kind))
        })
    }
}

impl std::fmt::Debug for Upcasters {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let steps: usize = self.exact.values().map(BTreeMap::len).sum();
        out.debug_struct("Upcasters").field("steps", &(steps + self.prefixes.len())).finish()
    }
}

/// Whether a query may ask for a type of a pattern.
fn admits_some(query: &EventQuery, pattern: &TypePattern) -> bool {
    query.types.is_empty()
        || query.types.iter().any(|asked| match (asked, pattern) {
            (asked, TypePattern::Exact(kind)) => asked.admits(kind.as_str()),
            (TypePattern::Exact(kind), pattern) => pattern.admits(kind.as_str()),
            (TypePattern::Prefix(one), TypePattern::Prefix(two)) => {
                one.starts_with(two.as_str()) || two.starts_with(one.as_str())
            }
        })
}

fn made(step: &Upcaster, value: Value) -> Result<Value> {
    catch_unwind(AssertUnwindSafe(|| (step.make)(value))).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
        Err(Error::new(ErrorKind::Internal, format!("the upcaster panicked: {text}")))
    })
}

fn failed(stored: &(EventType, u16), recorded: &Recorded, cause: Error) -> Error {
    let (kind, schema) = stored;
    let message = format!(
        "the event at position {} of type {:?} and schema {schema} cannot be brought from schema {} \
         to the next: {cause}",
        recorded.position,
        kind.as_str(),
        recorded.event.schema
    );
    Error::new(ErrorKind::UpcastFailed, message)
        .with("position", recorded.position)
        .with("type", kind)
        .with("schema", schema)
        .caused_by(cause)
}

fn too_new(recorded: &Recorded, newest: u16) -> Error {
    let (kind, schema) = (&recorded.event.kind, recorded.event.schema);
    let message = format!(
        "the event at position {} of type {:?} has schema {schema}, and the newest known is {newest}",
        recorded.position,
        kind.as_str()
    );
    Error::new(ErrorKind::NewerEventSchema, message)
        .with("position", recorded.position)
        .with("type", kind)
        .with("schema", schema)
}

fn wrong(step: &Upcaster, why: &str) -> Error {
    let message =
        format!("the upcaster of {} from schema {} cannot be: {why}", step.pattern, step.from);
    Error::new(ErrorKind::InvalidArgument, message)
}

#[cfg(test)]
mod tests;
