//! What every command has at hand: the global flags, standard output, standard error.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::process::ExitCode;

use foundation::error::{Category, ErrorReport};
use foundation::{Error, ErrorKind};
use rustix::event::{PollFd, PollFlags, poll};
use serde::Serialize;

use crate::args::{Global, Output};
use crate::exit::{self, Failure, Outcome};
use crate::render;

/// The running program.
pub(crate) struct Program {
    pub(crate) global: Global,
    /// Where data goes.
    pub(crate) out: Out,
    /// The document whose values the command is about, if it is about one.
    pub(crate) document: Option<String>,
    /// What this command has applied, told if nothing else of it can be.
    applied: Option<String>,
}

/// Whether a command, if it succeeds, changes the store in one piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Changes {
    /// As a whole or not at all.
    Whole,
    /// Nothing, or piece by piece.
    Other,
}

impl Program {
    pub(crate) fn new(global: Global) -> Self {
        Self { global, out: Out::stdout(), document: None, applied: None }
    }

    /// Whether answers are for people.
    pub(crate) fn is_text(&self) -> bool {
        self.global.output == Output::Text
    }

    /// Says something that is not data, unless nobody wants to hear it.
    pub(crate) fn say(&self, text: &str) {
        if !self.global.quiet {
            tell(&render::printable_lines(text));
        }
    }

    /// Whether a person watches standard error and wants to see what goes on.
    pub(crate) fn is_watched(&self) -> bool {
        !self.global.quiet && self.is_text() && io::stderr().is_terminal()
    }

    /// Remembers what was applied until it is told.
    pub(crate) fn applied(&mut self, what: String) {
        self.applied = Some(what);
    }

    /// Ends the program: whatever is left is written, and an error is told.
    pub(crate) fn finish(mut self, outcome: Outcome, changes: Changes) -> ExitCode {
        match outcome.and_then(|()| self.out.flush()) {
            Ok(()) | Err(Failure::Closed) => ExitCode::SUCCESS,
            Err(Failure::Told(category)) => {
                // What was written before counts, whether or not anybody reads it.
                let _ = self.out.flush();
                exit::code(category)
            }
            Err(Failure::Unwritten(error)) => {
                let error = self.untold(error);
                self.tell_error(&error, changes);
                exit::code(error.kind().row().category)
            }
            Err(Failure::Error(error)) => {
                let _ = self.out.flush();
                self.tell_error(&error, changes);
                exit::code(error.kind().row().category)
            }
        }
    }

    /// The error of standard output; after a change, one that says to look before trying again.
    fn untold(&self, error: Error) -> Error {
        let Some(what) = &self.applied else { return error };
        let message = format!("{}, but it was applied: {what}", error.message());
        Error::new(ErrorKind::Indeterminate, message).with("applied", what)
    }

    fn tell_error(&self, error: &Error, changes: Changes) {
        if !self.is_text() {
            tell(&error_line(error));
            return;
        }
        let mut text = render::error(error);
        if changes == Changes::Whole && is_without_effect(error) {
            text.push_str("\nnothing was changed");
        }
        tell(&render::printable_lines(&text));
    }
}

/// The error as one line of JSON.
pub(crate) fn error_line(error: &Error) -> String {
    render::json(&ErrorReport::from(error)).unwrap_or_else(|_| error.message().to_owned())
}

/// Writes a line to standard error, whether or not anybody listens.
pub(crate) fn tell(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// Whether the error says by its kind that nothing was applied.
fn is_without_effect(error: &Error) -> bool {
    let row = error.kind().row();
    match row.category {
        Category::Usage
        | Category::Validation
        | Category::Conflict
        | Category::NotFound
        | Category::Denied => true,
        Category::Unavailable => {
            matches!(row.kind, ErrorKind::Locked | ErrorKind::ReadOnly | ErrorKind::DiskFull)
        }
        Category::Corruption | Category::Indeterminate | Category::Internal => false,
    }
}

/// How rows are written of which there may be more than memory holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rows {
    /// Each by itself.
    Lines,
    /// As one list, a line for each row.
    List { is_empty: bool },
}

impl Rows {
    pub(crate) fn of(output: Output) -> Self {
        match output {
            Output::Text | Output::Ndjson => Self::Lines,
            Output::Json => Self::List { is_empty: true },
        }
    }

    /// What stands before the next row.
    fn next(&mut self) -> &'static str {
        match self {
            Self::Lines => "",
            Self::List { is_empty } if *is_empty => {
                *is_empty = false;
                "["
            }
            Self::List { .. } => ",",
        }
    }
}

/// Standard output, through a buffer.
pub(crate) struct Out(Box<dyn Write>);

impl Out {
    fn stdout() -> Self {
        Self(Box::new(BufWriter::with_capacity(64 * 1024, io::stdout())))
    }

    /// Writes text as it is shown to people: control characters do not reach the terminal.
    pub(crate) fn text(&mut self, text: &str) -> Outcome {
        self.write(&render::printable_lines(text))
    }

    /// Writes a line of JSON as it is.
    pub(crate) fn raw(&mut self, line: &str) -> Outcome {
        self.write(line)
    }

    /// Writes a value as one line of JSON.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> Outcome {
        let line = render::json(value)?;
        self.write(&line)
    }

    /// Writes rows as they come: each on a line, and as one JSON list where that is asked for.
    pub(crate) fn row(&mut self, rows: &mut Rows, value: &impl Serialize) -> Outcome {
        let line = render::json(value)?;
        let before = rows.next();
        self.write(&format!("{before}{line}"))
    }

    /// Ends what [`Self::row`] wrote.
    pub(crate) fn end_rows(&mut self, rows: &Rows) -> Outcome {
        match rows {
            Rows::Lines => Ok(()),
            Rows::List { is_empty: true } => self.write("[]"),
            Rows::List { is_empty: false } => self.write("]"),
        }
    }

    /// Writes all that is in the buffer.
    pub(crate) fn flush(&mut self) -> Outcome {
        self.0.flush().map_err(failed)
    }

    fn write(&mut self, line: &str) -> Outcome {
        writeln!(self.0, "{line}").map_err(failed)
    }
}

/// Ends when nobody reads standard output any more; never where that cannot be told.
pub(crate) async fn reader_is_gone() {
    let (gone, told) = tokio::sync::oneshot::channel();
    // A thread of its own: it sleeps until the reader goes, or as long as the program runs.
    let watch = move || {
        let stdout = io::stdout();
        let mut output = [PollFd::new(&stdout, PollFlags::empty())];
        if poll(&mut output, None).is_ok() {
            let _ = gone.send(());
        }
    };
    let started = std::thread::Builder::new().name("reader".to_owned()).spawn(watch);
    if started.is_err() || told.await.is_err() {
        std::future::pending().await
    }
}

fn failed(cause: io::Error) -> Failure {
    if cause.kind() == io::ErrorKind::BrokenPipe {
        return Failure::Closed;
    }
    let message = format!("cannot write to standard output: {cause}");
    let kind = match cause.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ErrorKind::DiskFull,
        _ => ErrorKind::Disk,
    };
    Failure::Unwritten(Error::new(kind, message).caused_by(cause))
}
