//! Blocks as columns: whatever the frames are, they come back to the byte, and no damage to what is
//! kept of them gives other frames.

use foundation_types::{Event, Stamp, Tag, Timestamp, Version};
use proptest::prelude::*;

use super::super::columns::{Column, Columns, Start, chain_after};
use super::super::packed::{pack, parts, unpack};
use crate::record::frame::{
    BODY_VERSION, FRAME_HEADER_BYTES, FrameHeader, GapMark, GroupMark, KIND_CHANGE, KIND_EVENT,
    KIND_GROUP, seal_frame,
};
use crate::record::write_event;

pub(super) const START: Start = Start { seed: 11, chain: 9 };

/// Frames that are sealed, one behind the other.
pub(super) struct Framed {
    pub(super) bytes: Vec<u8>,
    start: Start,
    chain: u32,
}

impl Framed {
    pub(super) fn new(start: Start) -> Self {
        Self { bytes: Vec::new(), start, chain: start.chain }
    }

    pub(super) fn add(&mut self, header: FrameHeader, body: &[u8]) {
        let at = self.bytes.len();
        let header = FrameHeader { length: body.len() as u32, ..header };
        self.bytes.extend_from_slice(&header.to_bytes());
        self.bytes.extend_from_slice(body);
        self.chain = seal_frame(&mut self.bytes[at..], self.chain, self.start.seed);
    }

    pub(super) fn group(&mut self, sequence: u64, records: u32, bytes: u32) {
        let header = FrameHeader {
            kind: KIND_GROUP,
            sequence,
            schema: BODY_VERSION,
            ..FrameHeader::default()
        };
        let mark = GroupMark { durable: sequence - 1, records, bytes };
        self.add(header, &mark.to_bytes());
    }

    fn gap(&mut self, first: u64, lost: u64) {
        let gap = GapMark { lost, chain: 77 };
        self.bytes.extend_from_slice(&gap.to_frame(first, self.chain, self.start.seed));
        self.chain = gap.chain;
    }
}

#[derive(Clone, Debug)]
enum Draft {
    Event { event: Box<Event>, stream: String, version: u64, is_change: bool },
    Bytes { body: Vec<u8>, header: [u64; 4] },
    Group([u32; 2]),
    Gap(u64),
}

fn events() -> impl Strategy<Value = Draft> {
    let id = prop_oneof![
        any::<u128>().prop_map(uuid),
        (0..2_000_u64, any::<u64>()).prop_map(|(milli, bits)| {
            uuid(
                u128::from(1_700_000_000_000 + milli) << 80
                    | 0x7000_8000 << 48
                    | u128::from(bits >> 16),
            )
        }),
        "[a-z0-9-]{1,40}",
    ];
    let time = prop_oneof![
        (0..5_000_i64).prop_map(|milli| 1_700_000_000_000_000 + milli * 1_000),
        -9_000_000_000_000_000..9_000_000_000_000_000_i64,
    ];
    let texts = (
        prop::option::of(".{0,9}"),
        prop::option::of("[a-f0-9]{0,36}"),
        prop::option::of("[a-z]{1,9}"),
    );
    let more = (0..3_usize, 1..4_u16, any::<bool>(), 0..9_u64, ".{0,60}");
    (id, prop::option::of(time), texts, more).prop_map(|(id, time, texts, more)| {
        let (tags, schema, is_change, version, data) = more;
        let mut event = Event::new("order.placed").id(id.as_str()).data(&data).expect("is text");
        event.time = time.map(Timestamp::from_unix_micros);
        event.source = texts.0;
        event.correlation_id = texts.1.map(|text| text.as_str().into());
        event.parent_id = texts.2.map(|text| text.as_str().into());
        event.tags = (0..tags).map(|at| Tag::from(format!("tag:{at}").as_str())).collect();
        event.schema = schema;
        let stream = if version % 2 == 0 { "events" } else { "others" };
        Draft::Event { event: Box::new(event), stream: stream.to_owned(), version, is_change }
    })
}

fn uuid(bits: u128) -> String {
    let text = format!("{bits:032x}");
    [&text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..]].join("-")
}

fn drafts() -> impl Strategy<Value = Vec<Draft>> {
    let bytes = (prop::collection::vec(any::<u8>(), 0..80), any::<[u64; 4]>());
    let draft = prop_oneof![
        6 => events(),
        1 => bytes.prop_map(|(body, header)| Draft::Bytes { body, header }),
        2 => any::<[u32; 2]>().prop_map(Draft::Group),
        1 => (1..9_u64).prop_map(Draft::Gap),
    ];
    prop::collection::vec(draft, 0..40)
}

fn framed(drafts: &[Draft]) -> Framed {
    let (mut framed, mut next) = (Framed::new(START), 41);
    for draft in drafts {
        match draft {
            Draft::Event { event, stream, version, is_change } => {
                let mut body = Vec::new();
                write_event(&mut body, stream, Version::new(*version), event);
                let recorded = Timestamp::from_unix_micros(1_700_000_000_000_000 + next as i64);
                let header = FrameHeader {
                    sequence: next,
                    kind: if *is_change { KIND_CHANGE } else { KIND_EVENT },
                    schema: BODY_VERSION,
                    stamp: Stamp::default().next(recorded).to_bits(),
                    ..FrameHeader::default()
                };
                framed.add(header, &body);
                next += 1;
            }
            // Whatever a header may say, and a body that has perhaps the shape of none.
            Draft::Bytes { body, header: [sequence, stamp, rest, more] } => {
                let [kind, flags, schema, ..] = rest.to_le_bytes();
                let header = FrameHeader {
                    sequence: *sequence,
                    stamp: *stamp,
                    // No gap: its body is what the chain goes on with.
                    kind: kind % 4,
                    flags,
                    schema: (schema % 3).into(),
                    key_id: *more as u32,
                    remaining: (more >> 32) as u32,
                    ..FrameHeader::default()
                };
                framed.add(header, body);
            }
            Draft::Group([records, bytes]) => framed.group(next, *records, *bytes),
            Draft::Gap(lost) => {
                framed.gap(next, *lost);
                next += lost;
            }
        }
    }
    framed
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn frames_come_back_from_their_columns_to_the_byte(drafts in drafts()) {
        let Framed { bytes, chain, .. } = framed(&drafts);
        let columns = Columns::split(&bytes).expect("are frames");
        let joined = columns.join(START, bytes.len());
        prop_assert_eq!(joined.as_ref(), Some(&bytes));
        prop_assert_eq!(chain_after(&bytes, START.chain), Some(chain));
        prop_assert_eq!(columns.join(START, bytes.len() + 1), None);
        let packed = pack(&bytes, START).expect("is packed");
        prop_assert!(!parts(&packed).is_empty(), "in columns");
        prop_assert_eq!(unpack(&packed, START, bytes.len()), Some(bytes));
    }

    #[test]
    fn bytes_that_are_no_frames_come_back_as_well(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let packed = pack(&bytes, START).expect("is packed");
        prop_assert_eq!(unpack(&packed, START, bytes.len()), Some(bytes));
    }

    #[test]
    fn columns_of_anything_are_read_or_refused_and_never_more_than_is_asked_for(
        packed in prop::collection::vec(any::<u8>(), 0..200), length in 0..400_usize,
    ) {
        let read = unpack(&packed, START, length);
        prop_assert!(read.is_none_or(|read| read.len() == length));
    }
}

#[test]
fn a_frame_whose_checksum_or_chain_is_another_is_kept_as_it_stands() {
    let mut framed = Framed::new(START);
    framed.group(1, 1, 60);
    for at in [4, 16] {
        let mut bytes = framed.bytes.clone();
        bytes[at] ^= 1;
        let packed = pack(&bytes, START).expect("is packed");
        assert!(parts(&packed).is_empty(), "not in columns: they would not come back");
        assert_eq!(unpack(&packed, START, bytes.len()), Some(bytes));
    }
    assert_eq!(framed.bytes.len(), FRAME_HEADER_BYTES + 16);
    let columns = Columns::split(&framed.bytes).expect("is a frame");
    assert_eq!(columns.get(Column::Groups), [1, 1, 60]);
}
