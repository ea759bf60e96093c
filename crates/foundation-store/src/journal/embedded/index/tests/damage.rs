//! Files that are not what was written: told by a typed error, never an answer.

use foundation_types::{Error, ErrorKind, Event, EventQuery, Timestamp};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::super::page::{PAGE_BYTES, seal};
use super::super::{Candidate, Grain, SegmentIndex, StreamEntry, Summary, Term};
use super::sample::{Bytes, Draft, FIRST, Sample, header, try_open};
use crate::record::IdBytes;

/// Small, and with every section: its times are out of order.
fn sample() -> Sample {
    let draft = |at: i64| {
        let id =
            if at % 2 == 0 { format!("00000000-0000-4000-8000-{at:012x}") } else { at.to_string() };
        let mut event = Event::new(if at % 3 == 0 { "placed" } else { "paid" })
            .id(id)
            .correlation(format!("story {}", at / 10));
        event.time = Some(Timestamp::from_unix_micros(at * 7_919 % 300));
        event.subject = Some("x".repeat(300));
        Draft::new(if at % 50 == 0 { "rare" } else { "events" }, event)
    };
    Sample::of(&(0..300).map(draft).collect::<Vec<_>>())
}

/// Everything that can be asked.
#[derive(Debug, PartialEq)]
struct Answers {
    summary: Summary,
    types: Vec<(String, u64)>,
    streams: Vec<StreamEntry>,
    version: Option<foundation_types::Version>,
    ids: Vec<Candidate>,
    start: u64,
    may_hold: [bool; 2],
    found: Vec<Vec<Candidate>>,
}

fn queries() -> [EventQuery; 4] {
    let moment = Timestamp::from_unix_micros;
    [
        EventQuery::all().newest_first(),
        EventQuery::all().stream("rare"),
        EventQuery::all().correlation("story 7").newest_first(),
        EventQuery::all().since(moment(10)).until(moment(12)),
    ]
}

fn ask(index: &SegmentIndex) -> Result<Answers, Error> {
    let found = queries().into_iter().map(|query| {
        let mut candidates = index.candidates(&query, 0..u64::MAX)?;
        std::iter::from_fn(|| candidates.next().transpose()).collect()
    });
    Ok(Answers {
        summary: index.summary().clone(),
        types: index.types()?,
        streams: index.streams()?,
        version: index.stream_version(b"rare")?,
        ids: index.id(IdBytes::of("7"))?,
        start: index.offset_of(FIRST + 200)?,
        may_hold: ["placed", "none"].map(|name| index.may_hold(Term::Type(name.as_bytes()))),
        found: found.collect::<Result<_, _>>()?,
    })
}

fn is_typed(error: &Error) -> bool {
    let kind = error.kind();
    matches!(kind, ErrorKind::Corruption | ErrorKind::ForeignFile | ErrorKind::UnknownFormat)
        && error.context().iter().any(|(name, value)| name == "file" && value.ends_with(".idx"))
        && (kind != ErrorKind::Corruption
            || error.context().iter().any(|(name, _)| name == "range"))
}

#[test]
fn every_flipped_bit_is_told_or_changes_no_answer() {
    let whole = sample().file();
    let file = Bytes::of(whole.clone());
    let index = try_open(file.clone()).expect("is what was written");
    assert!(index.time_list().is_some(), "every section is there");
    let answers = ask(&index).expect("reads");
    let bits = whole.len() * 8;
    for bit in 0..bits {
        match try_open(file.flipped(bit)).and_then(|index| ask(&index)) {
            Ok(changed) => assert_eq!(changed, answers, "bit {bit}"),
            Err(error) => assert!(is_typed(&error), "bit {bit}: {error:?}"),
        }
    }
    println!("{bits} flipped bits, wrong answers 0");
}

#[test]
fn a_file_of_another_length_is_refused() {
    let whole = sample().file();
    let lengths = (0..whole.len()).step_by(251).chain([whole.len() - 1, whole.len() - PAGE_BYTES]);
    for length in lengths {
        let error = try_open(Bytes::of(whole[..length].to_vec())).err().expect("is refused");
        assert!(is_typed(&error), "{length}: {error:?}");
    }
    let longer = [whole.as_slice(), &[0; PAGE_BYTES]].concat();
    assert_eq!(
        try_open(Bytes::of(longer)).err().map(|error| error.kind()),
        Some(ErrorKind::Corruption)
    );
}

#[test]
fn an_index_of_another_segment_or_a_newer_format_is_refused() {
    let sample = sample();
    let file = Bytes::of(sample.file());
    let own = header();
    let other = foundation_types::StoreId::from_bits(1);
    let foreign = [
        super::super::SegmentHeader { store: other, ..own },
        super::super::SegmentHeader { epoch: 2, ..own },
        super::super::SegmentHeader { salt: 3, ..own },
        super::super::SegmentHeader { first: 4, ..own },
    ];
    for header in foreign {
        let opened = SegmentIndex::open(Box::new(file.clone()), "x.idx".to_owned(), &header);
        let kind = opened.err().map(|error| error.kind());
        assert_eq!(kind, Some(ErrorKind::ForeignFile), "{header:?}");
    }
    let mut newer = sample.file();
    newer[8] += 2;
    let kind = try_open(Bytes::of(newer)).err().map(|error| error.kind());
    assert_eq!(kind, Some(ErrorKind::UnknownFormat));
}

#[test]
fn a_page_of_another_place_or_another_index_is_refused() {
    let sample = sample();
    let whole = sample.file();
    // The same segment, of which less was covered: all but the first page has the same owner.
    let mut builder = super::super::IndexBuilder::new(header(), Grain::Frames);
    for (record, offset) in sample.records.iter().zip(&sample.offsets).take(299) {
        builder.add(record, *offset).expect("is the next one");
    }
    let end = super::super::Cursor { next: sample.end.next - 1, ..sample.end };
    let shorter = builder.finish(end, false);
    for (at, page) in whole.chunks(PAGE_BYTES).enumerate().skip(1) {
        let other = shorter.chunks(PAGE_BYTES).nth(at).unwrap_or(&[0; PAGE_BYTES]);
        for strange in [other, whole.chunks(PAGE_BYTES).nth(at - 1).expect("is there")] {
            assert_ne!(page, strange);
            let mut changed = whole.clone();
            changed[at * PAGE_BYTES..(at + 1) * PAGE_BYTES].copy_from_slice(strange);
            let asked = try_open(Bytes::of(changed)).and_then(|index| ask(&index));
            match asked {
                Ok(answers) => panic!("page {at}: {answers:?}"),
                Err(error) => assert!(is_typed(&error), "page {at}: {error:?}"),
            }
        }
    }
}

#[test]
fn any_bytes_under_right_checksums_are_read_without_a_panic() {
    let whole = sample().file();
    let pages = whole.len() / PAGE_BYTES;
    // Small numbers, the largest ones, and anything; at any place of any page.
    let byte = prop_oneof![0..4_u8, Just(0x7f), Just(0x80), Just(0xff), any::<u8>()];
    let places = prop_oneof![0..64_usize, 64..256_usize, 0..PAGE_BYTES - 4];
    let change = (0..pages, places, prop::collection::vec(byte, 1..12));
    let changes = prop::collection::vec(change, 1..6);
    let mut runner = TestRunner::new(ProptestConfig { cases: 4_000, ..ProptestConfig::default() });
    let run = runner.run(&changes, |changes| {
        let mut forged = whole.clone();
        for (page, at, bytes) in changes {
            let start = page * PAGE_BYTES + if page == 0 { at.max(64) } else { at };
            let length = bytes.len().min((page + 1) * PAGE_BYTES - 4 - start);
            forged[start..start + length].copy_from_slice(&bytes[..length]);
        }
        let mut seed = header().seed();
        for (number, page) in forged.chunks_exact_mut(PAGE_BYTES).enumerate() {
            let sum = seal(page, number as u32, seed);
            seed = if number == 0 { sum } else { seed };
        }
        let asked = try_open(Bytes::of(forged)).and_then(|index| ask(&index));
        if let Err(error) = asked {
            prop_assert!(is_typed(&error), "{error:?}");
        }
        Ok(())
    });
    run.expect("nothing panics");
}

#[test]
fn any_bytes_are_refused() {
    let mut runner = TestRunner::deterministic();
    let bytes = prop::collection::vec(any::<u8>(), 0..3 * PAGE_BYTES);
    let run = runner.run(&bytes, |bytes| {
        prop_assert!(try_open(Bytes::of(bytes.clone())).is_err());
        // With the mark and the format of an index.
        let marked = [b"FNDINDEX\x01\0".as_slice(), &bytes].concat();
        prop_assert!(try_open(Bytes::of(marked)).is_err());
        Ok(())
    });
    run.expect("all is refused");
}
