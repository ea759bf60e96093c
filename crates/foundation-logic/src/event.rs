//! Events, computed: which answer a query, and who caused what.

mod matches;
mod outline;
mod trace;

pub use matches::{EventKeys, matches};
pub use trace::{Link, Span, Trace, trace};
