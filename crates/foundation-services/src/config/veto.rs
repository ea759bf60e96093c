//! Being asked before a change is made: who may refuse it, by when, and what silence means.

use std::future::Future;
use std::sync::{Arc, Weak};
use std::time::Duration;

use foundation_store::config::Snapshot;
use foundation_types::limits::{VETO_DEADLINE_MS_MAX, VETOES_MAX};
use foundation_types::{Document, Edit, Error, ErrorKind, Result};

use super::place::Place;
use super::server::ConfigServer;
use super::vetoes::{Ask, Veto, Vetoes};

/// A change that is about to be made, as those are told of it who may refuse it.
///
/// It passed every other check; nobody else has seen it yet.
#[derive(Debug)]
pub struct Proposed<T> {
    /// The document as it is.
    pub before: Arc<Snapshot<T>>,
    /// The document as it would be, with the version that it would have.
    pub after: Arc<Snapshot<T>>,
    /// What would be changed, in the order of paths.
    pub edits: Arc<[Edit]>,
    /// On whose behalf.
    pub actor: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// Whether it is only asked for what would come of the change.
    pub is_preview: bool,
}

impl<T> Clone for Proposed<T> {
    fn clone(&self) -> Self {
        Self {
            before: Arc::clone(&self.before),
            after: Arc::clone(&self.after),
            edits: Arc::clone(&self.edits),
            actor: self.actor.clone(),
            reason: self.reason.clone(),
            is_preview: self.is_preview,
        }
    }
}

/// What becomes of a change if a veto does not answer in time, or panics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnSilence {
    /// It is refused.
    #[default]
    Refuse,
    /// It is made, as if the veto had agreed, and a warning is logged.
    Ignore,
}

/// How long a veto may take, and what its silence means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VetoTerms {
    /// How long writers wait for it: 1 ms to 10 s, 50 ms by default.
    pub deadline: Duration,
    /// What its silence means.
    pub on_silence: OnSilence,
}

impl Default for VetoTerms {
    fn default() -> Self {
        Self { deadline: Duration::from_millis(50), on_silence: OnSilence::Refuse }
    }
}

/// Keeps a veto: when it is dropped, nobody is asked any more.
#[must_use = "the veto ends with its guard"]
pub struct VetoGuard {
    end: Option<Box<dyn FnOnce() + Send + Sync>>,
}

impl Drop for VetoGuard {
    fn drop(&mut self) {
        if let Some(end) = self.end.take() {
            end();
        }
    }
}

impl std::fmt::Debug for VetoGuard {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("VetoGuard").finish_non_exhaustive()
    }
}

impl<T: Document> ConfigServer<T> {
    /// Has this asked before each change that makes a difference at this place, after every other
    /// check and before anything is logged; what it says against the change refuses it, and is
    /// told to the caller as the error `Vetoed`.
    ///
    /// It runs on a thread for blocking work, while writers wait for it and readers do not. As
    /// long as one call of it is overdue it counts as silent, and is not called again. All vetoes
    /// of a change are asked at the same time.
    ///
    /// It may read the document, and may change others. A change or preview of this document from
    /// within it is refused at once, with `WithinVeto`; in a task or thread that it starts and
    /// waits for, the same waits until the veto counts as silent.
    ///
    /// ```
    /// use foundation_services::config::{ConfigServer, Proposed, VetoGuard, VetoTerms};
    /// use foundation_types::{Result, Settings, lens};
    ///
    /// fn no_flood(settings: &ConfigServer<Settings>) -> Result<VetoGuard> {
    ///     let place = lens!(Settings, interface.max_results);
    ///     settings.veto(place, VetoTerms::default(), |proposed: &Proposed<Settings>| {
    ///         match proposed.after.document.interface.max_results {
    ///             1_000.. => Err("the page would not fit the screen".to_owned()),
    ///             _ => Ok(()),
    ///         }
    ///     })
    /// }
    /// ```
    ///
    /// # Errors
    /// `InvalidPath` for text that is no path, `InvalidArgument` for a deadline beyond its limits,
    /// `TooLarge` beyond 1,000 vetoes.
    pub fn veto(
        &self,
        place: impl Place<T>,
        terms: VetoTerms,
        veto: impl Fn(&Proposed<T>) -> Result<(), String> + Send + Sync + 'static,
    ) -> Result<VetoGuard> {
        self.add_veto(place, terms, Ask::Blocking(Arc::new(veto)))
    }

    /// As [`ConfigServer::veto`], for one that waits for something: it runs as a task, and is
    /// aborted when it is overdue.
    ///
    /// # Errors
    /// As [`ConfigServer::veto`].
    pub fn veto_async<F>(
        &self,
        place: impl Place<T>,
        terms: VetoTerms,
        veto: impl Fn(Proposed<T>) -> F + Send + Sync + 'static,
    ) -> Result<VetoGuard>
    where
        F: Future<Output = Result<(), String>> + Send + 'static,
    {
        self.add_veto(place, terms, Ask::Waiting(Arc::new(move |it| Box::pin(veto(it)))))
    }

    fn add_veto(&self, place: impl Place<T>, terms: VetoTerms, ask: Ask<T>) -> Result<VetoGuard> {
        let longest = Duration::from_millis(VETO_DEADLINE_MS_MAX);
        if !(Duration::from_millis(1)..=longest).contains(&terms.deadline) {
            let message = format!(
                "the deadline of a veto is {:?}, expected 1 ms to {longest:?}",
                terms.deadline
            );
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        let veto = Veto::new(place.into_path()?, terms, ask);
        let Some(number) = self.inner.vetoes.add(veto) else {
            let message =
                format!("document {:?} has {VETOES_MAX} vetoes already, the limit", T::NAME);
            return Err(Error::new(ErrorKind::TooLarge, message));
        };
        let vetoes: Weak<Vetoes<T>> = Arc::downgrade(&self.inner.vetoes);
        let end = move || {
            if let Some(vetoes) = vetoes.upgrade() {
                vetoes.remove(number);
            }
        };
        Ok(VetoGuard { end: Some(Box::new(end)) })
    }
}
