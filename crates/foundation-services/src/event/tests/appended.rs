//! What is appended is found, where it belongs, under the expectation that was given.

use foundation_types::{ErrorKind, Event, EventQuery, ExpectedVersion, StreamName, Version};

use super::sample::{World, ids, kind_of, tick};

#[tokio::test]
async fn an_acked_event_is_found_by_id_by_type_and_by_story() {
    for world in [World::in_memory(), World::on_disk()] {
        let receipt = world.events.append(tick("a").correlation("r")).await.expect("stored");
        assert!(!receipt.repeated);
        assert_eq!((receipt.id.as_str(), receipt.version), ("a", Version::new(1)));
        let found = world.events.get("a").await.expect("found");
        assert_eq!((found.position, found.recorded), (receipt.position, receipt.recorded));
        for query in [EventQuery::all().kind("tick"), EventQuery::all().correlation("r")] {
            assert_eq!(world.all(query).await, std::slice::from_ref(&found));
        }
        assert_eq!(kind_of(world.events.get("b").await), ErrorKind::NotFound);
        assert_eq!(world.ledger(), [1, 0, 0, 0]);
    }
}

#[tokio::test]
async fn an_event_without_an_id_gets_one_and_a_repeat_of_it_is_recognised() {
    let world = World::in_memory();
    let first = world.events.append(Event::new("tick")).await.expect("stored");
    let second = world.events.append(Event::new("tick")).await.expect("stored");
    assert_ne!(first.id, second.id);
    let again = world.events.append(Event::new("tick").id(&first.id)).await.expect("known");
    assert_eq!((again.position, again.repeated), (first.position, true));
    assert_eq!(world.ledger(), [2, 1, 0, 0]);
}

#[tokio::test]
async fn a_stream_counts_by_itself_and_holds_a_writer_to_what_it_expects() {
    let world = World::in_memory();
    let append = |id: &str, expected| {
        let event = tick(id);
        let store = world.events.clone();
        async move { store.append(event).stream("order-7").expecting(expected).await }
    };
    world.events.append(tick("elsewhere")).await.expect("stored");
    append("a", ExpectedVersion::Absent).await.expect("the first");
    let conflict = append("b", ExpectedVersion::Absent).await.expect_err("there is one");
    assert_eq!(conflict.kind(), ErrorKind::VersionConflict);
    assert_eq!(conflict.conflict().expect("it says so").actual, Version::new(1));
    let second = append("b", ExpectedVersion::Exactly(Version::new(1))).await.expect("as expected");
    assert_eq!(second.version, Version::new(2));
    // Who sends the same again, expectation and all, learns that it was stored.
    let again = append("a", ExpectedVersion::Absent).await.expect("stored before");
    assert_eq!((again.version, again.repeated), (Version::new(1), true));
    let found = world.all(EventQuery::all().stream("order-7")).await;
    assert_eq!(ids(&found), ["a", "b"]);
    assert_eq!(world.ledger(), [3, 1, 1, 0]);
}

#[tokio::test]
async fn a_batch_is_stored_as_a_whole_or_not_at_all() {
    let world = World::in_memory();
    let events = vec![tick("a"), Event::new("tick"), tick("c")];
    let receipts = world.events.append_batch(events).stream("s").await.expect("stored");
    let versions: Vec<u64> = receipts.iter().map(|receipt| receipt.version.number()).collect();
    assert_eq!(versions, [1, 2, 3]);
    for receipt in &receipts {
        let found = world.events.get(&receipt.id).await.expect("found");
        assert_eq!((found.position, found.version), (receipt.position, receipt.version));
    }
    let bad = vec![tick("d"), Event::new("")];
    let error = world.events.append_batch(bad).await.expect_err("one may not enter");
    assert_eq!((error.kind(), &*error.problems()[0].path), (ErrorKind::Invalid, "[1].type"));
    let late = world.events.append_batch(vec![tick("d"), tick("e")]).stream("s");
    let late = late.expecting(ExpectedVersion::Absent).await;
    assert_eq!(kind_of(late), ErrorKind::VersionConflict);
    assert_eq!(kind_of(world.events.append_batch(Vec::new()).await), ErrorKind::Invalid);
    assert_eq!(kind_of(world.events.get("d").await), ErrorKind::NotFound);
    assert_eq!(world.ledger(), [3, 0, 4, 0]);
}

#[tokio::test]
async fn each_event_has_its_own_outcome_and_one_refused_stops_no_other() {
    for world in [World::in_memory(), World::on_disk()] {
        world.events.append(tick("old").subject("s")).await.expect("stored");
        let events = vec![
            tick("a"),
            Event::new("bad\ntype"),
            tick("old").subject("s"),
            tick("old"),
            tick("a"),
            Event::new("tick"),
            tick("a").subject("other"),
        ];
        let outcomes = world.events.append_each(events).await;
        let said: Vec<String> = outcomes
            .iter()
            .map(|outcome| match outcome {
                Ok(receipt) if receipt.repeated => format!("repeats {}", receipt.position),
                Ok(receipt) => format!("stored {}", receipt.position),
                Err(error) => error.code().to_owned(),
            })
            .collect();
        let expected = [
            "stored 2",
            "invalid",
            "repeats 1",
            "event.id_reused",
            "repeats 2",
            "stored 3",
            "event.id_reused",
        ];
        assert_eq!(said, expected);
        assert_eq!(world.ledger(), [3, 2, 3, 0]);
    }
}

#[tokio::test]
async fn many_events_appended_each_by_itself_keep_their_order() {
    let world = World::on_disk();
    let events: Vec<Event> = (0..1_500).map(|at| tick(&at.to_string())).collect();
    let outcomes = world.events.append_each(events).stream("s").await;
    let versions: Vec<u64> =
        outcomes.into_iter().map(|outcome| outcome.expect("stored").version.number()).collect();
    assert_eq!(versions, (1..=1_500).collect::<Vec<_>>());
    let found = world.all(EventQuery::all().stream("s")).await;
    assert_eq!(found.len(), 1_500);
    assert!(found.iter().zip(1..).all(|(event, version)| event.version == Version::new(version)));
    assert_eq!(world.ledger(), [1_500, 0, 0, 0]);
}

#[tokio::test]
async fn foundations_own_events_have_their_own_stream_and_types() {
    let world = World::in_memory();
    let own = || Event::new("foundation.node.started");
    world.events.record_own(own()).await.expect("stored");
    assert_eq!(kind_of(world.events.append(own()).await), ErrorKind::ReservedType);
    let intruder = world.events.append(Event::new("tick")).stream(StreamName::FOUNDATION).await;
    assert_eq!(kind_of(intruder), ErrorKind::Invalid);
    assert_eq!(world.all(EventQuery::all().stream("foundation")).await.len(), 1);
    assert_eq!(world.ledger(), [1, 0, 2, 0]);
}

#[tokio::test]
async fn after_a_failed_sync_appends_are_refused_and_reads_go_on() {
    let world = World::on_disk();
    world.events.append(tick("a")).await.expect("stored");
    world.disk.break_down();
    let lost = kind_of(world.events.append(tick("b")).await);
    assert_eq!(lost, ErrorKind::Indeterminate);
    assert_eq!(kind_of(world.events.append(tick("c")).await), ErrorKind::Fenced);
    let each = world.events.append_each(vec![tick("d"), tick("e")]).await;
    assert!(each.into_iter().all(|outcome| kind_of(outcome) == ErrorKind::Fenced));
    world.events.get("a").await.expect("still there");
    assert_eq!(world.ledger(), [1, 0, 4, 0]);
}

#[tokio::test]
async fn how_long_an_append_takes_is_measured() {
    let world = World::in_memory();
    world.events.append(tick("a")).await.expect("stored");
    let taken = world.telemetry.histogram("foundation.events.append_seconds").distribution();
    assert_eq!(taken.count, 1);
    assert!(taken.max > 0.0);
}
