//! Opening the keys of persons: what the log says was forgotten is forgotten, whatever the file says.

use std::sync::Arc;

use foundation_store::config::Seals;
use foundation_store::disk::Disk;
use foundation_store::event::EventLog;
use foundation_store::journal::{Journal, Mode};
use foundation_store::personal::{KeyId, SubjectKeys};
use foundation_types::{Error, ErrorKind, EventQuery, Result};

use super::forget::{FORGOTTEN, key_in};
use super::rules::{PersonalRule, check};
use super::{Vault, panicked};

/// What a vault is opened with.
pub struct VaultParts<'a> {
    /// What is personal.
    pub rules: Vec<PersonalRule>,
    /// Where the file of the keys is.
    pub disk: Arc<dyn Disk>,
    /// What wraps the keys.
    pub seals: Arc<Seals>,
    /// The log, read to its end.
    pub journal: &'a dyn Journal,
    /// What is found in it.
    pub log: &'a EventLog,
    /// Whether anything may be written.
    pub mode: Mode,
}

impl Vault {
    /// Opens the keys of the persons in this log.
    ///
    /// # Errors
    /// `NoSealingKey` if something is personal and nothing wraps keys; as [`SubjectKeys::open`].
    pub async fn open_in(parts: VaultParts<'_>) -> Result<Arc<Self>> {
        let VaultParts { rules, disk, seals, journal, log, mode } = parts;
        check(&rules)?;
        if !rules.is_empty() && !seals.can_seal() {
            let message = "fields of events were declared personal: they are kept only under a \
                           sealing key, and the builder has none";
            return Err(Error::new(ErrorKind::NoSealingKey, message));
        }
        let query = EventQuery::all().kind(FORGOTTEN);
        let told = log.search(journal, &query, usize::MAX, &|| Ok(())).await?;
        let mut destroyed: Vec<KeyId> = Vec::with_capacity(told.len());
        for record in &told {
            destroyed.extend(key_in(record.event()?.data));
        }
        let store = journal.store_id();
        let keys = tokio::task::spawn_blocking(move || {
            SubjectKeys::open(disk, store, seals, destroyed, mode)
        });
        let keys = Arc::new(keys.await.map_err(panicked)??);
        Ok(Arc::new(Self { rules, keys }))
    }
}
