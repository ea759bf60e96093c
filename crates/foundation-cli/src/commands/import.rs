//! `foundation events import`: lines of events, each accepted, repeated or refused by itself.
//!
//! Events are sent in groups that share a write to the disk. A group is sent when it is full, and
//! when the next line is not there yet: what comes through a pipe is stored as it comes.

mod report;

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::time::{Duration, Instant};

use foundation::error::Category;
use foundation::events::Receipt;
use foundation::node::AppendEach;
use foundation::{Error, ErrorKind, Event, parse};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use self::report::Report;
use super::lines::{Content, LINE_BYTES_MAX, Line, Lines};
use crate::args::{EventFormat, ImportArgs};
use crate::connection::{Connection, Intent};
use crate::exit::{Failure, Outcome};
use crate::program::Program;
use crate::render;

/// Events that are sent together.
const GROUP_EVENTS_MAX: usize = 500;
/// Bytes of lines that are sent together.
const GROUP_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Refused lines that are told one by one: what is wrong with a whole file is wrong in each line of it.
const REFUSALS_TOLD_MAX: u64 = 100;

pub(super) async fn run(program: &mut Program, args: &ImportArgs) -> Outcome {
    let source = Source::open(&args.file)?;
    let mut connection = program.connect(Intent::Write).await?;
    let mut import = Import {
        bar: bar(program, source.size),
        program,
        connection: &mut connection,
        format: args.format,
        acks: if args.acks { Acks::Printed } else { Acks::Counted },
        group: Group::default(),
        report: Report::default(),
        unwritten: None,
    };
    let started = Instant::now();
    let outcome = import.read(Lines::new(source.from)).await;
    import.bar.finish_and_clear();
    let (acks, report, unwritten) = (import.acks, import.report, import.unwritten);
    let outcome = outcome.and(unwritten.map_or(Ok(()), |error| Err(Failure::Unwritten(error))));
    let outcome = finish(program, acks, &report, started.elapsed(), outcome);
    connection.close(outcome).await
}

/// Where the lines come from.
struct Source {
    from: Box<dyn Read>,
    /// Bytes, if that is known.
    size: Option<u64>,
}

impl Source {
    fn open(path: &Path) -> foundation::Result<Self> {
        if path == Path::new("-") {
            return Ok(Self { from: Box::new(io::stdin().lock()), size: None });
        }
        let opened = File::open(path).and_then(|file| Ok((file.metadata()?, file)));
        let (about, file) = opened.map_err(|cause| {
            let kind = match cause.kind() {
                io::ErrorKind::NotFound => ErrorKind::NotFound,
                io::ErrorKind::PermissionDenied => ErrorKind::Denied,
                _ => ErrorKind::Disk,
            };
            let message = format!("cannot open {}: {cause}", path.display());
            Error::new(kind, message).caused_by(cause)
        })?;
        if about.is_dir() {
            let message = format!("{} is a directory, expected a file of lines", path.display());
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        Ok(Self { from: Box::new(file), size: about.is_file().then_some(about.len()) })
    }
}

/// What is done with the positions of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Acks {
    /// They are printed as they come.
    Printed,
    /// They are counted.
    Counted,
    /// They were to be printed, but nobody reads them any more.
    Unread,
}

/// Events that are sent together, with the numbers of their lines.
#[derive(Default)]
struct Group {
    events: Vec<Event>,
    lines: Vec<u64>,
    bytes: usize,
    /// Lines between them that are no events: told with the others, in the order of the file.
    refused: Vec<(u64, Error)>,
}

impl Group {
    fn is_full(&self) -> bool {
        self.events.len() + self.refused.len() >= GROUP_EVENTS_MAX || self.bytes >= GROUP_BYTES_MAX
    }
}

/// An import on its way.
struct Import<'a> {
    program: &'a mut Program,
    connection: &'a mut Connection,
    format: EventFormat,
    acks: Acks,
    bar: ProgressBar,
    group: Group,
    report: Report,
    /// Why acks could not be printed; told at the end.
    unwritten: Option<Error>,
}

impl Import<'_> {
    async fn read(&mut self, mut lines: Lines<Box<dyn Read>>) -> Outcome {
        loop {
            if self.group.is_full() || !lines.has_next_here() {
                self.send().await?;
                self.bar.set_position(lines.bytes_read());
            }
            let line = lines.next().map_err(|cause| {
                Error::new(ErrorKind::Disk, format!("cannot read on: {cause}")).caused_by(cause)
            })?;
            let Some(line) = line else { break };
            self.take(&line);
        }
        self.send().await
    }

    /// Puts the event of a line into the group; a line that is none is refused.
    fn take(&mut self, line: &Line<'_>) {
        let parsed = match line.content {
            Content::Bytes(bytes) if bytes.trim_ascii().is_empty() => return,
            Content::Bytes(bytes) => match self.format {
                EventFormat::Ndjson => parse::exported_line(bytes).map(|event| vec![event]),
                EventFormat::CloudEvents => parse::cloud_events(bytes),
            },
            Content::TooLong(bytes) => {
                let message =
                    format!("the line has {bytes} bytes, at most {LINE_BYTES_MAX} are read");
                Err(Error::new(ErrorKind::TooLarge, message))
            }
        };
        match parsed {
            Ok(events) => {
                if let Content::Bytes(bytes) = line.content {
                    self.group.bytes += bytes.len();
                }
                for event in events {
                    self.report.without_id += u64::from(event.id.is_none());
                    self.group.events.push(event);
                    self.group.lines.push(line.number);
                }
            }
            Err(error) => self.group.refused.push((line.number, error)),
        }
    }

    /// Sends the group and takes down what came of each event in it.
    async fn send(&mut self) -> Outcome {
        let Group { events, lines, refused, .. } = std::mem::take(&mut self.group);
        let mut settled: Vec<_> =
            refused.into_iter().map(|(line, error)| (line, Err(error))).collect();
        let mut stop = None;
        if let Some(first) = lines.first().copied() {
            match self.connection.call(AppendEach { events }).await {
                Ok(outcomes) => {
                    let outcomes =
                        outcomes.into_iter().map(|one| one.map_err(|report| Error::from(*report)));
                    settled.extend(lines.into_iter().zip(outcomes));
                }
                Err(error) => stop = Some(stopped(error, first)),
            }
        }
        settled.sort_by_key(|(line, _)| *line);
        for (line, outcome) in settled {
            match outcome {
                Ok(receipt) => self.accept(&receipt)?,
                Err(error) if is_about_the_store(&error) => {
                    stop.get_or_insert_with(|| stopped(error, line));
                }
                Err(error) => self.refuse(line, &error),
            }
        }
        if self.acks == Acks::Printed {
            let flushed = self.program.out.flush();
            self.printed(flushed)?;
        }
        stop.map_or(Ok(()), Err)
    }

    fn accept(&mut self, receipt: &Receipt) -> Outcome {
        self.report.accept(receipt);
        let stored = render::counted(self.report.stored(), "event");
        self.program.applied(format!("{stored} stored, the last at position {}", receipt.position));
        if self.acks == Acks::Printed {
            let written = self.program.out.json(&receipt.position);
            self.printed(written)?;
        }
        Ok(())
    }

    /// An import goes on to its end, whether or not anybody reads the acks.
    fn printed(&mut self, written: Outcome) -> Outcome {
        match written {
            Err(Failure::Closed) => self.acks = Acks::Unread,
            Err(Failure::Unwritten(error)) => {
                self.acks = Acks::Unread;
                self.unwritten.get_or_insert(error);
            }
            written => return written,
        }
        Ok(())
    }

    fn refuse(&mut self, line: u64, error: &Error) {
        if self.report.refused < REFUSALS_TOLD_MAX {
            let told =
                format!("line {line}: refused[{}]: {}", error.code(), render::problems(error));
            self.bar.suspend(|| crate::program::tell(&render::printable_lines(&told)));
        }
        self.report.refuse(line, error);
    }
}

/// Whether the next event would fare no better: it is not this one that is wrong.
fn is_about_the_store(error: &Error) -> bool {
    match error.kind().row().category {
        Category::Unavailable => {
            !matches!(error.kind(), ErrorKind::BufferFull | ErrorKind::EventDropped)
        }
        Category::Corruption | Category::Indeterminate | Category::Internal | Category::Denied => {
            true
        }
        Category::Usage | Category::Validation | Category::Conflict | Category::NotFound => false,
    }
}

fn stopped(error: Error, line: u64) -> Failure {
    let settled = match line {
        1 => "nothing was settled before it".to_owned(),
        line => format!("every line up to {} is settled", line - 1),
    };
    let hint =
        "import the file again once the store answers: events with an id are not stored twice";
    Failure::from(error.with("stopped at line", line).with("so far", settled).with("then", hint))
}

/// The bar that is drawn while a person watches.
fn bar(program: &Program, size: Option<u64>) -> ProgressBar {
    if !program.is_watched() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(size, ProgressDrawTarget::stderr());
    let shape = match size {
        Some(_) => "{bar:40} {percent:>3} %  {bytes} of {total_bytes}  {eta} left",
        None => "{bytes} in {elapsed}",
    };
    match ProgressStyle::with_template(shape) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// Writes the report. What stopped the import, if anything did, counts more than refused lines.
fn finish(
    program: &mut Program,
    acks: Acks,
    report: &Report,
    took: Duration,
    outcome: Outcome,
) -> Outcome {
    let untold = report.refused.saturating_sub(REFUSALS_TOLD_MAX);
    if untold > 0 {
        let lines = render::counted(untold, "further line");
        crate::program::tell(&format!("and {lines} refused, which are not told one by one"));
    }
    let written = report.write(program, acks, took);
    outcome?;
    if report.refused > 0 {
        return Err(Failure::Told(Category::Validation));
    }
    written
}
