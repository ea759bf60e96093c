//! One live table.

use std::borrow::Borrow;
use std::sync::Arc;

use foundation_store::journal::{Journal, Room};
use foundation_store::table::{Entry, Placed, Row, Seen, Step, TableSnapshot, TableState};
use foundation_types::{Keep, Result, TableKey, TableValue, Version};

/// A map from keys to values that many share: cheap to clone, wait-free to read, and durable to
/// change if it was declared so.
///
/// ```
/// # tokio_test(async {
/// use std::sync::Arc;
/// use foundation_services::table::Table;
/// use foundation_store::clock::SystemClock;
/// use foundation_store::journal::MemoryJournal;
/// use foundation_store::table::{TableState, Tables};
/// use foundation_types::{Keep, StoreId};
///
/// let state = Arc::new(TableState::<String, u64>::new("visits", Keep::Log)?);
/// let mut tables = Tables::default();
/// tables.link(state.clone())?;
/// let (store, bytes) = (StoreId::from_bits(1), MemoryJournal::BYTES_MAX);
/// let journal =
///     MemoryJournal::new(store, bytes, Arc::new(SystemClock::default()), Arc::new(tables));
/// let visits = Table::open(Arc::new(journal), state)?;
///
/// visits.insert("a".to_owned(), 1).await?;
/// visits.update("a".to_owned(), |count| Some(count.unwrap_or(&0) + 1)).await?;
/// assert_eq!(visits.get("a").as_deref(), Some(&2));
/// # Ok::<(), foundation_types::Error>(())
/// # }).unwrap();
/// # fn tokio_test<F: Future>(test: F) -> F::Output {
/// #     tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(test)
/// # }
/// ```
pub struct Table<K, V> {
    pub(super) state: Arc<TableState<K, V>>,
    pub(super) journal: Arc<dyn Journal>,
}

/// What a compare-and-swap came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Swap<V> {
    /// The key had what was expected, and has the new value now.
    Swapped,
    /// The key has this instead, and keeps it.
    Differs(Option<Arc<V>>),
}

/// What a key had before a change, and what it has after it.
pub(super) struct Changed<V> {
    pub(super) before: Option<Arc<V>>,
    pub(super) after: Option<Arc<V>>,
}

impl<K, V> Clone for Table<K, V> {
    fn clone(&self) -> Self {
        Self { state: Arc::clone(&self.state), journal: Arc::clone(&self.journal) }
    }
}

impl<K: TableKey, V: TableValue> Table<K, V> {
    /// The table whose state has followed the whole journal.
    ///
    /// # Errors
    /// As [`TableState::recovered`]: the key and the position are named at which what was logged
    /// does not fit the types as they are now.
    pub fn open(journal: Arc<dyn Journal>, state: Arc<TableState<K, V>>) -> Result<Self> {
        state.recovered()?;
        Ok(Self { state, journal })
    }

    /// The value under a key. No lock is held, no writer is waited for, and what is not durable is
    /// not seen.
    #[must_use]
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<Arc<V>>
    where
        K: Borrow<Q>,
    {
        self.state.get(key)
    }

    /// The whole table as it is now: one version of it, in the order of keys, for as long as it is
    /// held. It costs the same however large the table is.
    #[must_use]
    pub fn snapshot(&self) -> TableSnapshot<K, V> {
        self.state.snapshot()
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.snapshot().len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.snapshot().is_empty()
    }

    /// How many changes led to the table as it is now.
    #[must_use]
    pub fn version(&self) -> Version {
        self.snapshot().version()
    }

    /// The name of the table.
    #[must_use]
    pub fn name(&self) -> &str {
        self.state.name()
    }

    /// What is kept of it.
    #[must_use]
    pub fn keep(&self) -> Keep {
        self.state.keep()
    }

    /// Puts a value under a key; gives the one that was there. It is done when it is durable.
    ///
    /// Once it has its place in the journal it goes on, even if nobody waits any more.
    ///
    /// # Errors
    /// - `TooLarge` beyond 1 KiB for the key, 512 KiB for the value or 1,000,000 entries, and
    ///   `Malformed` for what cannot be written as JSON or does not read back;
    /// - what the journal answers: `Indeterminate`, `Fenced`, `DiskFull`, `ReadOnly`;
    /// - `Unavailable` after the node was stopped.
    pub async fn insert(&self, key: K, value: V) -> Result<Option<Arc<V>>> {
        let text = self.state.text_of(&key)?;
        let entry = Entry::of(&text, &value).map_err(|error| self.named(error))?;
        let put = |seen: &Seen<V>| Ok(Some(Step::Put(entry.clone().under(&seen.key))));
        Ok(self.apply(key, &text, put).await?.before)
    }

    /// Removes what is under a key, and gives it.
    ///
    /// # Errors
    /// As [`Table::insert`].
    pub async fn remove(&self, key: &K) -> Result<Option<Arc<V>>> {
        let text = self.state.text_of(key)?;
        let remove = |seen: &Seen<V>| Ok(seen.entry.as_ref().map(|_| Step::Remove));
        Ok(self.apply(key.clone(), &text, remove).await?.before)
    }

    /// Puts what `change` makes of the value under a key; nothing removes it. Gives what is there
    /// then.
    ///
    /// No update is lost: if another one comes between, `change` is called again with what that
    /// one left. So it may be called more than once, and no lock is held meanwhile.
    ///
    /// # Errors
    /// As [`Table::insert`].
    pub async fn update(
        &self,
        key: K,
        mut change: impl FnMut(Option<&V>) -> Option<V> + Send,
    ) -> Result<Option<Arc<V>>> {
        let text = self.state.text_of(&key)?;
        let step = |seen: &Seen<V>| match (change(seen.value()), &seen.entry) {
            (Some(value), _) => Ok(Some(Step::Put(Entry::of(&seen.key, &value)?))),
            (None, Some(_)) => Ok(Some(Step::Remove)),
            (None, None) => Ok(None),
        };
        Ok(self.apply(key, &text, step).await?.after)
    }

    /// Puts a new value under a key, or removes it, if the key has what is expected.
    ///
    /// # Errors
    /// As [`Table::insert`]. That the key has something else is no error.
    pub async fn compare_and_swap(
        &self,
        key: K,
        expected: Option<&V>,
        new: Option<V>,
    ) -> Result<Swap<V>>
    where
        V: PartialEq,
    {
        let text = self.state.text_of(&key)?;
        let entry = new.map(|value| Entry::of(&text, &value)).transpose();
        let entry = entry.map_err(|error| self.named(error))?;
        let mut is_swapped = false;
        let step = |seen: &Seen<V>| {
            is_swapped = seen.value() == expected;
            Ok(match (&entry, &seen.entry) {
                _ if !is_swapped => None,
                (Some(entry), _) => Some(Step::Put(entry.clone().under(&seen.key))),
                (None, Some(_)) => Some(Step::Remove),
                (None, None) => None,
            })
        };
        let changed = self.apply(key, &text, step).await?;
        Ok(if is_swapped { Swap::Swapped } else { Swap::Differs(changed.before) })
    }

    /// Puts values under keys, and removes what is under those without one: as one step, of which a
    /// start finds all or nothing. What was there is not looked at, and while the process runs
    /// readers may see the first before the last.
    ///
    /// # Errors
    /// As [`Table::insert`]; `TooLarge` beyond 10,000 keys or 16 MiB.
    pub(crate) async fn write(&self, rows: Vec<(K, Option<V>)>) -> Result<()> {
        let row = |(key, value): (K, Option<V>)| {
            let text = self.state.text_of(&key)?;
            let step = match value {
                Some(value) => Step::Put(Entry::of(&text, &value)?),
                None => Step::Remove,
            };
            Ok(Row { key, text, step })
        };
        let rows: Result<Vec<_>> = rows.into_iter().map(row).collect();
        let rows = rows.map_err(|error| self.named(error))?;
        let mut room: Option<Room> = None;
        loop {
            match self.state.place_rows(&*self.journal, &rows, &mut room)? {
                Placed::Appended(flight) => return self.state.confirm(&flight).await,
                Placed::Done => return Ok(()),
                Placed::Moved => {}
                Placed::NoRoom(batch) => room = Some(self.journal.reserve(&batch).await?),
                Placed::Refused(error, newest) => {
                    if self.state.stands(newest.as_ref()).await {
                        return Err(error);
                    }
                }
            }
        }
    }

    /// Takes a step through the lane and waits until it is durable; no step leaves all as it is.
    pub(super) async fn apply(
        &self,
        key: K,
        text: &Arc<str>,
        mut step: impl FnMut(&Seen<V>) -> Result<Option<Step<V>>> + Send,
    ) -> Result<Changed<V>> {
        let mut room: Option<Room> = None;
        loop {
            let seen = self.state.look(&key, text)?;
            let before = seen.entry.as_ref().map(|entry| Arc::clone(&entry.value));
            let Some(step) = step(&seen).map_err(|error| self.named(error))? else {
                self.state.check_writable(&*self.journal, text)?;
                // What was learned of head counts only if head is not taken back.
                if self.state.stands(seen.newest.as_ref()).await {
                    return Ok(Changed { after: before.clone(), before });
                }
                continue;
            };
            let after = match &step {
                Step::Put(entry) => Some(Arc::clone(&entry.value)),
                Step::Remove => None,
            };
            match self.state.place(&*self.journal, &key, &seen, &step, &mut room)? {
                Placed::Appended(flight) => {
                    self.state.confirm(&flight).await?;
                    return Ok(Changed { before, after });
                }
                Placed::Done => return Ok(Changed { before, after }),
                Placed::Moved => {}
                Placed::NoRoom(batch) => room = Some(self.journal.reserve(&batch).await?),
                Placed::Refused(error, newest) => {
                    if self.state.stands(newest.as_ref()).await {
                        return Err(error);
                    }
                }
            }
        }
    }

    pub(super) fn named(&self, error: foundation_types::Error) -> foundation_types::Error {
        error.with("table", self.name())
    }
}

impl<K, V> std::fmt::Debug for Table<K, V> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Table").field("state", &self.state).finish_non_exhaustive()
    }
}
