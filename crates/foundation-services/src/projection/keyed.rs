//! Projections by key: one state for each customer, order or stream instead of one for all.
//!
//! Invariants: the states that changed and the place in the log are kept in one step; what is read
//! through one view is the fold of the log up to its position, key by key; a *build* (a version, or
//! the same version made anew) is read by name once it has caught up, and until then the one before.

mod any;
mod build;
mod fold;
mod kept;
mod view;

pub(super) use any::AnyKeyed;
pub(super) use kept::Keyed;
pub use view::{KeyedHandle, KeyedPage, KeyedView};

use foundation_types::{EventQuery, Recorded, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A fold over the events of the log, key by key.
///
/// `keys` and `apply` depend on their arguments and on nothing else: they are called again for the
/// same events after a restart, a failure or a rebuild. The version is increased with each change of
/// what they make of them.
pub trait KeyedProjection: Send + Sync + 'static {
    /// Its name, 1 to 64 bytes of `[A-Za-z0-9_-]`; no other projection has it.
    const NAME: &'static str;

    /// The version of `keys`, `apply` and the state.
    const VERSION: u32;

    /// What the events of one key come to; at most 32 KiB as JSON.
    type State: Serialize + DeserializeOwned + Clone + Send + Sync + 'static;

    /// The events that it is made of; all by default, without those of Foundation's own tables.
    #[must_use]
    fn filter() -> EventQuery {
        EventQuery::all()
    }

    /// The keys that an event is for: none, one or up to 32, each of at most 512 bytes as JSON.
    ///
    /// # Errors
    /// Whatever makes the event impossible to take in: the projection stands still before it.
    fn keys(event: &Recorded) -> Result<Vec<String>>;

    /// Takes the next event in, under one of its keys. There is no state before the first event of
    /// a key, and a key whose state is taken away is no more.
    ///
    /// # Errors
    /// As [`KeyedProjection::keys`].
    fn apply(key: &str, state: &mut Option<Self::State>, event: &Recorded) -> Result<()>;
}
