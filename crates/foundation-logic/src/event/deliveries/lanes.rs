//! The events of each stream in the order in which they are handed out.

use std::collections::{HashMap, VecDeque};

use foundation_types::{Position, StreamName};

/// One queue a stream; a stream without events has none.
#[derive(Debug, Default)]
pub(super) struct Lanes(HashMap<StreamName, VecDeque<Position>>);

impl Lanes {
    /// Puts an event last; gives whether it is the first one too.
    pub(super) fn push(&mut self, stream: &StreamName, position: Position) -> bool {
        let lane = self.0.entry(stream.clone()).or_default();
        lane.push_back(position);
        lane.len() == 1
    }

    pub(super) fn push_front(&mut self, stream: &StreamName, position: Position) {
        self.0.entry(stream.clone()).or_default().push_front(position);
    }

    /// Puts an event behind the first one, which cannot give its turn away.
    pub(super) fn push_second(&mut self, stream: &StreamName, position: Position) {
        let lane = self.0.entry(stream.clone()).or_default();
        lane.insert(lane.len().min(1), position);
    }

    pub(super) fn first(&self, stream: &StreamName) -> Option<Position> {
        self.0.get(stream).and_then(|lane| lane.front().copied())
    }

    /// The one at this place of the queue, from 0.
    pub(super) fn nth(&self, stream: &StreamName, place: usize) -> Option<Position> {
        self.0.get(stream).and_then(|lane| lane.get(place).copied())
    }

    /// Takes this one out, mostly the first; gives the first one of those that are left.
    pub(super) fn pop(&mut self, stream: &StreamName, position: Position) -> Option<Position> {
        let lane = self.0.get_mut(stream)?;
        if let Some(place) = lane.iter().position(|one| *one == position) {
            lane.remove(place);
        }
        let next = lane.front().copied();
        if next.is_none() {
            self.0.remove(stream);
        }
        next
    }
}
