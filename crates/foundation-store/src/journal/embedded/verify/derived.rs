//! Comparing what is derived with what it was derived from: indices, snapshots, and the names of
//! files that are neither.
//!
//! What is found here costs no record: an index or a snapshot that is not right is made again.

use std::collections::BTreeMap;
use std::io;

use foundation_types::{Error, ErrorKind, Result, StoreId};

use super::super::index::{self, SegmentIndex};
use super::super::scan::Cursor;
use super::super::segment::{Segment, SegmentHeader};
use super::super::snapshot::{self, Snapshot};
use super::super::{disk_failure, indexing, is_own_name, segment};
use crate::disk::{Access, Disk, read_full};
use crate::journal::status::Finding;
use crate::record::Record;

const AGAIN: &str = "it can be made again";

/// Whether files may come and go meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beside {
    /// Nobody writes.
    Nobody,
    /// Somebody does.
    Writer,
}

/// What the snapshots say of the log, and what the log says.
#[derive(Debug, Default)]
pub(super) struct Snapshots {
    said: Vec<Said>,
    /// The checksum of the frame of each record that a snapshot is of, once it was read.
    chains: BTreeMap<u64, Option<u32>>,
}

#[derive(Debug)]
struct Said {
    name: String,
    last: u64,
    chain: u32,
    bytes: u64,
}

impl Snapshots {
    /// Reads all of them, with the hashes of what is in them.
    pub(super) fn read(
        disk: &dyn Disk,
        store: StoreId,
        beside: Beside,
        findings: &mut Vec<Finding>,
    ) -> Result<Self> {
        let mut all = Self::default();
        for name in snapshot::names(disk)? {
            let bytes = match length_of(disk, &name) {
                Err(cause) if is_gone(&cause, beside) => continue,
                length => length.map_err(|cause| disk_failure("read a snapshot", &name, cause))?,
            };
            match Snapshot::read(disk, &name, store) {
                Ok(Snapshot { last, chain, .. }) => {
                    all.chains.insert(last, None);
                    all.said.push(Said { name, last, chain, bytes });
                }
                Err(error) if error.kind() == ErrorKind::Disk => {
                    if beside == Beside::Nobody {
                        return Err(error);
                    }
                }
                Err(error) => findings.push(unusable(&error, name, 0..bytes)),
            }
        }
        Ok(all)
    }

    /// The last record of the newest one.
    pub(super) fn newest(&self) -> u64 {
        self.said.iter().map(|one| one.last).max().unwrap_or(0)
    }

    pub(super) fn bytes(&self) -> u64 {
        self.said.iter().map(|one| one.bytes).sum()
    }

    /// Learns what a segment carries on.
    pub(super) fn note_header(&mut self, header: SegmentHeader) {
        if let Some(chain) = self.chains.get_mut(&header.first.saturating_sub(1)) {
            chain.get_or_insert(header.previous);
        }
    }

    /// Learns the checksums of records that were read.
    pub(super) fn note(&mut self, records: &[Record]) {
        let (Some(first), Some(last)) = (records.first(), records.last()) else { return };
        let range = first.position().to_engine()..=last.position().to_engine();
        for (wanted, chain) in self.chains.range_mut(range) {
            let found = records.iter().find(|one| one.position().to_engine() == *wanted);
            *chain = found.map(Record::checksum).or(*chain);
        }
    }

    /// Names those that speak of another log, or of records that are not kept.
    pub(super) fn compare(&self, findings: &mut Vec<Finding>, before_first: u64) {
        for Said { name, last, chain, bytes } in &self.said {
            let (what, damage) = match self.chains.get(last).copied().flatten() {
                Some(own) if own == *chain => continue,
                Some(_) => ("a snapshot was taken of another log than this one", true),
                None if *last < before_first => {
                    ("a snapshot is of a record that is not kept", false)
                }
                // What of the log cannot be read is told where it is.
                None => continue,
            };
            let file = name.clone();
            findings.push(Finding { file, range: 0..*bytes, what: what.to_owned(), damage });
        }
    }
}

/// Compares the index of a segment, if it has one, with one that is made of it again. `end` is how
/// far the segment was read.
pub(super) fn check_index(
    disk: &dyn Disk,
    segment: &Segment,
    end: Cursor,
    beside: Beside,
    is_last: bool,
) -> Result<(u64, Option<Finding>)> {
    let name = index::name_of(segment.header.first);
    let fail = |cause| disk_failure("read an index", &name, cause);
    let file = match disk.open(&name, Access::Read) {
        Ok(file) => file,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok((0, None)),
        Err(cause) => return Err(fail(cause)),
    };
    let length = file.len().map_err(fail)?;
    let mut bytes = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
    let count = read_full(&*file, &mut bytes, 0).map_err(fail)?;
    bytes.truncate(count);
    let index = match SegmentIndex::open(file, name.clone(), &segment.header) {
        Ok(index) => index,
        Err(error) if error.kind() == ErrorKind::Disk => return Err(error),
        Err(error) => return Ok((length, Some(unusable(&error, name, 0..length)))),
    };
    let summary = index.summary();
    if summary.end.offset > end.offset {
        // A writer goes on while one looks.
        let is_ahead = is_last && beside == Beside::Writer;
        let what = format!("its index covers position {}, which is missing", summary.last());
        return Ok((length, (!is_ahead).then(|| missing(segment, end, what))));
    }
    if summary.sealed && is_last && beside == Beside::Nobody {
        let what = "its index is that of a sealed segment, and none follows".to_owned();
        return Ok((length, Some(missing(segment, end, what))));
    }
    let again = indexing::build(segment, summary.end.offset, summary.sealed)?;
    let finding = difference(&bytes, &again).map(|range| Finding {
        file: name,
        range,
        what: format!("an index is not what its segment gives; {AGAIN}"),
        damage: true,
    });
    Ok((length, finding))
}

fn missing(segment: &Segment, end: Cursor, what: String) -> Finding {
    Finding { file: segment.name.clone(), range: end.offset..end.offset, what, damage: true }
}

/// From the first byte that differs to the end of the last one.
fn difference(one: &[u8], other: &[u8]) -> Option<std::ops::Range<u64>> {
    let same = one.iter().zip(other).take_while(|(a, b)| a == b).count();
    let longer = one.len().max(other.len());
    if same == longer {
        return None;
    }
    let alike = one.iter().rev().zip(other.iter().rev()).take_while(|(a, b)| a == b).count();
    let tail = if one.len() == other.len() { alike.min(longer - same) } else { 0 };
    Some(same as u64..(longer - tail) as u64)
}

/// Names files that are no part of a store. An index without its segment is one, unless segments
/// are missing, which is told already.
pub(super) fn strangers(
    disk: &dyn Disk,
    segments: &[String],
    is_damaged: bool,
) -> Result<Vec<Finding>> {
    let mut names = disk.list().map_err(|cause| disk_failure("list the store", "", cause))?;
    names.sort_unstable();
    let mut findings = Vec::new();
    for name in names {
        let what = match index::first_of(&name) {
            Some(first) if segments.contains(&segment::name_of(first)) || is_damaged => continue,
            Some(_) => "an index without its segment; it can be removed",
            None if is_own_name(&name) => continue,
            None if name.ends_with(".new") => "left from a write that was not finished",
            None => "it does not belong to the store",
        };
        findings.push(Finding { file: name, range: 0..0, what: what.to_owned(), damage: false });
    }
    Ok(findings)
}

fn unusable(error: &Error, file: String, range: std::ops::Range<u64>) -> Finding {
    // What a newer program wrote is not for us to judge.
    let damage = error.kind() != ErrorKind::UnknownFormat;
    Finding { file, range, what: format!("{}; {AGAIN}", error.message()), damage }
}

fn length_of(disk: &dyn Disk, name: &str) -> io::Result<u64> {
    disk.open(name, Access::Read)?.len()
}

fn is_gone(cause: &io::Error, beside: Beside) -> bool {
    beside == Beside::Writer && cause.kind() == io::ErrorKind::NotFound
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_from_its_first_byte_to_its_last() {
        assert_eq!(difference(b"abcdef", b"abcdef"), None);
        assert_eq!(difference(b"abcdef", b"abXdXf"), Some(2..5));
        assert_eq!(difference(b"aaaa", b"aaba"), Some(2..3));
        assert_eq!(difference(b"abc", b"abcd"), Some(3..4));
        assert_eq!(difference(b"", b"a"), Some(0..1));
    }
}
