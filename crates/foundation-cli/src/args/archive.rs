//! The words for the archive of the log.

use std::time::Duration;

use clap::{Args, Subcommand};

use super::config::lasting;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct ArchiveArgs {
    #[command(subcommand)]
    pub(crate) verb: Option<ArchiveVerb>,
    /// Files whose newest record is older than this go, for example 30d
    #[arg(long, value_name = "TIME", value_parser = lasting, conflicts_with = "keep_segments")]
    pub(crate) older_than: Option<Duration>,
    /// The oldest files go until so many full ones are left in the store
    #[arg(long, value_name = "N")]
    pub(crate) keep_segments: Option<u64>,
    /// Only say what would go
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Clone, Copy, Debug, Subcommand)]
pub(crate) enum ArchiveVerb {
    /// What is in the archive
    List,
    /// Read all that is in the archive and compare it with its checksums
    Verify,
    /// Bring everything back into the store
    Restore,
}
