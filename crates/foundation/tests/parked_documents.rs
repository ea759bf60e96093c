//! What was logged and does not pass any more: refused with every problem, or kept until it passes.

use std::path::Path as FilePath;

use foundation::config::OnInvalid;
use foundation::node::CheckState;
use foundation::{Document, Error, ErrorKind, EventQuery, Foundation, Sources, Version};
use serde::{Deserialize, Serialize};
use validator::Validate;

use super::{Shop, directory};

/// The shop with a rule that is tighter, and one that it did not have.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Validate, Document)]
#[document(name = "shop")]
#[serde(default, deny_unknown_fields)]
struct StrictShop {
    #[validate(range(max = 10))]
    rate_limit: u32,
    #[validate(length(max = 3))]
    name: String,
}

async fn written(store: &FilePath) {
    let foundation = Foundation::builder(store).document::<Shop>(Sources::defaults());
    let foundation = foundation.start().await.expect("starts");
    let shop = foundation.config::<Shop>().expect("is declared");
    shop.transaction().set("rate_limit", 500).set("name", "Corner").await.expect("fits");
    close(foundation).await;
}

async fn strict(store: &FilePath, on_invalid: OnInvalid) -> Result<Foundation, Error> {
    let builder = Foundation::builder(store).document::<StrictShop>(Sources::defaults());
    builder.on_invalid(on_invalid).start().await
}

async fn close(foundation: Foundation) {
    let report = foundation.shutdown(std::time::Duration::from_secs(5)).await;
    report.into_result().expect("everything is written");
}

#[tokio::test]
async fn by_default_the_start_is_refused_with_every_problem() {
    let directory = directory();
    let store = directory.path().join("store");
    written(&store).await;
    let error = strict(&store, OnInvalid::Refuse).await.expect_err("is refused");
    let places: Vec<&str> = error.problems().iter().map(|one| &*one.path).collect();
    assert_eq!(places, ["name", "rate_limit"]);
}

#[tokio::test]
async fn a_parked_document_has_its_defaults_and_everybody_is_told() {
    let directory = directory();
    let store = directory.path().join("store");
    written(&store).await;
    let foundation = strict(&store, OnInvalid::Park).await.expect("starts");
    let shop = foundation.config::<StrictShop>().expect("is declared");
    assert_eq!((shop.version().number(), &*shop.get()), (1, &StrictShop::default()));
    assert_eq!(shop.parked_document().map(|error| error.problems().len()), Some(2));
    let health = foundation.health();
    assert_eq!(health.state, CheckState::Degraded);
    let check = health.checks.iter().find(|check| check.state != CheckState::Ok);
    let message = &check.expect("one is ill").message;
    assert!(message.contains("rate_limit") && message.contains("name"), "{message}");
    let row = foundation.status().documents.into_iter().find(|row| row.name == "shop");
    assert!(row.expect("is there").parked.is_some());
    let explained = shop.explain("rate_limit").await.expect("is there");
    assert_eq!((explained.value, explained.given.len()), (Some(0.into()), 1));
    let aside = explained.parked.expect("is parked");
    assert_eq!((aside.value, aside.problems.len()), (Some(500.into()), 1));
    let told = EventQuery::all().kind("foundation.config.parked_document");
    let told = foundation.events().query(told).await.expect("is answered").events;
    insta::assert_snapshot!(told[0].event.data.as_json(), @r#"{"code":"config.out_of_range","document":"shop","problems":[{"code":"config.out_of_range","path":"name"},{"code":"config.out_of_range","path":"rate_limit"}]}"#);
    close(foundation).await;
    // Nothing of the log is lost: the program that takes it has it.
    let builder = Foundation::builder(&store).document::<Shop>(Sources::defaults());
    let foundation = builder.start().await.expect("starts");
    let shop = foundation.config::<Shop>().expect("is declared");
    assert_eq!((shop.version().number(), shop.get().rate_limit), (1, 500));
    close(foundation).await;
}

#[tokio::test]
async fn a_change_that_corrects_all_brings_it_back_and_another_one_is_refused() {
    let directory = directory();
    let store = directory.path().join("store");
    written(&store).await;
    let foundation = strict(&store, OnInvalid::Park).await.expect("starts");
    let shop = foundation.config::<StrictShop>().expect("is declared");
    let error = shop.set("rate_limit", 7).await.expect_err("the name is still too long");
    assert_eq!((error.kind(), &*error.problems()[0].path), (ErrorKind::OutOfRange, "name"));
    assert_eq!(shop.get().rate_limit, 0);
    let mut told = shop.subscribe("name").expect("a path");
    let updated = shop.transaction().set("rate_limit", 7).set("name", "Cor").await.expect("passes");
    assert_eq!((updated.version, shop.parked_document().is_none()), (Version::new(2), true));
    assert_eq!((shop.get().rate_limit, &*shop.get().name), (7, "Cor"));
    let foundation::config::Notice::Changed(change) =
        told.next().await.expect("is told").expect("goes on")
    else {
        panic!("nobody was slow")
    };
    assert_eq!((change.before, change.after), (Some("".into()), Some("Cor".into())));
    assert_eq!(foundation.health().state, CheckState::Ok);
    close(foundation).await;
    let foundation = strict(&store, OnInvalid::Refuse).await.expect("starts");
    let shop = foundation.config::<StrictShop>().expect("is declared");
    assert_eq!((shop.version().number(), shop.get().rate_limit), (2, 7));
    close(foundation).await;
}

#[tokio::test]
async fn what_was_set_can_be_taken_away_to_go_on_with_the_defaults() {
    let directory = directory();
    let store = directory.path().join("store");
    written(&store).await;
    let foundation = strict(&store, OnInvalid::Park).await.expect("starts");
    let shop = foundation.config::<StrictShop>().expect("is declared");
    shop.reset("").await.expect("the defaults pass");
    assert_eq!((shop.parked_document().is_none(), shop.version().number()), (true, 2));
    assert_eq!(*shop.get(), StrictShop::default());
    close(foundation).await;
}

#[tokio::test]
async fn what_waits_comes_back_with_a_file_that_makes_the_whole_pass() {
    let directory = directory();
    let store = directory.path().join("store");
    let file = directory.path().join("shop.toml");
    std::fs::write(&file, "rate_limit = 500").expect("is written");
    let sources = || Sources::defaults().file(&file).unwatched();
    let builder = Foundation::builder(&store).document::<Shop>(sources());
    let foundation = builder.start().await.expect("starts");
    let shop = foundation.config::<Shop>().expect("is declared");
    shop.set("name", "Cor").await.expect("fits");
    close(foundation).await;
    // What stands in for it does not pass either.
    let strict = || Foundation::builder(&store).document_with::<StrictShop>(sources(), vec![]);
    let error = strict().on_invalid(OnInvalid::Park).start().await.expect_err("the file is wrong");
    assert_eq!(error.problems()[0].path, "rate_limit");
    std::fs::write(&file, "rate_limit = 5").expect("is written");
    let foundation = strict().on_invalid(OnInvalid::Park).start().await.expect("starts");
    let shop = foundation.config::<StrictShop>().expect("is declared");
    assert_eq!((shop.get().rate_limit, &*shop.get().name), (5, "Cor"));
    close(foundation).await;
}
