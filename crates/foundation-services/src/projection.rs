//! Projections: named folds over the log, whose state and place in the log are kept together.
//!
//! Invariants: what is served or kept is the fold of the log up to its position; a version is
//! served by name once it has caught up, and until then the one before is; a fold that fails
//! stands still with its last whole state, and harms no other.

mod change;
mod fold;
mod handle;
mod keyed;
mod registry;
mod shown;

pub use change::{ProjectionAction, ProjectionChanged};
pub use handle::{ProjectionHandle, Seen};
pub use keyed::{KeyedHandle, KeyedPage, KeyedProjection, KeyedView};
pub use registry::{ProjectionStates, ProjectionStatus, Projections, ServedKeys, ServedProjection};
pub use shown::ProjectionShown;

use foundation_types::{EventQuery, Recorded, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A fold over the events of the log.
///
/// `apply` depends on its arguments and on nothing else: it is called again for the same events
/// after a restart, a failure or a rebuild. Its version is increased with each change of what it
/// makes of them.
pub trait Projection: Send + Sync + 'static {
    /// Its name, 1 to 64 bytes of `[A-Za-z0-9_-]`.
    const NAME: &'static str;

    /// The version of `apply` and of the state.
    const VERSION: u32;

    /// What the events come to; at most 256 KiB as JSON.
    type State: Serialize + DeserializeOwned + Default + Clone + Send + Sync + 'static;

    /// The events that it is made of; all by default, without those of Foundation's own tables.
    #[must_use]
    fn filter() -> EventQuery {
        EventQuery::all()
    }

    /// Takes the next event in.
    ///
    /// # Errors
    /// Whatever makes the event impossible to take in: the projection stands still before it.
    fn apply(state: &mut Self::State, event: &Recorded) -> Result<()>;
}
