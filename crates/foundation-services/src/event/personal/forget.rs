//! Forgetting a person: the key is destroyed, and the log tells so.

use std::sync::Arc;

use foundation_store::personal::{Destruction, KeyId};
use foundation_types::limits::{REASON_BYTES_MAX, SUBJECT_BYTES_MAX};
use foundation_types::{Data, Error, ErrorKind, Event, EventQuery, Position, Result, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Touched, Vault, panicked};
use crate::event::EventStore;

/// The event that tells of it: the certificate.
pub(super) const FORGOTTEN: &str = "foundation.events.forgotten";

/// What a certificate says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forgotten {
    /// The key that was destroyed.
    pub key: String,
    /// The subject, as a hash under the key of the application: who has both can tell whether somebody
    /// was forgotten.
    pub subject_hash: String,
    /// Who asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
    /// The events that had something of the subject, as counted right before; absent in certificates
    /// that were written when nobody counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub touched: Option<Touched>,
}

/// What forgetting came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forgetting {
    /// The key that was destroyed by this call; absent if the subject had none: it was forgotten before,
    /// or nothing of it was ever sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Where the certificate is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
}

/// The key that a certificate is about.
pub(super) fn key_in(data: &str) -> Option<KeyId> {
    let certificate: Forgotten = serde_json::from_str(data).ok()?;
    KeyId::parse(&certificate.key)
}

impl EventStore {
    /// Destroys the key under which the personal fields of a subject are sealed: nobody reads them any
    /// more, in the log, in archives and in backups. Everything else of the events stays. Records the
    /// event `foundation.events.forgotten`, which is the certificate: it counts the events that had
    /// something of the subject, for which the log is read, up to a million records of it.
    ///
    /// A crash leaves the fields readable, or forgotten with a certificate that is there or is written
    /// at the next start. A subject that has no key is no error, so that it can be called again.
    ///
    /// # Errors
    /// `NoSealingKey` if the builder has none; `InvalidArgument` for an empty subject, and a subject or
    /// reason that is too long. `Disk`, `DiskFull` and what the journal answers: it is forgotten by
    /// then or not, and the same call goes on with it.
    pub async fn forget(&self, subject: &str, reason: &str) -> Result<Forgetting> {
        self.forget_for(subject, None, reason).await
    }

    /// As [`EventStore::forget`], with who asked for it.
    ///
    /// # Errors
    /// As [`EventStore::forget`].
    pub async fn forget_for(
        &self,
        subject: &str,
        actor: Option<String>,
        reason: &str,
    ) -> Result<Forgetting> {
        let vault = self.vault()?;
        let actor_bytes = actor.as_ref().map_or(0, String::len);
        if subject.is_empty() || subject.len() > SUBJECT_BYTES_MAX {
            let message = format!("a subject has 1 to {SUBJECT_BYTES_MAX} bytes");
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        if reason.len() > REASON_BYTES_MAX || actor_bytes > REASON_BYTES_MAX {
            let message = format!("who and why have at most {REASON_BYTES_MAX} bytes each");
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        let subject_hash = vault.keys.hash_of(subject).unwrap_or_default();
        let counted = match vault.keys.id_of(subject) {
            Some(id) => Some((id, Touched::count(&*self.0.journal, id).await)),
            None => None,
        };
        let (at, reason, subject) = (self.0.clock.wall(), reason.to_owned(), subject.to_owned());
        let certificate = move |id: KeyId| {
            let touched = counted.filter(|(counted, _)| *counted == id).map(|(_, touched)| touched);
            let said = Forgotten { key: id.to_string(), subject_hash, actor, reason, at, touched };
            Data::of(&said).map(|data| data.as_json().as_bytes().to_vec())
        };
        let keys = Arc::clone(&vault.keys);
        let destroyed = tokio::task::spawn_blocking(move || keys.destroy(&subject, certificate));
        let destroyed = destroyed.await.map_err(panicked)??;
        // What an earlier call has left untold is told, too.
        let told = self.tell_forgotten().await?;
        let Destruction::Done(id) = destroyed else {
            return Ok(Forgetting { key: None, position: None });
        };
        let position = told.into_iter().find(|(told, _)| *told == id).map(|(_, position)| position);
        Ok(Forgetting { key: Some(id.to_string()), position })
    }

    /// Records the certificates of keys that are destroyed and of which the log does not tell yet: to be
    /// called when the store was opened.
    ///
    /// # Errors
    /// What the journal answers; `Disk` or `DiskFull`.
    pub async fn tell_forgotten(&self) -> Result<Vec<(KeyId, Position)>> {
        let Some(vault) = &self.0.reader.vault else { return Ok(Vec::new()) };
        let mut told = Vec::new();
        for destroyed in vault.keys.untold() {
            let text = String::from_utf8_lossy(&destroyed.certificate).into_owned();
            let mut event =
                Event::new(FORGOTTEN).id(format!("forgotten-{}", destroyed.id).as_str());
            event.source = Some("foundation".to_owned());
            event.data = Data::from_json(&text)?;
            let receipt = self.record_own(event).await?;
            // A crash after this has it told once more, which is a repeat.
            let (keys, id) = (Arc::clone(&vault.keys), destroyed.id);
            tokio::task::spawn_blocking(move || keys.told(id)).await.map_err(panicked)??;
            told.push((id, receipt.position));
        }
        Ok(told)
    }

    /// All certificates that are kept, oldest first.
    ///
    /// # Errors
    /// As [`EventStore::query`].
    pub async fn forgotten(&self) -> Result<Vec<Forgotten>> {
        let mut pages = self.pages(EventQuery::all().kind(FORGOTTEN));
        let mut all = Vec::new();
        while let Some(page) = pages.next().await? {
            for event in page {
                all.push(event.event.data.to()?);
            }
        }
        Ok(all)
    }

    fn vault(&self) -> Result<&Arc<Vault>> {
        self.0.reader.vault.as_ref().ok_or_else(|| {
            let message =
                "only an application that was started with the sealing key forgets: ask it while it \
                 runs and serves the store, or give the program the key with --sealing-key FILE";
            Error::new(ErrorKind::NoSealingKey, message)
        })
    }
}
