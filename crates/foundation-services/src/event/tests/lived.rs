//! How long events live in the log and in the buffer, and what is known of one meanwhile.

use std::collections::BTreeMap;
use std::future::IntoFuture;
use std::time::Duration;

use foundation_types::config::{EventRule, RuleAction, TtlRule};
use foundation_types::lifecycle::Stage;
use foundation_types::{ErrorKind, Event, EventQuery};

use super::sample::{World, ids, kind_of, poll, tick};
use crate::event::Start;

/// Lets the clock of the world go on.
fn wait(world: &World, time: Duration) {
    use foundation_store::clock::Clock;
    world.clock.step_by(time);
    world.clock.monotonic();
    world.clock.step_by(Duration::from_micros(1));
}

#[tokio::test]
async fn what_lived_its_time_is_hidden_from_every_reader() {
    for world in [World::in_memory(), World::on_disk()] {
        let short = TtlRule { types: "debug.*".into(), seconds: 60, ..TtlRule::default() };
        let long = TtlRule { stream: "audit".into(), seconds: 6_000, ..TtlRule::default() };
        world.set("events.ttl", BTreeMap::from([("short", short), ("long", long)])).await;
        world.set("interface.max_results", 2).await;
        for nth in 0..6 {
            let kind = if nth % 2 == 0 { "debug.x" } else { "order.placed" };
            let event = Event::new(kind).id(nth.to_string()).correlation("r");
            world.events.append(event).await.expect("stored");
        }
        world.events.append(tick("audited")).stream("audit").await.expect("stored");
        assert_eq!(world.all(EventQuery::all()).await.len(), 7);
        wait(&world, Duration::from_secs(61));
        assert_eq!(ids(&world.all(EventQuery::all()).await), ["1", "3", "5", "audited"]);
        let newest = world.all(EventQuery::all().newest_first()).await;
        assert_eq!(ids(&newest), ["audited", "5", "3", "1"]);
        assert_eq!(world.events.trace("r").await.expect("told").spans.len(), 3);
        assert_eq!(kind_of(world.events.get("0").await), ErrorKind::Expired);
        let mut told = world.events.subscribe(Start::Beginning, EventQuery::all()).expect("starts");
        assert_eq!(told.next().await.expect("told").event.id, Some("1".into()));
        let all = world.events.subscribe(Start::Beginning, EventQuery::all()).expect("starts");
        let first = all.with_expired().next().await.expect("told");
        assert_eq!(first.event.id, Some("0".into()), "who has not acked it sees it");
        // Its id is known as long as it is kept: it is not stored twice.
        let again = Event::new("debug.x").id("0").correlation("r");
        assert!(world.events.append(again).await.expect("the same").repeated);
        assert_eq!(world.events.stage_of("0").await.expect("known"), Stage::Expiring);
        assert_eq!(world.events.stage_of("1").await.expect("known"), Stage::Available);
        wait(&world, Duration::from_secs(6_000));
        assert_eq!(ids(&world.all(EventQuery::all()).await), ["1", "3", "5"]);
        // What is hidden is there again if the setting is taken back: nothing was freed.
        world.set("events.ttl", BTreeMap::<String, TtlRule>::new()).await;
        assert_eq!(world.all(EventQuery::all()).await.len(), 7);
    }
}

#[tokio::test]
async fn an_event_says_itself_how_long_it_lives_if_it_is_let() {
    for world in [World::in_memory(), World::on_disk()] {
        let say = |id: &str, tag: &str| tick(id).tag(tag);
        let rule = EventRule {
            action: RuleAction::Tag,
            tag: "ttl:{data.seconds}".into(),
            ..EventRule::default()
        };
        world.set("events.rules", BTreeMap::from([("ttl", rule)])).await;
        let by_data = tick("data").data(&BTreeMap::from([("seconds", 60)])).expect("is JSON");
        let all = [
            say("minute", "ttl:60"),
            say("hour", "ttl:3600"),
            say("no number", "ttl:soon"),
            say("another tag", "ttls:60"),
            say("none", "red"),
            by_data,
        ];
        for event in all {
            world.events.append(event).await.expect("stored");
        }
        wait(&world, Duration::from_secs(61));
        assert_eq!(world.all(EventQuery::all()).await.len(), 6, "nobody asked for it");
        world.set("events.ttl_tag", "ttl").await;
        let lasting = ["hour", "no number", "another tag", "none"];
        assert_eq!(ids(&world.all(EventQuery::all()).await), lasting);
        assert_eq!(kind_of(world.events.get("minute").await), ErrorKind::Expired);
        assert_eq!(world.events.stage_of("data").await.expect("known"), Stage::Expiring);
        // From now on a tag that says no time is told.
        for tag in ["ttl:soon", "ttl:-1", "ttl:+1", "ttl:1.5", "ttl:", "ttl:99999999999999999999"] {
            let refused = world.events.append(say("refused", tag)).await.expect_err("says none");
            assert_eq!(refused.kind(), ErrorKind::Invalid, "{tag}");
            let told = format!(
                "tags[0]: says no time to live, got {tag:?}, expected whole seconds, such as ttl:60"
            );
            assert_eq!(refused.problems()[0].to_string(), told);
            let batch = world.events.append_batch(vec![tick("a"), say("b", tag)]).await;
            assert_eq!(kind_of(batch), ErrorKind::Invalid, "{tag}");
        }
        let by_data = tick("c").data(&BTreeMap::from([("seconds", "soon")])).expect("is JSON");
        assert_eq!(kind_of(world.events.append(by_data).await), ErrorKind::Invalid);
        // What is stored already is a repeat, whatever is refused by now.
        assert!(
            world.events.append(say("no number", "ttl:soon")).await.expect("is known").repeated
        );
        // The shortest counts, whoever says it.
        let rule = TtlRule { types: "tick".into(), seconds: 30, ..TtlRule::default() };
        world.set("events.ttl", BTreeMap::from([("short", rule)])).await;
        assert_eq!(world.all(EventQuery::all()).await.len(), 0);
    }
}

#[tokio::test]
async fn what_is_on_its_way_is_said_to_be() {
    let world = World::on_disk();
    world.disk.hold();
    let mut append = world.events.append(tick("a")).into_future();
    assert!(poll(&mut append).is_pending());
    assert_eq!(world.events.stage_of("a").await.expect("known"), Stage::Storing);
    assert_eq!(kind_of(world.events.stage_of("b").await), ErrorKind::NotFound);
    world.disk.let_go();
    append.await.expect("stored");
    assert_eq!(world.events.stage_of("a").await.expect("known"), Stage::Available);
}

#[tokio::test]
async fn what_is_old_leaves_the_buffer() {
    for world in [World::in_memory(), World::on_disk()] {
        world.set("events.buffer.max_age_s", 100).await;
        world.events.append(tick("a")).await.expect("stored");
        let mut told = world.events.subscribe(Start::Beginning, EventQuery::all()).expect("starts");
        world.events.age_buffer();
        wait(&world, Duration::from_secs(60));
        world.events.append(tick("b")).await.expect("stored");
        world.events.age_buffer();
        assert_eq!(world.events.stats().buffered_events, 2, "not yet");
        wait(&world, Duration::from_secs(60));
        world.events.age_buffer();
        assert_eq!((world.events.stats().buffered_events, world.events.stats().evicted), (1, 1));
        // On a disk it is no drop: the log has it, for queries and for who follows.
        let kept: &[&str] = if world.events.0.is_durable { &["a", "b"] } else { &["b"] };
        assert_eq!(ids(&world.all(EventQuery::all()).await), kept);
        if !world.events.0.is_durable {
            assert_eq!(kind_of(told.next().await), ErrorKind::Compacted);
        }
        assert_eq!(told.next().await.expect("told").event.id, Some(kept[0].into()));
        assert_eq!(world.ledger(), [2, 0, 0, 0]);
    }
}

#[tokio::test]
async fn what_is_read_is_counted_by_stream_and_nothing_is_written_for_it() {
    let world = World::on_disk();
    world.set("events.access_sampling", 1).await;
    for (id, stream) in [("a", "orders"), ("b", "orders"), ("c", "audit")] {
        world.events.append(tick(id)).stream(stream).await.expect("stored");
    }
    let before = world.events.0.journal.status();
    world.all(EventQuery::all()).await;
    world.events.get("a").await.expect("is there");
    let mut told = world.events.subscribe(Start::Beginning, EventQuery::all()).expect("starts");
    told.next().await.expect("told");
    let after = world.events.0.journal.status();
    assert_eq!((after.extent, after.syncs), (before.extent, before.syncs));
    let stats = world.events.stats();
    let reads: Vec<_> =
        stats.accessed.iter().map(|(name, reads)| (name.as_str(), *reads)).collect();
    assert_eq!(reads, [("audit", 1), ("orders", 4)]);
    assert_eq!(stats.stages.accessed, 5);
    assert_eq!(world.telemetry.counter("foundation.events.accessed").sum(), 5);
    // What nobody asks for is not counted.
    world.set("events.access_sampling", 0).await;
    world.all(EventQuery::all()).await;
    assert_eq!(world.events.stats().stages.accessed, 5);
}

#[tokio::test]
async fn each_event_is_counted_at_the_stage_where_it_ended_or_is() {
    let world = World::on_disk();
    world.events.append(tick("a")).await.expect("stored");
    let twice = world.events.append(Event::new("tock").id("a")).await;
    assert_eq!(kind_of(twice), ErrorKind::IdReused);
    assert_eq!(kind_of(world.events.append(Event::new("")).await), ErrorKind::Invalid);
    world.set("events.buffer.max_events", 1).await;
    world.set("events.buffer.overflow", "reject").await;
    world.disk.hold();
    let mut append = world.events.append(tick("b")).into_future();
    assert!(poll(&mut append).is_pending());
    assert_eq!(kind_of(world.events.append(tick("c")).await), ErrorKind::BufferFull);
    let open = world.events.stats().stages;
    assert_eq!((open.storing, open.available), (1, 1));
    world.disk.let_go();
    append.await.expect("stored");
    let ends = world.settled().stages;
    assert_eq!((ends.invalid, ends.failed, ends.storage_failed), (1, 1, 1));
    assert_eq!((ends.storing, ends.available, ends.expired), (0, 2, 0));
    let invalid = world.telemetry.counter_with("foundation.events.ended", &[("stage", "invalid")]);
    assert_eq!(invalid.sum(), 1);
}
