//! Exports as an application meets them: files, pauses, resets, retention, shutdowns.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use foundation::events::{ConsumerAction, ParkedFilter, Poison};
use foundation::exports::{
    Delivered, ExportAction, ExportBatch, ExportRules, ExportStatus, FileRules, FileSink, Holds,
    Sink, SinkError, async_trait,
};
use foundation::log::{Holding, Prune, Retention};
use foundation::node::{CheckState, ConsumerChange, HolderKind, PruneReport};

use foundation::{ErrorKind, Event, EventQuery, Foundation, Position};
use serde_json::Value;

use super::directory;

fn rules() -> ExportRules {
    let pause = Duration::from_millis(1);
    let filter = EventQuery::all().kind("tick");
    ExportRules { filter, backoff: pause, backoff_max: pause, ..ExportRules::default() }
}

async fn append(foundation: &Foundation, numbers: std::ops::Range<u64>) {
    for number in numbers {
        let event = Event::new("tick").data(&number).expect("is JSON");
        foundation.events().append(event).await.expect("is in");
    }
}

fn status(foundation: &Foundation) -> ExportStatus {
    foundation.exports().list().remove(0)
}

/// Waits until an export is as it is looked for.
async fn until(foundation: &Foundation, look: impl Fn(&ExportStatus) -> bool) {
    let there = async {
        while !look(&status(foundation)) {
            tokio::task::yield_now().await;
        }
    };
    let there = tokio::time::timeout(Duration::from_secs(30), there).await;
    assert!(there.is_ok(), "{:?}", status(foundation));
}

/// The numbers in the files of a directory, in the order of names and lines.
fn numbers(directory: &Path) -> Vec<u64> {
    let files = std::fs::read_dir(directory).expect("lists");
    let mut paths: Vec<_> = files.map(|file| file.expect("reads").path()).collect();
    paths.sort();
    let lines = paths.iter().flat_map(|path| {
        let text = std::fs::read_to_string(path).expect("reads");
        text.lines().map(str::to_owned).collect::<Vec<_>>()
    });
    let number = |line: String| {
        let line: Value = serde_json::from_str(&line).expect("is a whole line");
        line["data"].as_u64().expect("is a number")
    };
    lines.map(number).collect()
}

#[tokio::test]
async fn files_turn_over_and_go_on_after_a_restart_and_a_torn_line() {
    let directory = directory();
    let audit = directory.path().join("audit");
    let start = async || {
        let rules_of_files = FileRules { bytes_max: 600, ..FileRules::default() };
        let sink = FileSink::open(&audit, rules_of_files).expect("opens");
        let builder = Foundation::builder(directory.path().join("store"));
        let rules = ExportRules { batch_events: 2, ..rules() };
        builder.export("audit", sink, rules).start().await.expect("starts")
    };
    let first = start().await;
    append(&first, 0..10).await;
    until(&first, |one| one.delivered == 10).await;
    let report = first.shutdown(Duration::from_secs(5)).await;
    assert!(report.is_clean() && report.exports_left.is_empty(), "{report:?}");
    assert!(std::fs::read_dir(&audit).expect("lists").count() > 2, "they turn over");
    assert_eq!(numbers(&audit), (0..10).collect::<Vec<_>>());

    let mut paths: Vec<_> =
        std::fs::read_dir(&audit).expect("lists").map(|file| file.expect("reads").path()).collect();
    paths.sort();
    let last = paths.pop().expect("there is one");
    let text = std::fs::read_to_string(&last).expect("reads");
    std::fs::write(&last, format!("{text}{{\"dedup_id\":\"half")).expect("writes");
    let second = start().await;
    append(&second, 10..12).await;
    until(&second, |one| one.delivered == 2).await;
    assert_eq!(numbers(&audit), (0..12).collect::<Vec<_>>());

    // What comes again is known: from the files, not from the process.
    second.shutdown(Duration::from_secs(5)).await.into_result().expect("is clean");
    let third = start().await;
    let exports = third.exports();
    exports.change("audit", ExportAction::Reset("0".parse().expect("is one"))).await.expect("is");
    until(&third, |one| one.delivered == 12).await;
    assert_eq!(numbers(&audit), (0..12).collect::<Vec<_>>());
}

/// Does what it is told, and says what came.
#[derive(Clone, Default)]
struct Told {
    came: Arc<Mutex<Vec<u64>>>,
    does: Arc<Mutex<Does>>,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Does {
    #[default]
    Takes,
    Hangs,
    RefusesSeven,
}

#[async_trait]
impl Sink for Told {
    async fn deliver(&mut self, batch: &ExportBatch) -> Result<Delivered, SinkError> {
        let numbers = batch.events.iter().map(|one| one.event.event.data.to().expect("is one"));
        let numbers: Vec<u64> = numbers.collect();
        let does = *self.does.lock().expect("is whole");
        match does {
            Does::Hangs => std::future::pending().await,
            Does::RefusesSeven if numbers.contains(&7) => Err(SinkError::refused("seven")),
            _ => {
                self.came.lock().expect("is whole").extend(numbers);
                Ok(Delivered::All)
            }
        }
    }
}

impl Told {
    fn came(&self) -> Vec<u64> {
        self.came.lock().expect("is whole").clone()
    }

    fn does(&self, what: Does) {
        *self.does.lock().expect("is whole") = what;
    }
}

#[tokio::test]
async fn an_export_rests_goes_on_begins_anew_and_is_forgotten() {
    let sink = Told::default();
    let foundation = Foundation::in_memory().export("audit", sink.clone(), rules());
    let foundation = foundation.start().await.expect("starts");
    let exports = foundation.exports();
    append(&foundation, 0..3).await;
    until(&foundation, |one| one.delivered == 3).await;
    exports.change("audit", ExportAction::Pause).await.expect("rests");
    append(&foundation, 3..5).await;
    assert!(status(&foundation).paused && sink.came().len() == 3);
    exports.change("audit", ExportAction::Resume).await.expect("goes on");
    until(&foundation, |one| one.delivered == 5 && one.in_flight == 0).await;
    exports.change("audit", ExportAction::Reset("0".parse().expect("is one"))).await.expect("does");
    until(&foundation, |one| one.delivered == 10).await;
    assert_eq!(sink.came(), [0, 1, 2, 3, 4, 0, 1, 2, 3, 4]);
    let past = exports.change("audit", ExportAction::Reset("999".parse().expect("is one"))).await;
    assert_eq!(past.expect_err("is past the end").kind(), ErrorKind::InvalidArgument);

    // A sink that hangs holds up neither a pause nor a deletion.
    sink.does(Does::Hangs);
    append(&foundation, 5..6).await;
    until(&foundation, |one| one.in_flight == 1).await;
    exports.change("audit", ExportAction::Pause).await.expect("rests");
    exports.change("audit", ExportAction::Resume).await.expect("goes on");
    exports.change("audit", ExportAction::Delete).await.expect("is gone");
    assert!(exports.list().is_empty() && foundation.events().consumers().is_empty());
    let unknown = exports.change("audit", ExportAction::Pause).await.expect_err("is gone");
    assert_eq!(unknown.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn poison_is_parked_alone_and_what_is_beside_it_is_passed_on() {
    for poison in [Poison::Park, Poison::Halt] {
        let sink = Told::default();
        sink.does(Does::RefusesSeven);
        let rules = ExportRules { on_poison: poison, ..rules() };
        let builder = Foundation::in_memory().export("audit", sink.clone(), rules);
        let foundation = builder.start().await.expect("starts");
        append(&foundation, 0..12).await;
        if poison == Poison::Halt {
            until(&foundation, |one| one.halted.is_some()).await;
            assert_eq!(sink.came(), (0..7).collect::<Vec<_>>());
            let told = foundation.health();
            assert_eq!(told.state, CheckState::Degraded);
            sink.does(Does::Takes);
            foundation.exports().change("audit", ExportAction::Resume).await.expect("goes on");
            until(&foundation, |one| one.delivered == 12).await;
            continue;
        }
        until(&foundation, |one| one.delivered == 11 && one.parked == 1).await;
        let parked = foundation.events().parked(&ParkedFilter::of("audit")).expect("lists");
        assert_eq!((parked[0].cause.as_str(), parked.len()), ("seven", 1));
        sink.does(Does::Takes);
        foundation.events().retry_parked(&ParkedFilter::of("audit")).await.expect("goes");
        until(&foundation, |one| one.parked == 0).await;
        assert_eq!(sink.came(), [0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 7]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_passes_on_what_it_can_and_says_what_is_left() {
    let sink = Told::default();
    let foundation = Foundation::in_memory().export("audit", sink.clone(), rules());
    let foundation = foundation.start().await.expect("starts");
    append(&foundation, 0..5_000).await;
    let report = foundation.shutdown(Duration::from_secs(60)).await;
    assert!(report.is_clean() && report.exports_left.is_empty(), "{report:?}");
    assert_eq!(sink.came().len(), 5_000);

    let sink = Told::default();
    sink.does(Does::Hangs);
    let foundation = Foundation::in_memory().export("audit", sink, rules());
    let foundation = foundation.start().await.expect("starts");
    append(&foundation, 0..5).await;
    let report = foundation.shutdown(Duration::from_secs(10)).await;
    assert_eq!(report.exports_left[0].export, "audit");
    assert!(report.exports_left[0].behind >= 5 && report.is_clean(), "{report:?}");
}

#[tokio::test]
async fn an_export_takes_no_consumer_over_and_is_deleted_as_what_it_is() {
    let foundation = Foundation::in_memory().start().await.expect("starts");
    append(&foundation, 0..3).await;
    let mail = foundation.events().consumer("mail").open().await.expect("opens");
    mail.stop().await;
    let places = || -> Vec<(String, Position)> {
        let all = foundation.events().consumers().into_iter();
        all.map(|one| (one.name, one.position)).collect()
    };
    let before = places();
    let refused = foundation.exports().cursor("mail", Some(Position::END), None).await;
    assert_eq!(refused.expect_err("is a consumer").kind(), ErrorKind::InvalidArgument);
    assert_eq!(places(), before);
    foundation.exports().cursor("audit", None, None).await.expect("is a new one");
    let delete = ConsumerChange { consumer: "audit".into(), action: ConsumerAction::Delete };
    let refused = foundation.call(delete).await;
    assert_eq!(refused.expect_err("is an export").kind(), ErrorKind::InvalidArgument);
    let refused = foundation.events().consumer("audit").open().await.expect_err("is an export");
    assert_eq!(refused.kind(), ErrorKind::InvalidArgument);
    assert!(refused.message().contains("is an export"), "{refused}");
    let reset = ConsumerAction::Reset(Position::START);
    for action in [reset, ConsumerAction::Resume, ConsumerAction::Release] {
        let refused = foundation.events().change_consumer("audit", action).await;
        assert_eq!(refused.expect_err("is an export").kind(), ErrorKind::InvalidArgument);
    }
    foundation.exports().change("audit", ExportAction::Delete).await.expect("goes");
    assert_eq!(places(), before);
}

#[tokio::test]
async fn an_export_passes_on_what_it_began_with_until_it_is_reset() {
    let directory = directory();
    let start = async |filter: EventQuery| {
        let builder = Foundation::builder(directory.path().join("store"));
        let rules = ExportRules { filter, ..rules() };
        builder.export("audit", Told::default(), rules).start().await
    };
    let stop = async |foundation: Foundation| {
        foundation.shutdown(Duration::from_secs(5)).await.into_result().expect("is clean");
    };
    let [orders, bills] = ["order.*", "bill.*"].map(|kind| EventQuery::all().kind(kind));
    let both = orders.clone().kind("bill.*");
    stop(start(both.clone()).await.expect("is new")).await;
    stop(start(bills.clone().kind("order.*")).await.expect("asks for the same")).await;
    let refused = start(bills.clone()).await.expect_err("asks for less");
    assert_eq!(refused.kind(), ErrorKind::InvalidArgument);
    let says = "began with type order.*, type bill.*, and is asked for with type bill.*: ";
    assert!(refused.message().contains(says), "{refused}");
    let idle = Foundation::builder(directory.path().join("store")).start().await.expect("starts");
    let refused = idle.exports().cursor("audit", None, Some(&EventQuery::all())).await;
    let refused = refused.expect_err("asks for more");
    assert!(refused.message().contains("asked for with all events"), "{refused}");
    idle.exports().change("audit", ExportAction::Reset(Position::START)).await.expect("resets");
    stop(idle).await;
    stop(start(bills.clone()).await.expect("begins anew")).await;
    assert!(start(both).await.is_err());
    stop(start(bills).await.expect("goes on")).await;
}

#[tokio::test]
async fn retention_waits_for_an_export_or_what_it_skips_is_counted_and_told() {
    for (holds, holding) in [
        (Holds::Place, Holding::All),
        (Holds::Nothing, Holding::All),
        (Holds::Place, Holding::PastConsumers),
    ] {
        let directory = directory();
        let sink = Told::default();
        let start = async |sink: Told| {
            let builder = Foundation::builder(directory.path().join("store"));
            let rules = ExportRules { holds, ..rules() };
            builder.export("audit", sink, rules).start().await.expect("starts")
        };
        let foundation = start(sink.clone()).await;
        append(&foundation, 0..2).await;
        until(&foundation, |one| one.delivered == 2 && one.in_flight == 0).await;
        foundation.exports().change("audit", ExportAction::Pause).await.expect("rests");
        // Larger than a file of the log, so that there is something to let go of.
        let text = "x".repeat(900_000);
        for _ in 0..20 {
            let event = Event::new("bulk").data(&text).expect("is JSON");
            foundation.events().append(event).await.expect("is in");
        }
        foundation.checkpoint().await.expect("is kept");
        append(&foundation, 2..3).await;
        foundation.checkpoint().await.expect("is kept");
        let keep = Retention { records: Some(2), ..Retention::default() };
        let report =
            foundation.prune(Prune { holding, ..Prune::keeping(keep) }).await.expect("does");
        let dropped = PruneReport { missed: Vec::new(), ..report.clone() };
        if (holds, holding) == (Holds::Place, Holding::All) {
            assert_eq!(dropped.records, 0, "it waits");
            let held: Vec<_> =
                dropped.held_by.iter().map(|one| (one.kind, one.name.as_deref())).collect();
            assert_eq!(held, [(HolderKind::Export, Some("audit"))]);
            continue;
        }
        assert_eq!(report.missed.len(), usize::from(holding == Holding::PastConsumers));
        assert!(dropped.records > 0, "{holds:?} {holding:?}: {report:?}");
        let shutdown = foundation.shutdown(Duration::from_secs(10)).await;
        shutdown.into_result().expect("is clean");
        let foundation = start(Told::default()).await;
        foundation.exports().change("audit", ExportAction::Resume).await.expect("goes on");
        until(&foundation, |one| one.skipped > 0).await;
        let told = EventQuery::all().kind("foundation.export.skipped");
        let there = async {
            loop {
                let page = foundation.events().query(told.clone()).await.expect("answers");
                if let Some(event) = page.events.first() {
                    return event.clone();
                }
                // The answer may be there at once, and the export has to have its turn.
                tokio::task::yield_now().await;
            }
        };
        let event = tokio::time::timeout(Duration::from_secs(20), there).await.expect("is told");
        assert_eq!(event.event.subject.as_deref(), Some("audit"));
        let data: Value = event.event.data.to().expect("is JSON");
        assert_eq!(data["records"].as_u64(), Some(status(&foundation).skipped));
        let health = foundation.health();
        let check = health.checks.iter().find(|one| one.name == "exports").expect("is there");
        assert!(check.message.starts_with("export audit skipped "), "{}", check.message);
    }
}
