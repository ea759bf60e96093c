//! What an index costs: bytes, and what is read for an answer.

use foundation_types::{Event, EventQuery, Timestamp};

use super::super::page::PAGE_BYTES;
use super::sample::{Bytes, Draft, Sample, try_open};
use crate::record::IdBytes;

const RECORDS: u64 = 100_000;

/// A UUID whose bits look drawn.
fn uuid(at: u64) -> String {
    let low = at.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    format!("{:08x}-0000-4000-8000-{:012x}", low >> 32, low & 0xffff_ffff)
}

/// A full segment as it is usual: ids of their own, ten records to a story, few types and streams.
fn usual() -> Sample {
    let draft = |at: u64| {
        let mut event = Event::new(["placed", "paid", "packed", "sent"][(at % 4) as usize])
            .id(uuid(at))
            .correlation(format!("order-{}", at / 10));
        event.time = Some(Timestamp::from_unix_micros(at as i64 * 150));
        event.subject = Some("a customer whose name is not short".to_owned());
        let draft = Draft::new(["orders", "shop", "events"][(at % 3) as usize], event);
        Draft { opens: at.is_multiple_of(64), ..draft }
    };
    Sample::of(&(0..RECORDS).map(draft).collect::<Vec<_>>())
}

#[test]
fn an_index_takes_at_most_eighteen_bytes_a_record() {
    let sample = usual();
    let begun = std::time::Instant::now();
    let file = sample.file();
    let took = begun.elapsed();
    let bytes = file.len() as f64 / RECORDS as f64;
    let segment = sample.end.offset as f64 / RECORDS as f64;
    println!("{bytes:.2} bytes a record of {segment:.0}, built in {took:?}");
    let index = try_open(Bytes::of(file)).expect("opens");
    for (what, section) in index.sections().named() {
        println!("{what}: {:.2}", f64::from(section.pages) * PAGE_BYTES as f64 / RECORDS as f64);
    }
    assert!(bytes <= 18.0, "{bytes}");
}

#[test]
fn an_answer_costs_what_follows_from_it() {
    let sample = usual();
    let file = Bytes::of(sample.file());
    let index = try_open(file.clone()).expect("opens");
    println!("opening: {} reads", file.reads());
    let check = |what: &str, query: &EventQuery, wanted: usize, reads_max: u64| {
        let mut candidates = index.candidates(query, 0..u64::MAX).expect("reads");
        let (mut found, mut looked_at) = (0, 0);
        while found < wanted
            && let Some(candidate) = candidates.next().expect("reads")
        {
            let places = sample.places(&candidate);
            looked_at += places.len();
            let answers = |at: &&usize| super::sample::answers(query, &sample.records[**at]);
            found += places.iter().filter(answers).count();
        }
        let reads = file.reads();
        println!("{what}: {found} found, {looked_at} looked at, {reads} reads");
        assert!(found >= wanted, "{what}: {found}");
        assert!(reads <= reads_max, "{what}: {reads} reads");
        assert!(looked_at <= 8 * wanted + 200, "{what}: {looked_at} looked at");
    };
    let moment = |at: i64| Timestamp::from_unix_micros(at * 150);
    check("ten newest of a type", &EventQuery::all().kind("paid").newest_first(), 10, 12);
    check("ten newest of a stream", &EventQuery::all().stream("shop").newest_first(), 10, 12);
    check("a story", &EventQuery::all().correlation("order-777"), 10, 8);
    check("ten newest", &EventQuery::all().newest_first(), 10, 8);
    let minute = EventQuery::all().since(moment(50_000)).until(moment(50_040));
    check("a moment", &minute, 40, 8);
    check("a type in a moment", &minute.kind("paid"), 10, 16);
    for at in 0..1_000 {
        let id = uuid(at * 97);
        let found = index.id(IdBytes::of(&id)).expect("reads");
        assert!(sample.is_among(at as usize * 97, &found));
    }
    let reads = file.reads();
    println!("1,000 ids: {reads} reads");
    assert!(reads <= 1_010, "{reads}");
    for at in 0..1_000 {
        index.id(IdBytes::of(&uuid(RECORDS + at))).expect("reads");
    }
    let reads = file.reads();
    println!("1,000 ids that are not there: {reads} reads");
    assert!(reads <= 40, "{reads}");
}
