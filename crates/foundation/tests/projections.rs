//! Projections as an application meets them: kept, versioned, halted, rebuilt.

use std::time::Duration;

use foundation::error::Result;
use foundation::events::{Projection, Recorded};
use foundation::{Error, ErrorKind, Event, EventQuery, Foundation, Position};

use super::directory;

/// Sums what it is told, and counts.
struct Sum;
/// The same, with each number twice.
struct SumTwice;
/// Fails at the number 13, and panics at 17.
struct Superstitious;

impl Projection for Sum {
    const NAME: &'static str = "sum";
    const VERSION: u32 = 1;
    type State = (u64, u64);

    fn filter() -> EventQuery {
        EventQuery::all().kind("number")
    }

    fn apply(state: &mut Self::State, event: &Recorded) -> Result<()> {
        *state = (state.0 + event.event.data.to::<u64>()?, state.1 + 1);
        Ok(())
    }
}

impl Projection for SumTwice {
    const NAME: &'static str = "sum";
    const VERSION: u32 = 2;
    type State = u64;

    fn filter() -> EventQuery {
        Sum::filter()
    }

    fn apply(state: &mut u64, event: &Recorded) -> Result<()> {
        *state += 2 * event.event.data.to::<u64>()?;
        Ok(())
    }
}

impl Projection for Superstitious {
    const NAME: &'static str = "superstitious";
    const VERSION: u32 = 1;
    type State = Vec<u64>;

    fn filter() -> EventQuery {
        Sum::filter()
    }

    fn apply(state: &mut Vec<u64>, event: &Recorded) -> Result<()> {
        let number = event.event.data.to::<u64>()?;
        state.push(number);
        assert_ne!(number, 17, "seventeen");
        if number == 13 {
            return Err(Error::new(ErrorKind::Invalid, "thirteen"));
        }
        Ok(())
    }
}

async fn append(foundation: &Foundation, numbers: std::ops::Range<u64>) -> Position {
    let mut last = Position::START;
    for number in numbers {
        let event = Event::new("number").data(&number).expect("a number");
        last = foundation.events().append(event).await.expect("is stored").position;
    }
    last
}

fn path(directory: &tempfile::TempDir) -> std::path::PathBuf {
    directory.path().join("store")
}

async fn stop(foundation: Foundation) {
    foundation.shutdown(Duration::from_secs(5)).await.into_result().expect("is clean");
}

#[tokio::test]
async fn a_writer_reads_its_own_writes_and_a_restart_goes_on() {
    let directory = directory();
    let first = Foundation::builder(path(&directory)).projection::<Sum>().start().await;
    let first = first.expect("starts");
    let sum = first.projection::<Sum>().expect("is known");
    for end in 1..10 {
        let last = append(&first, end - 1..end).await;
        let seen = sum.wait_for(last).await.expect("goes on");
        assert_eq!(*seen.state, ((0..end).sum(), end));
    }
    let other = first.events().append(Event::new("other")).await.expect("is stored");
    assert_eq!(sum.wait_for(other.position).await.expect("looks past").state.1, 9);
    stop(first).await;

    let second = Foundation::builder(path(&directory)).projection::<Sum>().start().await;
    let second = second.expect("starts");
    let sum = second.projection::<Sum>().expect("is known");
    assert_eq!(*sum.get().state, (36, 9), "it is there before anything is read");
    let last = append(&second, 9..11).await;
    assert_eq!(*sum.wait_for(last).await.expect("goes on").state, (55, 11));
    let row = second.status().projections.remove(0);
    assert_eq!((row.name.as_str(), row.version, row.running), ("sum", 1, true));
    assert!(row.serving && row.halted.is_none());
    stop(second).await;
}

#[tokio::test]
async fn a_later_version_is_built_beside_the_one_before_and_replaces_it() {
    let directory = directory();
    let first = Foundation::builder(path(&directory)).projection::<Sum>().start().await;
    let first = first.expect("starts");
    let last = append(&first, 0..5).await;
    first.projection::<Sum>().expect("is known").wait_for(last).await.expect("goes on");
    stop(first).await;

    let without = Foundation::builder(path(&directory)).start().await.expect("starts");
    let served = without.projections().served("sum").expect("is kept");
    assert_eq!((served.version, served.state.as_json()), (1, "[10,5]"));
    assert!(!without.status().projections[0].running);
    stop(without).await;

    let both = Foundation::builder(path(&directory)).projection::<Sum>().projection::<SumTwice>();
    let both = both.start().await.expect("starts");
    let twice = both.projection::<SumTwice>().expect("is known");
    let last = append(&both, 5..6).await;
    assert_eq!(*twice.wait_for(last).await.expect("goes on").state, 30);
    while both.projections().list(last).len() > 1 {
        tokio::task::yield_now().await;
    }
    let served = both.projections().served("sum").expect("is served");
    assert_eq!((served.version, served.state.as_json()), (2, "30"));
    assert!(twice.is_serving());
    stop(both).await;
}

#[tokio::test(start_paused = true)]
async fn a_fold_that_fails_stands_alone_and_is_rebuilt() {
    let builder = Foundation::in_memory().projection::<Superstitious>().projection::<Sum>();
    let foundation = builder.start().await.expect("starts");
    let folded = foundation.projection::<Superstitious>().expect("is known");
    let last = append(&foundation, 0..20).await;
    let error = folded.wait_for(last).await.expect_err("stands");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.message().ends_with("the event at position 14 failed: thirteen"), "{error}");
    assert_eq!(*folded.get().state, (0..13).collect::<Vec<_>>(), "what came before is whole");
    let sum = foundation.projection::<Sum>().expect("is known");
    assert_eq!(sum.wait_for(last).await.expect("goes on").state.0, 190);
    let health = foundation.health();
    let check = health.checks.iter().find(|one| one.name == "projections").expect("is checked");
    assert!(check.message.contains("superstitious version 1 stands"), "{check:?}");
    sum.rebuild();
    let last = append(&foundation, 20..21).await;
    assert_eq!(*sum.wait_for(last).await.expect("goes on").state, (210, 21));
}
