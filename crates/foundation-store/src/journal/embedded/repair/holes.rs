//! Where the log cannot be read, and how it goes on behind that.

use std::ops::Range;

use foundation_types::{ErrorKind, Result, StoreId};

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
    /// Files of which nothing can be used.
    pub(super) unusable: Vec<String>,
    pub(super) reason: &'static str,
}

/// All holes of a log, oldest first; nothing if it cannot be told how the parts of it belong
/// together, which is no case for a repair.
pub(super) fn find(
    disk: &dyn Disk,
    store: StoreId,
    names: &[String],
    front: u64,
    marked: u64,
) -> Result<Option<Vec<Hole>>> {
    let mut search = Search {
        cursor: Cursor { offset: HEADER_BYTES, next: front + 1, chain: 0 },
        epoch: FIRST_EPOCH,
        holes: Vec::new(),
        unusable: Vec::new(),
        marked,
    };
    let mut parts = Vec::new();
    for name in names {
        let opened = row::open_segment(disk, name, Access::Read)
            .and_then(|one| row::check_own(name, one.header, store).map(|()| one));
        match opened {
            Ok(segment) => parts.push(Ok(segment)),
            Err(error) if matches!(error.kind(), ErrorKind::Disk | ErrorKind::UnknownFormat) => {
                return Err(error);
            }
            Err(_) => parts.push(Err(name.clone())),
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
    search.end(names);
    Ok(Some(search.holes))
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

struct Search {
    cursor: Cursor,
    epoch: u64,
    holes: Vec<Hole>,
    /// Files since the last segment that could be read.
    unusable: Vec<String>,
    marked: u64,
}

impl Search {
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
        self.holes.push(Hole {
            file: segment::name_of(before.next),
            range: 0..0,
            before,
            lost,
            chain,
            epoch: self.epoch,
            is_whole: true,
            unusable: std::mem::take(&mut self.unusable),
            reason: "a segment is missing or its header is damaged",
        });
        self.cursor = Cursor { next: before.next + lost, chain, ..before };
    }

    fn segment(&mut self, segment: &Segment, following: Option<Following>) -> Result<()> {
        let fail = |cause| disk_failure("read the log", &segment.name, cause);
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
                    (used, next.first, next.previous.unwrap_or(self.cursor.chain))
                }
                (None, None) => (used, self.cursor.next.max(self.marked + 1), self.cursor.chain),
            };
            let lost = next.saturating_sub(self.cursor.next);
            self.holes.push(Hole {
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

    /// The log is shorter than what was acked, or ends with files that cannot be used.
    fn end(&mut self, names: &[String]) {
        let last = self.cursor.next - 1;
        // A name that is taken by a segment which is right has no room for another.
        let is_free = !names.contains(&segment::name_of(self.cursor.next))
            || self.unusable.contains(&segment::name_of(self.cursor.next));
        if (last < self.marked || !self.unusable.is_empty()) && is_free {
            self.missing(self.marked.saturating_sub(last), self.cursor.chain);
        }
    }
}
