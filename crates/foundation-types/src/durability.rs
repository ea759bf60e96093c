//! What an ack means.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind};

/// What is known of a write once it is acked. Never lowered silently: a level that cannot be kept
/// fails the write.
///
/// | level | the ack means | the process is killed | the power is cut |
/// |---|---|---|---|
/// | `Memory` | it has its place in the order | lost, if it was not written yet | lost |
/// | `Os` | the system has taken it, and readers see it | **kept** | the newest may be lost, never one before another that is kept |
/// | `Disk` | it is synced, and readers see it | **kept** | **kept**, if the device does what it says |
///
/// Whatever the level, it is written and synced in the same order and soon: what is acked at a
/// lower level shares the next sync, and has one of its own after 50 ms, or after a second where
/// the journal is never idle.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Durability {
    /// In the memory of this process.
    Memory,
    /// With the system.
    Os,
    /// On the disk.
    #[default]
    Disk,
}

impl Durability {
    /// Every level, the weakest first.
    pub const ALL: [Self; 3] = [Self::Memory, Self::Os, Self::Disk];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Os => "os",
            Self::Disk => "disk",
        }
    }
}

impl fmt::Display for Durability {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

impl FromStr for Durability {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::ALL.into_iter().find(|level| level.name() == text).ok_or_else(|| {
            let shown: String = text.chars().take(32).collect();
            let message = format!("{shown:?} is no durability: it is memory, os or disk");
            Error::new(ErrorKind::InvalidArgument, message)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_level_leads_back_to_it() {
        for level in Durability::ALL {
            assert_eq!(level.to_string().parse::<Durability>().ok(), Some(level));
        }
        assert!(Durability::Memory < Durability::Os && Durability::Os < Durability::Disk);
        assert!("quorum".parse::<Durability>().is_err());
    }
}
