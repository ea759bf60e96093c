//! The words for looking after a store: verify, backup, restore, replay.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// Read no faster than this, for example 64MiB: bytes a second
    #[arg(long, value_name = "BYTES", value_parser = size)]
    pub(crate) rate: Option<u64>,
}

#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    /// The directory of the backup
    pub(crate) backup: PathBuf,
    /// End with the last whole batch up to this position
    #[arg(long, value_name = "POSITION")]
    pub(crate) until: Option<u64>,
    /// Give up records of the store that are newer than the backup
    #[arg(long)]
    pub(crate) allow_rollback: bool,
    /// Replace another store, or what is none
    #[arg(long)]
    pub(crate) replace: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// The first position; the first record that is kept if none is named
    #[arg(long, value_name = "POSITION", default_value_t = 1)]
    pub(crate) from: u64,
    /// The last position; the end of the log if none is named
    #[arg(long, value_name = "POSITION")]
    pub(crate) until: Option<u64>,
    /// As the records are stored: personal fields sealed, old data in its own schema
    #[arg(long)]
    pub(crate) stored: bool,
    /// Print no records: build the states of the newest snapshot again and compare them
    #[arg(long, conflicts_with_all = ["from", "until", "stored"])]
    pub(crate) check: bool,
}

/// A number of bytes, with a unit or without.
fn size(text: &str) -> Result<u64, String> {
    const UNITS: [(&str, u64); 6] = [
        ("KiB", 1 << 10),
        ("MiB", 1 << 20),
        ("GiB", 1 << 30),
        ("kB", 1_000),
        ("MB", 1_000_000),
        ("GB", 1_000_000_000),
    ];
    let found = UNITS.iter().find_map(|(unit, bytes)| Some((text.strip_suffix(unit)?, *bytes)));
    let (number, unit) = found.unwrap_or((text, 1));
    let bytes = number.parse::<u64>().ok().and_then(|number| number.checked_mul(unit));
    bytes
        .filter(|bytes| *bytes > 0)
        .ok_or_else(|| "expected a number of bytes above 0, for example 500000 or 64MiB".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units_or_none() {
        let sizes = ["1", "10KiB", "64MiB", "2GiB", "3kB", "5MB", "1GB"].map(size);
        let bytes = [1, 10_240, 67_108_864, 2_147_483_648, 3_000, 5_000_000, 1_000_000_000].map(Ok);
        assert_eq!(sizes, bytes);
        for text in ["", "0", "-1", "MiB", "1.5MiB", "64 MiB", "99999999999GiB", "1TiB"] {
            assert!(size(text).is_err(), "{text}");
        }
    }
}
