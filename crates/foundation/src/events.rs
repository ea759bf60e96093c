//! Events: appending, querying, following.
//!
//! The id is the idempotency key, as long as the event is kept: the same id with the same body is
//! answered with the first receipt, with another body it is refused. A stream has a version that a
//! writer may expect, and an append may depend on what no event answers. A query runs over what is
//! in memory, on disk and in the archive alike.
//!
//! ```
//! use foundation::events::Start;
//! use foundation::{ErrorKind, Event, EventQuery, ExpectedVersion, Foundation};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> foundation::Result<()> {
//! let foundation = Foundation::in_memory().start().await?;
//! let events = foundation.events();
//!
//! // Stored once, however often it is sent; the same id with another body is refused.
//! let placed = Event::new("order.placed").id("order-1").correlation("req-7").data(&("book", 3))?;
//! let first = events.append(placed.clone()).await?;
//! let again = events.append(placed.clone()).await?;
//! assert_eq!((again.position, again.repeated), (first.position, true));
//! let other = placed.data(&("book", 4))?;
//! assert_eq!(events.append(other).await.unwrap_err().kind(), ErrorKind::IdReused);
//!
//! // All or nothing, and only if the stream is new.
//! let batch = vec![
//!     Event::new("order.paid").correlation("req-7").parent(&first.id),
//!     Event::new("order.sent").correlation("req-7").parent(&first.id),
//! ];
//! events.append_batch(batch).stream("order-1").expecting(ExpectedVersion::Absent).await?;
//!
//! // Only if nobody was quicker, whatever streams they write to: a seat is given once.
//! let taken = || EventQuery::all().kind("seat.*").tag("seat:12a");
//! let seat = || Event::new("seat.taken").tag("seat:12a");
//! events.append(seat()).stream("guest-1").unless(taken()).await?;
//! let refused = events.append(seat()).stream("guest-2").unless(taken()).await.unwrap_err();
//! assert_eq!(refused.kind(), ErrorKind::ConditionFailed);
//! assert_eq!(refused.conflict().expect("it says so").events.len(), 1);
//!
//! // Page by page, newest first.
//! let mut pages = events.pages(EventQuery::all().correlation("req-7").newest_first());
//! let page = pages.next().await?.expect("a page");
//! assert_eq!(page[0].event.kind.as_str(), "order.sent");
//!
//! // From the beginning, then live: no gap, nothing twice.
//! let mut orders = events.subscribe(Start::Beginning, EventQuery::all().kind("order.paid"))?;
//! assert_eq!(orders.next().await?.event.correlation_id, page[0].event.correlation_id);
//!
//! // A durable consumer: each event at least once, and its place outlives the process.
//! let billing = events.consumer("billing").filter(EventQuery::all().kind("order.paid")).open().await?;
//! let paid = billing.next().await?;
//! assert_eq!((paid.event().event.kind.as_str(), paid.attempt()), ("order.paid", 1));
//! paid.ack()?;
//! billing.flush().await?;
//! assert_eq!(billing.status().in_flight, 0);
//! # Ok(())
//! # }
//! ```

pub use foundation_logic::event::{
    AggregateRow, Aggregated, Aggregator, Basis, Figure, Figures, Hole, Link, Pause, PlaceTally,
    RowKind, Share, Span, Step, TimeSpan, Trace, Widest,
};
pub use foundation_services::event::{
    Append, AppendBatch, AppendEach, Consumer, ConsumerAction, ConsumerBuilder, ConsumerStatus,
    Cut, Delivery, EventPage, EventStore, EventStoreStats, ExplainedQuery, Followed, Forgetting,
    Forgotten, HistoryFailure, HistoryPage, HistoryReport, HistoryRow, Holds, IntakeContext, Pages,
    ParkedFilter, Receipt, StageCounts, Start, SubjectIn, Subscription, Touched,
};
pub use foundation_services::projection::{
    KeyedHandle, KeyedPage, KeyedProjection, KeyedView, Projection, ProjectionAction,
    ProjectionChanged, ProjectionHandle, ProjectionShown, ProjectionStatus, Projections, Seen,
    ServedKeys, ServedProjection,
};
pub use foundation_store::event::IntakeCounts;
pub use foundation_store::journal::{Looked, Way};
pub use foundation_types::event::{
    Aggregation, Alteration, Altered, By, Comparison, Data, Did, Event, EventData, EventQuery,
    FieldFilter, Fold, Halt, Late, Lateness, Leaf, Measure, NewerSchema, Order, ParkedEvent,
    Percent, Personal, PersonalField, PersonalFields, PersonalPart, Poison, Recorded, TypePattern,
    Window,
};
pub use foundation_types::id::Tag;
pub use foundation_types::lifecycle::Stage;
