//! Records made by hand, and a way to wait for what never waits.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use foundation_types::config::BufferSettings;
use foundation_types::{Event, Position, Result, Stamp, Timestamp, Version};

use crate::record::frame::{FRAME_HEADER_BYTES, FrameHeader, KIND_EVENT};
use crate::record::{Record, write_event};

/// One record to be, in its stream and at its position.
pub(super) struct Draft {
    pub(super) position: u64,
    pub(super) stream: &'static str,
    pub(super) event: Event,
}

/// Records in one chunk, as an append makes them.
pub(super) fn records_of(drafts: &[Draft]) -> Vec<Record> {
    let mut bytes = Vec::new();
    let mut starts = Vec::new();
    for draft in drafts {
        let start = bytes.len();
        bytes.resize(start + FRAME_HEADER_BYTES, 0);
        write_event(&mut bytes, draft.stream, Version::new(draft.position), &draft.event);
        let header = FrameHeader {
            length: (bytes.len() - start - FRAME_HEADER_BYTES) as u32,
            sequence: draft.position,
            kind: KIND_EVENT,
            stamp: Stamp::default().next(recorded_at(draft.position)).to_bits(),
            ..FrameHeader::default()
        };
        bytes[start..start + FRAME_HEADER_BYTES].copy_from_slice(&header.to_bytes());
        starts.push((start, header));
    }
    let chunk: Arc<[u8]> = bytes.into();
    let record = |(start, header)| Record::of_frame(chunk.clone(), start, header);
    starts.into_iter().map(|place| record(place).expect("a small chunk")).collect()
}

/// When the record at a position is recorded here: one second after the one before it.
pub(super) fn recorded_at(position: u64) -> Timestamp {
    Timestamp::from_unix_micros(position as i64 * 1_000_000)
}

/// Plain records of type `even` or `odd`, ten to a correlation, with the position as id.
pub(super) fn plain(positions: std::ops::RangeInclusive<u64>) -> Vec<Record> {
    let draft = |position| Draft {
        position,
        stream: "events",
        event: Event::new(if position % 2 == 0 { "even" } else { "odd" })
            .id(position.to_string())
            .correlation(format!("c{}", position / 10)),
    };
    records_of(&positions.map(draft).collect::<Vec<_>>())
}

pub(super) fn bounds(max_events: u64, max_bytes: u64) -> BufferSettings {
    BufferSettings { max_events, max_bytes, ..BufferSettings::default() }
}

pub(super) fn positions(records: &[Record]) -> Vec<u64> {
    records.iter().map(|record| record.position().to_engine()).collect()
}

pub(super) fn at(position: u64) -> Position {
    Position::from_engine(position)
}

/// The check of a search that has all the time in the world.
pub(super) fn unhurried() -> Result<()> {
    Ok(())
}

/// The output of a future that is ready whenever it is asked.
pub(super) fn ready<F: Future>(future: F) -> F::Output {
    let mut context = Context::from_waker(Waker::noop());
    match pin!(future).poll(&mut context) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("nothing here waits"),
    }
}
