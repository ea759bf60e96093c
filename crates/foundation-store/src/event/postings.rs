//! Which records of the ring share a key: a posting list, small while it is short.

use std::collections::VecDeque;
use std::ops::Range;

use super::ring::{Ordinal, push_tight};

const FEW: usize = 3;

/// Ordinals in the order of the ring.
#[derive(Debug)]
pub(super) enum Postings {
    /// Up to three, in place.
    Few { count: u8, ordinals: [Ordinal; FEW] },
    /// More, on the heap.
    #[expect(clippy::box_collection, reason = "a list of few is 16 bytes, with a bare deque 40")]
    Many(Box<VecDeque<Ordinal>>),
}

impl Postings {
    /// The list of one record.
    pub(super) fn one(ordinal: Ordinal) -> Self {
        Self::Few { count: 1, ordinals: [ordinal; FEW] }
    }

    /// Adds a record newer than all before it.
    pub(super) fn push(&mut self, ordinal: Ordinal) {
        match self {
            Self::Many(list) => push_tight(list, ordinal),
            Self::Few { count, ordinals } => match ordinals.get_mut(usize::from(*count)) {
                Some(place) => {
                    *place = ordinal;
                    *count += 1;
                }
                None => {
                    let mut list = VecDeque::with_capacity(2 * FEW + 1);
                    list.extend(ordinals.iter().copied());
                    list.push_back(ordinal);
                    *self = Self::Many(Box::new(list));
                }
            },
        }
    }

    /// Removes the oldest record.
    pub(super) fn pop(&mut self) {
        match self {
            Self::Few { count, ordinals } => {
                ordinals.rotate_left(1);
                *count = count.saturating_sub(1);
            }
            Self::Many(list) => {
                list.pop_front();
                // What a busy time left behind is given back.
                if list.capacity() > 64 && list.len() < list.capacity() / 4 {
                    list.shrink_to(list.len() * 2);
                }
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Few { count, .. } => usize::from(*count),
            Self::Many(list) => list.len(),
        }
    }

    pub(super) fn get(&self, at: usize) -> Option<Ordinal> {
        match self {
            Self::Few { count, ordinals } if at < usize::from(*count) => ordinals.get(at).copied(),
            Self::Few { .. } => None,
            Self::Many(list) => list.get(at).copied(),
        }
    }

    /// The part of the list whose records lie in `window`, given as offsets in a ring that
    /// begins at `front`.
    pub(super) fn within(&self, front: Ordinal, window: &Range<usize>) -> Range<usize> {
        self.before(front, window.start)..self.before(front, window.end)
    }

    /// How many records lie before the offset.
    fn before(&self, front: Ordinal, offset: usize) -> usize {
        let before = |ordinal: &Ordinal| ordinal.offset(front) < offset;
        match self {
            Self::Few { count, ordinals } => {
                ordinals.iter().take(usize::from(*count)).take_while(|one| before(one)).count()
            }
            Self::Many(list) => list.partition_point(before),
        }
    }
}
