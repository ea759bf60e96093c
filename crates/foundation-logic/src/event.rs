//! Events, computed: which answer a query, who caused what, and what they come to.

mod aggregate;
mod deliveries;
mod diagram;
mod ends;
mod figures;
mod links;
mod lives;
mod matches;
mod outline;
mod rules;
mod trace;
mod upcast;
mod walk;

pub use aggregate::{AggregateRow, Aggregated, Aggregator, Figure, PlaceTally, RowKind, TimeSpan};
pub use deliveries::{
    BatchLimits, Deliveries, DeliveryRules, Handed, Poisoned, Ticket, jittered_pause,
};
pub use ends::refused_at;
pub use figures::{Figures, Hole, Pause, Share, Step, Widest};
pub use links::missing_parents;
pub use lives::Lives;
pub use matches::{EventKeys, matches};
pub use rules::{IntakeRules, redact_alike};
pub use trace::{Basis, Link, Span, Trace, trace, trace_beside};
pub use upcast::{Upcaster, Upcasters};
