//! How an application's events change their shape: what the builder is told of it.

use std::collections::BTreeMap;

use foundation_logic::event::{Upcaster, Upcasters};
use foundation_services::event::{EventTypes, HistoryReport, Reader};
use foundation_types::event::NewerSchema;
use foundation_types::{EventData, EventType, Result, TypePattern, Value};

use crate::builder::Builder;
use crate::running::Foundation;

/// Upcasters, types and newest schemas on their way from the builder to the event store.
#[derive(Default)]
pub(crate) struct Evolution {
    steps: Vec<Upcaster>,
    newest: BTreeMap<String, u16>,
    newer: NewerSchema,
    types: EventTypes,
}

impl Evolution {
    pub(crate) fn reader(self) -> Result<Reader> {
        let upcasters = Upcasters::new(self.steps, self.newest, self.newer)?;
        Ok(Reader::new(upcasters, self.types))
    }
}

impl Builder {
    /// With a step that brings the data of these events from this schema to the one after it. It is
    /// taken on every way to a reader; what is stored stays as it is. Steps follow one another.
    ///
    /// Queries are answered by what the events are then, also those for fields. An event on which a
    /// step fails or panics is an error with its position, type and schema; consumers park it.
    ///
    /// ```
    /// use foundation::{Event, Foundation, Value};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> foundation::Result<()> {
    /// let in_cents = |data: Value| {
    ///     let Value::Map(mut order) = data else { return Ok(data) };
    ///     if let Some(Value::Number(total)) = order.remove("total") {
    ///         order.insert("cents".into(), Value::from(total.as_u64().unwrap_or(0) * 100));
    ///     }
    ///     Ok(Value::Map(order))
    /// };
    /// let foundation = Foundation::in_memory().upcaster("order.placed", 1, in_cents).start().await?;
    /// let old = Event::new("order.placed").id("o1").data(&[("total", 9)].into_iter().collect::<std::collections::BTreeMap<_, _>>())?;
    /// foundation.events().append(old).await?;
    /// let read = foundation.events().get("o1").await?;
    /// assert_eq!((read.event.schema, read.event.data.as_json()), (2, r#"{"cents":900}"#));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn upcaster(
        mut self,
        types: impl Into<TypePattern>,
        from: u16,
        step: impl Fn(Value) -> Result<Value> + Send + Sync + 'static,
    ) -> Self {
        self.evolution.steps.push(Upcaster::new(types, from, step));
        self
    }

    /// With a step as [`Builder::upcaster`], after which the event has another type. Who asks for the
    /// new type finds the old events too; the old name finds them no longer.
    #[must_use]
    pub fn renaming_upcaster(
        mut self,
        types: impl Into<TypePattern>,
        from: u16,
        to: impl Into<EventType>,
        step: impl Fn(Value) -> Result<Value> + Send + Sync + 'static,
    ) -> Self {
        self.evolution.steps.push(Upcaster::new(types, from, step).renamed(to));
        self
    }

    /// With the Rust type of the data of an event: its schema is the newest, and
    /// [`Foundation::check_history`] reads all of the history into it. Fields that its derive says are
    /// personal are so, as if [`Builder::personal`] had been told of them.
    ///
    /// ```
    /// use foundation::events::{EventData, Personal, PersonalFields};
    /// use foundation::{Event, Foundation, SealingKey};
    /// use serde::{Deserialize, Serialize};
    ///
    /// #[derive(Serialize, Deserialize, EventData)]
    /// #[event(type = "customer.moved", subject = "customer.id")]
    /// struct Moved {
    ///     #[event(nested)]
    ///     customer: Customer,
    ///     reason: String,
    /// }
    ///
    /// #[derive(Serialize, Deserialize, PersonalFields)]
    /// struct Customer {
    ///     id: u64,
    ///     name: Personal<String>,
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> foundation::Result<()> {
    /// let builder = Foundation::in_memory().sealing_key(SealingKey::parse(&"5a".repeat(32))?);
    /// let foundation = builder.event::<Moved>().start().await?;
    /// let customer = Customer { id: 7, name: "Ann".to_owned().into() };
    /// let moved = Event::of(&Moved { customer, reason: "work".to_owned() })?;
    /// let moved = foundation.events().append(moved).await?;
    ///
    /// foundation.events().forget("7", "she asked for it").await?;
    /// let left = foundation.events().get(&moved.id).await?.to::<Moved>()?;
    /// assert_eq!((left.customer.name, left.reason.as_str()), (Personal::Forgotten, "work"));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn event<T: EventData>(mut self) -> Self {
        self.evolution.types.add::<T>();
        self.personal.declare::<T>();
        self.newest_schema(T::TYPE, T::SCHEMA)
    }

    /// With the newest schema of a type of event, for [`Builder::newer_schemas`]; without it, that is
    /// where the steps of the type lead.
    #[must_use]
    pub fn newest_schema(mut self, kind: impl Into<String>, schema: u16) -> Self {
        self.evolution.newest.insert(kind.into(), schema);
        self
    }

    /// What readers are given of events whose schema is newer than the newest known one, as a newer
    /// program has appended them; the events as they are, if nothing else is said.
    #[must_use]
    pub fn newer_schemas(mut self, newer: NewerSchema) -> Self {
        self.evolution.newer = newer;
        self
    }
}

impl Foundation {
    /// Reads all events that are kept, brings them up, and decodes them into the Rust types that the
    /// builder was told of: a check before a new program is put to work. Tells by type and schema
    /// what it cannot read, with the first positions.
    ///
    /// # Errors
    /// `Corruption` where stored bytes are not what was written.
    pub async fn check_history(&self) -> Result<HistoryReport> {
        self.events().check_history(&[]).await
    }
}
