//! Reading a projection.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use foundation_types::{Data, Error, ErrorKind, Position, Result};
use tokio::sync::{Notify, watch};

use super::Projection;

/// A state, and how far the log is in it.
#[derive(Debug)]
pub struct Seen<S> {
    /// The fold of the log up to the position.
    pub state: Arc<S>,
    /// Everything up to here is in it.
    pub position: Position,
    /// Why it goes no further.
    pub halted: Option<Arc<str>>,
}

impl<S> Clone for Seen<S> {
    fn clone(&self) -> Self {
        let Self { state, position, halted } = self;
        Self { state: Arc::clone(state), position: *position, halted: halted.clone() }
    }
}

/// What tells how far a projection is.
pub(super) trait Reached: Clone {
    fn position(&self) -> Position;
    /// Why it goes no further.
    fn halted(&self) -> Option<&Arc<str>>;
}

impl<S> Reached for Seen<S> {
    fn position(&self) -> Position {
        self.position
    }

    fn halted(&self) -> Option<&Arc<str>> {
        self.halted.as_ref()
    }
}

/// What is seen of a projection once a position is in it.
pub(super) async fn reached<S: Reached>(
    name: &str,
    mut seen: watch::Receiver<S>,
    position: Position,
) -> Result<S> {
    let is_settled = |seen: &S| seen.position() >= position || seen.halted().is_some();
    let Ok(seen) = seen.wait_for(is_settled).await.map(|seen| seen.clone()) else {
        return Err(Error::new(ErrorKind::Unavailable, "the projection is gone"));
    };
    match seen.halted() {
        Some(cause) if seen.position() < position => {
            let message = format!("projection {name} stands still: {cause}");
            Err(Error::new(ErrorKind::Unavailable, message).with("position", seen.position()))
        }
        _ => Ok(seen),
    }
}

/// One version of a projection, to be read. Clones are the same.
pub struct ProjectionHandle<P: Projection>(pub(super) Arc<Shared<P>>);

/// What readers and the task share.
pub(super) struct Shared<P: Projection> {
    pub(super) seen: watch::Sender<Seen<P::State>>,
    pub(super) signals: Signals,
}

/// What others ask of the task, and what it says of itself.
#[derive(Debug, Default)]
pub(super) struct Signals {
    pub(super) rebuild: Notify,
    pub(super) retire: Notify,
    pub(super) is_serving: AtomicBool,
    /// Whether what was kept says that it is to be made anew.
    pub(super) is_marked: AtomicBool,
}

impl<P: Projection> Shared<P> {
    pub(super) fn new() -> Self {
        let state = Arc::new(P::State::default());
        let seen = Seen { state, position: Position::START, halted: None };
        Self { seen: watch::Sender::new(seen), signals: Signals::default() }
    }
}

impl<P: Projection> ProjectionHandle<P> {
    /// The state as it is now. Nobody is waited for.
    #[must_use]
    pub fn get(&self) -> Seen<P::State> {
        self.0.seen.borrow().clone()
    }

    /// Whether this version has caught up and is what readers by name get.
    #[must_use]
    pub fn is_serving(&self) -> bool {
        self.0.signals.is_serving.load(Ordering::Acquire)
    }

    /// The state once a position is in it, as that of an event which was just appended.
    ///
    /// # Errors
    /// `Unavailable` if the projection stands still before it, or is gone with its node.
    pub async fn wait_for(&self, position: Position) -> Result<Seen<P::State>> {
        reached(P::NAME, self.0.seen.subscribe(), position).await
    }

    /// Has the state made anew from the oldest event that is kept; until that has caught up, the
    /// one as it is now is read. It begins again after a restart.
    pub fn rebuild(&self) {
        self.0.signals.rebuild.notify_one();
    }
}

/// A projection whose type is not known to the reader.
pub(super) trait AnyProjection: Send + Sync {
    fn look(&self) -> (Position, Option<Arc<str>>);
    fn state(&self) -> Result<Data>;
    fn signals(&self) -> &Signals;
}

impl<P: Projection> AnyProjection for Shared<P> {
    fn look(&self) -> (Position, Option<Arc<str>>) {
        let seen = self.seen.borrow();
        (seen.position, seen.halted.clone())
    }

    fn state(&self) -> Result<Data> {
        let state = Arc::clone(&self.seen.borrow().state);
        Data::of(&*state)
    }

    fn signals(&self) -> &Signals {
        &self.signals
    }
}

impl<P: Projection> Clone for ProjectionHandle<P> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<P: Projection> std::fmt::Debug for ProjectionHandle<P> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let seen = self.0.seen.borrow();
        out.debug_struct("ProjectionHandle")
            .field("name", &P::NAME)
            .field("version", &P::VERSION)
            .field("position", &seen.position)
            .finish_non_exhaustive()
    }
}
