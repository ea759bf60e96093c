//! The store under real input: 2,000 lines of an OpenStack log, each line an event.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use foundation_logic::event::Basis;
use foundation_types::{Event, EventQuery, Timestamp};
use foundation_validate::parse;
use serde_json::Value;

use super::sample::World;

/// The file beside the repository or beside a directory above it.
fn real_input() -> Option<PathBuf> {
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let candidates = above.map(|directory| directory.join("shared/data/openstack_2k.ndjson"));
    candidates.into_iter().find(|path| path.is_file())
}

fn events_of(path: &Path) -> Vec<Event> {
    let text = std::fs::read(path).expect("it was there a moment ago");
    let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| parse::event_line(line).expect("a line is an event")).collect()
}

#[tokio::test]
async fn real_input_is_stored_once_and_found_by_what_it_is_about() {
    let Some(path) = real_input() else {
        eprintln!("skipped: there is no shared/data/openstack_2k.ndjson above this crate");
        return;
    };
    for (world, kept) in [(World::in_memory(), 5_000), (World::on_disk(), 700)] {
        world.set("events.buffer.max_events", kept).await;
        let with_ids: Vec<Event> = events_of(&path)
            .into_iter()
            .zip(1..)
            .map(|(event, line)| event.id(format!("line-{line}")))
            .collect();
        let outcomes = world.events.append_each(with_ids.clone()).await;
        assert!(outcomes.iter().all(|one| one.as_ref().is_ok_and(|receipt| !receipt.repeated)));
        let again = world.events.append_each(with_ids).await;
        assert!(again.iter().all(|one| one.as_ref().is_ok_and(|receipt| receipt.repeated)));
        assert_eq!(world.ledger(), [2_000, 2_000, 0, 0]);
        let kind = EventQuery::all().kind("nova.virt.libvirt.imagecache");
        assert_eq!(world.all(kind).await.len(), 336);
        let story = "req-addc1839-2ed5-4778-b57e-5854eb7b8b09";
        assert_eq!(world.all(EventQuery::all().correlation(story)).await.len(), 398);
        assert_eq!(world.events.trace(story).await.expect("told").spans.len(), 398);
    }
}

#[tokio::test]
async fn real_input_passes_rules_and_is_still_stored_once() {
    let Some(path) = real_input() else {
        eprintln!("skipped: there is no shared/data/openstack_2k.ndjson above this crate");
        return;
    };
    let rules = serde_json::json!({
        "pid": {"action": "hide", "path": "pid"},
        "cut": {"types": "nova.virt.*", "action": "truncate", "path": "message", "bytes": 40},
        "level": {"action": "tag", "tag": "level:{data.level}"},
        "noise": {"types": "nova.metadata.*", "action": "drop_event"},
    });
    for world in [World::in_memory(), World::on_disk()] {
        world.set("events.rules", rules.clone()).await;
        let lines: Vec<Event> = events_of(&path)
            .into_iter()
            .zip(1..)
            .map(|(event, line)| event.id(format!("line-{line}")))
            .collect();
        let dropped =
            lines.iter().filter(|event| event.kind.as_str().starts_with("nova.metadata.")).count()
                as u64;
        assert!(dropped > 0);
        world.events.append_each(lines.clone()).await;
        world.events.append_each(lines).await;
        assert_eq!(world.ledger(), [2_000 - dropped, 2_000 - dropped, 0, 2 * dropped]);
        let stored = world.all(EventQuery::all()).await;
        for recorded in &stored {
            let data = &recorded.event.data;
            assert_eq!(data.at(&"pid".parse().expect("a path")), Some("<hidden>".into()));
            assert!(recorded.event.altered.as_ref().is_some_and(|altered| altered.by.len() >= 2));
        }
        let info = world.all(EventQuery::all().tag("level:INFO")).await;
        assert!(!info.is_empty() && info.len() <= stored.len());
    }
}

#[tokio::test]
async fn stories_of_a_real_log_are_what_its_lines_say() {
    let Some(path) = real_input() else {
        eprintln!("skipped: there is no shared/data/openstack_2k.ndjson above this crate");
        return;
    };
    let world = World::in_memory();
    let outcomes = world.events.append_each(events_of(&path)).await;
    assert!(outcomes.iter().all(Result::is_ok));
    let text = std::fs::read_to_string(&path).expect("it was there a moment ago");
    let mut stories: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for line in text.lines() {
        let line: Value = serde_json::from_str(line).expect("is JSON");
        if let Some(story) = line["correlation_id"].as_str().map(str::to_owned) {
            stories.entry(story).or_default().push(line);
        }
    }
    assert!(stories.len() > 100, "many stories, each among the lines of others");
    for (story, lines) in stories {
        let told = world.events.trace(&story).await.expect("told");
        let messages: Vec<Value> = told
            .spans
            .iter()
            .map(|span| span.event.event.data.to::<Value>().expect("is JSON")["message"].clone())
            .collect();
        let expected: Vec<Value> =
            lines.iter().map(|line| line["data"]["message"].clone()).collect();
        assert_eq!(messages, expected, "{story}");
        let time = |line: &Value| line["time"].as_str().and_then(|text| text.parse().ok());
        let times: Vec<Timestamp> = lines.iter().map(|line| time(line).expect("a time")).collect();
        let (first, last) = (times.iter().min().expect("one"), times.iter().max().expect("one"));
        assert_eq!(told.start, Some(*first), "{story}");
        assert_eq!(u128::from(told.duration_us), last.since(*first).as_micros(), "{story}");
        let sources: BTreeSet<&str> =
            lines.iter().filter_map(|line| line["source"].as_str()).collect();
        assert_eq!(told.sources, Vec::from_iter(sources), "{story}");
        // No line names a parent: a chain for each source, and nothing is said of causes.
        assert_eq!(told.roots.len(), told.sources.len(), "{story}");
        let is_guess = lines.len() > 1;
        assert_eq!(told.basis, if is_guess { Basis::Times } else { Basis::Causes }, "{story}");
        assert_eq!((told.gaps, told.figures.orphans), (0, 0), "{story}");
    }
}
