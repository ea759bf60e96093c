//! The verbs of `table`.

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum TableVerb {
    /// Every table, with what is kept of it and how many entries it has
    List,
    /// Show the value under a key, or every entry: one JSON object a line
    Get {
        /// Name of the table
        name: String,
        /// JSON if it is JSON, otherwise text; every entry if absent
        #[arg(allow_negative_numbers = true)]
        key: Option<String>,
    },
    /// Put a value under a key
    Put(PutArgs),
    /// Remove what is under a key
    Remove {
        /// Name of the table
        name: String,
        /// JSON if it is JSON, otherwise text
        #[arg(allow_negative_numbers = true)]
        key: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct PutArgs {
    /// Name of the table
    pub(crate) name: String,
    /// JSON if it is JSON, otherwise text
    #[arg(allow_negative_numbers = true)]
    pub(crate) key: String,
    /// JSON if it is JSON, otherwise text; - reads it from standard input
    #[arg(allow_hyphen_values = true)]
    pub(crate) value: String,
    /// Make the table if there is none of this name
    #[arg(long)]
    pub(crate) create: bool,
}
