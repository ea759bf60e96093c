//! Events, computed: which answer a query, and who caused what.

mod deliveries;
mod matches;
mod outline;
mod trace;

pub use deliveries::{Deliveries, DeliveryRules, Handed, Poisoned, Ticket};
pub use matches::{EventKeys, matches};
pub use trace::{Link, Span, Trace, trace};
