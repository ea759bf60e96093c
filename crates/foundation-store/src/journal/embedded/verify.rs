//! Reading everything and comparing it with its checksums and chain, without writing.
//!
//! Recovery stops at the first damage; here reading goes on behind it, so that every damaged
//! range is named. What is derived from the log is compared with what it was derived from.

mod away;
mod derived;
mod marks;
mod pace;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use foundation_types::{Error, Result, StoreId};

use super::archive::ArchivedStore;
use super::cause::{is_damage, is_foreign};
use super::heads::{self, Heads};
use super::mark::{FRONT, Mark};
use super::options::Mode;
use super::recovery::{self, FIRST_EPOCH};
use super::row;
use super::scan::{Cursor, Gap, Groups, Stop, StopCause};
use super::segment::{HEADER_BYTES, Segment};
use super::{disk_failure, identity, take_lock};
use crate::clock::Clock;
use crate::disk::{Access, Disk};
use crate::journal::status::{Finding, Verification, VerifyOptions};
use crate::record::frame::GAP_FRAME_BYTES;
use away::Away;
use derived::{Beside, Noted, Snapshots};
use marks::Marks;
use pace::PacedDisk;

/// Verifies the store on `disk` that nobody has open.
///
/// # Errors
/// `NotFound` if there is none, `Locked` if somebody has it open, `UnknownFormat` if this program
/// does not know its format, `Disk` if it cannot be read. Damage is part of the answer.
pub fn verify_store(disk: &dyn Disk) -> Result<Verification> {
    verify_unopened(disk, None)
}

/// As [`verify_store_with`], and what is in its archive.
///
/// # Errors
/// As [`verify_store`].
pub fn verify_archived_store(
    store: &Arc<ArchivedStore>,
    options: VerifyOptions,
    clock: Arc<dyn Clock>,
) -> Result<Verification> {
    let disk = paced(Arc::clone(store) as Arc<dyn Disk>, options, clock);
    verify_unopened(&*disk, Some(store))
}

fn verify_unopened(disk: &dyn Disk, archived: Option<&ArchivedStore>) -> Result<Verification> {
    let _lock = take_lock(disk, Mode::Read)?;
    match identity::read(disk) {
        Ok(Some(store)) => {
            verify(disk, archived, store, Known::Nothing).map(|checked| checked.found)
        }
        Ok(None) => Err(identity::no_store(disk)),
        Err(error) if is_damage(&error) => {
            let findings = vec![of_error(&error, identity::FILE)];
            Ok(Verification { findings, ..Verification::default() })
        }
        Err(error) => Err(error),
    }
}

/// As [`verify_store`], no faster than the options allow.
///
/// # Errors
/// As [`verify_store`].
pub fn verify_store_with(
    disk: Arc<dyn Disk>,
    options: VerifyOptions,
    clock: Arc<dyn Clock>,
) -> Result<Verification> {
    verify_store(&*paced(disk, options, clock))
}

/// The disk as it is read under these options.
pub(super) fn paced(
    disk: Arc<dyn Disk>,
    options: VerifyOptions,
    clock: Arc<dyn Clock>,
) -> Arc<dyn Disk> {
    match options.bytes_per_second {
        Some(rate) => Arc::new(PacedDisk::new(disk, rate, clock)),
        None => disk,
    }
}

/// What is known of a store beside what is in its files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// Nothing: nobody has it open.
    Nothing,
    /// Nobody has it open, and it was just made of a backup: of a store without states, which never
    /// has a snapshot, if that has none.
    Restored,
    /// Somebody is writing, and this is the last durable record: what lies behind it is none of our
    /// business.
    Written(u64),
    /// It is a backup, which has no watermark, and this is its last record.
    Backup(u64),
}

/// What was found, and where the log ends.
pub(super) struct Checked {
    pub(super) found: Verification,
    pub(super) epoch: u64,
    pub(super) end: Cursor,
    /// Up to where nothing is kept, and what was acked; absent if the marks do not say.
    pub(super) extent: Option<(u64, u64)>,
    /// Whether a segment belongs to another store.
    pub(super) is_foreign: bool,
    /// Files of which nothing makes another one.
    pub(super) kept: BTreeSet<String>,
    /// What the snapshots say of the checksums of frames.
    pub(super) chains: BTreeMap<u64, u32>,
}

/// Verifies the store on `disk`.
pub(super) fn verify(
    disk: &dyn Disk,
    archived: Option<&ArchivedStore>,
    store: StoreId,
    known: Known,
) -> Result<Checked> {
    let mut all = Verification::default();
    let (written, beside) = match known {
        Known::Written(last) => (Some(last), Beside::Writer),
        Known::Nothing | Known::Restored | Known::Backup(_) => (None, Beside::Nobody),
    };
    let is_backup = matches!(known, Known::Backup(_));
    let mut marks = Marks::read(disk, store, is_backup, &mut all.findings)?;
    let marked = if let Known::Backup(last) = known { last } else { marks.watermark };
    let snapshots = Snapshots::read(disk, store, beside)?;
    all.heads(disk, store)?;
    all.bytes += snapshots.bytes();
    let marked = marked.max(snapshots.newest());
    let (_, mut names) = row::without_dropped(row::segment_names(disk)?, marks.front);
    let marked = written.map_or(marked, |written| marked.min(written));
    if let Some(written) = written {
        // Begun since the question was asked.
        names.retain(|name| super::segment::first_of(name).is_some_and(|first| first <= written));
    }
    marks.compare(names.first(), &mut all.findings);
    let mut walk = Walk {
        epoch: FIRST_EPOCH,
        cursor: Cursor { offset: HEADER_BYTES, next: marks.front + 1, chain: 0 },
        written,
        beside,
        is_lost: marks.is_front_lost,
        is_log_damaged: false,
        is_foreign: false,
        snapshots,
        kept: BTreeSet::new(),
        away: Away::of(archived)?,
        all,
    };
    for (at, name) in names.iter().enumerate() {
        let is_last = at + 1 == names.len();
        walk.file(disk, store, name, marked, is_last)?;
        walk.all.segments += 1;
    }
    walk.ends(names.last(), marked);
    let before_first = names.first().and_then(|name| super::segment::first_of(name)).unwrap_or(1);
    let chains = walk.snapshots.said();
    let must_reach = match known {
        Known::Nothing => true,
        Known::Restored => !walk.snapshots.is_empty(),
        // Another one can be made meanwhile; and a backup is judged once it is a store.
        Known::Written(_) | Known::Backup(_) => false,
    };
    let noted = walk.snapshots.compare(&marks, before_first - 1, must_reach);
    walk.note(noted);
    if known == Known::Nothing {
        let strangers = derived::strangers(disk, store, &names, walk.is_log_damaged)?;
        walk.note(strangers);
    }
    let is_known = !marks.is_front_lost && !marks.is_watermark_lost;
    Ok(Checked {
        found: walk.all,
        epoch: walk.epoch,
        end: walk.cursor,
        extent: is_known.then_some((marks.front, marked)),
        is_foreign: walk.is_foreign,
        kept: walk.kept,
        chains,
    })
}

struct Walk<'a> {
    epoch: u64,
    cursor: Cursor,
    written: Option<u64>,
    beside: Beside,
    /// What was read last ended in damage: the next segment says itself where it begins.
    is_lost: bool,
    /// Whether a part of the log cannot be read.
    is_log_damaged: bool,
    /// Whether a segment belongs to another store.
    is_foreign: bool,
    snapshots: Snapshots,
    /// Files of which nothing makes another one.
    kept: BTreeSet<String>,
    away: Away<'a>,
    all: Verification,
}

impl Verification {
    /// The versions of streams that were let go of have to be there, if the front says so.
    fn heads(&mut self, disk: &dyn Disk, store: StoreId) -> Result<()> {
        let front = match Mark::open(disk, FRONT, store, Access::Read) {
            // What is wrong with the front itself is told already.
            Err(error) if is_damage(&error) => return Ok(()),
            front => front?,
        };
        match Heads::read(disk, store, front.as_ref()) {
            Ok(heads) => self.bytes += heads.bytes() as u64,
            Err(error) if is_damage(&error) => self.findings.push(of_error(&error, heads::FILE)),
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

impl Walk<'_> {
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
            Err(error) if is_damage(&error) => {
                self.is_foreign |= is_foreign(&error);
                self.damage(of_error(&error, name));
                self.is_lost = true;
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let header = segment.header;
        self.snapshots.note_header(header);
        let is_first = self.all.segments == 0;
        if is_first && self.cursor.next > 1 && header.first <= self.cursor.next {
            // What it carries on is gone.
            (self.cursor.next, self.cursor.chain) = (header.first, header.previous);
        }
        let placed = row::check_place(name, header, self.epoch, self.cursor);
        let is_behind = header.first >= self.cursor.next || is_first;
        match placed {
            Err(_) if self.is_lost && is_behind => {}
            Err(error) => self.damage(of_error(&error, name)),
            Ok(()) => {}
        }
        let found = self.all.findings.len();
        self.is_lost = false;
        self.epoch = header.epoch;
        if let Some(away) = self.away.findings(header.first)? {
            self.all.bytes += away.bytes;
            for finding in away.findings {
                self.is_lost = true;
                self.damage(finding);
            }
            if self.is_lost {
                return Ok(());
            }
        }
        self.cursor = Cursor { offset: HEADER_BYTES, next: header.first, chain: header.previous };
        self.groups(&segment, marked, is_last)?;
        self.all.bytes += self.cursor.offset;
        // What is damaged gives no index to compare with.
        if self.all.findings[found..].iter().any(|finding| finding.damage) {
            return Ok(());
        }
        let (bytes, noted) =
            derived::check_index(disk, &segment, self.cursor, self.beside, is_last)?;
        self.all.bytes += bytes;
        self.is_log_damaged |= noted.iter().any(|noted| noted.finding.file == segment.name);
        self.note(noted);
        Ok(())
    }

    /// Whether the log goes as far as it once did.
    fn ends(&mut self, last_name: Option<&String>, marked: u64) {
        let last = self.cursor.next - 1;
        if last >= marked || self.is_log_damaged {
            return;
        }
        let (file, at) = match last_name {
            Some(name) => (name.clone(), self.cursor.offset),
            // None is left: the first of them is missing.
            None => (super::segment::name_of(self.cursor.next), 0),
        };
        let what = format!("the log ends at position {last}, but position {marked} was acked");
        self.damage(Finding { file, range: at..at, what, damage: true });
    }

    fn note(&mut self, noted: impl IntoIterator<Item = Noted>) {
        for Noted { finding, stays } in noted {
            if stays {
                self.kept.insert(finding.file.clone());
            }
            self.all.findings.push(finding);
        }
    }

    /// A part of the log cannot be read.
    fn damage(&mut self, finding: Finding) {
        self.is_log_damaged = true;
        self.all.findings.push(finding);
    }

    fn groups(&mut self, segment: &Segment, marked: u64, is_last: bool) -> Result<()> {
        let fail = |cause| disk_failure("read the log", &segment.name, cause);
        let mut groups = Groups::new(&*segment.file, segment.seed, self.cursor).map_err(fail)?;
        while self.written.is_none_or(|written| self.cursor.next <= written) {
            match groups.next().map_err(fail)? {
                Ok(read) => {
                    self.all.records += read.records.len() as u64;
                    self.snapshots.note(&read.records);
                    let lost = read.gaps.iter().map(|gap| lost(&segment.name, gap));
                    self.all.findings.extend(lost);
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
        self.is_log_damaged |= damage;
        self.all.findings.push(Finding { file, range: self.cursor.offset..end, what, damage });
        if let Some(later) = later {
            self.cursor = later;
        }
        Ok(later)
    }
}

fn of_error(error: &Error, file: &str) -> Finding {
    Finding {
        file: file.to_owned(),
        range: 0..HEADER_BYTES,
        what: error.message().to_owned(),
        damage: true,
    }
}

/// What a repair has given up is worth knowing, and no damage any more.
fn lost(file: &str, gap: &Gap) -> Finding {
    let (first, last) = (gap.numbers.start, gap.numbers.end - 1);
    Finding {
        file: file.to_owned(),
        range: gap.offset..gap.offset + GAP_FRAME_BYTES as u64,
        what: format!("positions {first} to {last} were lost to damage, and a repair went on"),
        damage: false,
    }
}
