//! Reading the sources of a document again while it is live.

use std::sync::{Arc, PoisonError};

use foundation_types::{Document, Error, ErrorKind, Result};

use super::server::ConfigServer;
use super::sources::emptied;
use super::update::Updated;

impl<T: Document> ConfigServer<T> {
    /// Reads the sources again and makes what they say now the newest version, under what is set at
    /// run time. What is in force stays if anything is wrong with them, and if a file that had values
    /// has none any more: whoever writes it may not be done.
    ///
    /// # Errors
    /// As [`ConfigServer::open_with`] and [`ConfigServer::update`]; `EmptyFile`.
    pub async fn reload(&self) -> Result<Updated> {
        let read = self.read_again(None).await;
        Ok(self.remember(read)?.unwrap_or_else(|| Updated::unmoved(self.version())))
    }

    /// As [`ConfigServer::reload`], if the files are still as they were when this mark of them was
    /// taken; nothing otherwise.
    pub(super) async fn reload_as_marked(&self, mark: u64) -> Result<Option<Updated>> {
        let read = self.read_again(Some(mark)).await;
        self.remember(read)
    }

    /// Logs what the sources said when the document was opened, if the log does not know it yet.
    ///
    /// # Errors
    /// As [`ConfigServer::update`].
    pub async fn log_sources(&self) -> Result<Updated> {
        if self.parked_document().is_some() {
            // What they say counts for readers, and is logged with what comes back.
            return Ok(Updated::unmoved(self.version()));
        }
        self.adopt(self.state.layers()).await
    }

    /// Why the sources as they were read last are not in force; nothing if they are.
    #[must_use]
    pub fn refused_sources(&self) -> Option<Error> {
        self.inner.refused.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn remember(&self, read: Result<Option<Updated>>) -> Result<Option<Updated>> {
        if !matches!(read, Ok(None)) {
            let refused = read.as_ref().err().cloned();
            *self.inner.refused.lock().unwrap_or_else(PoisonError::into_inner) = refused;
        }
        read
    }

    async fn read_again(&self, mark: Option<u64>) -> Result<Option<Updated>> {
        if self.inner.sources.is_empty() {
            return Ok(Some(Updated::unmoved(self.version())));
        }
        let (sources, defaults) = (self.inner.sources.clone(), self.defaults());
        let reading = tokio::task::spawn_blocking(move || {
            let read = sources.read::<T>(&defaults);
            // What was read is what was marked, or it is read again.
            mark.is_none_or(|mark| mark == sources.mark()).then_some(read)
        });
        let read = reading.await.map_err(|cause| {
            Error::new(ErrorKind::Internal, "the sources could not be read").caused_by(cause)
        })?;
        let Some(layers) = read.transpose()? else { return Ok(None) };
        let emptied = emptied(&self.state.layers(), &layers);
        if !emptied.is_empty() {
            return Err(Error::of_problems(emptied).with("document", T::NAME));
        }
        self.adopt(Arc::new(layers)).await.map(Some)
    }
}
