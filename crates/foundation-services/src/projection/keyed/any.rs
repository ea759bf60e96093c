//! A projection by key whose type is not known to the reader.

use std::sync::Arc;

use async_trait::async_trait;
use foundation_types::{Data, Result};

use super::KeyedProjection;
use super::view::{KeyedPage, KeyedView, Shared};
use crate::projection::handle::Signals;

#[async_trait]
pub(in crate::projection) trait AnyKeyed: Send + Sync {
    /// What readers have, without its states.
    fn look(&self) -> KeyedView<()>;
    fn value(&self, key: &str) -> Result<Option<Data>>;
    fn rows(&self, after: Option<&str>, limit: usize) -> Result<KeyedPage<Data>>;
    fn signals(&self) -> &Signals;
    /// Nothing of it is kept any more, from when this is done on.
    async fn retire(&self);
}

#[async_trait]
impl<P: KeyedProjection> AnyKeyed for Shared<P> {
    fn look(&self) -> KeyedView<()> {
        let seen = self.seen.borrow().clone();
        let (ahead, halted) = (Arc::default(), seen.halted.clone());
        let KeyedView { build, table, position, keys, .. } = seen;
        KeyedView { build, table, ahead, position, keys, halted }
    }

    fn value(&self, key: &str) -> Result<Option<Data>> {
        let seen = self.seen.borrow().clone();
        seen.get(key)?.map(|state| Data::of(&*state)).transpose()
    }

    fn rows(&self, after: Option<&str>, limit: usize) -> Result<KeyedPage<Data>> {
        let seen = self.seen.borrow().clone();
        let KeyedPage { entries, next } = seen.page(after, limit)?;
        let entries =
            entries.into_iter().map(|(key, state)| Ok((key, Arc::new(Data::of(&*state)?))));
        Ok(KeyedPage { entries: entries.collect::<Result<_>>()?, next })
    }

    fn signals(&self) -> &Signals {
        &self.signals
    }

    async fn retire(&self) {
        *self.retired.lock().await = true;
        self.signals.retire.notify_one();
    }
}
