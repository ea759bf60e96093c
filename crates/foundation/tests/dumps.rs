//! Dumps: each interval, on demand, and what a failure comes to.

use std::path::{Path, PathBuf};
use std::time::Duration;

use foundation::node::{CheckState, Dumps, TakeDump};
use foundation::{ErrorKind, Event, Foundation, Keep, Sources};

use super::{Shop, directory};

const MINUTE: Duration = Duration::from_secs(60);

fn plan(directory: &Path) -> Dumps {
    Dumps { directory: directory.join("dumps"), every: MINUTE, keep: 2 }
}

async fn with_dumps(directory: &Path) -> Foundation {
    let builder =
        Foundation::in_memory().document::<Shop>(Sources::defaults()).dumps(plan(directory));
    builder.table::<String, u32>("visits", Keep::Log).start().await.expect("starts")
}

fn names(directory: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(directory.join("dumps")) else { return Vec::new() };
    let name = |entry: std::fs::DirEntry| entry.file_name().into_string().expect("is text");
    let mut names: Vec<String> = entries.map(|entry| name(entry.expect("reads"))).collect();
    names.sort_unstable();
    names
}

fn named(position: u64) -> String {
    format!("dump-{position:020}.json")
}

/// Lets every other task come as far as it can, timers that are due among them: the runtime looks
/// at those each 61 turns.
async fn others_run() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}

/// Lets a minute pass and whatever is due be done: dumps come one after the other, so that one
/// that is asked for now is written after the one that is due.
async fn a_minute_later(foundation: &Foundation, directory: &Path) {
    others_run().await;
    tokio::time::advance(MINUTE).await;
    others_run().await;
    let after: PathBuf = directory.join("after");
    foundation.call(TakeDump { directory: after }).await.expect("there is space");
}

#[tokio::test(start_paused = true)]
async fn a_dump_comes_each_interval_if_there_is_something_new_and_the_newest_stay() {
    let directory = directory();
    let directory = directory.path();
    let foundation = with_dumps(directory).await;
    others_run().await;
    assert_eq!(names(directory), [""; 0]);
    for position in 1..=4 {
        foundation.events().append(Event::new("a")).await.expect("may enter");
        a_minute_later(&foundation, directory).await;
        let kept: Vec<String> = (position.max(2) - 1..=position).map(named).collect();
        assert_eq!(names(directory), kept);
    }
    std::fs::remove_dir_all(directory.join("dumps")).expect("is there");
    a_minute_later(&foundation, directory).await;
    assert_eq!(names(directory), [""; 0], "nothing is new");
    let path = foundation.dump().await.expect("there is space");
    assert_eq!(path, directory.join("dumps").join(named(4)), "asked for, it is written");
    let report = foundation.shutdown(MINUTE).await;
    assert!(report.is_clean(), "{report:?}");
}

#[tokio::test]
async fn a_dump_has_every_document_and_every_kept_table_at_one_position() {
    let directory = directory();
    let foundation = with_dumps(directory.path()).await;
    let visits = foundation.table::<String, u32>("visits").expect("is known");
    foundation.config::<Shop>().expect("is known").set("rate_limit", 7).await.expect("in range");
    visits.insert("ada".to_owned(), 1).await.expect("may enter");
    let path = foundation.dump().await.expect("there is space");
    let text = std::fs::read_to_string(path).expect("is there");
    let dump: serde_json::Value = serde_json::from_str(&text).expect("is JSON");
    assert_eq!((&dump["foundation_dump"], &dump["position"]), (&1.into(), &2.into()));
    assert_eq!(dump["documents"][0]["name"], "foundation");
    assert_eq!(dump["documents"][1]["tree"]["rate_limit"], 7);
    assert_eq!(dump["documents"][1]["version"], 1);
    assert_eq!(dump["tables"][0]["name"], "visits");
    assert_eq!(dump["tables"][0]["entries"], serde_json::json!([["ada", 1]]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_dump_beside_writers_is_of_one_position() {
    let directory = directory();
    let builder =
        Foundation::builder(directory.path().join("store")).document::<Shop>(Sources::defaults());
    let builder = builder.table::<u32, u32>("visits", Keep::Log).dumps(plan(directory.path()));
    let foundation = builder.start().await.expect("starts");
    let shop = foundation.config::<Shop>().expect("is known");
    let visits = foundation.table::<u32, u32>("visits").expect("is known");
    let documents = tokio::spawn(async move {
        for limit in 1..=200 {
            shop.set("rate_limit", limit).await.expect("in range");
        }
    });
    let mut writers = vec![documents];
    for key in 0..3 {
        let visits = visits.clone();
        writers.push(tokio::spawn(async move {
            for value in 1..=200 {
                visits.insert(key, value).await.expect("may enter");
            }
        }));
    }
    let mut positions = Vec::new();
    while !writers.iter().all(tokio::task::JoinHandle::is_finished) {
        let path = foundation.dump().await.expect("there is space");
        let text = std::fs::read_to_string(path).expect("is there");
        let dump: serde_json::Value = serde_json::from_str(&text).expect("is JSON");
        let version = |part: &serde_json::Value| part["version"].as_u64().expect("a number");
        // Every record of the store is a change of one of the two.
        let changes = version(&dump["documents"][1]) + version(&dump["tables"][0]);
        assert_eq!(dump["position"], changes);
        positions.push(changes);
    }
    assert!(positions.is_sorted(), "{positions:?}");
    for writer in writers {
        writer.await.expect("no panic");
    }
}

#[tokio::test(start_paused = true)]
async fn a_dump_that_fails_is_told_by_health_and_harms_nothing() {
    let directory = directory();
    let directory = directory.path();
    let foundation = with_dumps(directory).await;
    // Where the directory of the dumps should be is a file.
    std::fs::write(directory.join("dumps"), "").expect("writes");
    foundation.events().append(Event::new("a")).await.expect("may enter");
    a_minute_later(&foundation, directory).await;
    let health = foundation.health();
    let check = health.checks.iter().find(|check| check.name == "dumps").expect("is looked at");
    assert_eq!((health.state, check.state), (CheckState::Degraded, CheckState::Degraded));
    assert!(check.message.contains("the last dump failed"), "{}", check.message);
    assert_eq!(foundation.dump().await.expect_err("no directory").kind(), ErrorKind::Disk);
    foundation.events().append(Event::new("b")).await.expect("goes on");
    std::fs::remove_file(directory.join("dumps")).expect("is there");
    a_minute_later(&foundation, directory).await;
    assert_eq!(names(directory), [named(2)]);
    assert_eq!(foundation.health().state, CheckState::Ok);
}

#[tokio::test]
async fn a_plan_without_time_or_dumps_is_refused_and_so_is_a_dump_without_a_plan() {
    let directory = directory();
    let plan = plan(directory.path());
    let bad = [Dumps { keep: 0, ..plan.clone() }, Dumps { every: Duration::ZERO, ..plan }];
    for plan in bad {
        let error = Foundation::in_memory().dumps(plan).start().await.expect_err("is refused");
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    }
    let foundation = Foundation::in_memory().start().await.expect("starts");
    assert_eq!(foundation.dump().await.expect_err("no plan").kind(), ErrorKind::InvalidArgument);
    assert!(foundation.health().checks.iter().all(|check| check.name != "dumps"));
}
