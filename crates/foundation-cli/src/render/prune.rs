//! What was let go of, who holds the rest, who misses it.

use foundation::node::{HeldBy, HolderKind, Missed, PruneReport};

use super::text::{bytes, counted};

/// What went or would go, then a line for each who holds something, and each who misses something.
pub(crate) fn pruned(report: &PruneReport) -> Vec<String> {
    let mut lines = vec![what(report)];
    lines.extend(report.held_by.iter().map(|held| holder(report, held)));
    lines.extend(report.missed.iter().map(|missed| misses(report, missed)));
    lines
}

fn what(report: &PruneReport) -> String {
    let Some(up_to) = report.up_to else {
        return match report.wanted_records {
            0 => "nothing goes: only full files of the log do, and none is beyond that".to_owned(),
            wanted => format!("nothing goes: {} are held back", counted(wanted, "record")),
        };
    };
    let how = if report.applied { "let go of" } else { "would let go of" };
    let newest = report.newest.map_or_else(String::new, |time| format!(", recorded {time}"));
    let expired = match report.expired {
        0 => String::new(),
        events => format!("; {} had lived their time", counted(events, "event")),
    };
    format!(
        "{how} {}, {}, {}: up to position {up_to}{newest}{expired}",
        counted(report.segments, "segment"),
        counted(report.records, "record"),
        bytes(report.bytes)
    )
}

fn holder(report: &PruneReport, held: &HeldBy) -> String {
    let HeldBy { kind, name, position } = held;
    let who = match kind {
        HolderKind::Snapshot => {
            return format!(
                "held back: only what is in both kept snapshots goes, that is up to position \
                 {position}; `foundation checkpoint` takes one"
            );
        }
        HolderKind::Application => "the application",
        HolderKind::Backup => "a backup or a check",
        HolderKind::Consumer => "consumer",
        HolderKind::Export => "export",
        HolderKind::Projection => "projection",
    };
    let name = name.as_ref().map_or_else(String::new, |name| format!(" {name}"));
    let is_passed = report.missed.iter().any(|one| Some(&one.name) == held.name.as_ref());
    match is_passed {
        true => format!("gone past: {who}{name} has had nothing after position {position}"),
        false => format!("held back: {who}{name} needs what comes after position {position}"),
    }
}

fn misses(report: &PruneReport, missed: &Missed) -> String {
    let Missed { kind, name, records, .. } = missed;
    let kind = if *kind == HolderKind::Export { "export" } else { "consumer" };
    let would = if report.applied { "misses" } else { "would miss" };
    format!("{kind} {name} {would} {}", counted(*records, "record"))
}
