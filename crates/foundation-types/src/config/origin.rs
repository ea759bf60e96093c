//! Where a value of a document comes from.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;
use crate::version::Version;

/// Where a value of a document comes from, weakest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "from")]
pub enum Origin {
    /// The code of the application.
    Default,
    /// A file.
    File {
        /// Its path, as it was given to the application.
        file: String,
        /// The line of the value, from 1; 0 if it is about the file as a whole.
        line: u32,
        /// The character of that line at which the value begins, from 1.
        column: u32,
    },
    /// The environment of the process.
    Environment {
        /// The variable.
        variable: String,
    },
    /// A file or the environment of whoever had the store open before; here it is not known which.
    Earlier {
        /// The version that the newest such change made; absent if it is no longer kept.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        version: Option<Version>,
    },
    /// A change that was made while the application ran.
    RunTime {
        /// The version that the newest such change made; absent if it is no longer kept.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        version: Option<Version>,
        /// When it was recorded.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        time: Option<Timestamp>,
        /// Who made it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        actor: Option<String>,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// Until when it is set; absent if for good.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    },
}

impl Origin {
    /// The file as a whole.
    #[must_use]
    pub fn file(file: impl Into<String>) -> Self {
        Self::File { file: file.into(), line: 0, column: 0 }
    }

    /// Its kind, as said to a person.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::File { .. } => "file",
            Self::Environment { .. } => "environment",
            Self::Earlier { .. } => "sources",
            Self::RunTime { .. } => "run time",
        }
    }
}

/// The place alone: nothing for a default, `file:line:column`, or the variable.
impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => out.write_str("the defaults"),
            Self::File { file, line: 0, .. } => out.write_str(file),
            Self::File { file, line, column } => write!(out, "{file}:{line}:{column}"),
            Self::Environment { variable } => write!(out, "environment variable {variable}"),
            Self::Earlier { version: Some(version) }
            | Self::RunTime { version: Some(version), .. } => write!(out, "version {version}"),
            Self::Earlier { .. } | Self::RunTime { .. } => out.write_str("an earlier version"),
        }
    }
}
