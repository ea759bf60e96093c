//! Bad input, line by line: what each gets, and that nothing is stored of it.

use foundation_types::limits::{BATCH_EVENTS_MAX, EVENT_BYTES_MAX};
use foundation_types::{Data, ErrorKind, Event, EventQuery, Timestamp};
use foundation_validate::parse;

use super::sample::{World, kind_of, tick};

#[tokio::test]
async fn every_event_of_the_catalogue_that_may_not_enter_is_refused_with_its_kind() {
    let text = |bytes: usize| "x".repeat(bytes);
    let data = |bytes: usize| Event::new("tick").data(&text(bytes)).expect("within the limit");
    let rows = [
        ("no type", Event::new(""), ErrorKind::Invalid),
        ("a long type", Event::new(text(129)), ErrorKind::TooLarge),
        ("a line break in the type", Event::new("a\r\nforged line"), ErrorKind::Invalid),
        ("a terminal escape in the type", Event::new("\u{1b}[31mred"), ErrorKind::Invalid),
        ("a type of Foundation's", Event::new("foundation.x"), ErrorKind::ReservedType),
        ("an empty id", tick(""), ErrorKind::Invalid),
        ("a long id", tick(&text(129)), ErrorKind::TooLarge),
        ("an empty correlation", tick("a").correlation(""), ErrorKind::Invalid),
        ("a long parent", tick("a").parent(text(129)), ErrorKind::TooLarge),
        ("a long source", tick("a").source(text(1_025)), ErrorKind::TooLarge),
        ("a long subject", tick("a").subject(text(1_025)), ErrorKind::TooLarge),
        ("a byte too many", data(EVENT_BYTES_MAX - 5), ErrorKind::TooLarge),
    ];
    let world = World::in_memory();
    for (what, event, kind) in &rows {
        assert_eq!(kind_of(world.events.append(event.clone()).await), *kind, "{what}");
    }
    let each = world.events.append_each(rows.iter().map(|row| row.1.clone()).collect()).await;
    for ((what, _, kind), outcome) in rows.iter().zip(each) {
        assert_eq!(kind_of(outcome), *kind, "{what}");
    }
    let count = rows.len() as u64;
    assert_eq!(world.ledger(), [0, 0, 2 * count, 0]);
    assert!(world.all(EventQuery::all()).await.is_empty());
}

#[tokio::test]
async fn what_looks_bad_and_is_not_is_stored_as_it_is() {
    let time = |text: &str| text.parse::<Timestamp>().expect("a valid time");
    let html = Data::from_json("\"<script>alert(1)</script>\"").expect("JSON");
    let rows = [
        Event::new("tick").at(time("1970-01-01T00:00:00Z")),
        Event::new("tick").at(time("9999-12-30T00:00:00Z")),
        Event::new("tick").at(time("-000001-01-01T00:00:00Z")),
        Event::new("tick").subject("line\nbreak").source("\u{1b}[31m"),
        Event { data: html, ..Event::new("tick") },
        Event::new("tick").id("ключ").correlation("\u{202e}txt"),
        Event::new("tick").data(&"x".repeat(EVENT_BYTES_MAX - 50)).expect("within the limit"),
    ];
    for world in [World::in_memory(), World::on_disk()] {
        for event in &rows {
            let receipt = world.events.append(event.clone()).await.expect("it may enter");
            let found = world.events.get(&receipt.id).await.expect("found").event;
            let time = event.time.or(found.time);
            assert_eq!(found, Event { id: Some(receipt.id), time, ..event.clone() });
        }
        assert_eq!(world.ledger(), [rows.len() as u64, 0, 0, 0]);
    }
}

#[tokio::test]
async fn every_batch_and_stream_of_the_catalogue_is_refused_with_its_kind() {
    let world = World::in_memory();
    let batches = [
        (vec![], ErrorKind::Invalid),
        (vec![Event::new("tick"); BATCH_EVENTS_MAX + 1], ErrorKind::TooLarge),
        (vec![Event::new("tick"), Event::new("")], ErrorKind::Invalid),
    ];
    for (batch, kind) in batches {
        assert_eq!(kind_of(world.events.append_batch(batch).await), kind);
    }
    let streams = [
        ("", ErrorKind::Invalid),
        ("a b", ErrorKind::Invalid),
        ("a\nb", ErrorKind::Invalid),
        ("config/shop", ErrorKind::Invalid),
        ("foundation", ErrorKind::Invalid),
        (&"s".repeat(129), ErrorKind::TooLarge),
    ];
    for (stream, kind) in streams {
        assert_eq!(kind_of(world.events.append(tick("a")).stream(stream).await), kind);
        let each = world.events.append_each(vec![tick("a")]).stream(stream).await.remove(0);
        assert_eq!(kind_of(each), kind);
    }
    assert_eq!(world.settled().stored, 0);
}

#[test]
fn every_line_of_the_catalogue_that_is_no_event_is_refused_with_its_kind() {
    let long = format!("{{\"type\":\"{}\"}}", "x".repeat(2 * EVENT_BYTES_MAX));
    let deep =
        format!("{{\"type\":\"t\",\"data\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let rows: [(&[u8], ErrorKind); 12] = [
        (b"", ErrorKind::Malformed),
        (b"null", ErrorKind::Malformed),
        (b"{\"type\":\"t\"", ErrorKind::Malformed),
        (b"{\"type\":\"t\"} {}", ErrorKind::Malformed),
        (b"{\"type\":\"\xff\"}", ErrorKind::Malformed),
        (b"{\"type\":\"t\",\"data\":{\"a\":1,\"a\":2}}", ErrorKind::Malformed),
        (b"{\"data\":1}", ErrorKind::Invalid),
        (b"{\"type\":7}", ErrorKind::Invalid),
        (b"{\"type\":\"t\",\"correlation\":\"r\"}", ErrorKind::Invalid),
        (b"{\"type\":\"t\",\"time\":\"yesterday\"}", ErrorKind::Invalid),
        (long.as_bytes(), ErrorKind::TooLarge),
        (deep.as_bytes(), ErrorKind::TooLarge),
    ];
    for (line, kind) in rows {
        let shown = String::from_utf8_lossy(line.get(..60).unwrap_or(line)).into_owned();
        assert_eq!(kind_of(parse::event_line(line)), kind, "{shown}");
    }
}

#[tokio::test]
async fn every_query_that_can_mean_nothing_is_refused() {
    let world = World::in_memory();
    let (early, late) = (Timestamp::UNIX_EPOCH, Timestamp::from_unix_micros(1));
    let rows = [
        EventQuery::all().limit(0),
        EventQuery::all().since(late).until(early),
        EventQuery::all().kind(""),
        EventQuery::all().correlation(""),
        EventQuery::all().stream(""),
    ];
    for query in rows {
        assert_eq!(kind_of(world.events.query(query.clone()).await), ErrorKind::InvalidArgument);
        let filter = world.events.subscribe(crate::event::Start::Now, query);
        assert_eq!(kind_of(filter), ErrorKind::InvalidArgument);
    }
}
