//! Stories of a real log, whose events lie among those of others.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use foundation_types::{Event, Position, Recorded, StreamName, Version};
use serde_json::Value;

use super::super::{Basis, trace};

/// The file beside the repository or beside a directory above it.
fn real_input() -> Option<PathBuf> {
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let candidates = above.map(|directory| directory.join("shared/data/openstack_2k.ndjson"));
    candidates.into_iter().find(|path| path.is_file())
}

#[test]
fn stories_of_a_real_log_are_what_its_lines_say() {
    let Some(path) = real_input() else {
        eprintln!("skipped: there is no shared/data/openstack_2k.ndjson above this crate");
        return;
    };
    let text = std::fs::read_to_string(path).expect("it was there a moment ago");
    let mut lines: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let mut events: BTreeMap<String, Vec<Recorded>> = BTreeMap::new();
    for (position, line) in (1..).zip(text.lines()) {
        let value: Value = serde_json::from_str(line).expect("is JSON");
        let Some(story) = value["correlation_id"].as_str().map(str::to_owned) else { continue };
        let event: Event = serde_json::from_str(line).expect("is an event");
        events.entry(story.clone()).or_default().push(Recorded {
            position: Position::from_engine(position),
            stream: StreamName::from(StreamName::EVENTS),
            version: Version::new(position),
            recorded: event.time.expect("every line has a time"),
            event,
        });
        lines.entry(story).or_default().push(value);
    }
    assert!(lines.len() > 100, "many stories");
    for (story, lines) in lines {
        let told = trace(events.remove(&story).expect("the same stories"));
        assert_eq!(told.spans.len(), lines.len(), "{story}");
        let times: Vec<&str> = lines.iter().filter_map(|line| line["time"].as_str()).collect();
        // All times are of one form, so that text has their order.
        let (first, last) = (times.iter().min().expect("one"), times.iter().max().expect("one"));
        assert_eq!(told.start, first.parse().ok(), "{story}");
        assert_eq!(told.spans.iter().map(|span| span.offset_us).max(), Some(told.duration_us));
        let micros = |text: &str| text.parse::<foundation_types::Timestamp>().expect("a time");
        let took = micros(last).as_unix_micros() - micros(first).as_unix_micros();
        assert_eq!(told.duration_us, took as u64, "{story}");
        let sources: BTreeSet<&str> =
            lines.iter().filter_map(|line| line["source"].as_str()).collect();
        assert_eq!(told.sources, sources.iter().copied().collect::<Vec<_>>(), "{story}");
        let is_guess = lines.len() > 1;
        assert_eq!(told.basis, if is_guess { Basis::Times } else { Basis::Causes }, "{story}");
        assert_eq!(told.roots.len(), sources.len(), "a chain for each source of {story}");
        let of_types = told.figures.by_type.iter().map(|one| one.events).sum::<usize>();
        assert_eq!((of_types, told.gaps), (lines.len(), 0), "{story}");
    }
}
