//! Reading a projection by key.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use foundation_store::table::TableSnapshot;
use foundation_types::event::KeyedKept;
use foundation_types::limits::{ANSWER_BYTES_MAX, KEYED_PAGE_MAX};
use foundation_types::{Position, Result};
use serde::de::DeserializeOwned;
use tokio::sync::{Mutex, watch};

use super::KeyedProjection;
use super::build::Build;
use crate::projection::handle::{Reached, Signals, reached};

/// States that changed since they were kept last; nothing for a key that is no more.
pub(super) type Ahead<S> = BTreeMap<String, Option<Arc<S>>>;

/// The states of all keys at one position. It stays what it is for as long as it is held.
pub struct KeyedView<S> {
    pub(super) build: Build,
    pub(super) table: TableSnapshot<String, KeyedKept>,
    pub(super) ahead: Arc<Ahead<S>>,
    pub(super) position: Position,
    pub(super) keys: u64,
    pub(super) halted: Option<Arc<str>>,
}

/// Some keys with their states, in the order of keys.
#[derive(Clone, Debug, PartialEq)]
pub struct KeyedPage<S> {
    /// The keys with their states.
    pub entries: Vec<(String, Arc<S>)>,
    /// The key after which the next page begins; nothing after the last one.
    pub next: Option<String>,
}

/// One version of a projection by key, to be read. Clones are the same.
pub struct KeyedHandle<P: KeyedProjection>(pub(super) Arc<Shared<P>>);

/// What readers and the task share.
pub(super) struct Shared<P: KeyedProjection> {
    pub(super) seen: watch::Sender<KeyedView<P::State>>,
    pub(super) signals: Signals,
    /// Whether a later version took its place: held while something is kept, so that nothing of it
    /// is kept after that.
    pub(super) retired: Mutex<bool>,
}

impl<S: DeserializeOwned> KeyedView<S> {
    /// The state under a key; nothing if the key has none.
    ///
    /// # Errors
    /// `Malformed` if what was kept is not of its type: a change of the type needs a new version.
    pub fn get(&self, key: &str) -> Result<Option<Arc<S>>> {
        if let Some(state) = self.ahead.get(key) {
            return Ok(state.clone());
        }
        let kept = self.table.get(&self.build.entry(key));
        kept.map_or(Ok(None), |kept| self.typed(key, kept))
    }

    /// The keys after one, or the first ones: at most `limit` of them and 1,000, fewer once they
    /// have 16 MiB.
    ///
    /// # Errors
    /// As [`KeyedView::get`].
    pub fn page(&self, after: Option<&str>, limit: usize) -> Result<KeyedPage<S>> {
        let limit = limit.clamp(1, KEYED_PAGE_MAX);
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut ahead = self.ahead.range::<str, _>((from, Bound::Unbounded)).peekable();
        let range = self.build.range(after);
        let kept = self.table.entries(range);
        let mut kept =
            kept.filter_map(|(at, entry)| Some((self.build.key_of(at)?, entry))).peekable();
        let mut page = KeyedPage { entries: Vec::new(), next: None };
        let mut bytes = 0_usize;
        loop {
            let next = match (ahead.peek(), kept.peek()) {
                (None, None) => return Ok(page),
                (Some((key, _)), other) if other.is_none_or(|(kept, _)| key.as_str() <= *kept) => {
                    let key = key.as_str();
                    let _ = kept.next_if(|(other, _)| *other == key);
                    ahead.next().and_then(|(key, state)| Some((key.as_str(), state.clone()?)))
                }
                _ => match kept.next() {
                    Some((key, entry)) => {
                        bytes = bytes.saturating_add(entry.as_json().len());
                        self.typed(key, &entry.value)?.map(|state| (key, state))
                    }
                    None => None,
                },
            };
            let Some((key, state)) = next else { continue };
            if page.entries.len() >= limit || (bytes > ANSWER_BYTES_MAX && !page.entries.is_empty())
            {
                page.next = page.entries.last().map(|(key, _)| key.clone());
                return Ok(page);
            }
            page.entries.push((key.to_owned(), state));
        }
    }

    fn typed(&self, key: &str, kept: &KeyedKept) -> Result<Option<Arc<S>>> {
        let KeyedKept::State(state) = kept else { return Ok(None) };
        let typed = state.to().map_err(|error| {
            error
                .with("projection", &self.build.name)
                .with("version", self.build.version)
                .with("key", key)
        })?;
        Ok(Some(Arc::new(typed)))
    }
}

impl<S> KeyedView<S> {
    /// Everything up to here is in the states.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }

    /// How many keys have a state.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.keys
    }

    /// Whether none has.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys == 0
    }

    /// Why it goes no further, if it stands still.
    #[must_use]
    pub fn halted(&self) -> Option<&str> {
        self.halted.as_deref()
    }
}

impl<P: KeyedProjection> KeyedHandle<P> {
    /// The states as they are now. Nobody is waited for.
    #[must_use]
    pub fn view(&self) -> KeyedView<P::State> {
        self.0.seen.borrow().clone()
    }

    /// The state under a key as it is now.
    ///
    /// # Errors
    /// As [`KeyedView::get`].
    pub fn get(&self, key: &str) -> Result<Option<Arc<P::State>>> {
        self.view().get(key)
    }

    /// Whether this version has caught up and is what readers by name get.
    #[must_use]
    pub fn is_serving(&self) -> bool {
        self.0.signals.is_serving.load(Ordering::Acquire)
    }

    /// The states once a position is in them, as that of an event which was just appended.
    ///
    /// # Errors
    /// `Unavailable` if the projection stands still before it, or is gone with its node.
    pub async fn wait_for(&self, position: Position) -> Result<KeyedView<P::State>> {
        reached(P::NAME, self.0.seen.subscribe(), position).await
    }

    /// Has all states made anew from the oldest event that is kept, beside those that there are,
    /// which are read until then. It goes on after a restart.
    pub fn rebuild(&self) {
        self.0.signals.rebuild.notify_one();
    }
}

impl<S> Reached for KeyedView<S> {
    fn position(&self) -> Position {
        self.position
    }

    fn halted(&self) -> Option<&Arc<str>> {
        self.halted.as_ref()
    }
}

impl<S> Clone for KeyedView<S> {
    fn clone(&self) -> Self {
        Self {
            build: self.build.clone(),
            table: self.table.clone(),
            ahead: Arc::clone(&self.ahead),
            position: self.position,
            keys: self.keys,
            halted: self.halted.clone(),
        }
    }
}

impl<P: KeyedProjection> Clone for KeyedHandle<P> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S> std::fmt::Debug for KeyedView<S> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("KeyedView")
            .field("build", &self.build.place())
            .field("position", &self.position)
            .field("keys", &self.keys)
            .finish_non_exhaustive()
    }
}

impl<P: KeyedProjection> std::fmt::Debug for KeyedHandle<P> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_tuple("KeyedHandle").field(&*self.0.seen.borrow()).finish()
    }
}
