//! The verbs of `events`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

use super::archive::ArchiveArgs;
use super::config::lasting;
use super::export::{EventFormat, ExportArgs};
use super::prune::PruneArgs;

#[derive(Debug, Subcommand)]
pub(crate) enum EventsVerb {
    /// Append the events of a file, one JSON object a line
    Import(ImportArgs),
    /// Append one event
    Append(AppendArgs),
    /// Show the event with an id
    Get {
        /// Id of the event
        id: String,
    },
    /// At which stage of its life an event is: storing, available, expiring, expired
    Stage {
        /// Id of the event
        id: String,
    },
    /// Find events: one JSON object a line
    Query(FindArgs),
    /// What events come to: counts, rates, sums and percentiles, by groups and windows of time
    Aggregate(AggregateArgs),
    /// Follow the events that a node records, as they come: one JSON object a line
    Follow(FollowArgs),
    /// Who caused what in a story
    Trace(TraceArgs),
    /// Whether the program can read everything that is stored, by type and schema
    Check(CheckHistoryArgs),
    /// Destroy the key of a subject: nobody reads its personal fields any more
    Forget(ForgetArgs),
    /// The certificates of what was forgotten
    Forgotten,
    /// What the event store holds
    Stats,
    /// Move the oldest full files of the log to the archive, where they are read as before
    Archive(ArchiveArgs),
    /// Let go of the oldest full files of the log for good, as far as nobody needs them
    Prune(PruneArgs),
    /// Write events to files or standard output, and look after exports
    Export(ExportArgs),
    /// Every durable consumer: where it is, how far behind, what it has in hand and has parked
    Consumers(ConsumersArgs),
    /// The events that consumers could not take: list them, hand them out once more, drop them
    Parked(ParkedArgs),
    /// Every projection: its version, where it is, how far behind; what it has, made anew, deleted
    Projections(ProjectionsArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ForgetArgs {
    /// The subject, as the events say it
    pub(crate) subject: String,
    /// Why
    #[arg(long)]
    pub(crate) reason: String,
    /// Who asks for it
    #[arg(long)]
    pub(crate) actor: Option<String>,
    /// File with the sealing key of the application, where no node serves the directory
    #[arg(long, value_name = "FILE")]
    pub(crate) sealing_key: Option<PathBuf>,
    /// File with a sealing key that the application had before; may be given several times
    #[arg(long = "former-sealing-key", value_name = "FILE", requires = "sealing_key")]
    pub(crate) former_sealing_keys: Vec<PathBuf>,
    /// Directory of the keys of persons, if it is not beside the store
    #[arg(long, value_name = "DIR", requires = "sealing_key")]
    pub(crate) personal_keys: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct CheckHistoryArgs {
    /// Only events of these types; a * at the end stands for any rest
    #[arg(long = "types", value_name = "TYPE", value_delimiter = ',')]
    pub(crate) types: Vec<String>,
}

#[derive(Debug, Args)]
#[group(id = "action", multiple = false)]
pub(crate) struct ConsumersArgs {
    /// Have a consumer that stands still go on
    #[arg(long, value_name = "CONSUMER")]
    pub(crate) resume: Option<String>,
    /// Let retention go past the place of a consumer until it goes on
    #[arg(long, value_name = "CONSUMER")]
    pub(crate) release: Option<String>,
    /// Forget a consumer, and what it has parked
    #[arg(long, value_name = "CONSUMER")]
    pub(crate) delete: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ProjectionsArgs {
    #[command(subcommand)]
    pub(crate) verb: Option<ProjectionsVerb>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ProjectionsVerb {
    /// What readers of one have: its state, or its keys with theirs
    Show(ShowProjectionArgs),
    /// Have one made anew: now by the application that has it, or when that starts
    Rebuild {
        /// Name of the projection
        projection: String,
    },
    /// Forget what is kept of one that is not at work
    Delete {
        /// Name of the projection
        projection: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ShowProjectionArgs {
    /// Name of the projection
    pub(crate) projection: String,
    /// Only the state under this key
    #[arg(long, conflicts_with_all = ["after", "limit"])]
    pub(crate) key: Option<String>,
    /// Only keys after this one
    #[arg(long, value_name = "KEY")]
    pub(crate) after: Option<String>,
    /// At most this many keys; 1,000 are the most
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) limit: usize,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct ParkedArgs {
    #[command(subcommand)]
    pub(crate) verb: Option<ParkedVerb>,
    #[command(flatten)]
    pub(crate) which: WhichParked,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ParkedVerb {
    /// Hand them out once more, before all others of their streams
    Retry(ParkedChange),
    /// Give them up for good
    Drop(ParkedChange),
}

#[derive(Debug, Args)]
pub(crate) struct WhichParked {
    /// Of this consumer; of all if absent
    pub(crate) consumer: Option<String>,
    /// Only events of this type
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) kind: Option<String>,
    /// At most this many, the oldest first
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,
}

#[derive(Debug, Args)]
pub(crate) struct ParkedChange {
    #[command(flatten)]
    pub(crate) which: WhichParked,
    /// Only say which
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// The file; - reads standard input
    pub(crate) file: PathBuf,
    /// How an event is written; ndjson also reads what an export wrote so
    #[arg(long, value_enum, default_value_t = EventFormat::Ndjson)]
    pub(crate) format: EventFormat,
    /// Print the position of each event on standard output as it is acked
    #[arg(long)]
    pub(crate) acks: bool,
}

#[derive(Debug, Args)]
#[group(id = "fields", multiple = true, conflicts_with = "event")]
pub(crate) struct FieldArgs {
    /// What happened, for example order.placed
    #[arg(long = "type", value_name = "TYPE", required_unless_present = "event")]
    pub(crate) kind: Option<String>,
    /// Identity and idempotency key; drawn if absent
    #[arg(long)]
    pub(crate) id: Option<String>,
    /// When it happened, RFC 3339; the time of recording if absent
    #[arg(long)]
    pub(crate) time: Option<String>,
    /// Who says so
    #[arg(long)]
    pub(crate) source: Option<String>,
    /// What it is about
    #[arg(long)]
    pub(crate) subject: Option<String>,
    /// Correlation id of the story that it belongs to
    #[arg(long, value_name = "ID")]
    pub(crate) correlation: Option<String>,
    /// Id of the event that caused it
    #[arg(long, value_name = "ID")]
    pub(crate) parent: Option<String>,
    /// What else it is found by; may be given several times
    #[arg(long = "tag", value_name = "TAG")]
    pub(crate) tags: Vec<String>,
    /// Number of the schema that the data follows
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) schema: Option<u16>,
    /// Whatever else there is to say: the data of the event. (--data is the directory.)
    #[arg(long, value_name = "JSON", allow_hyphen_values = true)]
    pub(crate) payload: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct AppendArgs {
    /// The event as a JSON object; - reads it from standard input
    #[arg(id = "event", value_name = "EVENT")]
    pub(crate) event: Option<String>,
    #[command(flatten)]
    pub(crate) fields: FieldArgs,
    /// Stream to append to
    #[arg(long)]
    pub(crate) stream: Option<String>,
    /// Only if the stream is at this version
    #[arg(long, value_name = "N")]
    pub(crate) if_version: Option<u64>,
}

#[derive(Debug, Args)]
pub(crate) struct QueryArgs {
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
    /// Oldest or newest first
    #[arg(long, value_enum, default_value_t = Direction::Asc)]
    pub(crate) order: Direction,
    /// At most this many; all if absent
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<u64>,
    /// Only past this position in the direction of the order
    #[arg(long, value_name = "POSITION")]
    pub(crate) after: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct FindArgs {
    #[command(flatten)]
    pub(crate) query: QueryArgs,
    /// Also the changes of Foundation's own tables, such as the places of consumers
    #[arg(long)]
    pub(crate) all: bool,
    /// Show which way the query goes and what it looks at for its first page, instead of the answer
    #[arg(long)]
    pub(crate) explain: bool,
}

#[derive(Debug, Args)]
pub(crate) struct FollowArgs {
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
    /// After this position; from now on if absent
    #[arg(long, value_name = "POSITION")]
    pub(crate) after: Option<String>,
    /// Also the changes of Foundation's own tables, such as the places of consumers
    #[arg(long)]
    pub(crate) all: bool,
    /// With the oldest event that is kept
    #[arg(long, conflicts_with = "after")]
    pub(crate) beginning: bool,
}

/// Which events a command is about.
#[derive(Debug, Args)]
pub(crate) struct FilterArgs {
    /// Only events of this type, or of one that begins so: order.*; several are any of them
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) types: Vec<String>,
    /// Only events of this story
    #[arg(long, value_name = "ID")]
    pub(crate) correlation: Option<String>,
    /// Only events that this one caused
    #[arg(long, value_name = "ID")]
    pub(crate) parent: Option<String>,
    /// Only events of this stream
    #[arg(long)]
    pub(crate) stream: Option<String>,
    /// Only events with this tag; several are all of them
    #[arg(long = "tag", value_name = "TAG")]
    pub(crate) tags: Vec<String>,
    /// Only events of this source
    #[arg(long)]
    pub(crate) source: Option<String>,
    /// Only events about this subject
    #[arg(long)]
    pub(crate) subject: Option<String>,
    /// Only events with such a field in their data: level=ERROR, status>=500, user.name^=ab, user?
    #[arg(long = "where", value_name = "CONDITION")]
    pub(crate) fields: Vec<String>,
    /// Only what happened at this time or later, RFC 3339
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// Only what happened before this time, RFC 3339
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct TraceArgs {
    /// Correlation id of the story
    pub(crate) correlation: String,
    /// How the story is written; as --output says if absent
    #[arg(long, value_enum)]
    pub(crate) format: Option<TraceFormat>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TraceFormat {
    /// An outline for people
    Text,
    /// A flowchart for pages that draw Mermaid
    Mermaid,
    /// One JSON value
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct AggregateArgs {
    #[command(flatten)]
    pub(crate) query: QueryArgs,
    /// What to compute: count, rate, or sum, min, max, mean or a percentile of a place in the data, as
    /// p95:data.took_ms; may be given several times. Percentiles of more than 100 numbers are off by
    /// at most 3.1 %
    #[arg(long = "measure", value_name = "MEASURE", default_value = "count")]
    pub(crate) measures: Vec<String>,
    /// A row for each type, source, stream, subject, correlation, or value of a place in the data, as
    /// data.level; may be given several times
    #[arg(long, value_name = "GROUP")]
    pub(crate) by: Vec<String>,
    /// Rows for windows of this length, as 90s, 10m, 2h or 1d
    #[arg(long, value_name = "TIME", value_parser = lasting)]
    pub(crate) window: Option<Duration>,
    /// A window begins each time this long, so that they overlap
    #[arg(long, value_name = "TIME", value_parser = lasting, requires = "window")]
    pub(crate) slide: Option<Duration>,
    /// Rows for sessions instead: what a group does until it pauses this long
    #[arg(long, value_name = "TIME", value_parser = lasting, conflicts_with = "window")]
    pub(crate) session_gap: Option<Duration>,
    /// How much older than the youngest before it an event may be; it is late otherwise
    #[arg(long, value_name = "TIME", value_parser = lasting)]
    pub(crate) lateness: Option<Duration>,
    /// What becomes of events that are late
    #[arg(long, value_enum, default_value_t = WhenLate::Drop, requires = "lateness")]
    pub(crate) late: WhenLate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum WhenLate {
    /// They are counted as late, and that is all
    Drop,
    /// They share a row
    Row,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Direction {
    /// Oldest first
    Asc,
    /// Newest first
    Desc,
}
