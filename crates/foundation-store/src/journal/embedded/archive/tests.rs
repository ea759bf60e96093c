//! Laws of archive files: what is packed comes back, block by block, and nothing that is not what
//! was written does.

mod columns;
mod sizes;

use std::sync::Arc;

use foundation_types::{ErrorKind, StoreId, limits};
use proptest::prelude::*;

use super::super::index::Summary;
use super::super::scan::Cursor;
use super::super::segment::SegmentHeader;
use super::container::{self, Header};
use super::manifest::{ArchivedSegment, Manifest, name_of};
use super::reader::{table_of, whole};
use super::store::{ArchiveDirectory, ArchiveStore};
use crate::disk::MemoryDisk;

const STORE: StoreId = StoreId::from_bits(7);
const HEADER: SegmentHeader =
    SegmentHeader { store: STORE, epoch: 2, first: 5, previous: 9, salt: 11 };

/// Bytes that have the shape of a segment: a header, and frames of these lengths.
fn segment_of(lengths: &[usize], noise: u64) -> (Vec<u8>, u64) {
    let mut raw = HEADER.to_bytes().to_vec();
    let (mut next, mut bits) = (HEADER.first, noise | 1);
    for length in lengths {
        raw.extend_from_slice(&(*length as u32).to_le_bytes());
        raw.extend_from_slice(&[1; 4]);
        raw.extend_from_slice(&next.to_le_bytes());
        raw.extend_from_slice(&[2; 24]);
        for _ in 0..*length {
            bits = bits.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            raw.push((bits >> 60) as u8);
        }
        next += 1;
    }
    (raw, next - 1)
}

fn summary(raw: &[u8], last: u64) -> Summary {
    let end = Cursor { offset: raw.len() as u64, next: last + 1, chain: 3 };
    Summary {
        first: HEADER.first,
        end,
        sealed: true,
        records: last + 1 - HEADER.first,
        unreadable: 0,
        first_stamp: None,
        last_stamp: None,
        times: None,
    }
}

fn pack(raw: &[u8], last: u64) -> Vec<u8> {
    container::pack(HEADER, &summary(raw, last), raw).expect("is packed")
}

fn described(packed: &[u8]) -> ArchivedSegment {
    ArchivedSegment::of(&Header::read(packed, "it").expect("reads"), packed.len() as u64)
}

/// An archive with this segment.
fn archive_of(raw: &[u8], last: u64) -> (ArchiveDirectory, ArchivedSegment, Vec<u8>) {
    let packed = pack(raw, last);
    let archived = described(&packed);
    let store = ArchiveDirectory::on(Arc::new(MemoryDisk::default()));
    store.put(&archived.name, &packed).expect("is kept");
    (store, archived, packed)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_packed_comes_back_and_every_block_begins_with_a_frame(
        lengths in proptest::collection::vec(0_usize..90_000, 0..12),
        noise in any::<u64>(),
    ) {
        let (raw, last) = segment_of(&lengths, noise);
        let (store, archived, packed) = archive_of(&raw, last);
        prop_assert_eq!(&whole(&store, &archived).expect("is whole"), &raw);
        let table = table_of(&store, &archived).expect("reads");
        prop_assert_eq!(table.file_bytes(), packed.len() as u64);
        let largest = limits::ARCHIVE_BLOCK_BYTES + 90_040;
        for block in &table.blocks {
            prop_assert!((block.raw_length as usize) < largest);
            let at = block.raw_offset as usize;
            let number = raw[at + 8..at + 16].try_into().expect("eight bytes");
            prop_assert_eq!(u64::from_le_bytes(number), block.first);
        }
        for (at, block) in table.blocks.iter().enumerate() {
            prop_assert_eq!(table.holding(u64::from(block.raw_offset)), Some(at));
        }
        prop_assert_eq!(table.holding(raw.len() as u64), None);
    }
}

#[test]
fn every_flipped_bit_and_every_cut_of_an_archive_file_is_told() {
    let (raw, last) = segment_of(&[40, 200, 30], 3);
    let (store, archived, packed) = archive_of(&raw, last);
    for bit in 0..packed.len() * 8 {
        let mut flipped = packed.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        store.put(&archived.name, &flipped).expect("is kept");
        let error = whole(&store, &archived).expect_err("is told");
        assert_eq!(error.kind(), ErrorKind::Corruption, "bit {bit}: {error}");
        assert!(error.context().iter().any(|(name, _)| name == "range"), "bit {bit}");
    }
    for length in 0..packed.len() {
        store.put(&archived.name, &packed[..length]).expect("is kept");
        let error = whole(&store, &archived).expect_err("is told");
        assert_eq!(error.kind(), ErrorKind::Corruption, "{length} bytes: {error}");
    }
}

#[test]
fn a_block_that_is_damaged_costs_no_other_block() {
    let (raw, last) = segment_of(&[70_000; 6], 5);
    let (store, archived, mut packed) = archive_of(&raw, last);
    let table = table_of(&store, &archived).expect("reads");
    assert_eq!(table.blocks.len(), 3);
    packed[table.blocks[1].range().start as usize] ^= 1;
    store.put(&archived.name, &packed).expect("is kept");
    let unpack = |number: usize| {
        let range = table.blocks[number].range();
        table.unpack(number, &store.get_range(&archived.name, range).expect("reads"), "it")
    };
    assert!(unpack(0).is_ok() && unpack(2).is_ok());
    let error = unpack(1).expect_err("is told");
    assert_eq!(error.kind(), ErrorKind::Corruption);
}

#[test]
fn a_block_in_the_place_of_another_is_told() {
    let (raw, last) = segment_of(&[70_000; 6], 5);
    let (store, archived, _) = archive_of(&raw, last);
    let table = table_of(&store, &archived).expect("reads");
    let body = store.get_range(&archived.name, table.blocks[0].range()).expect("reads");
    assert!(table.unpack(0, &body, "it").is_ok());
    assert!(table.unpack(1, &body, "it").is_err());
}

#[test]
fn a_newer_format_is_told_apart_from_damage() {
    let (raw, last) = segment_of(&[40], 3);
    let mut packed = pack(&raw, last);
    for format in [1, 3] {
        packed[8] = format;
        let sum = crc32c::crc32c(&packed[..156]);
        packed[156..160].copy_from_slice(&sum.to_le_bytes());
        let error = Header::read(&packed, "it").expect_err("is refused");
        assert_eq!(error.kind(), ErrorKind::UnknownFormat);
    }
}

#[test]
fn a_manifest_is_read_as_written_and_no_flipped_bit_is() {
    let (raw, last) = segment_of(&[40, 10], 3);
    let disk = MemoryDisk::default();
    let manifest = Manifest::new(STORE, "archive".to_owned());
    let manifest = manifest.with(described(&pack(&raw, last))).expect("has room");
    manifest.write(&disk).expect("written");
    assert_eq!(Manifest::read(&disk).expect("reads"), Some(manifest.clone()));
    assert_eq!(manifest.of(5).map(|one| one.name.clone()), Some(name_of(5)));
    assert!(manifest.without(5).segments().is_empty());
    let bytes = manifest.to_bytes().expect("is JSON");
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let error = Manifest::of_bytes(&flipped).expect_err("is told");
        assert_eq!(error.kind(), ErrorKind::Corruption, "bit {bit}");
    }
}

#[test]
fn a_manifest_has_no_name_but_those_of_segments() {
    let (raw, last) = segment_of(&[40, 10], 3);
    for name in ["../STORE", "", "00000000000000000006.arc", "00000000000000000005.seg"] {
        let forged = ArchivedSegment { name: name.to_owned(), ..described(&pack(&raw, last)) };
        let manifest = Manifest::new(STORE, "archive".to_owned()).with(forged).expect("has room");
        let bytes = manifest.to_bytes().expect("is JSON");
        let error = Manifest::of_bytes(&bytes).expect_err("is refused");
        assert_eq!(error.kind(), ErrorKind::Corruption, "{name}");
    }
}

/// A segment whose frames are sealed, so that its blocks are kept in columns.
fn sealed_segment(records: u64) -> (Vec<u8>, u64) {
    let start = super::columns::Start { seed: HEADER.seed(), chain: HEADER.previous };
    let mut framed = columns::Framed::new(start);
    for sequence in HEADER.first..HEADER.first + records {
        framed.group(sequence, 1, 60);
    }
    ([&HEADER.to_bytes()[..], &framed.bytes].concat(), HEADER.first + records - 1)
}

#[test]
fn every_flipped_bit_of_a_file_in_columns_is_told() {
    let (raw, last) = sealed_segment(6);
    let (store, archived, packed) = archive_of(&raw, last);
    assert_eq!(whole(&store, &archived).expect("is whole"), raw);
    for bit in 0..packed.len() * 8 {
        let mut flipped = packed.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        store.put(&archived.name, &flipped).expect("is kept");
        let error = whole(&store, &archived).expect_err("is told");
        assert_eq!(error.kind(), ErrorKind::Corruption, "bit {bit}: {error}");
    }
}

#[test]
fn a_block_that_comes_out_otherwise_than_it_went_in_is_told() {
    let (raw, last) = sealed_segment(6);
    let (store, archived, mut packed) = archive_of(&raw, last);
    // The chain before the block is what its frames are sealed after: another one, and all that
    // guards the file right again.
    let table = 160..packed.len();
    packed[table.start + 20] ^= 1;
    let sum = u32::from_le_bytes(packed[156..160].try_into().expect("four bytes"));
    let of = crc32c::crc32c_append(sum, &packed[160..196]);
    packed[196..200].copy_from_slice(&of.to_le_bytes());
    store.put(&archived.name, &packed).expect("is kept");
    let error = whole(&store, &archived).expect_err("is told");
    assert!(error.message().contains("not what it was made of"), "{error}");
}
