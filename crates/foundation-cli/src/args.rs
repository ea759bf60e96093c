//! The command line: what can be typed, and what is answered to anything else.

mod archive;
mod config;
mod events;
mod export;
mod keeping;
mod prune;
mod table;

pub(crate) use archive::{ArchiveArgs, ArchiveVerb};
pub(crate) use config::{
    ChangeArgs, CheckArgs, ConfigVerb, ConflictsArgs, DiffArgs, ExplainArgs, GetArgs, HistoryArgs,
    PatchArgs, ReferenceArgs, ResolveArgs, RollbackArgs, SetArgs, TakeArgs, WatchArgs, Way,
    WholeArgs, WriteArgs,
};
pub(crate) use events::{
    AggregateArgs, AppendArgs, CheckHistoryArgs, ConsumersArgs, Direction, EventsVerb, FieldArgs,
    FilterArgs, FindArgs, FollowArgs, ForgetArgs, ImportArgs, ParkedArgs, ParkedVerb,
    ProjectionsArgs, ProjectionsVerb, QueryArgs, ShowProjectionArgs, TraceArgs, TraceFormat,
    WhenLate, WhichParked,
};
pub(crate) use export::{EventFormat, ExportArgs, ExportVerb, ExportWrite};
pub(crate) use keeping::{ReplayArgs, RestoreArgs, VerifyArgs};
pub(crate) use prune::PruneArgs;
pub(crate) use table::{PutArgs, TableVerb};

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::error::ErrorKind as ClapKind;
use clap::{Args, Parser, Subcommand, ValueEnum};
use foundation::error::Category;
use foundation::{Error, ErrorKind};

use crate::exit;
use crate::program::{Changes, error_line, tell};

const EXIT_CODES: &str =
    "Exit codes: 0 ok, 1 other, 2 usage, 3 conflict, 4 not found, 5 corruption,
6 validation, 7 unavailable or locked, 8 indeterminate, 9 denied";

/// The longest time to wait for an owner of the directory, in seconds.
const LOCK_TIMEOUT_MAX_S: f64 = 86_400.0;

/// Live configuration, events and telemetry over one durable journal, in a directory
#[derive(Debug, Parser)]
#[command(name = "foundation", version, after_help = EXIT_CODES, disable_help_subcommand = true)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Flags that stand anywhere.
#[derive(Clone, Debug, Args)]
pub(crate) struct Global {
    /// Directory of the store
    #[arg(long, global = true, value_name = "DIR", default_value = Global::DATA)]
    pub(crate) data: PathBuf,
    /// How long to wait for another process that owns the directory
    #[arg(long, global = true, value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    pub(crate) lock_timeout: Duration,
    /// How answers are written
    #[arg(long, global = true, value_enum, default_value_t = Output::Text)]
    pub(crate) output: Output,
    /// Say nothing but errors
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
}

impl Global {
    /// The directory if none is named.
    pub(crate) const DATA: &str = "./foundation-data";
}

/// How answers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people
    Text,
    /// One JSON value; rows as a list
    Json,
    /// One JSON value a line
    Ndjson,
}

/// A noun, or a verb that needs none.
#[derive(Debug, Subcommand)]
#[expect(clippy::large_enum_variant, reason = "there is one of it in a process")]
pub(crate) enum Command {
    /// Run a node on the directory, until Ctrl-C or SIGTERM
    Serve(ServeArgs),
    /// How the store and its services are; takes no lock
    Status,
    /// Live configuration
    #[command(subcommand)]
    Config(ConfigVerb),
    /// Events: append, import, find
    #[command(subcommand)]
    Events(EventsVerb),
    /// Tables: what is in them, put and remove
    #[command(subcommand)]
    Table(TableVerb),
    /// Metrics of a running node
    #[command(subcommand)]
    Metrics(MetricsVerb),
    /// Keep documents and tables as they are now in a snapshot, so that a start reads only what is newer
    Checkpoint,
    /// Write documents and tables as they are now into a file of a directory
    Dump {
        /// The directory; it is made if it is missing
        directory: PathBuf,
    },
    /// Read the whole store and compare it with its checksums; writes nothing
    Verify(VerifyArgs),
    /// Copy the store as of now into a directory, while it is written
    Backup {
        /// The directory; it is made, or is empty
        directory: PathBuf,
    },
    /// Put a backup in the place of the store; what was there is kept beside it
    Restore(RestoreArgs),
    /// Mend what can be mended of a stopped store: what is derived from the log is made again
    Repair(RepairArgs),
    /// Print every record of the log in order, one JSON value a line
    Replay(ReplayArgs),
}

#[derive(Debug, Args)]
pub(crate) struct RepairArgs {
    /// Only tell what would be done
    #[arg(long)]
    pub dry_run: bool,
    /// Go on without what the archive should have and has not: its records are lost for good
    #[arg(long)]
    pub give_up_archived: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Record what runs on this machine as events, and show what to type next
    #[arg(long)]
    pub(crate) demo: bool,
    /// A TOML, JSON or YAML file with settings, read again when it changes; may be given several times,
    /// and the last one counts. Variables that begin with FOUNDATION_ count more
    #[arg(long, value_name = "FILE")]
    pub(crate) settings: Vec<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum MetricsVerb {
    /// Show every series with its value
    Show {
        /// Only metrics whose name begins so
        prefix: Option<String>,
    },
}

impl Command {
    /// Whether the command changes the store, if it succeeds, in one piece.
    pub(crate) fn changes(&self) -> Changes {
        match self {
            Self::Config(
                ConfigVerb::Set(_)
                | ConfigVerb::Unset(_)
                | ConfigVerb::Reset(_)
                | ConfigVerb::Rollback(_)
                | ConfigVerb::Resolve(_),
            )
            | Self::Events(EventsVerb::Append(_))
            | Self::Restore(_)
            | Self::Table(TableVerb::Put(_) | TableVerb::Remove { .. }) => Changes::Whole,
            _ => Changes::Other,
        }
    }
}

/// What the words say, or the exit code after whatever had to be told.
pub(crate) fn parse(words: Vec<OsString>) -> Result<Arguments, ExitCode> {
    Arguments::try_parse_from(&words).map_err(|error| {
        if matches!(error.kind(), ClapKind::DisplayHelp | ClapKind::DisplayVersion) {
            // Help that nobody reads is no failure.
            let _ = write!(std::io::stdout(), "{error}");
            return ExitCode::SUCCESS;
        }
        let text = error.to_string();
        if asks_for_json(&words) {
            let message = text.trim_start_matches("error: ").trim_end();
            tell(&error_line(&Error::new(ErrorKind::InvalidArgument, message)));
        } else {
            tell(text.trim_end());
        }
        exit::code(Category::Usage)
    })
}

/// Whether words that mean nothing as a whole ask for JSON all the same.
fn asks_for_json(words: &[OsString]) -> bool {
    let is_json = |word: &OsString| word == "json" || word == "ndjson";
    words.windows(2).any(|pair| pair[0] == "--output" && is_json(&pair[1]))
        || words.iter().any(|word| word == "--output=json" || word == "--output=ndjson")
}

fn seconds(text: &str) -> Result<Duration, String> {
    let number =
        text.parse::<f64>().ok().filter(|number| (0.0..=LOCK_TIMEOUT_MAX_S).contains(number));
    number
        .and_then(|number| Duration::try_from_secs_f64(number).ok())
        .ok_or_else(|| format!("expected seconds from 0 to {LOCK_TIMEOUT_MAX_S}"))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn words(line: &str) -> Result<Arguments, clap::Error> {
        Arguments::try_parse_from(line.split(' '))
    }

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn global_flags_stand_anywhere() {
        for line in [
            "foundation --data d --quiet config get log.level",
            "foundation config --data d get --quiet log.level",
            "foundation config get log.level --data d -q",
        ] {
            let arguments = words(line).expect("is understood");
            assert_eq!(arguments.global.data, PathBuf::from("d"), "{line}");
            assert!(arguments.global.quiet, "{line}");
        }
    }

    #[test]
    fn a_value_may_begin_with_a_dash() {
        for (line, value, reason) in [
            ("foundation config set a.b -5", "-5", None),
            ("foundation config set a.b -x --reason why", "-x", Some("why")),
            ("foundation config set --reason why a.b -", "-", Some("why")),
            ("foundation config set a.b -- --x", "--x", None),
        ] {
            let Command::Config(ConfigVerb::Set(set)) = words(line).expect("parses").command else {
                panic!("{line} is a set");
            };
            assert_eq!(
                (&*set.value, set.change.write.reason.as_deref()),
                (value, reason),
                "{line}"
            );
        }
    }

    #[test]
    fn times_to_wait_that_no_clock_has_are_refused() {
        for text in ["-1", "nan", "inf", "1e300", "soon", ""] {
            assert!(seconds(text).is_err(), "{text}");
        }
        assert_eq!(seconds("0.25"), Ok(Duration::from_millis(250)));
    }
}
