//! The verbs of `config`.

use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use foundation::config::Unchanged;
use foundation::{Document, Settings, Version};

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigVerb {
    /// Show a document, or the value at a path of it
    Get(GetArgs),
    /// Why a value is what it is: who says so, and whom that one overrules
    Explain(ExplainArgs),
    /// Whether a file may be one of a document's; every problem with its line otherwise
    Check(CheckArgs),
    /// Put a value at a path
    Set(SetArgs),
    /// Take away what was set at a path; a field then has what files, environment or defaults say
    Unset(TakeArgs),
    /// As unset
    Reset(TakeArgs),
    /// Make a patch of a document: RFC 7396 merge patch, or RFC 6902 JSON patch
    Patch(PatchArgs),
    /// Who changed what, when and why: one JSON object a line
    History(HistoryArgs),
    /// What leads from one version to another
    Diff(DiffArgs),
    /// Make the document what it was at an earlier version, as a new version
    Rollback(RollbackArgs),
    /// The changes that wait for somebody to decide about them
    Conflicts(ConflictsArgs),
    /// Decide about a change that waits
    Resolve(ResolveArgs),
    /// Follow the changes of a document that a node serves, until Ctrl-C
    Watch(WatchArgs),
    /// Every field with its value, its default and what it is for
    Fields(ReferenceArgs),
    /// The schemas of all documents, and what their migrations would log
    CheckMigrations,
    /// The JSON Schema of a document, for editors
    Schema(ReferenceArgs),
    /// A TOML file with every field of a document, its default and what it is for
    Template(ReferenceArgs),
}

impl ConfigVerb {
    /// The document that it is about, if it is about what is in the store.
    pub(crate) fn document(&self) -> Option<&str> {
        let DocumentArgs { name } = match self {
            Self::Get(args) => &args.document,
            Self::Explain(args) => &args.document,
            Self::Set(args) => &args.change.document,
            Self::Unset(args) | Self::Reset(args) => &args.change.document,
            Self::Patch(args) => &args.change.document,
            Self::Rollback(args) => &args.document,
            Self::Resolve(args) => &args.document,
            Self::Fields(args) => &args.document,
            Self::History(_)
            | Self::Diff(_)
            | Self::Conflicts(_)
            | Self::Watch(_)
            | Self::Check(_)
            | Self::CheckMigrations
            | Self::Schema(_)
            | Self::Template(_) => return None,
        };
        Some(name)
    }
}

#[derive(Debug, Args)]
pub(crate) struct DocumentArgs {
    /// Name of the document
    #[arg(long = "doc", value_name = "NAME", default_value = Settings::NAME)]
    pub(crate) name: String,
}

/// What every change says of itself.
#[derive(Debug, Args)]
pub(crate) struct WriteArgs {
    /// Only if the document is at this version
    #[arg(long, value_name = "N")]
    pub(crate) if_version: Option<u64>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    /// Who; by default the user
    #[arg(long, value_name = "NAME")]
    pub(crate) actor: Option<String>,
}

/// What a change expects of what is there.
#[derive(Debug, Args)]
pub(crate) struct ExpectArgs {
    /// Only if nothing at this path was changed after that version; may be given several times
    #[arg(long, value_name = "PATH=N", value_parser = unchanged)]
    pub(crate) if_unchanged: Vec<Unchanged>,
    /// What happens if the document is not at the version of --if-version; by default what the
    /// application says of the place, or refuse
    #[arg(long, value_name = "WAY", value_enum)]
    pub(crate) on_conflict: Option<Way>,
}

/// What every change of values has beside what it puts where.
#[derive(Debug, Args)]
pub(crate) struct ChangeArgs {
    /// Only say what would change
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// For so long only, as 90s, 10m, 2h or 1d; then what was there before is there again
    #[arg(long = "for", value_name = "TIME", value_parser = lasting)]
    pub(crate) lasts: Option<Duration>,
    #[command(flatten)]
    pub(crate) expect: ExpectArgs,
    #[command(flatten)]
    pub(crate) write: WriteArgs,
    #[command(flatten)]
    pub(crate) document: DocumentArgs,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Way {
    /// The first write wins: the change is refused
    Refuse,
    /// The last write wins
    Overwrite,
    /// Both are kept, unless they changed the same in different ways
    Merge,
    /// As merge; what cannot be merged waits until `config resolve` decides about it
    Park,
}

/// A length of time as it is typed.
pub(super) fn lasting(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is no time: write it as 90s, 10m, 2h or 1d");
    let at = text.len() - text.chars().next_back().map_or(0, char::len_utf8);
    let number: u64 = text[..at].parse().map_err(|_| wrong())?;
    let second = match &text[at..] {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err(wrong()),
    };
    number.checked_mul(second).map(Duration::from_secs).ok_or_else(wrong)
}

fn unchanged(text: &str) -> Result<Unchanged, String> {
    let (path, since) = text.rsplit_once('=').ok_or("write it as PATH=VERSION")?;
    let path = path.parse().map_err(|error: foundation::Error| error.message().to_owned())?;
    let since = since.parse().map_err(|_| format!("{since:?} is no version"))?;
    Ok(Unchanged { path, since: Version::new(since) })
}

#[derive(Debug, Args)]
pub(crate) struct GetArgs {
    /// Where, for example interface.max_results; the whole document if absent
    pub(crate) path: Option<String>,
    /// As of this version
    #[arg(long, value_name = "VERSION")]
    pub(crate) at: Option<u64>,
    /// As of this time, RFC 3339
    #[arg(long, value_name = "TIME", conflicts_with = "at")]
    pub(crate) at_time: Option<String>,
    #[command(flatten)]
    pub(crate) document: DocumentArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// Where, for example interface.max_results
    pub(crate) path: String,
    #[command(flatten)]
    pub(crate) document: DocumentArgs,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// A TOML, JSON or YAML file, by its extension
    pub(crate) file: std::path::PathBuf,
    #[command(flatten)]
    pub(crate) document: DocumentArgs,
}

#[derive(Debug, Args)]
pub(crate) struct SetArgs {
    /// Where, for example interface.max_results
    pub(crate) path: String,
    /// JSON if it is JSON, otherwise text; - reads it from standard input
    #[arg(allow_hyphen_values = true)]
    pub(crate) value: String,
    #[command(flatten)]
    pub(crate) whole: WholeArgs,
    #[command(flatten)]
    pub(crate) change: ChangeArgs,
}

#[derive(Debug, Args)]
pub(crate) struct TakeArgs {
    /// Where, for example interface.max_results
    pub(crate) path: String,
    /// The defaults are meant, also where files or the environment of the application say something
    #[arg(long)]
    pub(crate) defaults: bool,
    #[command(flatten)]
    pub(crate) whole: WholeArgs,
    #[command(flatten)]
    pub(crate) change: ChangeArgs,
}

#[derive(Debug, Args)]
pub(crate) struct WholeArgs {
    /// The whole document is meant: needed if the path is empty
    #[arg(long)]
    pub(crate) all: bool,
}

#[derive(Debug, Args)]
pub(crate) struct PatchArgs {
    /// JSON: a map is merged into the document, and null gives a field its default; a list is one
    /// of operations; - reads it from standard input
    pub(crate) patch: String,
    #[command(flatten)]
    pub(crate) change: ChangeArgs,
}

#[derive(Debug, Args)]
pub(crate) struct HistoryArgs {
    /// At most this many changes
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) limit: Option<u64>,
    /// The newest first
    #[arg(long)]
    pub(crate) newest: bool,
    /// Only what was recorded at this time or later, RFC 3339
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// Only what was recorded before this time, RFC 3339
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,
    #[command(flatten)]
    pub(crate) document: DocumentArgs,
}

#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    /// From this version; 0 is the defaults
    pub(crate) from: u64,
    /// To this version
    pub(crate) to: u64,
    #[command(flatten)]
    pub(crate) document: DocumentArgs,
}

#[derive(Debug, Args)]
pub(crate) struct RollbackArgs {
    /// The earlier version; 0 is the defaults
    pub(crate) version: u64,
    #[command(flatten)]
    pub(crate) write: WriteArgs,
    #[command(flatten)]
    pub(crate) document: DocumentArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ConflictsArgs {
    #[command(flatten)]
    pub(crate) document: DocumentArgs,
}

#[derive(Debug, Args)]
#[group(id = "take", required = true, multiple = false, args = ["ours", "theirs", "edit"])]
pub(crate) struct ResolveArgs {
    /// What it waits as, as `config conflicts` says
    pub(crate) id: String,
    /// Make it, on the document as it is now
    #[arg(long)]
    pub(crate) ours: bool,
    /// Give it up
    #[arg(long)]
    pub(crate) theirs: bool,
    /// Put this value at this path in its place; may be given several times
    #[arg(long, value_name = "PATH=VALUE")]
    pub(crate) edit: Vec<String>,
    #[command(flatten)]
    pub(crate) write: WriteArgs,
    #[command(flatten)]
    pub(crate) document: DocumentArgs,
}

#[derive(Debug, Args)]
pub(crate) struct WatchArgs {
    /// Only what changes at this path
    pub(crate) path: Option<String>,
    /// First the changes after this version; by default only what comes from now on
    #[arg(long, value_name = "VERSION")]
    pub(crate) from: Option<u64>,
    #[command(flatten)]
    pub(crate) document: DocumentArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ReferenceArgs {
    #[command(flatten)]
    pub(crate) document: DocumentArgs,
}
