//! What the directory holds that a restored store takes the place of. It may be damaged: that is
//! why somebody restores.

use foundation_types::{Error, ErrorKind, Result, StoreId};

use super::super::cause::is_damage;
use super::super::mark::{FRONT, Mark, WATERMARK};
use super::super::recovery::FIRST_EPOCH;
use super::super::scan::{Cursor, Groups};
use super::super::segment::{self, HEADER_BYTES};
use super::super::{identity, row, snapshot};
use super::RestoreOptions;
use super::source::Source;
use crate::disk::{Access, Disk};
use crate::record::Record;

/// What can be told of a store without trusting it.
#[derive(Debug)]
pub(super) struct Held {
    /// Its identity, if that can be read.
    pub(super) store: Option<StoreId>,
    /// The last record that anything speaks of.
    pub(super) last: u64,
    pub(super) epoch: u64,
    /// Epoch and first record of each segment.
    lives: Vec<(u64, u64)>,
    /// The newest record that can be read.
    newest: Option<Record>,
}

impl Held {
    /// Looks at a directory that is not empty.
    ///
    /// # Errors
    /// `UnknownFormat` if a newer program wrote it, `Disk` if it cannot be read.
    pub(super) fn look(disk: &dyn Disk) -> Result<Self> {
        let lives = lives(disk)?;
        let mut held = Self { store: None, last: 0, epoch: FIRST_EPOCH, lives, newest: None };
        held.epoch = held.lives.iter().map(|(epoch, _)| *epoch).max().unwrap_or(FIRST_EPOCH);
        held.store = match identity::read(disk) {
            Ok(store) => store,
            Err(error) if !is_damage(&error) => return Err(error),
            Err(_) => None,
        };
        if let Some(store) = held.store {
            for name in [WATERMARK, FRONT] {
                let mark = Mark::open(disk, name, store, Access::Read);
                held.reaches(mark.ok().flatten().map_or(0, |mark| mark.sequence()));
            }
        }
        for name in snapshot::names(disk)? {
            held.reaches(snapshot::last_of(&name).unwrap_or(0));
        }
        for name in row::segment_names(disk)?.iter().rev() {
            held.reaches(segment::first_of(name).map_or(0, |first| first.saturating_sub(1)));
            held.read(disk, name)?;
            // One that has only begun says nothing of what stands before it.
            if held.newest.is_some() {
                break;
            }
        }
        Ok(held)
    }

    /// Whether a backup may take the place of this.
    pub(super) fn check(&self, source: &Source, last: u64, options: RestoreOptions) -> Result<()> {
        let backup = &source.manifest;
        let store = backup.store;
        let refused = |what: String| Err(Error::new(ErrorKind::InvalidArgument, what));
        if self.store != Some(store) {
            let theirs =
                self.store.map_or_else(|| "no store".to_owned(), |id| format!("store {id}"));
            if options.replace {
                return Ok(());
            }
            return refused(format!(
                "the backup is of store {store}, and the directory holds {theirs}: to replace it \
                 all the same, say --replace"
            ));
        }
        if options.allow_rollback {
            return Ok(());
        }
        if last < self.last {
            return refused(format!(
                "the store has records up to position {}, and would end at {last}: to give them \
                 up, say --allow-rollback",
                self.last
            ));
        }
        // Records behind the position at which the two went different ways are in one of them only.
        let forks = |lives: &[(u64, u64)], epoch| {
            lives.iter().any(|(later, first)| *later > epoch && *first <= self.last)
        };
        if forks(&self.lives, backup.epoch)
            || forks(&lives(&*source.disk)?, self.epoch)
            || !self.is_continued_by(source)?
        {
            return refused(format!(
                "the store and the backup went different ways (epochs {} and {}), and the records \
                 up to position {} are not all in the backup: to give them up, say --allow-rollback",
                self.epoch, backup.epoch, self.last
            ));
        }
        Ok(())
    }

    /// Whether the newest record that is here is in the backup. Two copies of a store that both
    /// went on have the same epoch, and other records at the same positions. Where the backup has
    /// let go of that position, it cannot be told, and nothing says that it is not so.
    fn is_continued_by(&self, source: &Source) -> Result<bool> {
        let Some(newest) = &self.newest else { return Ok(true) };
        let names = row::segment_names(&*source.disk)?;
        let sequence = newest.position().to_engine();
        let begins = |name: &&String| segment::first_of(name).is_some_and(|at| at <= sequence);
        let Some(name) = names.iter().rev().find(begins) else { return Ok(true) };
        let segment = row::open_segment(&*source.disk, name, Access::Read)?;
        let header = segment.header;
        let start = Cursor { offset: HEADER_BYTES, next: header.first, chain: header.previous };
        let fail = |cause| super::super::disk_failure("read the backup", name, cause);
        let mut groups = Groups::new(&*segment.file, segment.seed, start).map_err(fail)?;
        while groups.cursor().next <= sequence {
            let Ok(read) = groups.next().map_err(fail)? else { break };
            let there = read.records.iter().find(|one| one.position() == newest.position());
            if let Some(there) = there {
                return Ok(there.is_same(newest));
            }
        }
        // The backup lost it, as a repair has told.
        Ok(true)
    }

    fn reaches(&mut self, last: u64) {
        self.last = self.last.max(last);
    }

    /// Reads what can be read of a segment.
    fn read(&mut self, disk: &dyn Disk, name: &str) -> Result<()> {
        let segment = match row::open_segment(disk, name, Access::Read) {
            Ok(segment) => segment,
            Err(error) if !is_damage(&error) => return Err(error),
            Err(_) => return Ok(()),
        };
        let header = segment.header;
        let start = Cursor { offset: HEADER_BYTES, next: header.first, chain: header.previous };
        let fail = |cause| super::super::disk_failure("read the log", name, cause);
        let mut groups = Groups::new(&*segment.file, segment.seed, start).map_err(fail)?;
        loop {
            match groups.next().map_err(fail)? {
                Ok(mut read) => self.newest = read.records.pop().or(self.newest.take()),
                Err(_) => match groups.find_later().map_err(fail)? {
                    Some(later) => groups.move_to(later),
                    None => break,
                },
            }
        }
        self.reaches(groups.cursor().next - 1);
        Ok(())
    }
}

/// Epoch and first record of every segment whose header can be read.
fn lives(disk: &dyn Disk) -> Result<Vec<(u64, u64)>> {
    let names = row::segment_names(disk)?;
    let headers = names.iter().filter_map(|name| {
        let segment = row::open_segment(disk, name, Access::Read).ok()?;
        Some((segment.header.epoch, segment.header.first))
    });
    Ok(headers.collect())
}
