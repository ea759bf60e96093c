//! The ring: the newest records, first in, first out.

use std::collections::VecDeque;

use foundation_types::Position;

use crate::record::Record;

/// How many records were put into the ring before this one, modulo 2³²: the ring holds at most
/// ten million.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ordinal(u32);

impl Ordinal {
    pub(super) const MIN: Self = Self(0);
    pub(super) const MAX: Self = Self(u32::MAX);

    /// Place in a ring that begins at `front`.
    pub(super) fn offset(self, front: Self) -> usize {
        self.0.wrapping_sub(front.0) as usize
    }

    fn plus(self, count: usize) -> Self {
        Self(self.0.wrapping_add(count as u32))
    }
}

/// Records in the order of their positions, a gapless end of the log.
#[derive(Debug, Default)]
pub(super) struct Ring {
    records: VecDeque<Record>,
    front: Ordinal,
    record_bytes: u64,
    evicted: u64,
    coverage: Position,
}

impl Ring {
    /// Nothing up to this position is here.
    pub(super) fn begin(&mut self, before: Position) {
        self.coverage = before;
    }

    /// Adds the newest record.
    pub(super) fn push(&mut self, record: Record) -> Ordinal {
        let ordinal = self.front.plus(self.records.len());
        self.record_bytes += record.bytes() as u64;
        push_tight(&mut self.records, record);
        ordinal
    }

    /// Removes the oldest record.
    pub(super) fn pop(&mut self) -> Option<(Ordinal, Record)> {
        let record = self.records.pop_front()?;
        let ordinal = self.front;
        self.front = ordinal.plus(1);
        self.record_bytes -= record.bytes() as u64;
        self.evicted += 1;
        self.coverage = record.position();
        Some((ordinal, record))
    }

    /// Everything after this position is here.
    pub(super) fn coverage(&self) -> Position {
        self.coverage
    }

    /// Ordinal of the oldest record.
    pub(super) fn front(&self) -> Ordinal {
        self.front
    }

    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    /// Bytes of the records alone.
    pub(super) fn record_bytes(&self) -> u64 {
        self.record_bytes
    }

    /// Records that were removed.
    pub(super) fn evicted(&self) -> u64 {
        self.evicted
    }

    pub(super) fn get(&self, offset: usize) -> Option<&Record> {
        self.records.get(offset)
    }

    /// The record at this position.
    pub(super) fn find(&self, position: Position) -> Option<&Record> {
        let record = self.records.get(self.before(position))?;
        (record.position() == position).then_some(record)
    }

    /// How many records lie before the position.
    pub(super) fn before(&self, position: Position) -> usize {
        let Some(front) = self.records.front() else { return 0 };
        // Most engines number records one by one, so the distance is tried as the offset first.
        let distance = position.to_engine().saturating_sub(front.position().to_engine());
        let guess = usize::try_from(distance).unwrap_or(usize::MAX);
        match self.records.get(guess) {
            Some(record) if record.position() == position => guess,
            _ => self.records.partition_point(|record| record.position() < position),
        }
    }

    /// How many records lie up to and with the position.
    pub(super) fn up_to(&self, position: Position) -> usize {
        let before = self.before(position);
        let at = self.get(before).is_some_and(|record| record.position() == position);
        before + usize::from(at)
    }

    /// Gives back memory that a larger ring needed.
    pub(super) fn shrink(&mut self) {
        self.records.shrink_to_fit();
    }
}

/// Adds an item; a full deque grows by a quarter, not to the double.
pub(super) fn push_tight<T>(deque: &mut VecDeque<T>, item: T) {
    if deque.len() == deque.capacity() {
        deque.reserve_exact(deque.len() / 4 + 4);
    }
    deque.push_back(item);
}
