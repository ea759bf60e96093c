//! Whether the newest snapshot of a store is what its log folds to.

use std::path::Path;
use std::sync::Arc;

use foundation_store::clock::SystemClock;
use foundation_store::config::{ConfigState, Documents, same_changes};
use foundation_store::disk::Files;
use foundation_store::journal::{
    Embedded, EmbeddedOptions, FoldCheck, FoldedState, Follower, Mode,
};
use foundation_store::random::SystemRng;
use foundation_store::table::Tables;
use foundation_types::{Error, ErrorKind, Position, Result, Settings};
use serde::{Deserialize, Serialize};

use crate::archive::with_archive;
use crate::opening::unopened;

/// What building the states again came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoldReport {
    /// Whether every state is what the log folds to.
    pub agrees: bool,
    /// The record of the newest snapshot.
    pub position: Position,
    /// The record of the snapshot that was begun with; the start of the log without one.
    pub from: Position,
    /// Records that were folded.
    pub records: u64,
    /// Each state.
    pub states: Vec<FoldRow>,
}

/// One state, as it was kept and as it was built again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoldRow {
    /// What it is called.
    pub name: String,
    /// Whether both are the same.
    pub agrees: bool,
    /// SHA-256 of what the snapshot has.
    pub kept: String,
    /// SHA-256 of what the log gives.
    pub built: String,
}

impl From<FoldedState> for FoldRow {
    fn from(state: FoldedState) -> Self {
        let (kept, built) = state.hashes();
        // Trees that are kept beside the changes depend on defaults of types that are not known here.
        let agrees =
            kept == built || state.name == "config" && same_changes(&state.kept, &state.built);
        Self { name: state.name, agrees, kept, built }
    }
}

/// Builds the states of the newest snapshot of a store again and compares them. It takes no lock and
/// writes nothing, so that a node may be serving the store. Nothing if there is no snapshot, or
/// nothing to begin with.
///
/// # Errors
/// `NotFound` if there is no store; a kind of corruption if what is read is not what was written;
/// `Disk`.
pub async fn check_fold(directory: &Path) -> Result<Option<FoldReport>> {
    let directory = directory.to_owned();
    let runtime = tokio::runtime::Handle::current();
    let checked = tokio::task::spawn_blocking(move || {
        let files = Files::existing(&directory).map_err(|cause| unopened(&directory, cause))?;
        let (journal, _) = Embedded::open_archived(
            with_archive(files, None),
            EmbeddedOptions::of(Mode::Peek),
            Arc::new(SystemClock::default()),
            &SystemRng::default(),
            Arc::new(()),
        )?;
        let mut documents = Documents::default();
        documents.link(Arc::new(ConfigState::<Settings>::new()?))?;
        let states: Vec<Arc<dyn Follower>> = vec![Arc::new(documents), Arc::new(Tables::default())];
        runtime.block_on(journal.check_fold(&states))
    });
    let checked = checked.await.unwrap_or_else(|cause| {
        Err(Error::new(ErrorKind::Internal, "folding the log panicked").caused_by(cause))
    })?;
    Ok(checked.map(|FoldCheck { position, from, records, states }| {
        let states: Vec<FoldRow> = states.into_iter().map(Into::into).collect();
        let agrees = states.iter().all(|state| state.agrees);
        FoldReport { agrees, position, from, records, states }
    }))
}
