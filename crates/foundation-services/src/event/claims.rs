//! The ids of events on their way: who is about to store which.
//!
//! An id is claimed before the index is asked for it, and let go of only after the index knows
//! it or the append has failed. So whoever finds it neither claimed nor in the index, having
//! claimed it first, is the only one who stores it. Nobody waits for a claim while holding one.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use foundation_store::journal::Commit;
use foundation_types::EventId;
use tokio::sync::Notify;

/// Every claimed id. There are no more of them than events whose append has begun.
#[derive(Debug, Default)]
pub(super) struct Claims(Mutex<HashMap<EventId, Arc<Claim>>>);

/// What one append claims.
#[derive(Debug, Default)]
pub(super) struct Claim {
    has_ended: AtomicBool,
    /// The append, once it has its place. When it is durable the index knows the id, and the
    /// claim is void, even if its caller has not come round to let go of it.
    commit: OnceLock<Commit>,
    news: Notify,
}

/// Ids that are claimed, to be let go of by [`Claims::release`].
#[derive(Debug, Default)]
pub(super) struct Claimed(Vec<(EventId, Arc<Claim>)>);

impl Claims {
    /// Claims all of the ids or, if one is claimed already, none: gives the claim in the way.
    /// No id stands twice among them.
    pub(super) fn claim(&self, ids: &[EventId], claimed: &mut Claimed) -> Result<(), Arc<Claim>> {
        let mut all = self.all();
        let mut others = ids.iter().filter_map(|id| all.get(id));
        if let Some(other) = others.find(|other| !other.is_void()) {
            return Err(Arc::clone(other));
        }
        for id in ids {
            let claim = Arc::new(Claim::default());
            all.insert(id.clone(), Arc::clone(&claim));
            claimed.0.push((id.clone(), claim));
        }
        Ok(())
    }

    /// Lets go of the ids and wakes all who wait for them.
    pub(super) fn release(&self, claimed: &mut Claimed) {
        if claimed.0.is_empty() {
            return;
        }
        let mut all = self.all();
        for (id, claim) in &claimed.0 {
            // A void one may have been replaced.
            if all.get(id).is_some_and(|there| Arc::ptr_eq(there, claim)) {
                all.remove(id);
            }
        }
        drop(all);
        for (_, claim) in claimed.0.drain(..) {
            claim.has_ended.store(true, Ordering::Release);
            claim.news.notify_waiters();
        }
    }

    /// Whether somebody is about to store this id.
    pub(super) fn holds(&self, id: &EventId) -> bool {
        self.all().get(id).is_some_and(|claim| !claim.is_void())
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.all().len()
    }

    fn all(&self) -> MutexGuard<'_, HashMap<EventId, Arc<Claim>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Claimed {
    /// Tells those who wait that the append has its place.
    pub(super) fn placed(&self, commit: &Commit) {
        for (_, claim) in &self.0 {
            if claim.commit.set(commit.clone()).is_ok() {
                claim.news.notify_waiters();
            }
        }
    }

    /// Takes over what another has claimed.
    pub(super) fn absorb(&mut self, other: Self) {
        self.0.extend(other.0);
    }
}

impl Claim {
    /// Waits until the claim is let go of or void.
    pub(super) async fn ended(&self) {
        loop {
            let mut news = pin!(self.news.notified());
            // Registered before the look: news between the two are not missed.
            news.as_mut().enable();
            if self.has_ended.load(Ordering::Acquire) {
                return;
            }
            if let Some(commit) = self.commit.get() {
                // How it ended is of no matter here: the index is asked anew.
                let _ = commit.durable().await;
                return;
            }
            news.await;
        }
    }

    fn is_void(&self) -> bool {
        self.commit.get().is_some_and(Commit::is_done)
    }
}
