//! A journal in memory: the same order and the same rules, gone with the process.
//!
//! It keeps what its followers have a use for: an event that left the buffer is in no index, and a log that
//! kept it would be read from end to end for it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use foundation_types::{Error, ErrorKind, Position, Result, StoreId, StreamName, Version};

use super::batch::Batch;
use super::commit::{Commit, Room, Sync};
use super::lane::Lane;
use super::recent::{Attempt, Look, Unless};
use super::status::{Extent, JournalStatus, Verification};
use super::{Follower, Journal};
use crate::clock::Clock;
use crate::record::Record;
use crate::record::frame::FrameHeader;

/// Keeps the newest records that a follower has a use for, up to a bound in bytes.
pub struct MemoryJournal {
    store: StoreId,
    bytes_max: usize,
    clock: Arc<dyn Clock>,
    follower: Arc<dyn Follower>,
    state: Mutex<State>,
    /// The end of every append: it is as durable as it will be when it has its place.
    done: Arc<Sync>,
}

#[derive(Default)]
struct State {
    lane: Lane,
    scratch: Vec<u8>,
    fresh: Vec<Record>,
    /// A gapless end of what was appended.
    records: VecDeque<Record>,
    bytes: usize,
    before_first: u64,
    /// The last record that followers were told of as gone.
    told: u64,
    closed: bool,
}

impl MemoryJournal {
    /// The bound that suits most: 256 MiB.
    pub const BYTES_MAX: usize = 256 * 1024 * 1024;

    /// An empty journal that keeps up to `bytes_max` bytes of records.
    pub fn new(
        store: StoreId,
        bytes_max: usize,
        clock: Arc<dyn Clock>,
        follower: Arc<dyn Follower>,
    ) -> Self {
        let done = Arc::new(Sync::default());
        done.finish(Ok(()));
        Self { store, bytes_max, clock, follower, state: Mutex::default(), done }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives a batch its place, under the lock, so that followers hear of records in order.
    fn place(&self, state: &mut State, batch: Batch) -> Result<Commit> {
        let now = self.clock.wall();
        let mut scratch = std::mem::take(&mut state.scratch);
        scratch.clear();
        let placed = state.lane.place(batch, now, &mut scratch);
        state.scratch = scratch;
        let appended = placed?;
        state.cut_scratch()?;
        self.follower.follow(&state.fresh);
        state.keep(self.bytes_max);
        self.let_go_of_unused_in(state);
        Ok(Commit::new(appended, Arc::clone(&self.done)))
    }

    fn let_go_of_unused_in(&self, state: &mut State) {
        if let Some(last) = self.follower.done_with() {
            state.let_go_up_to(last);
        }
        if state.before_first > state.told {
            state.told = state.before_first;
            self.follower.let_go(Position::from_engine(state.told));
        }
    }
}

impl State {
    /// Cuts what the lane wrote into records that share one chunk.
    fn cut_scratch(&mut self) -> Result<()> {
        self.fresh.clear();
        let chunk: Arc<[u8]> = self.scratch.as_slice().into();
        let mut start = 0;
        while let Some(header) = chunk.get(start..).and_then(FrameHeader::read) {
            self.fresh.push(Record::of_frame(chunk.clone(), start, header)?);
            start += header.frame_bytes();
        }
        Ok(())
    }

    fn keep(&mut self, bytes_max: usize) {
        self.bytes += self.fresh.iter().map(Record::bytes).sum::<usize>();
        self.records.extend(self.fresh.drain(..));
        while self.bytes > bytes_max && self.let_go_of_first() {}
    }

    fn let_go_up_to(&mut self, last: Position) {
        while self.records.front().is_some_and(|oldest| oldest.position() <= last) {
            self.let_go_of_first();
        }
    }

    /// False if there is none.
    fn let_go_of_first(&mut self) -> bool {
        let Some(oldest) = self.records.pop_front() else { return false };
        self.bytes -= oldest.bytes();
        self.before_first = oldest.position().to_engine();
        true
    }

    fn index_after(&self, position: Position) -> usize {
        self.records.partition_point(|record| record.position() <= position)
    }
}

fn closed() -> Error {
    Error::new(ErrorKind::Unavailable, "the journal is closed")
}

#[async_trait]
impl Journal for MemoryJournal {
    fn store_id(&self) -> StoreId {
        self.store
    }

    async fn reserve(&self, _: &Batch) -> Result<Room> {
        Ok(Room { _permit: None })
    }

    fn try_reserve(&self, _: &Batch) -> Result<Option<Room>> {
        Ok(Some(Room { _permit: None }))
    }

    fn append(&self, batch: Batch, _: Room) -> Result<Commit> {
        let mut state = self.state();
        if state.closed {
            return Err(closed());
        }
        self.place(&mut state, batch)
    }

    fn append_unless(&self, batch: Batch, _: Room, unless: &Unless) -> Result<Attempt> {
        let mut state = self.state();
        if state.closed {
            return Err(closed());
        }
        match state.lane.look(unless) {
            Look::Clear => self.place(&mut state, batch).map(Attempt::Placed),
            Look::Taken(position) => Ok(Attempt::Taken(position)),
            Look::Behind(position) => Ok(Attempt::Behind(position)),
        }
    }

    fn head(&self, stream: &StreamName) -> Result<Version> {
        Ok(self.state().lane.version(stream))
    }

    async fn read_after(&self, position: Position, bytes_max: usize) -> Result<Vec<Record>> {
        let state = self.state();
        if position.to_engine() < state.before_first {
            let message = format!("records up to position {} were let go of", state.before_first);
            return Err(Error::new(ErrorKind::Compacted, message));
        }
        let first = state.index_after(position);
        let mut bytes = 0;
        let within = |record: &&Record| {
            bytes += record.bytes();
            bytes <= bytes_max.max(record.bytes())
        };
        Ok(state.records.range(first..).take_while(within).cloned().collect())
    }

    async fn read_before(&self, position: Position, bytes_max: usize) -> Result<Vec<Record>> {
        let state = self.state();
        let end = state.records.partition_point(|record| record.position() < position);
        let mut bytes = 0;
        let within = |record: &&Record| {
            bytes += record.bytes();
            bytes <= bytes_max.max(record.bytes())
        };
        let newest_first = state.records.range(..end).rev().take_while(within).cloned();
        let mut records: Vec<Record> = newest_first.collect();
        records.reverse();
        Ok(records)
    }

    async fn record(&self, position: Position) -> Result<Record> {
        let state = self.state();
        let at = state.records.partition_point(|record| record.position() < position);
        match state.records.get(at) {
            Some(record) if record.position() == position => Ok(record.clone()),
            _ if position.to_engine() <= state.before_first => {
                let message = format!("the record at position {position} was let go of");
                Err(Error::new(ErrorKind::Compacted, message))
            }
            _ => {
                let message = format!("there is no record at position {position}");
                Err(Error::new(ErrorKind::NotFound, message))
            }
        }
    }

    fn extent(&self) -> Extent {
        let state = self.state();
        Extent {
            before_first: Position::from_engine(state.before_first),
            last: Position::from_engine(state.lane.sequence()),
            records: state.records.len() as u64,
            bytes: state.bytes as u64,
            durable: false,
        }
    }

    fn status(&self) -> JournalStatus {
        JournalStatus { extent: self.extent(), ..JournalStatus::default() }
    }

    fn let_go_of_unused(&self) {
        self.let_go_of_unused_in(&mut self.state());
    }

    async fn verify(&self) -> Result<Verification> {
        let extent = self.extent();
        Ok(Verification { records: extent.records, bytes: extent.bytes, ..Verification::default() })
    }

    fn begin_close(&self) {
        self.state().closed = true;
    }

    async fn close(&self) -> Result<()> {
        self.begin_close();
        Ok(())
    }
}
