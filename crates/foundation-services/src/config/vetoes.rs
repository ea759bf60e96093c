//! Asking everybody who may refuse a change.
//!
//! Invariants: nobody is waited for longer than its deadline, whatever it does; of each veto at
//! most one call runs, so that one that never returns costs one thread and not one per change;
//! none of them can harm another or the lane by a panic.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foundation_logic::lens;
use foundation_types::limits::VETOES_MAX;
use foundation_types::{Document, Error, ErrorKind, Path, Problem, Result};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

use super::refusals::shortened;
use super::server::ConfigServer;
use super::veto::{OnSilence, Proposed, VetoTerms};

tokio::task_local! {
    /// The documents about which whoever runs here is being asked, outermost first. It is seen
    /// by what runs in the task, or on the thread of a veto that blocks.
    static ASKED_ABOUT: Vec<usize>;
}

/// What a veto says: nothing against the change, or the reason to refuse it.
type Answer = Result<(), String>;
type Pending = Pin<Box<dyn Future<Output = Answer> + Send>>;

type Block<T> = dyn Fn(&Proposed<T>) -> Answer + Send + Sync;
type Wait<T> = dyn Fn(Proposed<T>) -> Pending + Send + Sync;

/// How a veto is asked.
pub(super) enum Ask<T> {
    Blocking(Arc<Block<T>>),
    Waiting(Arc<Wait<T>>),
}

/// One who is asked.
pub(super) struct Veto<T> {
    place: Path,
    terms: VetoTerms,
    ask: Ask<T>,
    /// Held by the call that runs.
    turn: Arc<Semaphore>,
    /// When the call that runs, or ran last, is overdue.
    overdue: Mutex<Instant>,
}

/// Everybody who is asked about one document, in the order in which they came.
pub(super) struct Vetoes<T>(Mutex<Registered<T>>);

struct Registered<T> {
    next: u64,
    by_number: BTreeMap<u64, Arc<Veto<T>>>,
}

impl<T> Default for Vetoes<T> {
    fn default() -> Self {
        Self(Mutex::new(Registered { next: 0, by_number: BTreeMap::new() }))
    }
}

impl<T> Vetoes<T> {
    /// Its number, unless there are too many.
    pub(super) fn add(&self, veto: Veto<T>) -> Option<u64> {
        let mut registered = self.registered();
        if registered.by_number.len() >= VETOES_MAX {
            return None;
        }
        let number = registered.next;
        registered.next += 1;
        registered.by_number.insert(number, Arc::new(veto));
        Some(number)
    }

    pub(super) fn remove(&self, number: u64) {
        let removed = self.registered().by_number.remove(&number);
        // What it holds is the application's, and may do anything when it is dropped.
        drop(removed);
    }

    fn registered(&self) -> MutexGuard<'_, Registered<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn all(&self) -> Vec<Arc<Veto<T>>> {
        self.registered().by_number.values().cloned().collect()
    }
}

/// A call that goes on; it ends with whoever waits for it, unless it blocks a thread.
struct Asked(JoinHandle<Result<Answer, Silence>>);

impl Drop for Asked {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Why there is no answer.
enum Silence {
    Overdue,
    Panicked,
}

impl<T: Send + Sync + 'static> Veto<T> {
    pub(super) fn new(place: Path, terms: VetoTerms, ask: Ask<T>) -> Self {
        let (turn, overdue) = (Arc::new(Semaphore::new(1)), Mutex::new(Instant::now()));
        Self { place, terms, ask, turn, overdue }
    }

    fn concerns(&self, proposed: &Proposed<T>) -> bool {
        let at = |tree| lens::get(tree, &self.place);
        at(&proposed.before.tree) != at(&proposed.after.tree)
    }

    /// Begins to ask; the answer is waited for until the moment that is given back.
    fn begin(self: &Arc<Self>, proposed: &Proposed<T>, about: &[usize]) -> (Instant, Asked) {
        let end = Instant::now() + self.terms.deadline;
        let (veto, proposed, about) = (Arc::clone(self), proposed.clone(), about.to_vec());
        let asked = tokio::spawn(async move {
            let turn = veto.take_turn(end).await.ok_or(Silence::Overdue)?;
            veto.call(proposed, about, turn).await
        });
        (end, Asked(asked))
    }

    /// Waits for the call before, unless it is overdue: that one is stuck.
    async fn take_turn(&self, end: Instant) -> Option<OwnedSemaphorePermit> {
        let until = end.min(*self.overdue.lock().unwrap_or_else(PoisonError::into_inner));
        let turn = match Arc::clone(&self.turn).try_acquire_owned() {
            Ok(turn) => turn,
            Err(_) => {
                let turn = timeout_at(until, Arc::clone(&self.turn).acquire_owned()).await;
                turn.ok()?.ok()?
            }
        };
        *self.overdue.lock().unwrap_or_else(PoisonError::into_inner) = end;
        Some(turn)
    }

    async fn call(
        &self,
        proposed: Proposed<T>,
        about: Vec<usize>,
        turn: OwnedSemaphorePermit,
    ) -> Result<Answer, Silence> {
        match &self.ask {
            Ask::Blocking(ask) => {
                let ask = Arc::clone(ask);
                let call = move || {
                    let _turn = turn;
                    ASKED_ABOUT.sync_scope(about, || ask(&proposed))
                };
                tokio::task::spawn_blocking(call).await.map_err(|_| Silence::Panicked)
            }
            Ask::Waiting(ask) => {
                let _turn = turn;
                Ok(ASKED_ABOUT.scope(about, async { ask(proposed).await }).await)
            }
        }
    }

    /// What it has against the change, with what its silence means.
    async fn answer(&self, (end, mut asked): (Instant, Asked)) -> Option<Problem> {
        let silence = match timeout_at(end, &mut asked.0).await {
            Ok(Ok(Ok(answer))) => return answer.err().map(|reason| self.problem(&reason)),
            Ok(Ok(Err(silence))) => silence,
            Ok(Err(_)) => Silence::Panicked,
            Err(_) => Silence::Overdue,
        };
        let why = match silence {
            Silence::Overdue => format!("gave no answer within {:?}", self.terms.deadline),
            Silence::Panicked => "panicked".to_owned(),
        };
        match self.terms.on_silence {
            OnSilence::Refuse => Some(self.problem(&format!("who may refuse the change {why}"))),
            OnSilence::Ignore => {
                tracing::warn!(place = %self.place, "who may refuse the change {why}");
                None
            }
        }
    }

    fn problem(&self, reason: &str) -> Problem {
        Problem::new(ErrorKind::Vetoed, &self.place, shortened(reason))
    }
}

impl<T: Document> ConfigServer<T> {
    /// Asks everybody whom the change concerns, all at the same time.
    pub(super) async fn ask_vetoes(
        &self,
        vetoes: Vec<Arc<Veto<T>>>,
        proposed: &Proposed<T>,
    ) -> Result<()> {
        let mut about = ASKED_ABOUT.try_with(Clone::clone).unwrap_or_default();
        about.push(self.identity());
        let concerned = vetoes.into_iter().filter(|veto| veto.concerns(proposed));
        let asked: Vec<_> = concerned
            .map(|veto| {
                let asked = veto.begin(proposed, &about);
                (veto, asked)
            })
            .collect();
        let mut found = Vec::new();
        for (veto, asked) in asked {
            found.extend(veto.answer(asked).await);
        }
        if found.is_empty() { Ok(()) } else { Err(Error::of_problems(found)) }
    }

    /// Refuses what would wait for itself: whoever is asked about this document.
    pub(super) fn check_not_within_veto(&self) -> Result<()> {
        let us = self.identity();
        if ASKED_ABOUT.try_with(|about| about.contains(&us)).unwrap_or(false) {
            let message = format!("a veto of document {:?} cannot change the document", T::NAME);
            return Err(Error::new(ErrorKind::WithinVeto, message));
        }
        Ok(())
    }

    /// What all clones of this server have in common, and nobody else has while it is there.
    fn identity(&self) -> usize {
        Arc::as_ptr(&self.inner).addr()
    }
}
