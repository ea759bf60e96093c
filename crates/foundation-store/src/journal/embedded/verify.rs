//! Reading everything and comparing it with its checksums and chain, without writing.
//!
//! Recovery stops at the first damage; here reading goes on behind it, so that every damaged
//! range is named.

use foundation_types::error::Category;
use foundation_types::{Error, ErrorKind, Result, StoreId};

use super::mark::{FRONT, Mark, WATERMARK};
use super::options::Mode;
use super::recovery::{self, FIRST_EPOCH};
use super::row;
use super::scan::{Cursor, Groups, Stop, StopCause};
use super::segment::{HEADER_BYTES, Segment};
use super::{disk_failure, identity, take_lock};
use crate::disk::{Access, Disk};
use crate::journal::status::{Finding, Verification};

/// Verifies the store on `disk` that nobody has open.
///
/// # Errors
/// `NotFound` if there is none, `Locked` if somebody has it open, `UnknownFormat` if this program
/// does not know its format, `Disk` if it cannot be read. Damage is part of the answer.
pub fn verify_store(disk: &dyn Disk) -> Result<Verification> {
    let _lock = take_lock(disk, Mode::Read)?;
    match identity::read(disk) {
        Ok(Some(store)) => verify(disk, store, None),
        Ok(None) => Err(identity::no_store(disk)),
        Err(error) if is_damage(&error) => {
            let findings = vec![of_error(&error, identity::FILE)];
            Ok(Verification { findings, ..Verification::default() })
        }
        Err(error) => Err(error),
    }
}

/// Verifies the store on `disk`. `written` is the last durable record if somebody is writing:
/// what lies behind it is none of our business.
pub(super) fn verify(
    disk: &dyn Disk,
    store: StoreId,
    written: Option<u64>,
) -> Result<Verification> {
    let mut all = Verification::default();
    let watermark = Mark::watermark(disk, store, Access::Read).map(Some);
    let marked = all.mark(watermark, WATERMARK)?;
    let front = all.mark(Mark::open(disk, FRONT, store, Access::Read), FRONT)?;
    let (_, mut names) = row::without_dropped(row::segment_names(disk)?, front);
    let marked = written.map_or(marked, |written| marked.min(written));
    if let Some(written) = written {
        // Begun since the question was asked.
        names.retain(|name| super::segment::first_of(name).is_some_and(|first| first <= written));
    }
    let mut walk = Walk {
        epoch: FIRST_EPOCH,
        cursor: Cursor { offset: HEADER_BYTES, next: front + 1, chain: 0 },
        written,
        // What the first segment carries on is gone, if anything is.
        is_lost: front > 0,
        all,
    };
    for (at, name) in names.iter().enumerate() {
        let is_last = at + 1 == names.len();
        walk.file(disk, store, name, marked, is_last)?;
        walk.all.segments += 1;
    }
    let last = walk.cursor.next - 1;
    if last < marked && !walk.all.is_damaged() {
        walk.all.findings.push(Finding {
            file: names.last().cloned().unwrap_or_default(),
            range: walk.cursor.offset..walk.cursor.offset,
            what: format!("the log ends at position {last}, but position {marked} was acked"),
            damage: true,
        });
    }
    Ok(walk.all)
}

struct Walk {
    epoch: u64,
    cursor: Cursor,
    written: Option<u64>,
    /// What was read last ended in damage: the next segment says itself where it begins.
    is_lost: bool,
    all: Verification,
}

impl Verification {
    /// What a mark says; damage to it is a finding.
    fn mark(&mut self, opened: Result<Option<Mark>>, file: &str) -> Result<u64> {
        match opened {
            Ok(mark) => Ok(mark.map_or(0, |mark| mark.sequence())),
            Err(error) if is_damage(&error) => {
                self.findings.push(of_error(&error, file));
                Ok(0)
            }
            Err(error) => Err(error),
        }
    }
}

impl Walk {
    fn file(
        &mut self,
        disk: &dyn Disk,
        store: StoreId,
        name: &str,
        marked: u64,
        is_last: bool,
    ) -> Result<()> {
        let opened = row::open_segment(disk, name, Access::Read)
            .and_then(|one| row::check_own(name, one.header, store).map(|()| one));
        let segment = match opened {
            Ok(segment) => segment,
            Err(error) if matches!(error.kind(), ErrorKind::Disk | ErrorKind::UnknownFormat) => {
                return Err(error);
            }
            Err(error) => {
                self.all.findings.push(of_error(&error, name));
                self.is_lost = true;
                return Ok(());
            }
        };
        let header = segment.header;
        let placed = row::check_place(name, header, self.epoch, self.cursor);
        let is_behind = header.first >= self.cursor.next || self.all.segments == 0;
        match placed {
            Err(_) if self.is_lost && is_behind => {}
            Err(error) => self.all.findings.push(of_error(&error, name)),
            Ok(()) => {}
        }
        self.is_lost = false;
        self.epoch = header.epoch;
        self.cursor = Cursor { offset: HEADER_BYTES, next: header.first, chain: header.previous };
        self.groups(&segment, marked, is_last)?;
        self.all.bytes += self.cursor.offset;
        Ok(())
    }

    fn groups(&mut self, segment: &Segment, marked: u64, is_last: bool) -> Result<()> {
        let fail = |cause| disk_failure("read the log", &segment.name, cause);
        let mut groups = Groups::new(&*segment.file, segment.seed, self.cursor).map_err(fail)?;
        while self.written.is_none_or(|written| self.cursor.next <= written) {
            match groups.next().map_err(fail)? {
                Ok(read) => {
                    self.all.records += read.records.len() as u64;
                    self.cursor = groups.cursor();
                }
                Err(stop) if stop.cause == StopCause::Newer => {
                    return Err(recovery::newer(&segment.name, groups.cursor().offset, stop));
                }
                Err(stop) => {
                    match self.gap(segment, &groups, stop, marked, is_last).map_err(fail)? {
                        Some(later) => groups.move_to(later),
                        None => break,
                    }
                }
            }
        }
        Ok(())
    }

    /// Names what cannot be read; gives where reading goes on in this segment, if anywhere.
    fn gap(
        &mut self,
        segment: &Segment,
        groups: &Groups<'_>,
        stop: Stop,
        marked: u64,
        is_last: bool,
    ) -> std::io::Result<Option<Cursor>> {
        self.cursor = groups.cursor();
        let used = groups.used_end()?;
        if used == self.cursor.offset {
            return Ok(None);
        }
        let damage = groups.find_proof()?.is_some()
            || !is_last
            || self.cursor.next <= marked
            || stop.cause == StopCause::Misplaced;
        // Behind a torn group nothing counts, whole or not.
        let later = if damage { groups.find_later()? } else { None };
        let end = later.map_or(used, |later| later.offset);
        self.is_lost = damage && later.is_none();
        let what = if damage {
            format!("{} (from position {})", stop.reason, self.cursor.next)
        } else {
            format!("bytes of a write that was never acked: {}", stop.reason)
        };
        let file = segment.name.clone();
        self.all.findings.push(Finding { file, range: self.cursor.offset..end, what, damage });
        if let Some(later) = later {
            self.cursor = later;
        }
        Ok(later)
    }
}

/// Whether an error tells of bytes that are not what was written: a format that a newer program
/// wrote is none.
fn is_damage(error: &Error) -> bool {
    error.kind().row().category == Category::Corruption && error.kind() != ErrorKind::UnknownFormat
}

fn of_error(error: &Error, file: &str) -> Finding {
    Finding {
        file: file.to_owned(),
        range: 0..HEADER_BYTES,
        what: error.message().to_owned(),
        damage: true,
    }
}
