//! Whether the history can be read, as an operator asks before a deploy.

use std::time::Duration;

use foundation::config::{Document, Migrations, OnInvalid, Sources};
use foundation::events::EventData;
use foundation::{Event, Foundation, Value};
use serde::{Deserialize, Serialize};
use validator::Validate;

use super::running::{Store, both};

#[derive(Serialize, Deserialize)]
struct Paid {
    cents: u64,
}

impl EventData for Paid {
    const TYPE: &'static str = "paid";
    const SCHEMA: u16 = 2;
}

#[test]
fn a_history_is_told_by_type_and_schema() {
    both(|store| {
        assert_eq!(store.ok(&["events", "check"]).trim(), "no events of these types");
        store.ok(&["events", "append", r#"{"type": "paid", "schema": 2, "data": {"cents": 5}}"#]);
        store.ok(&["events", "append", r#"{"type": "sent"}"#]);
        let report = store.json(&["events", "check"]);
        assert_eq!(
            (&report["rows"][0]["schema"], &report["rows"][0]["events"]),
            (&2.into(), &1.into())
        );
        let text = store.ok(&["events", "check", "--types", "s*,x"]);
        assert_eq!(text.trim(), "sent  schema 1  1 event  all can be read");
        let none = store.run(&["events", "check", "--types", "zz*"]);
        assert_eq!((none.code, &*none.out), (Some(0), "no events of these types\n"), "{none:?}");
        assert!(none.talk.contains("0 events checked"), "{none:?}");
        for empty in ["", "sent,", "**"] {
            let refused = store.run(&["events", "check", "--types", empty]);
            assert_eq!(refused.code, Some(2), "{refused:?}");
        }
    });
}

#[test]
fn what_the_running_node_cannot_read_is_told_with_its_place() {
    let store = Store::new();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let foundation = runtime.block_on(async {
        let builder = Foundation::builder(store.directory()).event::<Paid>();
        let builder =
            builder.upcaster("paid", 1, |_| -> foundation::Result<Value> { panic!("oh") });
        let foundation = builder.control_socket().start().await.expect("starts");
        foundation.events().append(Event::new("paid")).await.expect("stored");
        let shapeless = Event::new("paid").schema(2);
        foundation.events().append(shapeless).await.expect("stored");
        foundation
    });
    let ran = store.run(&["events", "check"]);
    assert_eq!(ran.code, Some(6), "{ran:?}");
    assert!(ran.out.contains("the upcaster panicked: oh"), "{ran:?}");
    assert!(ran.out.contains("the data does not fit"), "{ran:?}");
    let asked = store.run(&["events", "query"]);
    assert_eq!(asked.code, Some(7), "{asked:?}");
    assert!(asked.talk.starts_with("error[event.upcast_failed]"), "{asked:?}");
    drop(foundation);
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Validate, Document)]
#[document(name = "shop", schema = 3)]
#[serde(default)]
struct Shop {
    /// Beds.
    beds: u64,
}

/// A store with a document that this program does not have the type of.
fn with_shop(store: &Store) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let builder = Foundation::builder(store.directory());
        let foundation = builder.document::<Shop>(Sources::defaults()).start().await;
        let foundation = foundation.expect("starts");
        foundation.config::<Shop>().expect("known").set("beds", 7).await.expect("fits");
        foundation.shutdown(Duration::from_secs(5)).await.into_result().expect("is clean");
    });
}

#[test]
fn migrations_are_told_before_they_are_logged_as_far_as_the_program_has_the_types() {
    for is_served in [false, true] {
        let store = Store::new();
        with_shop(&store);
        let _node = is_served.then(|| store.serve(&[]));
        insta::allow_duplicates! {
            insta::assert_snapshot!(store.ok(&["config", "check-migrations"]), @r"
            foundation  version 0  nothing was logged of it
            shop  version 1  schema 3; its type is not in this program: its application tells what comes of it
            ");
        }
        store.ok(&["config", "set", "interface.max_results", "7"]);
        let told = store.json(&["config", "check-migrations"]);
        assert_eq!((&told[0]["logged"], &told[0]["present"]), (&1.into(), &1.into()), "{told}");
        assert_eq!((&told[0]["version"], &told[0]["edits"]), (&1.into(), &serde_json::json!([])));
        assert_eq!((&told[1]["document"], &told[1]["logged"]), (&"shop".into(), &3.into()));
        assert!(told[1]["present"].is_null(), "{told}");
    }
}

/// The shop as it was first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Validate, Document)]
#[document(name = "shop")]
#[serde(default, deny_unknown_fields)]
struct FirstShop {
    beds: u64,
    keeper: String,
}

/// And with a rule that it did not have.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Validate, Document)]
#[document(name = "shop", schema = 3)]
#[serde(default, deny_unknown_fields)]
struct StrictShop {
    #[validate(range(max = 10))]
    rooms: u64,
    host: String,
}

#[test]
fn what_a_running_node_has_still_to_migrate_is_told_with_what_is_wrong_with_it() {
    let store = Store::new();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let foundation = runtime.block_on(async {
        let builder = Foundation::builder(store.directory());
        let first = builder.document::<FirstShop>(Sources::defaults()).start().await;
        let first = first.expect("starts");
        let shop = first.config::<FirstShop>().expect("known");
        shop.transaction().set("beds", 70).set("keeper", "Ann").await.expect("fits");
        first.shutdown(Duration::from_secs(5)).await.into_result().expect("is clean");
        let migrations = Migrations::<StrictShop>::new()
            .to(2, |step| step.rename("beds", "rooms"))
            .to(3, |step| step.rename("keeper", "host"));
        let builder = Foundation::builder(store.directory());
        let builder = builder.document::<StrictShop>(Sources::defaults()).migrations(migrations);
        let node = builder.on_invalid(OnInvalid::Park).control_socket().start().await;
        node.expect("what does not pass waits")
    });
    insta::assert_snapshot!(store.ok(&["config", "check-migrations"]), @r"
    foundation  version 0  nothing was logged of it
    shop  version 1  schema 1 to 3: 4 changes, 1 problem
      beds: 70 -> (nothing)
      host: (nothing) -> Ann
      keeper: Ann -> (nothing)
      rooms: (nothing) -> 70
      rooms: out of range, got 70, expected integer, 0 to 10
    ");
    let told = store.json(&["config", "check-migrations"]);
    assert_eq!((&told[1]["logged"], &told[1]["present"]), (&1.into(), &3.into()), "{told}");
    assert_eq!(told[1]["problems"][0]["path"], "rooms", "{told}");
    // What corrects it is logged behind the migration, and nothing is left to do.
    runtime.block_on(async {
        let shop = foundation.config::<StrictShop>().expect("known");
        shop.set("rooms", 7).await.expect("passes");
    });
    insta::assert_snapshot!(store.ok(&["config", "check-migrations"]), @r"
    foundation  version 0  nothing was logged of it
    shop  version 3  schema 3, nothing to migrate
    ");
    runtime.block_on(async {
        foundation.shutdown(Duration::from_secs(5)).await.into_result().expect("is clean");
    });
}
