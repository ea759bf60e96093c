//! The ids of the records that the journal does not find by itself, so that an id that comes again
//! is recognised.

use std::collections::HashMap;

use foundation_types::Position;

use super::hash::{AsIs, Fingerprint};
use super::keys::Digest;
use crate::record::Record;

const SHARDS: usize = 64;

/// Position by fingerprint of the id.
///
/// A hash map doubles, and holding still for that takes the longer the larger it is. So there
/// are 64 maps, each meant to hold 2^(1/64) times as much as the one before: they double one
/// after the other, never together, and memory grows evenly at about 42 bytes an id.
#[derive(Debug)]
pub(super) struct IdIndex {
    shards: Vec<Shard>,
    /// The records up to here are gone for good.
    gone: Position,
    /// Nothing up to here is in the shards.
    forgotten: Position,
}

/// Ids that are forgotten together, at least.
const FORGOTTEN_AT_ONCE_MIN: u64 = 10_000;

type Shard = HashMap<Fingerprint, Position, AsIs>;

impl Default for IdIndex {
    fn default() -> Self {
        let shards = (0..SHARDS).map(|_| Shard::default()).collect();
        Self { shards, gone: Position::START, forgotten: Position::START }
    }
}

impl IdIndex {
    /// Learns where records are. The first record with an id keeps it, as long as it is kept.
    pub(super) fn extend(&mut self, records: &[Record], digests: &[Digest]) {
        let gone = self.gone;
        for (record, digest) in records.iter().zip(digests) {
            let Digest::Read { id, .. } = digest else { continue };
            if let Some(shard) = self.shards.get_mut(shard_of(*id)) {
                let place = shard.entry(*id).or_insert(record.position());
                if *place <= gone {
                    *place = record.position();
                }
            }
        }
    }

    /// Records up to here are gone: their ids are not known from now on. Gives whether so many went that it
    /// pays to give their memory back, for which all ids are looked at.
    pub(super) fn let_go(&mut self, last: Position) -> bool {
        self.gone = self.gone.max(last);
        let gone = self.gone.to_engine().saturating_sub(self.forgotten.to_engine());
        let is_due = gone > FORGOTTEN_AT_ONCE_MIN.max(self.len() / 2);
        if is_due {
            self.forgotten = self.gone;
        }
        is_due
    }

    /// In how many pieces it forgets.
    pub(super) const PIECES: usize = SHARDS;

    /// Forgets the records up to `last` in one of the pieces, and gives the memory back.
    pub(super) fn forget(&mut self, piece: usize, last: Position) {
        if let Some(shard) = self.shards.get_mut(piece) {
            shard.retain(|_, position| *position > last);
            shard.shrink_to_fit();
        }
    }

    /// Where the record with this id is.
    pub(super) fn position(&self, id: Fingerprint) -> Option<Position> {
        let place = self.shards.get(shard_of(id))?.get(&id).copied();
        place.filter(|place| *place > self.gone)
    }

    /// Ids known.
    pub(super) fn len(&self) -> u64 {
        self.shards.iter().map(|shard| shard.len() as u64).sum()
    }
}

/// Shard `n` gets the fingerprints whose share of the range lies between 2^(n/64) - 1 and
/// 2^((n+1)/64) - 1.
fn shard_of(id: Fingerprint) -> usize {
    let share = id.high as f64 / (u64::MAX as f64);
    (((1.0 + share).log2() * SHARDS as f64) as usize).min(SHARDS - 1)
}
