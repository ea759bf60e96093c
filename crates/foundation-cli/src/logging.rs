//! The log of the process on standard error, and its level, which can be changed while it runs.

use std::io::{self, Write};

use foundation::config::LogLevel;
use indicatif::ProgressBar;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::prelude::*;
use tracing_subscriber::{Registry, fmt, reload};

/// Changes the level of the log.
pub(crate) struct Level(reload::Handle<LevelFilter, Registry>);

/// Starts the log. Lines go above the status line where there is one.
pub(crate) fn start(level: LogLevel, status: Option<ProgressBar>) -> Level {
    let (filter, handle) = reload::Layer::new(filter(level));
    let lines = fmt::layer().with_ansi(false).with_target(false).with_writer(Above(status));
    // Only the program itself starts the log, once; a second start would change nothing.
    let _ = tracing_subscriber::registry().with(filter).with(lines).try_init();
    Level(handle)
}

impl Level {
    /// From here on lines of this level and above are written.
    pub(crate) fn set(&self, level: LogLevel) {
        // It fails only if the log is gone, and then there is nothing to change.
        let _ = self.0.reload(filter(level));
    }
}

fn filter(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Off => LevelFilter::OFF,
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    }
}

/// Standard error, with the status line out of the way.
struct Above(Option<ProgressBar>);

impl<'a> MakeWriter<'a> for Above {
    type Writer = AboveLine<'a>;

    fn make_writer(&'a self) -> Self::Writer {
        AboveLine(self.0.as_ref())
    }
}

/// One line on its way. It never fails: a log that nobody reads must not end the node.
struct AboveLine<'a>(Option<&'a ProgressBar>);

impl Write for AboveLine<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let write = || {
            let _ = io::stderr().write_all(bytes);
        };
        match self.0 {
            Some(status) => status.suspend(write),
            None => write(),
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let _ = io::stderr().flush();
        Ok(())
    }
}
