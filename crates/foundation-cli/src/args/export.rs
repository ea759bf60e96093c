//! The verbs and flags of `events export`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::events::FilterArgs;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct ExportArgs {
    #[command(subcommand)]
    pub(crate) verb: Option<ExportVerb>,
    #[command(flatten)]
    pub(crate) write: ExportWrite,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ExportVerb {
    /// Every export: where it is, how far behind, what it passed on, why it tries again
    List,
    /// Have an export rest, also after a restart
    Pause {
        /// Name of the export
        export: String,
    },
    /// Have an export go on, after a pause or after it stood still
    Resume {
        /// Name of the export
        export: String,
    },
    /// Have an export begin anew after a position
    Reset {
        /// Name of the export
        export: String,
        /// The position; 0 for the oldest event
        position: String,
    },
    /// Forget an export, its place, and what it has parked
    Delete {
        /// Name of the export
        export: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ExportWrite {
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
    /// A file of lines, or a directory for several, which is there or ends in /; standard output
    /// if absent
    #[arg(long, value_name = "PATH")]
    pub(crate) to: Option<PathBuf>,
    /// How an event is written
    #[arg(long, value_enum, default_value_t = EventFormat::Ndjson)]
    pub(crate) format: EventFormat,
    /// Go on with what comes, until interrupted
    #[arg(long)]
    pub(crate) follow: bool,
    /// Go on where the last export of this name ended; retention waits for it
    #[arg(long, value_name = "CURSOR")]
    pub(crate) name: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum EventFormat {
    /// The fields of the event, one JSON object a line
    Ndjson,
    /// CloudEvents 1.0 in JSON, one object a line
    #[value(name = "cloudevents")]
    CloudEvents,
}
