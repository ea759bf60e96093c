//! Appends that depend on other events: nothing comes between the look and the append.

use foundation_types::error::Conflict;
use foundation_types::{
    Error, ErrorKind, Event, EventQuery, ExpectedVersion, Position, Recorded, Result, Version,
};

use super::sample::{World, ids, kind_of, poll, tick};
use crate::event::Receipt;

/// Places of a course.
const SEATS: usize = 7;

fn seats() -> EventQuery {
    EventQuery::all().kind("seat.*").tag("course:c1")
}

fn missed(error: &Error) -> Vec<&str> {
    ids(&error.conflict().expect("it says what was missed").events)
}

#[tokio::test]
async fn an_event_that_answers_stands_against_the_append_and_is_told() {
    for world in [World::in_memory(), World::on_disk()] {
        let append = |id: &'static str, unless: EventQuery| {
            let event = tick(id).tag("course:c1");
            let store = world.events.clone();
            async move { store.append(event).stream(format!("s-{id}")).unless(unless).await }
        };
        let tagged = || EventQuery::all().tag("course:c1");
        let first = append("a", tagged()).await.expect("there is none yet");
        let error = append("b", tagged()).await.expect_err("there is one");
        assert_eq!(error.kind(), ErrorKind::ConditionFailed);
        assert_eq!(missed(&error), ["a"]);
        append("b", tagged().after(first.position)).await.expect("it was seen");
        let error = append("c", tagged().after(first.position)).await.expect_err("b is new");
        assert_eq!(missed(&error), ["b"]);
        // A page says what an append that depends on it has to be past of.
        let page = world.events.query(tagged()).await.expect("answers");
        append("c", tagged().after(page.seen)).await.expect("all was seen");
        let again = append("a", tagged()).await.expect("is a repeat, whatever has come");
        assert!(again.repeated);
        assert_eq!(world.ledger(), [3, 1, 2, 0]);
    }
}

#[tokio::test]
async fn any_of_several_conditions_stands_against_a_batch_and_nothing_of_it_is_stored() {
    let world = World::in_memory();
    world.events.append(Event::new("paid").id("p").subject("order 7")).await.expect("stored");
    let batch = || world.events.append_batch(vec![tick("a"), tick("b")]);
    let (sent, paid) = (EventQuery::all().kind("sent"), EventQuery::all().subject("order 7"));
    let error = batch().unless(sent.clone()).unless(paid.clone()).await.expect_err("it is paid");
    assert_eq!(missed(&error), ["p"]);
    batch().unless(sent).unless(paid.subject("order 8")).await.expect("neither");
    assert_eq!(world.ledger(), [3, 0, 2, 0]);
}

#[tokio::test]
async fn a_condition_is_no_page_of_an_answer() {
    let world = World::in_memory();
    for bad in [EventQuery::all().newest_first(), EventQuery::all().limit(1), seats().tag("")] {
        let refused = world.events.append(tick("a")).unless(bad).await;
        assert_eq!(kind_of(refused), ErrorKind::InvalidArgument);
    }
    assert_eq!(world.ledger(), [0, 0, 3, 0]);
}

/// Takes a seat if one is free, as often as it takes.
async fn take_a_seat(world: &World, guest: usize) -> Result<Receipt> {
    loop {
        let page = world.events.query(seats()).await?;
        if page.events.len() >= SEATS {
            return Err(Error::new(ErrorKind::Denied, "no seat is free"));
        }
        let event = Event::new("seat.taken").id(format!("guest {guest}")).tag("course:c1");
        let stream = format!("guest-{}", guest % 3);
        let taken = world.events.append(event).stream(stream).unless(seats().after(page.seen));
        match taken.await {
            Err(error) if error.kind() == ErrorKind::ConditionFailed => {}
            outcome => return outcome,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_who_want_the_last_seats_get_just_as_many_as_there_are() {
    for world in [World::in_memory(), World::on_disk()] {
        let world = std::sync::Arc::new(world);
        let guests: Vec<_> = (0..40)
            .map(|guest| {
                let world = world.clone();
                tokio::spawn(async move {
                    // What others do meanwhile, without a condition, is no hindrance.
                    world.events.append(Event::new("noise")).await.expect("stored");
                    take_a_seat(&world, guest).await.is_ok()
                })
            })
            .collect();
        let mut seated = 0;
        for guest in guests {
            seated += usize::from(guest.await.expect("no panic"));
        }
        assert_eq!(seated, SEATS);
        assert_eq!(world.all(seats()).await.len(), SEATS);
        world.settled();
    }
}

#[tokio::test]
async fn an_event_that_is_not_durable_yet_stands_against_an_append_and_is_waited_for() {
    let world = World::on_disk();
    // From the first condition on, what is on its way is looked at too.
    world.events.append(tick("first")).unless(seats()).await.expect("none");
    world.disk.hold();
    let event = || Event::new("seat.taken").tag("course:c1");
    let mut held = Box::pin(async { world.events.append(event().id("a")).await });
    assert!(poll(&mut held).is_pending());
    let mut second = Box::pin(async { world.events.append(event().id("b")).unless(seats()).await });
    assert!(poll(&mut second).is_pending(), "what it depends on is not known yet");
    world.disk.let_go();
    held.await.expect("stored");
    let error = second.await.expect_err("the seat is taken");
    assert_eq!(missed(&error), ["a"]);
    assert_eq!(world.ledger(), [2, 0, 1, 0]);
}

#[tokio::test]
async fn a_version_conflict_carries_the_events_that_were_missed() {
    for world in [World::in_memory(), World::on_disk()] {
        let append = |id: &str, expected| {
            let (store, event) = (world.events.clone(), tick(id));
            async move { store.append(event).stream("order-7").expecting(expected).await }
        };
        for id in ["a", "b", "c"] {
            append(id, ExpectedVersion::Any).await.expect("stored");
            world.events.append(tick(&format!("beside {id}"))).await.expect("stored");
        }
        let exactly = |number| ExpectedVersion::Exactly(Version::new(number));
        let error = append("d", exactly(1)).await.expect_err("there are three");
        assert_eq!(missed(&error), ["b", "c"]);
        let error = append("d", ExpectedVersion::Absent).await.expect_err("there are three");
        assert_eq!(missed(&error), ["a", "b", "c"]);
        let batch = world.events.append_batch(vec![tick("d")]).stream("order-7");
        let error = batch.expecting(exactly(2)).await.expect_err("there are three");
        assert_eq!(missed(&error), ["c"]);
        let Conflict { expected, actual, .. } = error.conflict().expect("it says so");
        assert_eq!((expected.number(), actual.number()), (2, 3));
        let ahead = append("d", exactly(9)).await.expect_err("there are three");
        assert_eq!(missed(&ahead), [""; 0]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_version_conflict_waits_for_no_event_that_is_not_coming() {
    let world = World::in_memory();
    let before = tokio::time::Instant::now();
    let ahead = ExpectedVersion::Exactly(Version::new(3));
    let append = |stream: &'static str| world.events.append(tick("d")).stream(stream);
    let error = append("never").expecting(ahead).await.expect_err("there are none");
    assert_eq!(missed(&error), [""; 0]);
    world.set("events.buffer.max_events", 1).await;
    world.events.append(tick("a")).stream("order-7").await.expect("stored");
    world.events.append(tick("b")).await.expect("stored, and there is room for one");
    let error = append("order-7").expecting(ahead).await.expect_err("its only event left");
    assert_eq!((missed(&error), error.kind()), (Vec::new(), ErrorKind::VersionConflict));
    assert_eq!(tokio::time::Instant::now(), before, "it is answered at once");
}

#[tokio::test]
async fn what_an_old_look_has_missed_is_looked_at_again() {
    let world = World::in_memory();
    world.events.append(tick("first")).unless(seats()).await.expect("none");
    // More than is remembered.
    for round in 0..40 {
        let many = (0..1_000).map(|at| tick(&format!("{round}.{at}"))).collect();
        world.events.append_batch(many).await.expect("stored");
    }
    let found: Vec<Recorded> = world.events.query(seats()).await.expect("answers").events;
    assert_eq!(found, []);
    world.events.append(tick("last")).unless(seats().after(Position::START)).await.expect("none");
    let error = world.events.append(tick("more")).unless(EventQuery::all().kind("tick")).await;
    assert_eq!(missed(&error.expect_err("there are many")).len(), 100);
}
