//! Exports as text.

use foundation::exports::ExportStatus;

use super::table::{Align, table};
use super::text::{counted, thousands};

/// A line for each export.
pub(crate) fn exports(all: &[ExportStatus]) -> Vec<String> {
    let row = |one: &ExportStatus| {
        let age = one.behind_ms.map(|ms| format!(", the oldest for {ms} ms")).unwrap_or_default();
        [
            one.name.clone(),
            format!("at {}", one.position),
            format!("{} behind{age}", counted(one.behind, "record")),
            format!("{} in flight", thousands(one.in_flight)),
            // Who does not pass them on cannot know how many there were.
            match one.running {
                true => format!("{} delivered", thousands(one.delivered)),
                false => String::new(),
            },
            format!("{} parked", thousands(one.parked)),
            format!("{} skipped", thousands(one.skipped)),
            state(one),
        ]
    };
    let rows: Vec<[String; 8]> = all.iter().map(row).collect();
    table([Align::Left; 8], &rows)
}

fn state(one: &ExportStatus) -> String {
    if one.paused {
        return "paused".to_owned();
    }
    if let Some(halt) = &one.halted {
        return format!("stands before {}: {}", halt.position, halt.cause);
    }
    if let Some(cause) = &one.last_error {
        let next = one.next_try_ms.map(|ms| format!("tries again in {ms} ms: "));
        return format!("{}{cause}", next.unwrap_or_default());
    }
    if one.running { "at work" } else { "not at work" }.to_owned()
}
