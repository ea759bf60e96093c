//! The words for letting go of old records.

use std::time::Duration;

use clap::Args;

use super::config::lasting;

#[derive(Debug, Args)]
pub(crate) struct PruneArgs {
    /// Files whose newest record is older than this go, also from the archive, for example 30d
    #[arg(long, value_name = "TIME", value_parser = lasting, conflicts_with = "keep")]
    pub(crate) older_than: Option<Duration>,
    /// The oldest files go as long as this many records come after them
    #[arg(long, value_name = "N")]
    pub(crate) keep: Option<u64>,
    /// The oldest files go in which nothing lives any more by the setting events.ttl, none in the archive
    #[arg(long)]
    pub(crate) expired: bool,
    /// Only say what would go, and who holds it back
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Go past consumers and exports that have not had all of it: they never get it
    #[arg(long)]
    pub(crate) force: bool,
}
