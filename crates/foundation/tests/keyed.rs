//! Projections by key as an application and an operator meet them: kept, versioned, halted, made anew.

use std::time::Duration;

use foundation::error::Result;
use foundation::events::{
    KeyedProjection, Projection, ProjectionAction, ProjectionShown, Recorded,
};
use foundation::node::{Client, ProjectionChange, ProjectionList, ProjectionShow};
use foundation::{Error, ErrorKind, Event, EventQuery, Foundation, Position};

use super::directory;

/// Sums by subject; fails at the number 13.
struct Balance;
/// The same, with each number twice.
struct Doubled;
/// Everything that was told, without keys.
struct Told;
/// Another kind of projection with the name of [`Balance`].
struct Plain;

fn taken(factor: u64, sum: &mut Option<u64>, event: &Recorded) -> Result<()> {
    match event.event.data.to::<u64>()? {
        0 => *sum = None,
        13 => return Err(Error::new(ErrorKind::Invalid, "thirteen")),
        number => *sum.get_or_insert(0) += factor * number,
    }
    Ok(())
}

fn subject(event: &Recorded) -> Vec<String> {
    event.event.subject.clone().into_iter().collect()
}

impl KeyedProjection for Balance {
    const NAME: &'static str = "balance";
    const VERSION: u32 = 1;
    type State = u64;

    fn filter() -> EventQuery {
        EventQuery::all().kind("paid")
    }

    fn keys(event: &Recorded) -> Result<Vec<String>> {
        Ok(subject(event))
    }

    fn apply(_: &str, state: &mut Option<u64>, event: &Recorded) -> Result<()> {
        taken(1, state, event)
    }
}

impl KeyedProjection for Doubled {
    const NAME: &'static str = "balance";
    const VERSION: u32 = 2;
    type State = u64;

    fn filter() -> EventQuery {
        Balance::filter()
    }

    fn keys(event: &Recorded) -> Result<Vec<String>> {
        Ok(subject(event))
    }

    fn apply(_: &str, state: &mut Option<u64>, event: &Recorded) -> Result<()> {
        taken(2, state, event)
    }
}

impl Projection for Told {
    const NAME: &'static str = "told";
    const VERSION: u32 = 1;
    type State = Vec<u64>;

    fn filter() -> EventQuery {
        Balance::filter()
    }

    fn apply(state: &mut Vec<u64>, event: &Recorded) -> Result<()> {
        state.push(event.event.data.to()?);
        Ok(())
    }
}

impl Projection for Plain {
    const NAME: &'static str = "balance";
    const VERSION: u32 = 3;
    type State = u64;

    fn apply(_: &mut u64, _: &Recorded) -> Result<()> {
        Ok(())
    }
}

async fn pay(foundation: &Foundation, who: &str, number: u64) -> Position {
    let event = Event::new("paid").subject(who).data(&number).expect("a number");
    foundation.events().append(event).await.expect("is stored").position
}

fn path(directory: &tempfile::TempDir) -> std::path::PathBuf {
    directory.path().join("store")
}

async fn stop(foundation: Foundation) {
    foundation.shutdown(Duration::from_secs(5)).await.into_result().expect("is clean");
}

fn keys(shown: &ProjectionShown) -> Vec<(String, String)> {
    let ProjectionShown::Keys(page) = shown else { panic!("{shown:?} is no page of keys") };
    page.entries.iter().map(|(key, state)| (key.clone(), state.as_json().to_owned())).collect()
}

fn show(key: Option<&str>) -> ProjectionShow {
    let (projection, key) = ("balance".to_owned(), key.map(str::to_owned));
    ProjectionShow { projection, key, after: None, limit: 10 }
}

async fn until(mut done: impl AsyncFnMut() -> bool) {
    while !done().await {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn each_key_has_its_state_and_a_later_version_takes_over() {
    let directory = directory();
    let first = Foundation::builder(path(&directory)).keyed_projection::<Balance>().start().await;
    let first = first.expect("starts");
    for (who, number) in [("ann", 1), ("bob", 2), ("ann", 3), ("eve", 4)] {
        pay(&first, who, number).await;
    }
    let last = pay(&first, "eve", 0).await;
    let balance = first.keyed_projection::<Balance>().expect("is known");
    let seen = balance.wait_for(last).await.expect("goes on");
    assert_eq!(seen.get("ann").expect("is read").as_deref(), Some(&4));
    assert_eq!(seen.get("eve").expect("is read"), None, "a key ends with its state");
    assert_eq!(seen.len(), 2);
    stop(first).await;

    let without = Foundation::builder(path(&directory)).start().await.expect("starts");
    let shown = without.call(show(None)).await.expect("is kept");
    assert_eq!(keys(&shown), [("ann".into(), "4".into()), ("bob".into(), "2".into())]);
    stop(without).await;

    let both = Foundation::builder(path(&directory));
    let both = both.keyed_projection::<Balance>().keyed_projection::<Doubled>().start().await;
    let both = both.expect("starts");
    assert_eq!(
        both.keyed_projection::<Balance>().expect("is known").get("ann").expect("is read"),
        Some(4.into()),
        "it is there before anything is read"
    );
    let last = pay(&both, "bob", 5).await;
    let doubled = both.keyed_projection::<Doubled>().expect("is known");
    assert_eq!(
        doubled.wait_for(last).await.expect("goes on").get("bob").expect("is read"),
        Some(14.into())
    );
    until(async || both.projections().list(last).len() == 1).await;
    let shown = both.call(show(Some("ann"))).await.expect("is served");
    assert_eq!(
        shown,
        ProjectionShown::Key(foundation::events::Data::from_json("8").expect("JSON"))
    );
    stop(both).await;

    let other = Foundation::builder(path(&directory)).projection::<Plain>().start().await;
    let error = other.map(drop).expect_err("has the name already");
    assert!(error.message().contains("of the other kind"), "{error}");
}

#[tokio::test]
async fn a_fold_that_fails_at_one_key_stands_with_all_of_them_whole() {
    let foundation = Foundation::in_memory().keyed_projection::<Balance>().start().await;
    let foundation = foundation.expect("starts");
    let balance = foundation.keyed_projection::<Balance>().expect("is known");
    pay(&foundation, "ann", 1).await;
    let last = pay(&foundation, "ann", 13).await;
    let error = balance.wait_for(last).await.expect_err("stands");
    assert!(error.message().ends_with("the event at position 2 failed: thirteen"), "{error}");
    assert_eq!(balance.get("ann").expect("is read").as_deref(), Some(&1));
    let health = foundation.health();
    let check = health.checks.iter().find(|one| one.name == "projections").expect("is checked");
    assert!(check.message.contains("balance version 1 stands"), "{check:?}");
}

/// What an operator does, asked of a running owner through its socket.
#[tokio::test]
async fn a_running_owner_makes_its_projections_anew_when_it_is_asked() {
    let directory = directory();
    let builder = Foundation::builder(path(&directory)).control_socket();
    let owner = builder.keyed_projection::<Balance>().projection::<Told>().start().await;
    let owner = owner.expect("starts");
    let last = pay(&owner, "ann", 1).await;
    let balance = owner.keyed_projection::<Balance>().expect("is known");
    balance.wait_for(last).await.expect("goes on");
    let told = owner.projection::<Told>().expect("is known");
    told.wait_for(last).await.expect("goes on");
    until(async || balance.is_serving() && told.is_serving()).await;

    let mut client = Client::connect(&path(&directory)).await.expect("connects").expect("is there");
    for name in ["balance", "told"] {
        let change = |action| ProjectionChange { projection: name.to_owned(), action };
        let done = client.call(change(ProjectionAction::Rebuild)).await.expect("is asked");
        assert_eq!((done.len(), done[0].version, done[0].running), (1, 1, true));
        let error = client.call(change(ProjectionAction::Delete)).await.expect_err("is at work");
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    }
    let unknown = ProjectionChange { projection: "x".into(), action: ProjectionAction::Rebuild };
    assert_eq!(client.call(unknown).await.expect_err("is none").kind(), ErrorKind::NotFound);
    let last = pay(&owner, "ann", 2).await;
    until(async || {
        let rows = client.call(ProjectionList {}).await.expect("are listed");
        rows.len() == 2
            && rows.iter().all(|row| row.serving && !row.rebuild && row.position >= last)
    })
    .await;
    assert_eq!(
        keys(&client.call(show(None)).await.expect("is shown")),
        [("ann".into(), "3".into())]
    );
    assert_eq!(*told.get().state, [1, 2]);
    stop(owner).await;
}

/// Asked of a store that nobody runs: it is marked, and done by the next start that has the type.
#[tokio::test]
async fn what_is_marked_is_made_anew_at_the_next_start() {
    let directory = directory();
    let start = async || {
        let builder = Foundation::builder(path(&directory));
        builder.keyed_projection::<Balance>().projection::<Told>().start().await.expect("starts")
    };
    let first = start().await;
    let last = pay(&first, "ann", 1).await;
    let balance = first.keyed_projection::<Balance>().expect("is known");
    balance.wait_for(last).await.expect("goes on");
    let told = first.projection::<Told>().expect("is known");
    told.wait_for(last).await.expect("goes on");
    until(async || balance.is_serving() && told.is_serving()).await;
    stop(first).await;

    let tool = Foundation::builder(path(&directory)).existing().start().await.expect("starts");
    for name in ["balance", "told"] {
        let (projection, action) = (name.to_owned(), ProjectionAction::Rebuild);
        let done = tool.call(ProjectionChange { projection, action }).await.expect("is marked");
        assert!(!done[0].running);
    }
    let marked = tool.projections().list(last);
    assert!(marked.iter().all(|row| row.rebuild || row.serving), "{marked:?}");
    assert_eq!(keys(&tool.call(show(None)).await.expect("is read")), [("ann".into(), "1".into())]);
    stop(tool).await;

    let second = start().await;
    until(async || {
        let rows = second.projections().list(last);
        rows.len() == 2 && rows.iter().all(|row| row.serving && !row.rebuild)
    })
    .await;
    assert_eq!(*second.projection::<Told>().expect("is known").get().state, [1]);
    stop(second).await;

    let tool = Foundation::builder(path(&directory)).existing().start().await.expect("starts");
    for name in ["balance", "told"] {
        let (projection, action) = (name.to_owned(), ProjectionAction::Delete);
        tool.call(ProjectionChange { projection, action }).await.expect("is deleted");
    }
    assert_eq!(tool.projections().list(last), []);
    stop(tool).await;
}
