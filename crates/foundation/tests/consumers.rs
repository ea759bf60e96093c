//! Durable consumers as an application meets them: members, restarts, poison, retention.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use foundation::events::{
    Consumer, ConsumerAction, ConsumerBuilder, Data, ParkedFilter, Poison, Start,
};
use foundation::{ErrorKind, Event, EventQuery, Foundation, Keep};

use super::directory;

async fn opened(directory: &tempfile::TempDir) -> Foundation {
    Foundation::builder(directory.path().join("store")).start().await.expect("starts")
}

async fn append(foundation: &Foundation, count: u64) {
    append_from(foundation, 0, count).await;
}

/// Events whose data is their number, over three streams.
async fn append_from(foundation: &Foundation, from: u64, to: u64) {
    for number in from..to {
        let event = Event::new("tick").data(&number).expect("a number");
        let stream = format!("s{}", number % 3);
        foundation.events().append(event).stream(stream.as_str()).await.expect("is stored");
    }
}

fn ticks(foundation: &Foundation, name: &str) -> ConsumerBuilder {
    let pause = Duration::from_millis(1);
    let filter = EventQuery::all().kind("tick");
    foundation.events().consumer(name).filter(filter).backoff(pause, pause)
}

fn number(data: &Data) -> u64 {
    data.to().expect("is a number")
}

async fn take(consumer: &Consumer) -> u64 {
    let delivery = consumer.next().await.expect("there is one");
    let number = number(&delivery.event().event.data);
    delivery.ack().expect("in time");
    number
}

#[tokio::test]
async fn members_share_the_work_and_a_restart_goes_on_where_it_was() {
    let directory = directory();
    let first = opened(&directory).await;
    append(&first, 6).await;
    let one = ticks(&first, "billing").open().await.expect("opens");
    let other = one.clone();
    let error = ticks(&first, "billing").open().await.expect_err("is open");
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    let mut taken = BTreeSet::new();
    for member in [&one, &other, &one, &other] {
        assert!(taken.insert(take(member).await));
    }
    first.shutdown(Duration::from_secs(5)).await.into_result().expect("is clean");
    assert_eq!(one.next().await.expect_err("has ended").kind(), ErrorKind::Unavailable);

    let second = opened(&directory).await;
    let consumer = ticks(&second, "billing").open().await.expect("opens");
    assert!(taken.insert(take(&consumer).await));
    assert!(taken.insert(take(&consumer).await));
    consumer.flush().await.expect("is kept");
    assert_eq!(taken.len(), 6);
    let status = second.status().consumers.remove(0);
    assert_eq!((status.name.as_str(), status.running), ("billing", true));
    assert_eq!((status.in_flight, status.parked, status.behind_ms), (0, 0, None));
    second.checkpoint().await.expect("is kept");
    append_from(&second, 6, 7).await;
    taken.insert(take(&consumer).await);
    second.shutdown(Duration::from_secs(5)).await.into_result().expect("is clean");
    let report = foundation::check_fold(directory.path().join("store")).await.expect("reads");
    assert!(report.expect("two snapshots").agrees, "own tables are folded like others");
    assert_eq!(taken.len(), 7);
}

#[tokio::test(start_paused = true)]
async fn a_stream_waits_for_its_event_and_others_do_not() {
    let foundation = Foundation::in_memory().start().await.expect("starts");
    append(&foundation, 5).await;
    let consumer = ticks(&foundation, "billing").open().await.expect("opens");
    let mut held = Vec::new();
    for expected in 0..3 {
        let delivery = consumer.next().await.expect("there is one");
        assert_eq!(number(&delivery.event().event.data), expected);
        held.push(delivery);
    }
    let mut next = Box::pin(consumer.next());
    let soon = tokio::time::timeout(Duration::from_millis(20), &mut next).await;
    assert!(soon.is_err(), "every stream has one in hand");
    held.remove(1).ack().expect("in time");
    assert_eq!(number(&next.await.expect("goes on").event().event.data), 4);
}

#[tokio::test(start_paused = true)]
async fn what_its_own_place_writes_is_never_fed_to_a_consumer() {
    let foundation =
        Foundation::in_memory().table::<u8, u8>("seen", Keep::Log).start().await.expect("starts");
    let everything = foundation.events().consumer("everything").open().await.expect("opens");
    let table = foundation.table::<u8, u8>("seen").expect("is known");
    table.insert(1, 1).await.expect("may enter");
    append(&foundation, 1).await;
    let mut kinds = Vec::new();
    for _ in 0..2 {
        let delivery = everything.next().await.expect("there is one");
        kinds.push(delivery.event().event.kind.to_string());
        delivery.ack().expect("in time");
        everything.flush().await.expect("is kept");
    }
    assert_eq!(kinds, ["foundation.table.put", "tick"]);
    let before = foundation.status().journal.records;
    let more = tokio::time::timeout(Duration::from_millis(50), everything.next()).await;
    assert!(more.is_err());
    assert_eq!(foundation.status().journal.records, before, "an idle consumer writes nothing");
    assert!(foundation.table_named("foundation.consumers").is_err());
    let builder = Foundation::in_memory().table::<u8, u8>("foundation.consumers", Keep::Log);
    assert_eq!(builder.start().await.expect_err("is refused").kind(), ErrorKind::Invalid);
}

#[tokio::test(start_paused = true)]
async fn poison_is_parked_listed_retried_and_dropped() {
    let foundation = Foundation::in_memory().start().await.expect("starts");
    append(&foundation, 6).await;
    let consumer = ticks(&foundation, "billing").attempts_max(2).open().await.expect("opens");
    let mut tries = Vec::new();
    let mut acked = BTreeSet::new();
    while acked.len() < 4 {
        let delivery = consumer.next().await.expect("there is one");
        let one = number(&delivery.event().event.data);
        if one % 3 == 1 {
            tries.push((one, delivery.attempt()));
            delivery.nack("no such account").expect("in time");
        } else {
            acked.insert(one);
            delivery.ack().expect("in time");
        }
    }
    while consumer.status().parked < 2 {
        let delivery = tokio::time::timeout(Duration::from_millis(20), consumer.next()).await;
        if let Ok(Ok(delivery)) = delivery {
            tries.push((number(&delivery.event().event.data), delivery.attempt()));
            delivery.nack("no such account").expect("in time");
        }
    }
    assert_eq!(tries, [(1, 1), (1, 2), (4, 1), (4, 2)]);
    consumer.flush().await.expect("is kept");

    let events = foundation.events();
    let filter = ParkedFilter::of("billing").kind("tick");
    let parked = events.parked(&filter).expect("lists");
    let told: Vec<_> =
        parked.iter().map(|one| (one.attempts, one.cause.as_str(), one.retrying)).collect();
    assert_eq!(told, [(2, "no such account", false); 2]);
    let unknown = events.parked(&ParkedFilter::of("biling")).expect_err("there is none");
    assert_eq!(unknown.kind(), ErrorKind::NotFound);
    assert!(unknown.message().ends_with("did you mean billing?"), "{unknown}");
    assert_eq!(events.parked(&ParkedFilter::of("billing").kind("ti*")).expect("lists").len(), 2);
    assert!(events.parked(&ParkedFilter::of("billing").kind("to*")).expect("lists").is_empty());

    let retried = events.retry_parked(&filter.clone().limit(1)).await.expect("is marked");
    assert_eq!(retried.len(), 1);
    let again = consumer.next().await.expect("comes again");
    assert_eq!((number(&again.event().event.data), again.attempt()), (1, 1));
    again.ack().expect("in time");
    while consumer.status().parked > 1 {
        tokio::task::yield_now().await;
    }
    let dropped = events.drop_parked(&filter).await.expect("is dropped");
    assert_eq!(dropped.len(), 1);
    assert!(events.parked(&filter).expect("lists").is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_full_list_of_parked_events_halts_and_loses_nothing() {
    let foundation = Foundation::in_memory().start().await.expect("starts");
    append(&foundation, 3).await;
    let consumer = ticks(&foundation, "billing").parked_max(1).open().await.expect("opens");
    for _ in 0..2 {
        consumer.next().await.expect("there is one").park("not mine").expect("in time");
    }
    while consumer.status().halted.is_none() {
        tokio::task::yield_now().await;
    }
    let cause = consumer.status().halted.expect("stands").cause;
    assert_eq!(cause, "1 events are parked, which is the limit; then: not mine");
    let health = foundation.health();
    let check = health.checks.iter().find(|check| check.name == "consumers").expect("is checked");
    assert!(check.message.contains("consumer billing stands before position 2"), "{check:?}");

    foundation.events().drop_parked(&ParkedFilter::of("billing")).await.expect("is dropped");
    assert_eq!(take(&consumer).await, 2);
    while consumer.status().parked == 0 {
        tokio::task::yield_now().await;
    }
    consumer.flush().await.expect("is kept");
    assert_eq!(foundation.status().consumers[0].in_flight, 0);
}

#[tokio::test]
async fn a_halted_consumer_is_resumed_by_an_operator() {
    let directory = directory();
    let first = opened(&directory).await;
    append(&first, 2).await;
    let halting = |foundation: &Foundation| {
        ticks(foundation, "billing").on_poison(Poison::Halt).attempts_max(1)
    };
    let consumer = halting(&first).open().await.expect("opens");
    consumer.next().await.expect("there is one").nack("no route").expect("in time");
    consumer.flush().await.expect("is kept");
    assert_eq!(consumer.status().halted.expect("stands").cause, "no route");
    first.shutdown(Duration::from_secs(5)).await.into_result().expect("is clean");

    let second = opened(&directory).await;
    assert!(second.status().consumers[0].halted.is_some(), "it still does");
    second.events().change_consumer("billing", ConsumerAction::Resume).await.expect("resumes");
    let consumer = halting(&second).open().await.expect("opens");
    assert_eq!(take(&consumer).await, 0);
    let missing = second.events().change_consumer("biling", ConsumerAction::Resume).await;
    assert_eq!(missing.expect_err("there is none").kind(), ErrorKind::NotFound);
    second.events().change_consumer("billing", ConsumerAction::Delete).await.expect("deletes");
    assert_eq!(consumer.next().await.expect_err("is gone").kind(), ErrorKind::NotFound);
    assert!(second.status().consumers.is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_members_of_a_consumer_that_is_deleted_are_told_at_once() {
    let foundation = Foundation::in_memory().start().await.expect("starts");
    append(&foundation, 2).await;
    for poison in [Poison::Park, Poison::Halt] {
        let builder = ticks(&foundation, "billing").on_poison(poison).attempts_max(1);
        let consumer = builder.parked_max(0).open().await.expect("opens");
        let held = consumer.next().await.expect("there is one");
        consumer.next().await.expect("there is one").nack("no route").expect("in time");
        let waiting = consumer.clone();
        let waiting = tokio::spawn(async move { waiting.next().await.map(drop) });
        let running = consumer.clone();
        let running = tokio::spawn(async move { running.run(2, async |_| Ok(())).await });
        while consumer.status().halted.is_none() {
            tokio::task::yield_now().await;
        }
        let events = foundation.events();
        events.change_consumer("billing", ConsumerAction::Delete).await.expect("deletes");
        for told in [
            waiting.await.expect("does not panic"),
            running.await.expect("does not panic"),
            consumer.next().await.map(drop),
            consumer.flush().await,
            held.ack(),
        ] {
            let error = told.expect_err("is gone");
            assert_eq!(error.kind(), ErrorKind::NotFound);
            assert!(error.message().contains("consumer \"billing\" was deleted"), "{error}");
        }
        let resumed = events.change_consumer("billing", ConsumerAction::Resume).await;
        assert_eq!(resumed.expect_err("is gone").kind(), ErrorKind::NotFound);
        assert!(!consumer.status().running);
    }
}

#[tokio::test(start_paused = true)]
async fn panics_errors_and_hanging_handlers_harm_only_their_event() {
    let foundation = Foundation::in_memory().start().await.expect("starts");
    append(&foundation, 10_020).await;
    let consumer = ticks(&foundation, "billing")
        .attempts_max(2)
        .parked_max(2_000)
        .ack_deadline(Duration::from_millis(50))
        .in_flight_max(100)
        .open()
        .await
        .expect("opens");
    let (done, calls) = (Arc::new(Mutex::new(BTreeSet::new())), Arc::new(AtomicU64::new(0)));
    let (seen, counted) = (done.clone(), calls.clone());
    let running = consumer.clone();
    let runner = tokio::spawn(async move {
        let handle = move |event: Arc<foundation::Recorded>| {
            let (seen, counted) = (seen.clone(), counted.clone());
            async move {
                let number = number(&event.event.data);
                counted.fetch_add(1, Ordering::Relaxed);
                assert_ne!(number % 30, 7, "a planted panic");
                if number % 30 == 8 {
                    std::future::pending::<()>().await;
                }
                if number % 30 == 9 {
                    return Err(foundation::Error::new(ErrorKind::Timeout, "a planted error"));
                }
                seen.lock().expect("nobody panics here").insert(number);
                Ok(())
            }
        };
        running.run(8, handle).await
    });
    let planted = |number: &u64| (7..=9).contains(&(number % 30));
    let good: BTreeSet<u64> = (0..10_020).filter(|number| !planted(number)).collect();
    while consumer.status().parked < 1_002 || done.lock().expect("whole").len() < good.len() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(*done.lock().expect("whole"), good);
    let parked = foundation.events().parked(&ParkedFilter::of("billing")).expect("lists");
    let numbers: BTreeSet<u64> = parked
        .iter()
        .map(|one| number(&one.event.as_ref().expect("is small").event.data))
        .collect();
    assert_eq!(numbers, (0..10_020).filter(planted).collect());
    assert_eq!(calls.load(Ordering::Relaxed), 9_018 + 1_002 * 2);
    consumer.stop().await;
    runner.await.expect("no panic").expect("ends well");
}

#[tokio::test(start_paused = true)]
async fn a_consumer_begins_where_it_was_told_to() {
    let foundation = Foundation::in_memory().start().await.expect("starts");
    append(&foundation, 3).await;
    let now = ticks(&foundation, "now").from(Start::Now).open().await.expect("opens");
    append_from(&foundation, 3, 4).await;
    assert_eq!(take(&now).await, 3);
    let error = ticks(&foundation, "bad").in_flight_max(0).open().await.expect_err("is refused");
    assert_eq!(error.to_string(), "consumer \"bad\": in_flight_max is 1 to 1000, not 0");
    let error = ticks(&foundation, "a b").open().await.expect_err("is refused");
    assert_eq!(error.kind(), ErrorKind::Invalid);
}
