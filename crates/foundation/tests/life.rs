//! Starting, stopping, starting again.

use std::sync::Arc;
use std::time::Duration;

use foundation::config::BusinessRule;
use foundation::error::Problem;
use foundation::node::{CheckState, Client, GetStatus};
use foundation::{ErrorKind, Event, EventQuery, Foundation, Sources, Version};

use super::{Shop, directory, open};

#[tokio::test]
async fn everything_acked_is_there_after_a_restart() {
    let directory = directory();
    let first = open(&directory).await;
    let shop = first.config::<Shop>().expect("is known");
    for limit in 1..=5 {
        shop.set("rate_limit", limit).actor("ops").await.expect("may enter");
    }
    let event = Event::new("order.placed").id("order-1").correlation("req-1");
    let receipt = first.events().append(event.clone()).await.expect("may enter");
    let report = first.shutdown(Duration::from_secs(5)).await;
    assert!(report.is_clean(), "{report:?}");

    let second = open(&directory).await;
    let shop = second.config::<Shop>().expect("is known");
    assert_eq!((shop.get().rate_limit, shop.version()), (5, Version::new(5)));
    let earlier = shop.at(Version::new(2)).await.expect("is kept");
    assert_eq!(earlier.document.rate_limit, 2);
    let again = second.events().append(event).await.expect("is known");
    assert_eq!((again.position, again.repeated), (receipt.position, true));
    let status = second.status();
    assert_eq!((status.journal.records, status.health.state), (6, CheckState::Ok));
    assert_eq!(second.verify().await.expect("reads").findings, []);
}

#[tokio::test]
async fn a_handle_that_outlives_its_store_is_answered() {
    let directory = directory();
    let foundation = open(&directory).await;
    let (events, shop) = (foundation.events().clone(), foundation.config::<Shop>().expect("known"));
    events.append(Event::new("a").id("1")).await.expect("may enter");
    foundation.shutdown(Duration::from_secs(5)).await.into_result().expect("is clean");
    let error = events.append(Event::new("a").id("2")).await.expect_err("is closed");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let error = shop.set("rate_limit", 1).await.expect_err("is closed");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(shop.get().rate_limit, 0);
    assert_eq!(events.query(EventQuery::all()).await.expect("is read").events.len(), 1);
}

#[tokio::test]
async fn a_directory_has_one_owner_and_many_can_be_open_at_once() {
    let (one, two) = (directory(), directory());
    let first = open(&one).await;
    let second = open(&two).await;
    let path = one.path().join("store");
    let error = Foundation::builder(&path).start().await.expect_err("is owned");
    assert_eq!(error.kind(), ErrorKind::Locked);
    let waiting =
        tokio::spawn(Foundation::builder(&path).lock_timeout(Duration::from_secs(30)).start());
    first.shutdown(Duration::from_secs(5)).await.into_result().expect("is clean");
    waiting.await.expect("ends").expect("got its turn");
    assert_eq!(second.health().state, CheckState::Ok);
}

#[tokio::test]
async fn a_store_is_looked_at_beside_its_owner_and_never_made_for_reading() {
    let directory = directory();
    let path = directory.path().join("store");
    for builder in [Foundation::builder(&path).read_only(), Foundation::builder(&path).peek()] {
        let error = builder.start().await.expect_err("there is none");
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }
    assert!(!path.exists());
    let owner = open(&directory).await;
    owner.events().append(Event::new("a")).await.expect("may enter");
    let look = Foundation::builder(&path).peek().start().await.expect("takes no lock");
    assert_eq!(look.status().journal.records, 1);
    let error = look.events().append(Event::new("a")).await.expect_err("is for reading");
    assert_eq!(error.kind(), ErrorKind::ReadOnly);
}

#[tokio::test]
async fn readers_share_a_store_and_keep_writers_out() {
    let directory = directory();
    let path = directory.path().join("store");
    open(&directory).await.shutdown(Duration::from_secs(5)).await.into_result().expect("clean");
    let one = Foundation::builder(&path).read_only().start().await.expect("reads");
    let two = Foundation::builder(&path).read_only().start().await.expect("reads, too");
    drop(one);
    let error = Foundation::builder(&path).start().await.expect_err("is being read");
    assert_eq!(error.kind(), ErrorKind::Locked);
    drop(two);
    next(&directory).await;
}

#[tokio::test]
async fn a_link_in_place_of_a_file_of_the_store_is_not_followed() {
    let elsewhere = directory();
    let victim = elsewhere.path().join("precious");
    std::fs::write(&victim, "precious").expect("written");
    for name in ["STORE", "WATERMARK", "LOCK"] {
        let directory = directory();
        let path = directory.path().join("store");
        open(&directory).await.shutdown(Duration::from_secs(5)).await.into_result().expect("clean");
        std::fs::remove_file(path.join(name)).expect("removed");
        std::os::unix::fs::symlink(&victim, path.join(name)).expect("linked");
        let error = Foundation::builder(&path).start().await.expect_err("is a link");
        assert_eq!(error.kind(), ErrorKind::Disk, "{name}");
        assert_eq!(std::fs::read_to_string(&victim).expect("is there"), "precious");
    }
}

#[tokio::test]
async fn a_log_that_breaks_a_new_rule_is_refused_with_every_path() {
    let directory = directory();
    let foundation = open(&directory).await;
    let shop = foundation.config::<Shop>().expect("is known");
    shop.set("name", "corner").await.expect("may enter");
    foundation.shutdown(Duration::from_secs(5)).await.into_result().expect("is clean");
    let rule: BusinessRule<Shop> = Arc::new(|shop: &Shop| {
        let problem = || Problem::new(ErrorKind::Invalid, "name", "no shop is named so any more");
        if shop.name == "corner" { vec![problem()] } else { Vec::new() }
    });
    let builder = Foundation::builder(directory.path().join("store"));
    let error = builder
        .document_with(Sources::defaults(), vec![rule])
        .start()
        .await
        .expect_err("is refused");
    assert_eq!((error.kind(), error.problems()[0].path.as_str()), (ErrorKind::Invalid, "name"));
}

#[tokio::test]
async fn a_store_in_memory_forgets() {
    let foundation = Foundation::in_memory()
        .document::<Shop>(Sources::defaults())
        .start()
        .await
        .expect("starts");
    foundation.config::<Shop>().expect("known").set("name", "a").await.expect("may enter");
    assert_eq!(foundation.status().journal.records, 1);
    assert!(!foundation.status().journal.durable);
    let error = foundation.config_named("shpo").err().expect("is not there");
    insta::assert_snapshot!(error, @r#"there is no document "shpo", did you mean shop?"#);
}

/// The next owner of the directory, once the one before has let go.
async fn next(directory: &tempfile::TempDir) -> Foundation {
    let builder =
        Foundation::builder(directory.path().join("store")).document::<Shop>(Sources::defaults());
    let start = builder.control_socket().lock_timeout(Duration::from_secs(20)).start();
    start.await.expect("got its turn")
}

#[tokio::test]
async fn one_that_is_dropped_lets_go_of_everything_though_handles_are_around() {
    let directory = directory();
    let first = open(&directory).await;
    let (events, shop) = (first.events().clone(), first.config::<Shop>().expect("known"));
    events.append(Event::new("a")).await.expect("may enter");
    drop(first);
    let error = events.append(Event::new("b")).await.expect_err("is closed");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let error = shop.set("rate_limit", 1).await.expect_err("is closed");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let second = next(&directory).await;
    assert_eq!(second.status().journal.records, 1);
    // What is left of the first does not take the socket of the second away.
    tokio::task::yield_now().await;
    let path = directory.path().join("store");
    let mut tool = Client::connect(&path).await.expect("may").expect("a node is there");
    assert_eq!(tool.call(GetStatus {}).await.expect("is answered").journal.records, 1);
}

#[test]
fn one_that_is_dropped_outside_of_its_runtime_lets_go() {
    let directory = directory();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let foundation = runtime.block_on(open(&directory));
    drop(foundation);
    let second = runtime.block_on(next(&directory));
    drop(runtime);
    drop(second);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(next(&directory));
}

#[tokio::test]
async fn a_start_that_fails_or_is_given_up_leaves_the_directory_free() {
    let directory = directory();
    let path = directory.path().join("store");
    let owned = open(&directory).await;
    drop(owned);
    next(&directory).await.shutdown(Duration::from_secs(5)).await.into_result().expect("clean");
    // A directory in the place of the socket: it cannot be bound.
    std::fs::create_dir_all(path.join("control.sock/in-the-way")).expect("made");
    let error = Foundation::builder(&path).control_socket().start().await.expect_err("cannot");
    assert_eq!(error.kind(), ErrorKind::Disk);
    std::fs::remove_dir_all(path.join("control.sock")).expect("removed");
    for polls in 0..12 {
        let mut start = Box::pin(Foundation::builder(&path).life_events().start());
        for _ in 0..polls {
            let poll = std::future::poll_fn(|context| {
                std::task::Poll::Ready(start.as_mut().poll(context).is_ready())
            });
            if poll.await {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(start);
    }
    next(&directory).await.shutdown(Duration::from_secs(5)).await.into_result().expect("clean");
}

#[tokio::test]
async fn any_deadline_will_do_and_the_report_is_honest() {
    let directory = directory();
    let first = open(&directory).await;
    let report = first.shutdown(Duration::ZERO).await;
    // A quick disk may have been done all the same.
    assert!(report.into_result().err().is_none_or(|error| error.kind() == ErrorKind::Timeout));
    let path = directory.path().join("store");
    let builder = Foundation::builder(&path).lock_timeout(Duration::MAX).life_events();
    let second = builder.start().await.expect("got its turn");
    let report = second.shutdown(Duration::MAX).await;
    assert!(report.is_clean(), "{report:?}");
}
