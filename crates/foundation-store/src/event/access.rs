//! Which of the events that are read are noted, and how often each stream was read.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use foundation_types::StreamName;
use foundation_types::limits::{INTAKE_STREAMS_MAX, STREAM_NAME_BYTES_MAX};

/// How often events were read, by stream: a sample of all reads, since the process began. It is kept in
/// memory only.
#[derive(Debug, Default)]
pub struct Accesses {
    reads: AtomicU64,
    rows: Mutex<Rows>,
}

#[derive(Debug, Default)]
struct Rows {
    streams: BTreeMap<StreamName, u64>,
    others: u64,
}

impl Accesses {
    /// Notes about one in so many of the events that are read, those of these streams, each for as many;
    /// none for 0. Gives how many were read by what was noted.
    pub fn read<'a>(&self, streams: impl Iterator<Item = &'a StreamName>, one_in: u64) -> u64 {
        if one_in == 0 {
            return 0;
        }
        let mut noted = 0;
        for stream in streams {
            let nth = self.reads.fetch_add(1, Ordering::Relaxed);
            if mixed(nth).is_multiple_of(one_in) {
                self.rows().note(stream, one_in);
                noted += one_in;
            }
        }
        noted
    }

    /// How many were read of each stream that has a row, and of the others together, about.
    #[must_use]
    pub fn by_stream(&self) -> (BTreeMap<StreamName, u64>, u64) {
        let rows = self.rows();
        (rows.streams.clone(), rows.others)
    }

    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rows {
    fn note(&mut self, stream: &StreamName, reads: u64) {
        if let Some(row) = self.streams.get_mut(stream) {
            *row += reads;
        } else if self.streams.len() < INTAKE_STREAMS_MAX
            && stream.as_str().len() <= STREAM_NAME_BYTES_MAX
        {
            self.streams.insert(stream.clone(), reads);
        } else {
            self.others += reads;
        }
    }
}

/// A number that looks drawn, so that streams that are read in turn are noted alike: the finaliser of
/// SplitMix64, over numbers that a golden ratio sets apart.
fn mixed(nth: u64) -> u64 {
    let mut bits = nth.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_of_the_streams_that_are_read_in_turn_is_noted_by_its_share() {
        let accesses = Accesses::default();
        let streams = ["a", "b", "c", "d"].map(StreamName::from);
        let mut noted = 0;
        for _ in 0..64_000 {
            noted += accesses.read(streams.iter(), 64);
        }
        let (rows, others) = accesses.by_stream();
        assert_eq!((rows.values().sum::<u64>(), others), (noted, 0));
        for (stream, reads) in rows {
            let share = reads as f64 / 64_000.0;
            assert!((0.85..1.15).contains(&share), "{stream:?}: {reads} of 64000");
        }
    }

    #[test]
    fn one_in_one_is_exact_and_none_is_none() {
        let accesses = Accesses::default();
        let stream = StreamName::from("a");
        assert_eq!(accesses.read([&stream, &stream].into_iter(), 1), 2);
        assert_eq!(accesses.read([&stream].into_iter(), 0), 0);
        assert_eq!(accesses.by_stream().0[&stream], 2);
    }

    #[test]
    fn streams_beyond_the_limit_share_a_row() {
        let accesses = Accesses::default();
        let all: Vec<_> =
            (0..INTAKE_STREAMS_MAX + 5).map(|nth| StreamName::from(format!("s{nth}"))).collect();
        accesses.read(all.iter(), 1);
        let (rows, others) = accesses.by_stream();
        assert_eq!((rows.len(), others), (INTAKE_STREAMS_MAX, 5));
    }
}
