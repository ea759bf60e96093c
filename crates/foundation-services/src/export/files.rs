//! A sink that writes files of lines, and knows after a crash what is in them.
//!
//! Every line of a batch is on the disk before the batch is taken. The last lines are known by their
//! ids, so that what was written and not said is not written again; a line that was cut off is taken
//! back when the file is opened.

mod lines;
mod writer;

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use foundation_store::clock::{Clock, SystemClock};
use foundation_store::disk::{Disk, Files};
use foundation_types::event::{CloudEvent, ExportedLine};
use foundation_types::{Error, ErrorKind, Result, StoreId};

use super::sink::{Delivered, ExportBatch, Exported, Sink, SinkError};
use writer::Writer;

/// How an event is written as a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    /// The fields of the event side by side, behind a `dedup_id`.
    #[default]
    Ndjson,
    /// The JSON format of `CloudEvents` 1.0.
    CloudEvents,
}

/// How files are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileRules {
    /// How an event is written.
    pub layout: Layout,
    /// Bytes after which a file is followed by the next one; 64 MiB by default.
    pub bytes_max: u64,
    /// The time that a file is written to, since this process opened it; a day by default.
    pub age_max: Duration,
}

impl Default for FileRules {
    fn default() -> Self {
        let day = Duration::from_secs(24 * 60 * 60);
        Self { layout: Layout::Ndjson, bytes_max: 64 * 1024 * 1024, age_max: day }
    }
}

/// What the files of a sink are called.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Naming {
    /// `events-0000000001.ndjson` and so on.
    Numbered,
    /// All lines are in this one.
    One(String),
}

/// Events as lines of files, in a directory that is for nothing else: `events-0000000001.ndjson`
/// and so on, so that names sort as events do.
///
/// What is among the last 1,000 lines is not written again, whoever passes it on. What a sync
/// that failed was about is taken back and written again; if it cannot be taken back, it may be
/// there twice, in the file that was given up and in the next one.
#[derive(Debug)]
pub struct FileSink(Arc<Mutex<Writer>>);

impl FileSink {
    /// A sink into this directory, which is made if it is missing; it goes on after what is there.
    ///
    /// # Errors
    /// `DiskFull`, `Denied` or `Disk`, with the directory.
    pub fn open(directory: impl AsRef<Path>, rules: FileRules) -> Result<Self> {
        let directory = directory.as_ref();
        let files = Files::create(directory).map_err(|cause| unopened(directory, cause))?;
        Self::on(Arc::new(files), Arc::new(SystemClock::default()), rules)
            .map_err(|error| error.with("directory", directory.display()))
    }

    /// A sink into this one file, which is made if it is missing, however long it gets; it goes
    /// on after what is there.
    ///
    /// # Errors
    /// As [`FileSink::open`].
    pub fn file(path: impl AsRef<Path>, layout: Layout) -> Result<Self> {
        let path = path.as_ref();
        let name = path.file_name().and_then(|name| name.to_str()).ok_or_else(|| {
            let message = format!("{} is not a name for a file of lines", path.display());
            Error::new(ErrorKind::InvalidArgument, message)
        })?;
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let directory = parent.unwrap_or_else(|| Path::new("."));
        let files = Files::create(directory).map_err(|cause| unopened(directory, cause))?;
        let rules = FileRules { layout, bytes_max: u64::MAX, age_max: Duration::MAX };
        let clock = Arc::new(SystemClock::default());
        Self::made(Arc::new(files), clock, rules, Naming::One(name.to_owned()))
    }

    /// A sink onto this disk, whose files grow old by this clock.
    ///
    /// # Errors
    /// As [`FileSink::open`].
    pub fn on(disk: Arc<dyn Disk>, clock: Arc<dyn Clock>, rules: FileRules) -> Result<Self> {
        Self::made(disk, clock, rules, Naming::Numbered)
    }

    fn made(
        disk: Arc<dyn Disk>,
        clock: Arc<dyn Clock>,
        rules: FileRules,
        naming: Naming,
    ) -> Result<Self> {
        let place = match &naming {
            Naming::Numbered => format!("the export files in {}", disk.place()),
            Naming::One(name) => format!("the export file {name} in {}", disk.place()),
        };
        let writer = Writer::open(disk, clock, rules, naming).map_err(|cause| {
            let message = format!("{place} cannot be gone on with: {cause}");
            Error::new(kind_of(&cause), message).caused_by(cause)
        })?;
        Ok(Self(Arc::new(Mutex::new(writer))))
    }

    /// The id of the last event that is in the files.
    #[must_use]
    pub fn last(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).last()
    }
}

#[async_trait]
impl Sink for FileSink {
    async fn deliver(&mut self, batch: &ExportBatch) -> std::result::Result<Delivered, SinkError> {
        let (writer, events, store) = (Arc::clone(&self.0), batch.events.clone(), batch.store);
        // One that was given up for its deadline still has the files: the next one waits for it.
        let written = tokio::task::spawn_blocking(move || {
            writer.lock().unwrap_or_else(PoisonError::into_inner).write(store, &events)
        });
        match written.await {
            Ok(Ok(())) => Ok(Delivered::All),
            Ok(Err(cause)) => {
                let told = SinkError::away(format!("the file is not written: {cause}"));
                Err(told.of_kind(kind_of(&cause)))
            }
            Err(cause) => Err(SinkError::failed(format!("the writer did not end well: {cause}"))),
        }
    }
}

/// An event as a line, without its end.
///
/// # Errors
/// `Internal`, if it cannot be written as JSON.
pub fn line_of(layout: Layout, store: StoreId, one: &Exported) -> Result<String> {
    let written = match layout {
        Layout::Ndjson => {
            let line = ExportedLine { dedup_id: &one.dedup_id, event: &one.event };
            serde_json::to_string(&line)
        }
        Layout::CloudEvents => serde_json::to_string(&CloudEvent::of(store, &one.event)),
    };
    written.map_err(|cause| {
        let message = format!("event {} cannot be written as a line", one.dedup_id);
        Error::new(ErrorKind::Internal, message).caused_by(cause)
    })
}

fn unopened(directory: &Path, cause: io::Error) -> Error {
    let message = format!("cannot open {} for export files: {cause}", directory.display());
    Error::new(kind_of(&cause), message).caused_by(cause)
}

fn kind_of(cause: &io::Error) -> ErrorKind {
    match cause.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ErrorKind::DiskFull,
        io::ErrorKind::PermissionDenied => ErrorKind::Denied,
        _ => ErrorKind::Disk,
    }
}
