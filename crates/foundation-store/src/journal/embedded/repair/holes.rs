//! Where the log cannot be read, and how it goes on behind that.

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;

use foundation_types::{Error, ErrorKind, Result, StoreId};

use super::super::cause::{is_damage, is_foreign, is_irregular};
use super::super::index::{self, SegmentIndex, Summary};
use super::super::recovery::{self, FIRST_EPOCH};
use super::super::scan::{Cursor, Groups, StopCause};
use super::super::segment::{self, HEADER_BYTES, Segment};
use super::super::{disk_failure, row};
use crate::disk::{Access, Disk};

/// Records that are lost, and what the log carries on behind them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hole {
    /// The segment in which they were, or of which nothing is left.
    pub(super) file: String,
    /// The bytes that cannot be read; nothing of a segment that is missing.
    pub(super) range: Range<u64>,
    /// Before it.
    pub(super) before: Cursor,
    pub(super) lost: u64,
    /// Checksum of the last frame that is lost, if anything says it.
    pub(super) chain: u32,
    /// Epoch of the segment.
    pub(super) epoch: u64,
    /// Whether the segment has to be made, since its header cannot be read.
    pub(super) is_whole: bool,
    /// Files of which nothing can be used, and where each is kept.
    pub(super) unusable: Vec<Unusable>,
    pub(super) reason: &'static str,
}

/// A file of the log that is not read any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unusable {
    pub(super) file: String,
    pub(super) quarantine: String,
}

/// What is wrong with a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Holes {
    /// Oldest first.
    pub(super) all: Vec<Hole>,
    /// Indices that speak of records which their segments do not have any more: the log goes on
    /// behind what is lost, and they would say that it does not.
    pub(super) stale: Vec<String>,
}

impl Holes {
    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty() && self.stale.is_empty()
    }
}

/// All holes of a log; nothing if it cannot be told how the parts of it belong together, which is
/// no case for a repair.
///
/// # Errors
/// `Disk` or `DiskFull` if something could not be read now, which says nothing of what it holds;
/// `UnknownFormat` if a newer program wrote it.
pub(super) fn find(
    disk: &dyn Disk,
    store: StoreId,
    front: u64,
    marked: u64,
    chains: &BTreeMap<u64, u32>,
) -> Result<Option<Holes>> {
    let all = disk.list().map_err(|cause| disk_failure("list the store", "", cause))?;
    let (_, names) = row::without_dropped(row::segment_names(disk)?, front);
    let mut search = Search {
        disk,
        all: &all,
        cursor: Cursor {
            offset: HEADER_BYTES,
            next: front + 1,
            chain: chains.get(&front).copied().unwrap_or(0),
        },
        epoch: FIRST_EPOCH,
        holes: Holes::default(),
        unusable: Vec::new(),
        marked,
        chains: chains.clone(),
        is_sealed: false,
    };
    let mut parts = Vec::new();
    for name in &names {
        let opened = row::open_segment(disk, name, Access::Read)
            .and_then(|one| row::check_own(name, one.header, store).map(|()| one));
        match opened {
            Ok(segment) => parts.push(Ok(segment)),
            Err(error) if is_foreign(&error) => return Ok(None),
            Err(error) if is_damage(&error) => parts.push(Err(name.clone())),
            Err(error) => return Err(error),
        }
    }
    let mut is_first = front > 0;
    for at in 0..parts.len() {
        match &parts[at] {
            Err(name) => search.unusable.push(name.clone()),
            Ok(segment) => {
                let header = segment.header;
                if std::mem::take(&mut is_first) && header.first <= front + 1 {
                    search.cursor.next = header.first;
                    search.cursor.chain = header.previous;
                }
                if !search.reach(segment) {
                    return Ok(None);
                }
                let behind = parts.get(at + 1..).unwrap_or_default();
                search.segment(segment, behind.first().map(Following::of))?;
            }
        }
    }
    Ok(search.end(&names).then_some(search.holes))
}

/// What comes after a segment.
#[derive(Clone, Copy)]
struct Following {
    first: u64,
    /// What it carries on, if its header can be read.
    previous: Option<u32>,
}

impl Following {
    fn of(part: &std::result::Result<Segment, String>) -> Self {
        match part {
            Ok(segment) => {
                let header = segment.header;
                Self { first: header.first, previous: Some(header.previous) }
            }
            Err(name) => Self { first: segment::first_of(name).unwrap_or(0), previous: None },
        }
    }
}

struct Search<'a> {
    disk: &'a dyn Disk,
    /// The names of all files.
    all: &'a [String],
    cursor: Cursor,
    epoch: u64,
    holes: Holes,
    /// Files since the last segment that could be read.
    unusable: Vec<String>,
    marked: u64,
    /// The checksums of frames of which something beside the log speaks: what is lost up to there
    /// is carried on so that it goes on being right.
    chains: BTreeMap<u64, u32>,
    /// Whether the index of the last segment says that another one followed.
    is_sealed: bool,
}

impl Search<'_> {
    /// Goes on to a segment; says whether it can be the one that follows.
    fn reach(&mut self, segment: &Segment) -> bool {
        let header = segment.header;
        if header.first > self.cursor.next {
            let lost = header.first - self.cursor.next;
            self.missing(lost, header.previous);
        }
        // What could not be read and has lost nothing is only set aside.
        let is_next = (header.first, header.previous) == (self.cursor.next, self.cursor.chain);
        is_next && header.epoch >= self.epoch && self.unusable.is_empty()
    }

    /// A segment is not there, or nothing of it can be used.
    fn missing(&mut self, lost: u64, chain: u32) {
        let before = Cursor { offset: HEADER_BYTES, ..self.cursor };
        let unusable = self.set_aside();
        self.holes.all.push(Hole {
            file: segment::name_of(before.next),
            range: 0..0,
            before,
            lost,
            chain,
            epoch: self.epoch,
            is_whole: true,
            unusable,
            reason: "a segment is missing or its header is damaged",
        });
        self.cursor = Cursor { next: before.next + lost, chain, ..before };
    }

    /// What a record with this number carries on, if anything says it.
    fn chain_at(&self, next: u64) -> u32 {
        let said = self.chains.get(&next.saturating_sub(1)).copied();
        said.filter(|_| next > self.cursor.next).unwrap_or(self.cursor.chain)
    }

    fn set_aside(&mut self) -> Vec<Unusable> {
        let files = std::mem::take(&mut self.unusable);
        let keep = |file: String| Unusable { quarantine: super::quarantine(&file, self.all), file };
        files.into_iter().map(keep).collect()
    }

    fn segment(&mut self, segment: &Segment, following: Option<Following>) -> Result<()> {
        let fail = |cause| disk_failure("read the log", &segment.name, cause);
        let summary = self.summary(segment)?;
        if let Some(summary) = &summary {
            self.chains.entry(summary.last()).or_insert(summary.end.chain);
            if following.is_none() {
                self.marked = self.marked.max(summary.last());
                self.is_sealed = summary.sealed;
            }
        }
        self.epoch = segment.header.epoch;
        self.cursor.offset = HEADER_BYTES;
        let mut groups = Groups::new(&*segment.file, segment.seed, self.cursor).map_err(fail)?;
        loop {
            let stop = match groups.next().map_err(fail)? {
                Ok(_) => continue,
                Err(stop) => stop,
            };
            self.cursor = groups.cursor();
            if stop.cause == StopCause::Newer {
                return Err(recovery::newer(&segment.name, self.cursor.offset, stop));
            }
            let used = groups.used_end().map_err(fail)?;
            if used == self.cursor.offset {
                let end = self.cursor.offset;
                if summary.is_some_and(|summary| summary.end.offset > end) {
                    self.holes.stale.push(index::name_of(segment.header.first));
                }
                return Ok(());
            }
            let later = groups.find_later().map_err(fail)?;
            // Without one, what follows is a torn tail unless it was acked.
            let is_torn = following.is_none()
                && self.cursor.next > self.marked
                && stop.cause == StopCause::Torn;
            if is_torn && groups.find_proof().map_err(fail)?.is_none() {
                return Ok(());
            }
            let (end, next, chain) = match (later, following) {
                (Some(later), _) => (later.offset, later.next, later.chain),
                (None, Some(next)) => {
                    (used, next.first, next.previous.unwrap_or_else(|| self.chain_at(next.first)))
                }
                (None, None) => {
                    let next = self.cursor.next.max(self.marked + 1);
                    (used, next, self.chain_at(next))
                }
            };
            let lost = next.saturating_sub(self.cursor.next);
            // Its index goes with what it speaks of.
            self.is_sealed = false;
            self.holes.all.push(Hole {
                file: segment.name.clone(),
                range: self.cursor.offset..end,
                before: self.cursor,
                lost,
                chain,
                epoch: self.epoch,
                is_whole: false,
                unusable: Vec::new(),
                reason: stop.reason,
            });
            self.cursor = Cursor { offset: end, next, chain };
            match later {
                Some(later) => groups.move_to(later),
                None => return Ok(()),
            }
        }
    }

    /// What the index of a segment says of it, if it has one that can be used.
    fn summary(&self, segment: &Segment) -> Result<Option<Summary>> {
        let name = index::name_of(segment.header.first);
        let file = match self.disk.open(&name, Access::Read) {
            Ok(file) => file,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound || is_irregular(&cause) => {
                return Ok(None);
            }
            Err(cause) => return Err(disk_failure("read an index", &name, cause)),
        };
        match SegmentIndex::open(file, name, &segment.header) {
            Ok(index) => Ok(Some(index.summary().clone())),
            Err(error) if is_damage(&error) || is_unknown(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The log is shorter than what was acked, or ends with files that cannot be used. Says whether
    /// it can go on behind all of that.
    fn end(&mut self, names: &[String]) -> bool {
        let last = self.cursor.next - 1;
        // A name that is taken by a segment which is right has no room for another.
        let is_free = !names.contains(&segment::name_of(self.cursor.next))
            || self.unusable.contains(&segment::name_of(self.cursor.next));
        let lost = self.marked.saturating_sub(last);
        if lost == 0 && self.unusable.is_empty() {
            // How much was in a segment that followed is not known, if nothing else speaks of it.
            return !self.is_sealed;
        }
        let chain = self.chain_at(self.cursor.next + lost);
        if is_free {
            self.missing(lost, chain);
            return true;
        }
        // The last segment is there and has nothing: what is lost was in it.
        let is_own = self.unusable.is_empty() && self.cursor.offset == HEADER_BYTES;
        if is_own {
            self.holes.all.push(Hole {
                file: segment::name_of(self.cursor.next),
                range: HEADER_BYTES..HEADER_BYTES,
                before: self.cursor,
                lost,
                chain,
                epoch: self.epoch,
                is_whole: false,
                unusable: Vec::new(),
                reason: "the segment ends before what was acked",
            });
        }
        is_own
    }
}

fn is_unknown(error: &Error) -> bool {
    error.kind() == ErrorKind::UnknownFormat
}
