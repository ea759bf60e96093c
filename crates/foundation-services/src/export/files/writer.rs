//! Writing lines: at the end of the last file, synced, or not at all.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use foundation_store::clock::Clock;
use foundation_store::disk::{Access, Disk, DiskFile};
use foundation_types::StoreId;

use super::lines::{Known, read};
use super::{FileRules, Naming, line_of};
use crate::export::sink::Exported;

/// The files of a sink.
pub(super) struct Writer {
    disk: Arc<dyn Disk>,
    clock: Arc<dyn Clock>,
    rules: FileRules,
    naming: Naming,
    number: u64,
    file: Option<Open>,
    known: Known,
}

/// The file that is written to.
struct Open {
    file: Box<dyn DiskFile>,
    /// Everything before this is whole lines that are on the disk.
    end: u64,
    opened: Duration,
}

impl Writer {
    /// Goes on after the files that are there.
    pub(super) fn open(
        disk: Arc<dyn Disk>,
        clock: Arc<dyn Clock>,
        rules: FileRules,
        naming: Naming,
    ) -> io::Result<Self> {
        let mut writer =
            Self { disk, clock, rules, naming, number: 0, file: None, known: Known::default() };
        let numbers = writer.numbers()?;
        for number in numbers.iter().rev() {
            let name = writer.name(*number);
            let file = writer.disk.open(&name, Access::Write)?;
            let (known, end) = read(&*file)?;
            if writer.file.is_none() {
                if file.len()? > end {
                    file.set_len(end)?;
                }
                // What is seen may not be on the disk: whoever wrote it may have ended before.
                file.sync()?;
                writer.number = *number;
                let opened = writer.clock.monotonic();
                writer.file = Some(Open { file, end, opened });
            }
            writer.known.add_before(known);
            if writer.known.is_full() {
                break;
            }
        }
        writer.disk.sync_names()?;
        Ok(writer)
    }

    /// Writes what is not known to be there, and syncs it.
    pub(super) fn write(&mut self, store: StoreId, events: &[Exported]) -> io::Result<()> {
        let mut text = String::new();
        let new: Vec<&Exported> =
            events.iter().filter(|one| !self.known.has(&one.dedup_id)).collect();
        for one in &new {
            text.push_str(&line_of(self.rules.layout, store, one).map_err(io::Error::other)?);
            text.push('\n');
        }
        if new.is_empty() {
            return Ok(());
        }
        let mut open = self.open_for_write()?;
        let written = open.file.write_at(text.as_bytes(), open.end);
        if let Err(cause) = written.and_then(|()| open.file.sync()) {
            // After a sync that failed nobody knows what is on the disk: it is taken back, and the
            // next try is made in another file.
            let taken_back = open.file.set_len(open.end).and_then(|()| open.file.sync());
            if let (Err(error), Naming::One(name)) = (taken_back, &self.naming) {
                tracing::warn!(%name, %error, "a part of a batch may be in an export file twice");
            }
            return Err(cause);
        }
        open.end += text.len() as u64;
        self.file = Some(open);
        new.into_iter().for_each(|one| self.known.add(one.dedup_id.clone()));
        Ok(())
    }

    pub(super) fn last(&self) -> Option<String> {
        self.known.last().cloned()
    }

    /// The file that the next lines go into; it is not kept open unless it is given back.
    fn open_for_write(&mut self) -> io::Result<Open> {
        let now = self.clock.monotonic();
        if let Some(open) = self.file.take() {
            let is_young = now.saturating_sub(open.opened) < self.rules.age_max;
            if open.end == 0 || (open.end < self.rules.bytes_max && is_young) {
                return Ok(open);
            }
        }
        if let (Naming::One(name), true) = (&self.naming, self.number > 0) {
            let file = self.disk.open(name, Access::Write)?;
            let (_, end) = read(&*file)?;
            file.set_len(end)?;
            return Ok(Open { file, end, opened: now });
        }
        let number = self.numbers()?.last().copied().unwrap_or(0).max(self.number) + 1;
        let file = self.disk.open(&self.name(number), Access::Create)?;
        self.disk.sync_names()?;
        self.number = number;
        Ok(Open { file, end: 0, opened: now })
    }

    fn name(&self, number: u64) -> String {
        match &self.naming {
            Naming::Numbered => format!("events-{number:010}.ndjson"),
            Naming::One(name) => name.clone(),
        }
    }

    /// The numbers of the files that are there, in their order.
    fn numbers(&self) -> io::Result<Vec<u64>> {
        let names = self.disk.list()?;
        if let Naming::One(name) = &self.naming {
            return Ok(names.iter().filter(|one| *one == name).map(|_| 1).collect());
        }
        let number = |name: &String| {
            let digits = name.strip_prefix("events-")?.strip_suffix(".ndjson")?;
            let is_number = digits.len() == 10 && digits.bytes().all(|one| one.is_ascii_digit());
            digits.parse().ok().filter(|_| is_number)
        };
        let mut numbers: Vec<u64> = names.iter().filter_map(number).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Writer").field("number", &self.number).finish_non_exhaustive()
    }
}
