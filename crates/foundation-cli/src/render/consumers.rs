//! Consumers, what they have parked, and projections, as text.

use foundation::events::{ConsumerStatus, ParkedEvent, ProjectionStatus};

use super::table::{Align, table};
use super::text::{counted, thousands};

/// A line for each consumer.
pub(crate) fn consumers(all: &[ConsumerStatus]) -> Vec<String> {
    let row = |one: &ConsumerStatus| {
        let age = one.behind_ms.map(|ms| format!(", the oldest for {ms} ms")).unwrap_or_default();
        [
            one.name.clone(),
            format!("at {}", one.position),
            format!("{} behind{age}", counted(one.behind, "record")),
            format!("{} in flight", thousands(one.in_flight)),
            format!("{} waiting", thousands(one.waiting)),
            format!("{} parked", thousands(one.parked)),
            state(one),
        ]
    };
    let rows: Vec<[String; 7]> = all.iter().map(row).collect();
    table([Align::Left; 7], &rows)
}

fn state(one: &ConsumerStatus) -> String {
    if let Some(halt) = &one.halted {
        return format!("stands before {}: {}", halt.position, halt.cause);
    }
    if let Some(failure) = &one.failure {
        return format!("fails: {}", failure.message);
    }
    match (one.running, one.released) {
        (true, _) => "at work",
        (false, true) => "not at work, holds nothing",
        (false, false) => "not at work",
    }
    .to_owned()
}

/// A line for each parked event.
pub(crate) fn parked(all: &[ParkedEvent]) -> Vec<String> {
    let row = |one: &ParkedEvent| {
        let way = if one.retrying { ", on its way again" } else { "" };
        [
            one.consumer.clone(),
            format!("at {}", one.position),
            one.kind.to_string(),
            format!("in {}", one.stream),
            format!("{} until {}{way}", counted(u64::from(one.attempts), "attempt"), one.parked),
            one.cause.clone(),
        ]
    };
    let rows: Vec<[String; 6]> = all.iter().map(row).collect();
    table([Align::Left; 6], &rows)
}

/// A line for each version of a projection.
pub(crate) fn projections(all: &[ProjectionStatus]) -> Vec<String> {
    let row = |one: &ProjectionStatus| {
        let keys = one.keys.map(|keys| format!(" with {}", counted(keys, "key")));
        [
            one.name.clone(),
            format!("version {}", one.version),
            format!("at {}{}", one.position, keys.unwrap_or_default()),
            format!("{} behind", counted(one.behind, "record")),
            match (&one.halted, one.serving, one.running) {
                (None, false, false) if one.rebuild => "made anew at the next start".to_owned(),
                (None, true, false) if one.rebuild => {
                    "served as it was left, made anew at the next start".to_owned()
                }
                (None, true, true) if one.rebuild => "served while it is made anew".to_owned(),
                (Some(cause), _, _) => format!("stands: {cause}"),
                (None, true, true) => "served".to_owned(),
                (None, true, false) => "served as it was left".to_owned(),
                (None, false, _) => "being built".to_owned(),
            },
        ]
    };
    let rows: Vec<[String; 5]> = all.iter().map(row).collect();
    table([Align::Left; 5], &rows)
}
