//! The way of an event through the stages, and what is told of it.

use std::collections::BTreeMap;
use std::future::IntoFuture;

use foundation_types::config::{EventRule, RuleAction, StreamSettings};
use foundation_types::event::Did;
use foundation_types::{
    Data, Durability, Error, ErrorKind, Event, EventQuery, ExpectedVersion, StreamName, Version,
};
use proptest::prelude::*;

use super::sample::{World, kind_of, poll, tick};
use crate::event::Pipeline;

fn rule(types: &str, action: RuleAction, path: &str) -> EventRule {
    EventRule { types: types.into(), action, path: path.into(), bytes: 4, ..EventRule::default() }
}

fn card(id: &str, number: &str) -> Event {
    let data = format!(r#"{{"card":"{number}","note":"a long note","customer":"c7"}}"#);
    Event { data: Data::from_checked(&data), ..Event::new("order.placed").id(id) }
}

fn pipeline() -> Pipeline {
    Pipeline::default()
        .rule("who", "order.*", |event, _| match event.source.as_deref() {
            Some("nobody") => Err(Error::new(ErrorKind::Invalid, "nobody places no order")),
            Some("rule panics") => panic!("the rule is broken"),
            _ => Ok(()),
        })
        .enrich("region", "order.*", |event, context| {
            assert_ne!(event.source.as_deref(), Some("stage panics"), "broken");
            event.tags.push(format!("of:{}", context.stream).into());
            Ok(())
        })
        .enrich("thief", "stolen", |event, _| {
            event.id = Some("another".into());
            Ok(())
        })
        .route("orders", "order.*", |event| match event.subject.as_deref() {
            Some("bad") => StreamName::from("a bad name"),
            _ => StreamName::from("orders"),
        })
        .durability("order.*", Durability::Os)
}

#[tokio::test]
async fn an_event_passes_the_stages_in_their_order() {
    for world in [World::with_stages(pipeline()), World::on_disk_with(pipeline())] {
        let receipt = world.events.append(card("a", "4111")).await.expect("stored");
        assert!(receipt.durability < Durability::Disk, "as the rule for its type says");
        let stored = world.events.get("a").await.expect("found");
        assert_eq!(
            (stored.stream.as_str(), stored.event.tags[0].as_str()),
            ("orders", "of:events")
        );
        let altered = stored.event.altered.expect("it was changed");
        assert_eq!((altered.by[0].by.as_str(), altered.by[0].did), ("region", Did::Change));
        // It is known when it comes again, and passes no stage then.
        assert!(world.events.append(card("a", "4111")).await.expect("the same").repeated);
        assert_eq!(kind_of(world.events.append(card("a", "4112")).await), ErrorKind::IdReused);
        // Who names the stream gets it; who expects a version expects it of the stream of the route.
        let named = world.events.append(card("b", "1")).stream("mine").await.expect("stored");
        assert_eq!(named.version, Version::new(1));
        let late = world.events.append(card("c", "1")).expecting(ExpectedVersion::Absent).await;
        assert_eq!(kind_of(late), ErrorKind::VersionConflict);
        let batch = world.events.append_batch(vec![card("d", "1"), tick("e")]).await;
        assert_eq!(kind_of(batch), ErrorKind::InvalidArgument, "two streams");
        let each = world.events.append_each(vec![card("f", "1"), tick("g"), card("h", "1")]).await;
        assert!(each.iter().all(Result::is_ok));
        let orders = world.all(EventQuery::all().stream("orders")).await;
        assert_eq!(orders.len(), 3);
        assert_eq!(world.ledger(), [5, 1, 4, 0]);
        let by_stream = world.events.stats().by_stream;
        assert_eq!(by_stream[&StreamName::from("orders")].stored, 3);
        let calls = world
            .telemetry
            .counter_with("foundation.events.stage_events", &[("stage", "enrich/region")]);
        assert!(calls.sum() >= 5, "{}", calls.sum());
    }
}

#[tokio::test]
async fn a_part_that_panics_refuses_its_event_and_nothing_else() {
    let world = World::with_stages(pipeline());
    let order = || Event::new("order.placed");
    let rows = [
        (order().source("rule panics"), ErrorKind::StageFailed, "rule/who"),
        (order().source("stage panics"), ErrorKind::StageFailed, "enrich/region"),
        (order().source("nobody"), ErrorKind::Invalid, "rule/who"),
        (order().subject("bad"), ErrorKind::Invalid, "orders"),
        (Event::new("stolen"), ErrorKind::StageFailed, "thief"),
    ];
    for (event, kind, stage) in rows {
        let error = world.events.append(event.clone()).await.expect_err("refused");
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.context().contains(&("stage".to_owned(), stage.to_owned())), "{error:?}");
        let each = world.events.append_each(vec![tick("t"), event]).await;
        assert!(each[0].is_ok() && each[1].is_err());
    }
    world.events.append(order()).await.expect("the next one is well");
    assert_eq!(world.ledger(), [2, 4, 10, 0]);
}

#[tokio::test]
async fn what_rules_did_is_told_and_a_repeat_is_known_whatever_the_rules_are_by_now() {
    for world in [World::in_memory(), World::on_disk()] {
        let tag = EventRule {
            tag: "customer:{data.customer}".into(),
            ..rule("order.*", RuleAction::Tag, "")
        };
        let rules = BTreeMap::from([
            ("hide", rule("order.*", RuleAction::Hide, "card")),
            ("cut", rule("order.*", RuleAction::Truncate, "note")),
            ("tag", tag),
            ("noise", rule("debug.*", RuleAction::DropEvent, "")),
        ]);
        world.set("events.rules", rules).await;
        world.events.append(card("a", "4111")).await.expect("stored");
        let stored = world.events.get("a").await.expect("found").event;
        insta::allow_duplicates! {
            insta::assert_snapshot!(stored.data.as_json(), @r#"{"card":"<hidden>","note":"a lo","customer":"c7"}"#);
            insta::assert_snapshot!(
                serde_json::to_string(&stored.altered.as_ref().expect("told").by).expect("JSON"),
                @r#"[{"by":"hide","did":"hide","path":"card"},{"by":"cut","did":"truncate","path":"note","bytes":11},{"by":"tag","did":"tag"}]"#
            );
        }
        let tagged = world.all(EventQuery::all().tag("customer:c7")).await;
        assert_eq!(tagged.len(), 1);
        let error = world.events.append(Event::new("debug.x")).await.expect_err("dropped");
        assert_eq!(error.kind(), ErrorKind::EventDropped);
        assert!(error.context().contains(&("setting".into(), "events.rules.noise".into())));

        let longer = card("a", "4111").data(&BTreeMap::from([("note", "a long nope")]));
        for rules in [None, Some(rule("order.*", RuleAction::Remove, "customer"))] {
            assert!(world.events.append(card("a", "4111")).await.expect("the same").repeated);
            // What was hidden is nowhere to compare with; what was cut is.
            assert!(world.events.append(card("a", "other")).await.expect("the same").repeated);
            let other = longer.clone().expect("plain data");
            assert_eq!(kind_of(world.events.append(other).await), ErrorKind::IdReused);
            // The record itself is not what was sent, and is the same as itself.
            assert!(
                world.events.append(stored.clone().id("a")).await.is_err(),
                "its time is filled in"
            );
            world
                .set(
                    "events.rules",
                    BTreeMap::from([("x", rules)].map(|(name, rule)| {
                        (
                            name,
                            rule.unwrap_or_else(|| EventRule {
                                types: "none".into(),
                                path: "x".into(),
                                ..EventRule::default()
                            }),
                        )
                    })),
                )
                .await;
        }
        assert_eq!(world.ledger(), [1, 4, 4, 1]);
    }
}

#[tokio::test]
async fn a_stream_has_a_policy_and_bounds_of_its_own() {
    let world = World::on_disk();
    let own = StreamSettings {
        stream: "audit*".into(),
        overflow: foundation_types::config::Overflow::DropNewest,
        max_events: 1,
        ..StreamSettings::default()
    };
    world.set("events.streams", BTreeMap::from([("audit", own)])).await;
    world.disk.hold();
    let mut first = world.events.append(tick("a")).stream("audit-1").into_future();
    assert!(poll(&mut first).is_pending());
    let error = world.events.append(tick("b")).stream("audit-1").await.expect_err("full");
    assert_eq!(error.kind(), ErrorKind::EventDropped);
    assert!(
        error.context().contains(&("events.streams.audit.overflow".into(), "drop_newest".into())),
        "{error:?}"
    );
    let mut other = world.events.append(tick("c")).stream("audit-2").into_future();
    let mut usual = world.events.append(tick("d")).into_future();
    assert!(poll(&mut other).is_pending() && poll(&mut usual).is_pending(), "others have room");
    world.disk.let_go();
    first.await.expect("stored");
    other.await.expect("stored");
    usual.await.expect("stored");
    assert_eq!(world.ledger(), [3, 0, 0, 1]);
    let rows = world.events.stats().by_stream;
    assert_eq!(rows[&StreamName::from("audit-1")].dropped, 1);
}

/// What can happen to a store with stages.
#[derive(Clone, Debug)]
enum Act {
    Append { kind: usize, id: Option<u8>, stream: Option<usize>, cancelled: bool },
    Batch(Vec<usize>),
    Policy(usize, u64),
    Rules(bool),
    Hold(bool),
}

const KINDS: [&str; 5] = ["order.placed", "debug.x", "stolen", "tick", "bad\u{7}"];
const SOURCES: [Option<&str>; 3] = [None, Some("nobody"), Some("stage panics")];

fn act() -> impl Strategy<Value = Act> {
    let append =
        (0..5_usize, prop::option::of(0..6_u8), prop::option::of(0..2_usize), any::<bool>());
    prop_oneof![
        8 => append.prop_map(|(kind, id, stream, cancelled)| Act::Append { kind, id, stream, cancelled }),
        2 => prop::collection::vec(0..5_usize, 1..4).prop_map(Act::Batch),
        1 => (0..4_usize, 0..3_u64).prop_map(|(policy, max)| Act::Policy(policy, max)),
        1 => any::<bool>().prop_map(Act::Rules),
        1 => any::<bool>().prop_map(Act::Hold),
    ]
}

async fn live(world: &World, acts: &[Act]) {
    world.set("interface.query_timeout_ms", 1).await;
    let event = |kind: usize, id: Option<u8>| Event {
        id: id.map(|id| id.to_string().into()),
        source: SOURCES[usize::from(id.unwrap_or_default()) % 3].map(str::to_owned),
        ..Event::new(KINDS[kind])
    };
    let mut is_held = false;
    for act in acts {
        match act {
            Act::Append { kind, id, stream, cancelled } => {
                let append = world.events.append(event(*kind, *id));
                let append = match stream {
                    Some(stream) => append.stream(["own", "audit"][*stream]),
                    None => append,
                };
                let mut append = append.durability(Durability::Memory).into_future();
                // Refusals are part of it: what counts is that each is counted.
                // Nobody waits for a disk that is held back, but for those who went away meanwhile.
                if !poll(&mut append).is_ready() && !cancelled && !is_held {
                    drop(append.await);
                }
            }
            Act::Batch(kinds) => {
                let events = kinds.iter().map(|kind| event(*kind, None)).collect();
                let mut batch = world.events.append_batch(events).into_future();
                let _ = poll(&mut batch);
            }
            Act::Policy(policy, max) => {
                let overflow = ["backpressure", "reject", "drop_newest", "drop_oldest"][*policy];
                let own =
                    serde_json::json!({"stream": "own", "overflow": overflow, "max_events": max});
                world.set("events.streams", serde_json::json!({ "own": own })).await;
            }
            Act::Rules(on) => {
                let rules = serde_json::json!({"d": {"types": "debug.*", "action": "drop_event"}});
                let rules = if *on { rules } else { serde_json::json!({}) };
                world.set("events.rules", rules).await;
            }
            Act::Hold(hold) => {
                is_held = *hold;
                if is_held { world.disk.hold() } else { world.disk.let_go() }
            }
        }
    }
    world.disk.let_go();
    let last = world.events.append(tick("the end")).await.expect("there is room");
    world.events.get(last.id).await.expect("it was waited for");
    world.settled();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn each_event_offered_is_settled_once_whatever_stages_rules_and_policies_do(
        acts in prop::collection::vec(act(), 1..30),
        is_durable in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let world = match is_durable {
                true => World::on_disk_with(pipeline()),
                false => World::with_stages(pipeline()),
            };
            live(&world, &acts).await;
        });
    }
}
