//! Whether the newest snapshot is what the log folds to: its states are built again and compared.

use foundation_types::{Error, ErrorKind, Position, Result};
use sha2::{Digest, Sha256};

use super::Embedded;
use super::backup::hex;
use super::snapshot::{self, Snapshot};
use crate::journal::Journal;
use crate::journal::follower::Follower;

/// Bytes of records that are read at a time.
const PAGE_BYTES: usize = 1024 * 1024;

/// What a snapshot holds beside what the log gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoldCheck {
    /// The record of the snapshot.
    pub position: Position,
    /// The record of the snapshot that was begun with; the start of the log without one.
    pub from: Position,
    /// Records that were folded.
    pub records: u64,
    /// Each state that both have a name for.
    pub states: Vec<FoldedState>,
}

/// One state, as it was kept and as it was built again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoldedState {
    /// What it is called.
    pub name: String,
    /// As the snapshot has it.
    pub kept: Vec<u8>,
    /// As the log gives it.
    pub built: Vec<u8>,
}

impl FoldedState {
    /// The SHA-256 of what was kept and of what was built, as text.
    #[must_use]
    pub fn hashes(&self) -> (String, String) {
        (hex(&Sha256::digest(&self.kept)), hex(&Sha256::digest(&self.built)))
    }
}

impl Embedded {
    /// Builds the states of the newest snapshot again, from the snapshot before it or from the
    /// first record, and gives both. The follower is a new one that nothing else tells of records.
    /// Nothing if there is no snapshot, or nothing to begin with.
    ///
    /// # Errors
    /// `Corruption` for a snapshot or a record that is not what was written; `Disk`.
    pub async fn check_fold(&self, follower: &dyn Follower) -> Result<Option<FoldCheck>> {
        let disk = &*self.shared.disk;
        let mut names = snapshot::names(disk)?;
        // Beside a writer there may be one of records that were written since this was opened.
        let durable = self.shared.durable();
        names.retain(|name| snapshot::last_of(name).is_some_and(|last| last <= durable));
        let Some((newest, older)) = names.split_first() else { return Ok(None) };
        let newest = Snapshot::read(disk, newest, self.shared.store)?;
        let from = match older.first() {
            Some(older) => {
                let older = Snapshot::read(disk, older, self.shared.store)?;
                restore(&older, follower)?;
                older.last
            }
            None if self.extent().before_first == Position::START => {
                follower.states().iter().for_each(|state| state.reset());
                0
            }
            None => return Ok(None),
        };
        let records = self.fold(follower, from, newest.last).await?;
        let mut states = Vec::new();
        for state in follower.states() {
            if let Some(kept) = newest.state(state.name()) {
                let (name, kept) = (state.name().to_owned(), kept.to_vec());
                states.push(FoldedState { name, kept, built: state.capture()()? });
            }
        }
        let (position, from) = (Position::from_engine(newest.last), Position::from_engine(from));
        Ok(Some(FoldCheck { position, from, records, states }))
    }

    async fn fold(&self, follower: &dyn Follower, from: u64, last: u64) -> Result<u64> {
        let (mut reached, mut count) = (from, 0);
        while reached < last {
            let mut records = self.read_after(Position::from_engine(reached), PAGE_BYTES).await?;
            records.retain(|record| record.position().to_engine() <= last);
            let Some(end) = records.last().map(|record| record.position().to_engine()) else {
                break;
            };
            follower.follow(&records);
            (reached, count) = (end, count + records.len() as u64);
        }
        Ok(count)
    }
}

fn restore(snapshot: &Snapshot, follower: &dyn Follower) -> Result<()> {
    for state in follower.states() {
        let bytes = snapshot.state(state.name()).ok_or_else(|| {
            let message = format!("a snapshot does not have the state {:?}", state.name());
            Error::new(ErrorKind::NotFound, message).with("position", snapshot.last)
        })?;
        state.restore(Position::from_engine(snapshot.last), bytes)?;
    }
    Ok(())
}
