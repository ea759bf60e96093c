//! How a store is, and what verifying it found.

use std::path::Path;
use std::time::Duration;

use foundation::node::{CheckState, FoldReport, RepairRemedy, RepairReport, Status, VerifyReport};

use super::table::{Align, table};
use super::text::{bytes, counted, elapsed, thousands};

/// How the store and its services are: one row a part.
pub(crate) fn status(status: &Status, directory: &Path) -> Vec<String> {
    let mut rows = vec![
        row("serving", serving(status)),
        row("health", status.health.state.to_string()),
        row("store", format!("{} in {}", status.store.id, directory.display())),
        row("journal", journal(status)),
    ];
    for document in &status.documents {
        let known = match (document.linked, &document.parked) {
            (false, _) => ", its type is not known here",
            (true, Some(_)) => ", parked",
            (true, None) => "",
        };
        let waiting = match document.waiting {
            0 => String::new(),
            waiting => format!(", {} for a decision", counted_waiting(waiting)),
        };
        let lacking =
            if document.lacks_sources { ", without its files and environment" } else { "" };
        let text =
            format!("{} at version {}{known}{waiting}{lacking}", document.name, document.version);
        rows.push(row("document", text));
    }
    let events = &status.events;
    let kept = format!("{} in memory", thousands(events.buffered_events));
    // What was counted would be less after each start of a log that was shortened.
    let last = thousands(events.published.to_engine());
    rows.push(row("events", format!("the last at position {last}, {kept}")));
    if status.serving {
        let names = counted(status.metrics, "name");
        rows.push(row("metrics", format!("{} series of {names}", thousands(status.series))));
    }
    let mut lines = table([Align::Left, Align::Left], &rows);
    let ill = status.health.checks.iter().filter(|check| check.state != CheckState::Ok);
    lines.extend(ill.map(|check| format!("{} {}: {}", check.name, check.state, check.message)));
    lines
}

fn counted_waiting(waiting: u64) -> String {
    let verb = if waiting == 1 { "waits" } else { "wait" };
    format!("{} {verb}", counted(waiting, "change"))
}

/// The status of a directory that has no store.
pub(crate) fn no_store(directory: &Path) -> String {
    format!("serving  no, there is no store in {} yet", directory.display())
}

fn row(name: &str, text: String) -> [String; 2] {
    [name.to_owned(), text]
}

fn serving(status: &Status) -> String {
    if !status.serving {
        return "no".to_owned();
    }
    let up = elapsed(Duration::from_secs(status.uptime_s));
    format!("yes, process {}, for {up}, version {}", status.pid, status.version)
}

fn journal(status: &Status) -> String {
    let journal = &status.journal;
    let size = bytes(journal.bytes);
    let segments = counted(journal.segments, "segment");
    let archived = match journal.archived_segments {
        0 => String::new(),
        count => {
            format!(", {} of them archived as {}", thousands(count), bytes(journal.archived_bytes))
        }
    };
    format!("{}, {size} in {segments}{archived}", counted(journal.records, "record"))
}

/// What verifying found: one line if all is well, then one for each finding.
pub(crate) fn verification(report: &VerifyReport, took: Duration) -> Vec<String> {
    let is_derived = |file: &str| file.ends_with(".idx") || file.ends_with(".snap");
    let mut damaged = report.findings.iter().filter(|finding| finding.damage);
    let verdict = match report.damaged {
        false => "every checksum and chain agrees",
        true if damaged.all(|finding| is_derived(&finding.file)) => {
            "every record is right, what is derived is not"
        }
        true => "acked data is damaged",
    };
    let mut lines = vec![format!(
        "checked {}, {}, {} in {}: {verdict}",
        counted(report.segments, "segment"),
        counted(report.records, "record"),
        bytes(report.bytes),
        elapsed(took)
    )];
    lines.extend(report.findings.iter().map(|finding| {
        let weight = if finding.damage { "damage" } else { "note" };
        format!("{weight}  {} {}..{}  {}", finding.file, finding.from, finding.to, finding.what)
    }));
    lines
}

/// What a repair did or would do: one line for each thing, then one for each that is left.
pub(crate) fn repair(report: &RepairReport) -> Vec<String> {
    let mut lines = Vec::new();
    for step in &report.actions {
        let done = match (step.remedy, report.applied) {
            (RepairRemedy::MakeAgain, true) => "made again",
            (RepairRemedy::MakeAgain, false) => "would be made again",
            (RepairRemedy::Remove, true) => "removed",
            (RepairRemedy::Remove, false) => "would be removed",
            (RepairRemedy::Bridge, true) => "bridged",
            (RepairRemedy::Bridge, false) => "would be bridged",
            (RepairRemedy::Rename, true) => "renamed",
            (RepairRemedy::Rename, false) => "would be renamed",
            (RepairRemedy::SetAside, true) => "set aside",
            (RepairRemedy::SetAside, false) => "would be set aside",
        };
        lines.push(format!("{done}  {} {}..{}  {}", step.file, step.from, step.to, step.what));
        let kept = step.quarantine.as_deref().map(|name| format!("the file kept as {name}"));
        if step.remedy == RepairRemedy::Bridge {
            let kept = kept.map(|kept| format!(", {kept}")).unwrap_or_default();
            lines.push(format!("  {} lost{kept}", counted(step.records_lost, "record")));
        } else if let Some(told) = kept.or(step.renamed.as_ref().map(|to| format!("to {to}"))) {
            lines.push(format!("  {told}"));
        }
    }
    lines.extend(report.left.iter().map(|one| {
        let way_out = match one.file.as_str() {
            file if file == "ARCHIVE" || file.ends_with(".arc") => {
                "put back what is missing; `repair --give-up-archived` goes on without it"
            }
            _ => "restore a backup",
        };
        format!("left  {} {}..{}  {}: {way_out}", one.file, one.from, one.to, one.what)
    }));
    if lines.is_empty() {
        lines.push("there is nothing to repair".to_owned());
    }
    lines
}

/// Whether a snapshot is what the log folds to: one line, then one for each state.
pub(crate) fn fold(report: &FoldReport) -> Vec<String> {
    let verdict = if report.agrees { "the snapshot agrees" } else { "the snapshot differs" };
    let folded = counted(report.records, "record");
    let mut lines = vec![format!(
        "folded {folded} from position {} to {}: {verdict}",
        report.from, report.position
    )];
    lines.extend(report.states.iter().map(|state| {
        let word = if state.agrees { "agrees" } else { "differs" };
        let differs = (state.kept != state.built).then(|| format!(", built {}", state.built));
        format!("{word}  {}  sha256 {}{}", state.name, state.kept, differs.unwrap_or_default())
    }));
    lines
}
