//! The catalogue of bad input, one table: what each row gets, and that nothing changes with it.

mod of_events;
mod of_questions;
mod of_text;

use std::pin::Pin;
use std::time::Duration;

use foundation_types::limits::{BATCH_EVENTS_MAX, EVENT_BYTES_MAX};
use foundation_types::{Data, ErrorKind, Event, EventQuery, Result, Timestamp};

use super::sample::{World, tick};
use crate::event::{EventStore, Start};

type Doing<'a> = Pin<Box<dyn Future<Output = Result<()>> + 'a>>;

/// One line of the catalogue.
struct Row {
    what: &'static str,
    /// Does it with the store, or with the text alone.
    run: Box<dyn for<'a> Fn(&'a EventStore) -> Doing<'a>>,
    kind: ErrorKind,
    /// A part of what the error says.
    says: &'static str,
}

impl Row {
    fn new(
        what: &'static str,
        kind: ErrorKind,
        says: &'static str,
        run: impl for<'a> Fn(&'a EventStore) -> Doing<'a> + 'static,
    ) -> Self {
        Self { what, run: Box::new(run), kind, says }
    }
}

/// Every row, by what it is about.
fn rows() -> Vec<Row> {
    [of_events::rows(), of_text::rows(), of_questions::rows()].into_iter().flatten().collect()
}

#[tokio::test]
async fn every_row_of_the_catalogue_has_its_error_and_changes_nothing() {
    for world in [World::in_memory(), World::on_disk()] {
        let kept = world.events.append(tick("kept")).await.expect("may enter");
        let before = world.all(EventQuery::all()).await;
        for row in rows() {
            let error = (row.run)(&world.events).await.expect_err(row.what);
            let told = format!("{error} {:?}", error.problems());
            assert_eq!(error.kind(), row.kind, "{}: {told}", row.what);
            assert!(told.contains(row.says), "{}: {told}", row.what);
            let shown: String = told.chars().take(4_000).collect();
            assert!(told.len() < 16 << 10, "{}: an error has its size: {shown}", row.what);
            let controls = told.chars().find(|c| c.is_control());
            assert_eq!(controls, None, "{}: {shown:?}", row.what);
            assert_eq!(world.settled().stored, 1, "{}", row.what);
            assert!(world.all(EventQuery::all()).await == before, "{}", row.what);
        }
        // Neither a version nor a position nor an id was used up.
        for id in of_events::IDS {
            world.events.append(tick(id)).await.expect("its id is free");
        }
        let next = world.events.append(tick("next")).await.expect("may enter");
        let ids = of_events::IDS.len() as u64;
        assert_eq!(next.version.number(), kept.version.number() + ids + 1);
        assert_eq!(next.position.to_engine(), kept.position.to_engine() + ids + 1);
    }
}

#[tokio::test]
async fn what_looks_bad_and_is_not_is_stored_as_it_is() {
    let time = |text: &str| text.parse::<Timestamp>().expect("a valid time");
    let json = |text: &str| Data::from_json(text).expect("JSON");
    let rows = [
        Event::new("tick").at(time("1970-01-01T00:00:00Z")),
        Event::new("tick").at(time("9999-12-30T00:00:00Z")),
        Event::new("tick").at(time("-000001-01-01T00:00:00Z")),
        Event::new("tick").subject("line\r\nbreak").source("\u{1b}[31m"),
        Event::new("tick").subject("").source("nul \0"),
        Event { data: json("\"<script>alert(1)</script>\""), ..Event::new("<b>tick</b>") },
        Event { data: json("\"=cmd|' /C calc'!A0\""), ..Event::new("tick").subject("=1+1") },
        Event { data: json("[-0.0,18446744073709551615,1e300]"), ..Event::new("tick") },
        Event::new("tick").id("ключ").correlation("\u{202e}txt").parent("nobody"),
        Event::new("tick").tag("+1").tag("@x").tag("e\u{301}").tag("\u{e9}"),
        Event::new("tick").schema(u16::MAX),
        Event::new("tick").data(&"x".repeat(EVENT_BYTES_MAX - 50)).expect("within the limit"),
    ];
    let streams = ["events", "..", "a//b", "LOCK", "00000000000000000001.seg"];
    for world in [World::in_memory(), World::on_disk()] {
        for (event, stream) in rows.iter().zip(streams.iter().cycle()) {
            let append = world.events.append(event.clone()).stream(*stream);
            let receipt = append.await.expect("it may enter");
            let found = world.events.get(&receipt.id).await.expect("found").event;
            let time = event.time.or(found.time);
            assert_eq!(found, Event { id: Some(receipt.id), time, ..event.clone() });
        }
        assert_eq!(world.ledger(), [rows.len() as u64, 0, 0, 0]);
        let full = (0..BATCH_EVENTS_MAX).map(|at| tick(&at.to_string())).collect();
        let receipts = world.events.append_batch(full).await.expect("as many as there may be");
        assert_eq!(receipts.len(), BATCH_EVENTS_MAX);
    }
}

#[tokio::test]
async fn a_reader_that_appends_for_each_event_that_it_reads_holds_up_nobody() {
    for world in [World::in_memory(), World::on_disk()] {
        let filter = EventQuery::all().kind("tick");
        let mut reader = world.events.subscribe(Start::Beginning, filter).expect("may follow");
        world.events.append(tick("0")).await.expect("may enter");
        for number in 1..=1_000 {
            let read = tokio::time::timeout(Duration::from_secs(60), reader.next()).await;
            let read = read.expect("goes on").expect("an event").event;
            assert_eq!(read.id, Some((number - 1).to_string().as_str().into()));
            let next = tick(&number.to_string()).parent(read.id.expect("has one"));
            world.events.append(next).await.expect("may enter");
        }
        assert_eq!(world.ledger(), [1_001, 0, 0, 0]);
    }
}
