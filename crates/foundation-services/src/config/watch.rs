//! Being told of changes of one field, as the type that it has.

use std::marker::PhantomData;

use foundation_types::config::Layer;
use foundation_types::config::Lens;
use foundation_types::value::from_value;
use foundation_types::{Document, Result, Timestamp, Value, Version};
use serde::de::DeserializeOwned;

use super::server::ConfigServer;
use super::subscription::{ConfigChange, Notice, Subscription};

/// What whoever watches a field is told.
#[derive(Clone, Debug, PartialEq)]
pub enum FieldNotice<V> {
    /// It changed.
    Changed(FieldChange<V>),
    /// Whoever watches was too slow: as [`Notice::Lagged`].
    Lagged {
        /// How many changes of the document went by.
        missed: u64,
    },
}

/// One difference of one field.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldChange<V> {
    /// What was there; absent if nothing was.
    pub before: Option<V>,
    /// What is there now; absent if nothing is.
    pub after: Option<V>,
    /// The version that made the difference.
    pub version: Version,
    /// When it was recorded.
    pub time: Timestamp,
    /// Who changed it.
    pub actor: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// What moved.
    pub layer: Layer,
}

/// The changes of one field, with its values as the type that they have in the document.
#[derive(Debug)]
pub struct FieldWatch<V> {
    changes: Subscription,
    of: PhantomData<fn() -> V>,
}

impl<V: DeserializeOwned> FieldWatch<V> {
    /// Waits for the next notice; `None` after the last one. Whoever stops waiting misses nothing.
    ///
    /// # Errors
    /// `WrongType` and its like if a value does not read as the type of the field; the next call
    /// goes on with the next change.
    pub async fn next(&mut self) -> Result<Option<FieldNotice<V>>> {
        Ok(match self.changes.next().await? {
            Some(Notice::Changed(change)) => Some(FieldNotice::Changed(typed(*change)?)),
            Some(Notice::Lagged { missed }) => Some(FieldNotice::Lagged { missed }),
            None => None,
        })
    }
}

fn typed<V: DeserializeOwned>(change: ConfigChange) -> Result<FieldChange<V>> {
    let ConfigChange { path, before, after, version, time, actor, reason, layer } = change;
    let read = |value: Option<Value>| value.as_ref().map(from_value).transpose();
    let named = |error: foundation_types::Error| error.with("path", &path).with("version", version);
    let before = read(before).map_err(named)?;
    let after = read(after).map_err(named)?;
    Ok(FieldChange { before, after, version, time, actor, reason, layer })
}

impl<T: Document> ConfigServer<T> {
    /// The changes of a field from now on, with its values as the type that they have. For a place
    /// that is only known as text there is [`ConfigServer::subscribe`].
    ///
    /// ```
    /// use foundation_services::config::{ConfigServer, FieldNotice};
    /// use foundation_types::{Result, Settings, lens};
    ///
    /// async fn follow(settings: &ConfigServer<Settings>) -> Result<u64> {
    ///     let mut results = settings.watch(&lens!(Settings, interface.max_results));
    ///     let mut most = settings.get().interface.max_results;
    ///     while let Some(notice) = results.next().await? {
    ///         if let FieldNotice::Changed(change) = notice {
    ///             most = most.max(change.after.unwrap_or_default());
    ///         }
    ///     }
    ///     Ok(most)
    /// }
    /// ```
    #[must_use]
    pub fn watch<V: DeserializeOwned>(&self, lens: &Lens<T, V>) -> FieldWatch<V> {
        let (path, closed) = (lens.path().clone(), self.inner.closed.subscribe());
        let changes = Subscription::live(self.timeline(), path, closed, || self.version());
        FieldWatch { changes, of: PhantomData }
    }
}
