//! Comparing what is derived with what it was derived from: indices, snapshots, and the names of
//! files that are neither.
//!
//! What is found here costs no record: an index or a snapshot that is not right is made again, as
//! long as the log has all that it is made of. Behind a front above 0 only another snapshot has it.

use std::collections::BTreeMap;
use std::io;

use foundation_types::{Error, ErrorKind, Result, StoreId};

use super::super::index::{self, SegmentIndex};
use super::super::mark::FRONT;
use super::super::scan::Cursor;
use super::super::segment::{Segment, SegmentHeader};
use super::super::snapshot::{self, Snapshot};
use super::super::{cause, disk_failure, indexing, is_own_name, segment};
use super::marks::Marks;
use crate::disk::{Access, Disk, read_full, read_small};
use crate::journal::status::Finding;
use crate::record::Record;

const AGAIN: &str = "it can be made again";
const IRREGULAR: &str = "it is not a regular file";

/// What was found of a file that is not the log.
pub(super) struct Noted {
    pub(super) finding: Finding,
    /// Whether nothing makes another one of it, so that it has to stay as it is.
    pub(super) stays: bool,
}

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
    unusable: Vec<Unusable>,
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

/// A snapshot that cannot be used.
#[derive(Debug)]
struct Unusable {
    name: String,
    bytes: u64,
    what: String,
    damage: bool,
    /// Whether it is somebody else's, or no file at all.
    is_strange: bool,
}

impl Unusable {
    fn of(error: &Error, name: String, bytes: u64) -> Self {
        Self {
            name,
            bytes,
            what: error.message().to_owned(),
            // What a newer program made is not for us to judge.
            damage: error.kind() != ErrorKind::UnknownFormat,
            is_strange: cause::is_foreign(error),
        }
    }

    fn irregular(name: String) -> Self {
        Self { name, bytes: 0, what: IRREGULAR.to_owned(), damage: true, is_strange: true }
    }

    fn noted(&self, again: Result<(), u64>) -> Noted {
        let what = match again {
            _ if self.is_strange => self.what.clone(),
            Ok(()) => format!("{}; {AGAIN}", self.what),
            Err(0) => format!("{}; where the log begins is not known", self.what),
            Err(front) => format!(
                "{}; it cannot be made again, since the log begins after position {front}",
                self.what
            ),
        };
        let (file, range) = (self.name.clone(), 0..self.bytes);
        let finding = Finding { file, range, what, damage: self.damage };
        Noted { finding, stays: self.is_strange || again.is_err() }
    }
}

impl Snapshots {
    /// Reads all of them, with the hashes of what is in them.
    pub(super) fn read(disk: &dyn Disk, store: StoreId, beside: Beside) -> Result<Self> {
        let mut all = Self::default();
        for name in snapshot::names(disk)? {
            let bytes = match length_of(disk, &name) {
                Err(cause) if is_gone(&cause, beside) => continue,
                Err(cause) if cause::is_irregular(&cause) => {
                    all.unusable.push(Unusable::irregular(name));
                    continue;
                }
                length => length.map_err(|cause| disk_failure("read a snapshot", &name, cause))?,
            };
            match Snapshot::read(disk, &name, store) {
                Ok(Snapshot { last, chain, .. }) => {
                    all.chains.insert(last, None);
                    all.said.push(Said { name, last, chain, bytes });
                }
                Err(error) if is_said(&error) => {
                    all.unusable.push(Unusable::of(&error, name, bytes));
                }
                Err(error) if beside == Beside::Nobody => return Err(error),
                Err(_) => {}
            }
        }
        Ok(all)
    }

    /// The last record of the newest one.
    pub(super) fn newest(&self) -> u64 {
        self.said.iter().map(|one| one.last).max().unwrap_or(0)
    }

    /// The checksums of the frames of the records that they are of, as they say.
    pub(super) fn said(&self) -> BTreeMap<u64, u32> {
        self.said.iter().map(|one| (one.last, one.chain)).collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.said.is_empty() && self.unusable.is_empty()
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

    /// Names those that cannot be used, that speak of another log, or of records that are not kept.
    /// One of them must reach the front if `must_reach`.
    pub(super) fn compare(
        &mut self,
        marks: &Marks,
        before_first: u64,
        must_reach: bool,
    ) -> Vec<Noted> {
        let (mut noted, mut reached) = (Vec::new(), None);
        for Said { name, last, chain, bytes } in std::mem::take(&mut self.said) {
            let what = match self.chains.get(&last).copied().flatten() {
                Some(own) if own != chain => "a snapshot was taken of another log than this one",
                None if last < before_first => {
                    let what = "a snapshot is of a record that is not kept".to_owned();
                    let finding = Finding { file: name, range: 0..bytes, what, damage: false };
                    noted.push(Noted { finding, stays: true });
                    continue;
                }
                // What of the log cannot be read is told where it is.
                _ => {
                    reached = reached.max(Some(last));
                    continue;
                }
            };
            let (what, is_strange) = (what.to_owned(), false);
            self.unusable.push(Unusable { name, bytes, what, damage: true, is_strange });
        }
        let front = marks.front;
        let is_reached = reached.is_some_and(|last| last >= front);
        let again = match is_reached || (front == 0 && !marks.is_front_lost) {
            true => Ok(()),
            false => Err(front),
        };
        noted.extend(self.unusable.iter().map(|one| one.noted(again)));
        if must_reach && front > 0 && !is_reached {
            let what = format!(
                "the log begins after position {front}, and no snapshot can be read that reaches \
                 so far"
            );
            let finding = Finding { file: FRONT.to_owned(), range: 0..0, what, damage: true };
            noted.push(Noted { finding, stays: true });
        }
        noted
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
) -> Result<(u64, Vec<Noted>)> {
    let name = index::name_of(segment.header.first);
    let fail = |cause| disk_failure("read an index", &name, cause);
    let file = match disk.open(&name, Access::Read) {
        Ok(file) => file,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok((0, Vec::new())),
        Err(cause) if cause::is_irregular(&cause) => {
            let what = format!("an index is none: {IRREGULAR}");
            let finding = Finding { file: name, range: 0..0, what, damage: true };
            return Ok((0, vec![Noted { finding, stays: true }]));
        }
        Err(cause) => return Err(fail(cause)),
    };
    let length = file.len().map_err(fail)?;
    let mut bytes = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
    let count = read_full(&*file, &mut bytes, 0).map_err(fail)?;
    bytes.truncate(count);
    let index = match SegmentIndex::open(file, name.clone(), &segment.header) {
        Ok(index) => index,
        Err(error) if is_said(&error) => {
            return Ok((length, vec![unusable(&error, name, 0..length)]));
        }
        Err(error) => return Err(error),
    };
    let summary = index.summary();
    if summary.end.offset > end.offset {
        // A writer goes on while one looks.
        let is_ahead = is_last && beside == Beside::Writer;
        let what = format!("its index covers position {}, which is missing", summary.last());
        let missing = (!is_ahead).then(|| missing(segment, end, what));
        return Ok((length, missing.into_iter().collect()));
    }
    let mut noted = Vec::new();
    if summary.sealed && is_last && beside == Beside::Nobody {
        let what = "its index is that of a sealed segment, and none follows".to_owned();
        noted.push(missing(segment, end, what));
    }
    let again = indexing::build(segment, summary.end.offset, summary.sealed, index.grain())?;
    noted.extend(difference(&bytes, &again).map(|range| {
        let what = format!("an index is not what its segment gives; {AGAIN}");
        Noted { finding: Finding { file: name, range, what, damage: true }, stays: false }
    }));
    Ok((length, noted))
}

fn missing(segment: &Segment, end: Cursor, what: String) -> Noted {
    let (file, range) = (segment.name.clone(), end.offset..end.offset);
    Noted { finding: Finding { file, range, what, damage: true }, stays: true }
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
    store: StoreId,
    segments: &[String],
    is_damaged: bool,
) -> Result<Vec<Noted>> {
    let mut names = disk.list().map_err(|cause| disk_failure("list the store", "", cause))?;
    names.sort_unstable();
    let mut noted = Vec::new();
    for name in names {
        let (what, stays) = match index::first_of(&name) {
            Some(first) if segments.contains(&segment::name_of(first)) || is_damaged => continue,
            Some(_) if is_of(disk, &name, store)? => {
                ("an index without its segment; it can be removed", false)
            }
            Some(_) => ("it has the name of an index, and does not belong to the store", true),
            None if is_own_name(&name) => continue,
            None if name.ends_with(".new") => {
                ("left from a write that was not finished", is_irregular(disk, &name))
            }
            None => ("it does not belong to the store", true),
        };
        let finding = Finding { file: name, range: 0..0, what: what.to_owned(), damage: false };
        noted.push(Noted { finding, stays });
    }
    Ok(noted)
}

/// Whether an index says that it is of this store. One that says nothing is nobody's.
fn is_of(disk: &dyn Disk, name: &str, store: StoreId) -> Result<bool> {
    let read = || -> io::Result<Vec<u8>> { read_small(&*disk.open(name, Access::Read)?, 32) };
    let head = match read() {
        Ok(head) => head,
        Err(cause) if cause::is_irregular(&cause) => return Ok(false),
        Err(cause) => return Err(disk_failure("read an index", name, cause)),
    };
    let says = head.starts_with(index::MAGIC) && head.len() == 32;
    Ok(!says || head.get(16..) == Some(&store.to_bits().to_le_bytes()))
}

fn is_irregular(disk: &dyn Disk, name: &str) -> bool {
    matches!(disk.open(name, Access::Read), Err(cause) if cause::is_irregular(&cause))
}

fn unusable(error: &Error, file: String, range: std::ops::Range<u64>) -> Noted {
    let stays = cause::is_foreign(error);
    let what = match stays {
        true => error.message().to_owned(),
        false => format!("{}; {AGAIN}", error.message()),
    };
    // What a newer program wrote is not for us to judge.
    let damage = error.kind() != ErrorKind::UnknownFormat;
    Noted { finding: Finding { file, range, what, damage }, stays }
}

/// Whether an error says something of the file; a call of the system that failed does not.
fn is_said(error: &Error) -> bool {
    cause::is_damage(error) || error.kind() == ErrorKind::UnknownFormat
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
