//! The store under real input: 2,000 lines of an OpenStack log, each line an event.

use std::path::{Path, PathBuf};

use foundation_types::{Event, EventQuery};
use foundation_validate::parse;

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
    for world in [World::in_memory(), World::on_disk()] {
        world.set("events.buffer.max_events", 700).await;
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
