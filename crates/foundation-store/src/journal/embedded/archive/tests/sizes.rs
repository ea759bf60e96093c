//! What an archived event takes, part by part: printed by
//! `cargo test -p foundation-store --lib archive::tests::sizes -- --ignored --nocapture`.

use std::path::Path;

use foundation_types::{Event, EventId, Stamp, Timestamp, Version};

use super::super::super::index::{Grain, IndexBuilder};
use super::super::columns::{Column, Start};
use super::super::container::{self, Header, Table};
use super::super::packed::parts;
use super::columns::Framed;
use super::{HEADER, summary};
use crate::record::frame::{
    BODY_VERSION, FRAME_HEADER_BYTES, FrameHeader, GROUP_FRAME_BYTES, KIND_EVENT,
};
use crate::record::{Record, write_event};

const EVENTS: usize = 40_000;
const IN_A_GROUP: usize = 100;
const WORDS: [&str; 8] =
    ["amber", "basket", "copper", "delta", "ember", "forest", "garden", "harbour"];

/// Bits that look drawn.
fn drawn(seed: u64) -> u64 {
    let mixed = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb) ^ (mixed >> 31)
}

/// An id of version 7, as the program draws it.
fn id(at: usize) -> EventId {
    let bits = u128::from(drawn(at as u64 * 2 + 1)) << 64 | u128::from(drawn(at as u64 * 2));
    let mut random = [0; 10];
    random.copy_from_slice(&bits.to_le_bytes()[..10]);
    EventId::generate(Timestamp::from_unix_micros(1_700_000_000_000_000 + at as i64 * 50), random)
}

/// Two hundred bytes of content: type, id, time, correlation, and words.
fn made(at: usize) -> Event {
    let mut note = String::new();
    for nth in 0.. {
        if note.len() > 120 {
            break;
        }
        note.push_str(WORDS[(drawn((at * 40 + nth) as u64) % 8) as usize]);
        note.push(' ');
    }
    note.truncate(120);
    let time = Timestamp::from_unix_micros(1_700_000_000_000_000 + at as i64 * 1_000);
    Event::new(["order.placed", "order.packed", "order.posted", "order.billed"][at % 4])
        .id(id(at))
        .at(time)
        .correlation(format!("req-{:05}-s{:02}", at / 2_000, at % 100))
        .data(&serde_json::json!({ "number": at, "note": note }))
        .expect("is JSON")
}

/// The lines of the real input over and over, each story once in all.
fn real() -> Option<Vec<Event>> {
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().skip(2);
    let path = above
        .map(|folder| folder.join("shared/data/openstack_2k.ndjson"))
        .find(|path| path.is_file())?;
    let text = std::fs::read_to_string(path).expect("reads");
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("is JSON")).collect();
    let event = |at: usize| {
        let line = &lines[at % lines.len()];
        let of = |name: &str| line[name].as_str().unwrap_or_default();
        let story = format!("{}-{}", of("correlation_id"), at / lines.len());
        let event = Event::new(of("type")).id(id(at)).at(of("time").parse().expect("is a time"));
        event.source(of("source")).correlation(story).data(&line["data"]).expect("is JSON")
    };
    Some((0..EVENTS).map(event).collect())
}

fn told(what: &str, events: &[Event]) {
    let mut framed = Framed::new(Start { seed: HEADER.seed(), chain: HEADER.previous });
    let mut builders =
        [Grain::Frames, Grain::Stretches].map(|grain| IndexBuilder::new(HEADER, grain));
    let mut next = HEADER.first;
    for group in events.chunks(IN_A_GROUP) {
        framed.group(next, group.len() as u32, (group.len() * 300) as u32);
        for event in group {
            let recorded = Timestamp::from_unix_micros(1_700_000_000_000_000 + next as i64 * 50);
            let mut body = Vec::new();
            write_event(&mut body, "events", Version::new(next), event);
            let header = FrameHeader {
                sequence: next,
                kind: KIND_EVENT,
                schema: BODY_VERSION,
                stamp: Stamp::default().next(recorded).to_bits(),
                ..FrameHeader::default()
            };
            let (at, start) = (framed.bytes.len() + 64, framed.bytes.len());
            framed.add(header, &body);
            let frame = framed.bytes[start..].to_vec();
            let header = FrameHeader::read(&frame).expect("is whole");
            let record = Record::of_frame(frame.into(), 0, header).expect("is small");
            for builder in &mut builders {
                builder.add(&record, at as u64).expect("is the next");
            }
            next += 1;
        }
    }
    let raw = [&HEADER.to_bytes()[..], &framed.bytes].concat();
    let summary = summary(&raw, next - 1);
    let packed = container::pack(HEADER, &summary, &raw).expect("is packed");
    let header = Header::read(&packed, "it").expect("reads");
    let range = header.table_range();
    let behind = &packed[range.start as usize..range.end as usize];
    let table = Table::read(header, behind, "it").expect("reads");
    let each = |bytes: usize| bytes as f64 / events.len() as f64;
    println!(
        "{what}: {:.1} bytes an event, {} headers of {FRAME_HEADER_BYTES} and {GROUP_FRAME_BYTES}",
        each(raw.len()),
        events.len()
    );
    println!("  header and table {:.2}", each(range.end as usize));
    let blocks = table
        .blocks
        .iter()
        .map(|block| parts(&packed[block.range().start as usize..block.range().end as usize]));
    let blocks: Vec<_> = blocks.collect();
    for column in Column::ALL {
        let of = blocks.iter().flatten().filter(|(one, _)| *one == column);
        println!("  {column:?} {:.2}", each(of.map(|(_, bytes)| bytes).sum()));
    }
    let [fine, wide] = builders.map(|one| each(one.finish(summary.end, true).len()));
    println!(
        "  archived {:.1}, index of stretches {wide:.1} (of frames {fine:.1})",
        each(packed.len())
    );
    println!("  together {:.1}", each(packed.len()) + wide);
}

#[test]
#[ignore = "it only prints"]
fn the_parts_of_an_archived_event() {
    told("made", &(0..EVENTS).map(made).collect::<Vec<_>>());
    match real() {
        Some(events) => told("real", &events),
        None => {
            println!("SKIPPED: there is no shared/data/openstack_2k.ndjson beside the workspace")
        }
    }
}
