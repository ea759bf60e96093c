//! What an application adds to the way of an event: rules, enrichment, routes, levels.
//!
//! ```
//! use foundation::{Error, ErrorKind, Event, Foundation, StreamName};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> foundation::Result<()> {
//! let builder = Foundation::in_memory()
//!     .event_rule("who", "order.*", |event, _| match event.source {
//!         Some(_) => Ok(()),
//!         None => Err(Error::new(ErrorKind::Invalid, "an order says who placed it")),
//!     })
//!     .enrich("region", "order.*", |event, _| {
//!         event.tags.push("region:eu".into());
//!         Ok(())
//!     })
//!     .route("orders", "order.*", |_| StreamName::from("orders"));
//! let foundation = builder.start().await?;
//! let events = foundation.events();
//! let error = events.append(Event::new("order.placed")).await.unwrap_err();
//! assert_eq!(error.kind(), ErrorKind::Invalid);
//! let receipt = events.append(Event::new("order.placed").source("till-7")).await?;
//! let stored = events.get(&receipt.id).await?;
//! assert_eq!((stored.stream.as_str(), stored.event.tags.len()), ("orders", 1));
//! // The record says that it is not what was sent.
//! assert_eq!(stored.event.altered.expect("it was changed").by[0].by, "region");
//! # Ok(())
//! # }
//! ```

use foundation_services::event::IntakeContext;
use foundation_types::{Durability, Event, Result, StreamName, TypePattern};

use crate::builder::Builder;

/// The stages of events: validate → enrich → (protect) → route. Each part has a name of its own, by
/// which errors and metrics tell of it; a panic of it refuses the event (`StageFailed`) and nothing else.
impl Builder {
    /// With a rule on events of these types (`order.placed`, `order.*`, `*`): its error refuses the event.
    #[must_use]
    pub fn event_rule(
        mut self,
        name: &str,
        types: impl Into<TypePattern>,
        rule: impl Fn(&Event, &IntakeContext<'_>) -> Result<()> + Send + Sync + 'static,
    ) -> Self {
        self.pipeline = std::mem::take(&mut self.pipeline).rule(name, types, rule);
        self
    }

    /// With what adds to events of these types before they are stored. It leaves the id as it is; the
    /// record says which stages changed it ([`Event::altered`]).
    #[must_use]
    pub fn enrich(
        mut self,
        name: &str,
        types: impl Into<TypePattern>,
        stage: impl Fn(&mut Event, &IntakeContext<'_>) -> Result<()> + Send + Sync + 'static,
    ) -> Self {
        self.pipeline = std::mem::take(&mut self.pipeline).enrich(name, types, stage);
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
        self.pipeline = std::mem::take(&mut self.pipeline).route(name, types, stream);
        self
    }

    /// Has events of these types acked at this level, before what their stream says.
    #[must_use]
    pub fn type_durability(mut self, types: impl Into<TypePattern>, level: Durability) -> Self {
        self.pipeline = std::mem::take(&mut self.pipeline).durability(types, level);
        self
    }

    /// Has events acked at this level instead of [`Durability::Disk`], in every stream that has no
    /// level of its own. A single append can say otherwise. Changes of configuration and tables
    /// are always acked on the disk.
    #[must_use]
    pub fn durability(mut self, level: Durability) -> Self {
        self.durability.default = level;
        self
    }

    /// Has events of this stream acked at this level.
    #[must_use]
    pub fn stream_durability(mut self, stream: impl Into<StreamName>, level: Durability) -> Self {
        self.durability.streams.insert(stream.into(), level);
        self
    }
}
