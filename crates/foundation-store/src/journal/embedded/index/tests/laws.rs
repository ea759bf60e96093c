//! The law: what an index leads to is what a reading of every record finds.

use std::collections::BTreeMap;
use std::ops::Range;

use foundation_types::{Event, EventQuery, Order, Tag, Timestamp, Version};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::super::{Candidate, Grain, SegmentIndex, StreamEntry, Term};
use super::sample::{Draft, FIRST, Sample, header};
use crate::record::{IdBytes, IdView};

const KINDS: [&str; 3] = ["order.placed", "order.paid", "order.sent"];
const PATTERNS: [&str; 6] =
    ["order.placed", "order.paid", "order.sent", "order.p*", "*", "unknown*"];
const TAGS: [&str; 3] = ["blue", "order.paid", "story 1"];
const STREAMS: [&str; 4] = ["events", "config/app", "order.paid", "a"];

#[derive(Clone, Debug)]
struct Sketch {
    kind: usize,
    stream: usize,
    correlation: Option<u8>,
    parent: Option<u8>,
    /// A bit for each tag.
    tags: u8,
    time: Option<i64>,
    filler: usize,
    is_uuid: bool,
    is_cut: bool,
    opens: bool,
}

#[derive(Clone, Debug)]
struct QuerySketch {
    types: Vec<usize>,
    stream: Option<usize>,
    correlation: Option<u8>,
    parent: Option<u8>,
    tags: u8,
    since: Option<i64>,
    until: Option<i64>,
    descending: bool,
    /// Shares of the segment, in thousandths.
    window: Option<(usize, usize)>,
}

/// Half a microsecond apart, so that some share one; from before 1970.
fn time(halves: i64) -> Timestamp {
    let nanoseconds = halves * 500;
    let (seconds, rest) = (nanoseconds / 1_000_000_000, nanoseconds % 1_000_000_000);
    Timestamp::from_parts(seconds, rest as i32).expect("near 1970")
}

fn tags(bits: u8) -> Vec<Tag> {
    let is_set = |(at, _): &(usize, &&str)| bits & (1 << at) != 0;
    TAGS.iter().enumerate().filter(is_set).map(|(_, tag)| Tag::from(*tag)).collect()
}

impl Sketch {
    fn draft(&self, at: usize) -> Draft {
        let id = match self.is_uuid {
            true => format!("00000000-0000-4000-8000-{at:012x}"),
            false => format!("id {at}"),
        };
        let mut event = Event::new(KINDS[self.kind]).id(id);
        event.correlation_id = self.correlation.map(|at| format!("story {at}").into());
        event.parent_id = self.parent.map(|at| format!("id {at}").into());
        event.tags = tags(self.tags);
        event.time = self.time.map(time);
        event.subject = (self.filler > 0).then(|| "x".repeat(self.filler));
        let draft = Draft::new(STREAMS[self.stream], event);
        Draft { is_cut: self.is_cut, opens: self.opens, ..draft }
    }
}

impl QuerySketch {
    fn query(&self) -> EventQuery {
        let named = |names: &[&str], at: usize| names.get(at).copied().unwrap_or("unknown").into();
        EventQuery {
            types: self
                .types
                .iter()
                .map(|at| PATTERNS.get(*at).copied().unwrap_or("unknown").into())
                .collect(),
            parent_id: self.parent.map(|at| format!("id {at}").into()),
            tags: tags(self.tags),
            stream: self.stream.map(|at| named(&STREAMS, at)),
            correlation_id: self.correlation.map(|at| format!("story {at}").into()),
            since: self.since.map(time),
            until: self.until.map(time),
            order: if self.descending { Order::Desc } else { Order::Asc },
            ..EventQuery::all()
        }
    }

    fn window(&self, sample: &Sample) -> Range<u64> {
        let Some((start, end)) = self.window else { return 0..u64::MAX };
        let offset = |share: usize| {
            let at = share * sample.offsets.len() / 1_000;
            sample.offsets.get(at).copied().unwrap_or(sample.end.offset)
        };
        offset(start)..offset(end)
    }
}

fn sketches() -> impl Strategy<Value = Vec<Sketch>> {
    let sketch = (
        (0..KINDS.len(), prop_oneof![8 => Just(0), 1 => 1..STREAMS.len()]),
        (prop::option::of(0..40_u8), prop::option::weighted(0.3, 0..40_u8), few_tags()),
        prop::option::weighted(0.7, -400..400_i64),
        prop_oneof![3 => Just(0), 1 => 0..1_000_usize],
        any::<bool>(),
        prop::bool::weighted(0.02),
        prop::bool::weighted(0.2),
    );
    let sketch =
        sketch.prop_map(|((kind, stream), names, time, filler, is_uuid, is_cut, opens)| {
            let (correlation, parent, tags) = names;
            Sketch { kind, stream, correlation, parent, tags, time, filler, is_uuid, is_cut, opens }
        });
    (prop::collection::vec(sketch, 0..400), any::<bool>()).prop_map(|(mut sketches, in_order)| {
        if in_order {
            let mut times: Vec<_> = sketches.iter().filter_map(|sketch| sketch.time).collect();
            times.sort_unstable_by(|one, other| other.cmp(one));
            for time in sketches.iter_mut().filter_map(|sketch| sketch.time.as_mut()) {
                *time = times.pop().unwrap_or_default();
            }
        }
        sketches
    })
}

fn few_tags() -> impl Strategy<Value = u8> {
    prop_oneof![3 => Just(0), 1 => 0..8_u8]
}

fn queries(count: usize) -> impl Strategy<Value = Vec<QuerySketch>> {
    let query = (
        prop_oneof![2 => Just(vec![]), 1 => prop::collection::vec(0..=PATTERNS.len(), 1..3)],
        prop::option::weighted(0.3, 0..=STREAMS.len()),
        (prop::option::weighted(0.3, 0..44_u8), prop::option::weighted(0.1, 0..44_u8), few_tags()),
        prop::option::weighted(0.4, -450..450_i64),
        prop::option::weighted(0.4, -450..450_i64),
        any::<bool>(),
        prop::option::of((0..1_001_usize, 0..1_001_usize)),
    );
    let query = query.prop_map(|(types, stream, names, since, until, descending, window)| {
        let (correlation, parent, tags) = names;
        QuerySketch { types, stream, correlation, parent, tags, since, until, descending, window }
    });
    prop::collection::vec(query, count)
}

/// Everything that an index says is what its records say.
fn check(sample: &Sample, queries: &[QuerySketch]) -> Result<(), TestCaseError> {
    check_grain(sample, Grain::Frames, queries)?;
    check_grain(sample, Grain::Stretches, queries)
}

fn check_grain(
    sample: &Sample,
    grain: Grain,
    queries: &[QuerySketch],
) -> Result<(), TestCaseError> {
    let index = sample.index_of(grain);
    let far = u64::from(grain.span_bytes()) + 4 * 1024;
    prop_assert_eq!(index.grain(), grain);
    check_summary(sample, &index)?;
    check_names(sample, &index)?;
    check_ids(sample, &index)?;
    for (record, offset) in sample.records.iter().zip(&sample.offsets) {
        let sequence = record.position().to_engine();
        let start = index.offset_of(sequence).expect("reads");
        prop_assert!(start <= *offset && offset - start < far, "{start} {offset}");
        prop_assert!(sample.offsets.contains(&start));
    }
    for sketch in queries {
        let (query, window) = (sketch.query(), sketch.window(sample));
        let found = sample.ask(&index, &query, &window).expect("reads");
        prop_assert_eq!(found, sample.scan(&query, &window), "{:?}", sketch);
        check_order(sample, &index, &query, &window)?;
    }
    Ok(())
}

fn check_summary(sample: &Sample, index: &SegmentIndex) -> Result<(), TestCaseError> {
    let summary = index.summary();
    let events = || sample.records.iter().filter_map(|record| Some((record, record.event().ok()?)));
    let times =
        || events().map(|(record, event)| event.time_or(record.recorded()).as_unix_micros());
    prop_assert_eq!(summary.first, FIRST);
    prop_assert_eq!(summary.end, sample.end);
    prop_assert_eq!(summary.last(), FIRST + sample.records.len() as u64 - 1);
    prop_assert_eq!(summary.records, sample.records.len() as u64);
    prop_assert_eq!(summary.unreadable, (sample.records.len() - events().count()) as u64);
    prop_assert_eq!(summary.last_stamp, sample.records.last().map(|record| record.stamp()));
    let recorded = sample.records.first().map(|record| record.recorded());
    prop_assert_eq!(summary.first_recorded(), recorded);
    let span = times().min().zip(times().max()).map(|(start, end)| start..=end);
    prop_assert_eq!(summary.times.clone(), span);
    prop_assert!(summary.sealed);
    Ok(())
}

fn check_names(sample: &Sample, index: &SegmentIndex) -> Result<(), TestCaseError> {
    let (mut types, mut streams) = (BTreeMap::new(), BTreeMap::new());
    for event in sample.records.iter().filter_map(|record| record.event().ok()) {
        *types.entry(event.kind.to_owned()).or_insert(0) += 1;
        let (version, records) =
            streams.entry(event.stream.to_owned()).or_insert((Version::NONE, 0));
        (*version, *records) = (event.version, *records + 1);
    }
    for name in STREAMS.iter().chain(&KINDS).chain(&["", "unknown"]) {
        let expected = streams.get(*name).map(|(version, _)| *version);
        prop_assert_eq!(index.stream_version(name.as_bytes()).expect("reads"), expected);
        prop_assert!(expected.is_none() || index.may_hold(Term::Stream(name.as_bytes())));
    }
    prop_assert_eq!(index.types().expect("reads"), types.into_iter().collect::<Vec<_>>());
    let entry = |(name, (version, records))| StreamEntry { name, version, records };
    let streams: Vec<_> = streams.into_iter().map(entry).collect();
    prop_assert_eq!(index.streams().expect("reads"), streams);
    Ok(())
}

fn check_ids(sample: &Sample, index: &SegmentIndex) -> Result<(), TestCaseError> {
    for (at, record) in sample.records.iter().enumerate() {
        let Ok(event) = record.event() else { continue };
        let id = match event.id {
            IdView::Text(text) => IdBytes::Text(text.as_bytes()),
            IdView::Uuid(bits) => IdBytes::Uuid(bits),
        };
        prop_assert!(index.may_hold(Term::Id(id)));
        prop_assert!(sample.is_among(at, &index.id(id).expect("reads")));
    }
    prop_assert!(index.id(IdBytes::of("absent")).expect("reads").len() < 3);
    Ok(())
}

/// Candidates go one way, and stretches begin with a frame and end after one.
fn check_order(
    sample: &Sample,
    index: &SegmentIndex,
    query: &EventQuery,
    window: &Range<u64>,
) -> Result<(), TestCaseError> {
    let mut candidates = index.candidates(query, window.clone()).expect("reads");
    let mut before = None;
    while let Some(candidate) = candidates.next().expect("reads") {
        let places = sample.places(&candidate);
        let (Some(first), Some(last)) = (places.first().copied(), places.last().copied()) else {
            return Err(TestCaseError::fail(format!("nothing at {candidate:?}")));
        };
        prop_assert!(
            window.contains(&sample.offsets[first]) && window.contains(&sample.offsets[last])
        );
        match &candidate {
            Candidate::Frames(offsets) => {
                prop_assert_eq!(places.len(), offsets.len(), "each is that of a frame");
                prop_assert!(offsets.is_sorted_by(|one, next| one < next));
            }
            Candidate::Stretch(range) => {
                let end = sample.offsets[last] + sample.records[last].bytes() as u64;
                prop_assert_eq!(range.start, sample.offsets[first]);
                prop_assert!(range.end >= end);
            }
        }
        let goes_on = match (before, query.order) {
            (None, _) => true,
            (Some((_, end)), Order::Asc) => first > end,
            (Some((start, _)), Order::Desc) => last < start,
        };
        prop_assert!(goes_on, "{candidate:?} after {before:?}");
        before = Some((first, last));
    }
    Ok(())
}

#[test]
fn an_index_answers_what_a_reading_of_every_record_answers() {
    let mut runner = TestRunner::deterministic();
    let worlds = (sketches(), queries(24));
    let law = |(sketches, queries): (Vec<Sketch>, Vec<QuerySketch>)| {
        let drafts = sketches.iter().enumerate().map(|(at, sketch)| sketch.draft(at));
        check(&Sample::of(&drafts.collect::<Vec<_>>()), &queries)
    };
    runner.run(&worlds, law).expect("the law holds");
}

#[test]
fn an_index_of_many_pages_answers_what_a_reading_of_every_record_answers() {
    let mut runner = TestRunner::deterministic();
    let draws = queries(300).new_tree(&mut runner).expect("draws").current();
    for are_shuffled in [false, true] {
        let draft = |at: usize| {
            let spread = (at as i64 * 7_919) % 800 - 400;
            let sketch = Sketch {
                kind: at % 97 % 3,
                stream: if at.is_multiple_of(211) { 1 } else { 0 },
                parent: None,
                tags: 0,
                correlation: Some((at / 10 % 40) as u8),
                time: Some(if are_shuffled { spread } else { at as i64 / 20 - 400 }),
                filler: 0,
                is_uuid: at.is_multiple_of(2),
                is_cut: at == 5_000,
                opens: at.is_multiple_of(50),
            };
            sketch.draft(at)
        };
        let sample = Sample::of(&(0..16_000).map(draft).collect::<Vec<_>>());
        check(&sample, &draws).expect("the law holds");
        assert_eq!(sample.index().time_list().is_some(), are_shuffled);
    }
    assert_eq!(header().first, FIRST);
}
