//! The parts alone, where a whole index does not reach.

use super::super::filter::Filter;
use super::super::header::Sections;
use super::super::page::{PAGE_BYTES, Pages, Reading, Section, add_page, seal};
use super::super::postings::{List, ListCursor, add_list};
use super::super::terms::{self, Lead};
use super::super::{Grain, IndexBuilder, page, varint};
use super::sample::{Bytes, Draft, Sample, header};
use crate::record::reader::Reader;
use foundation_types::{ErrorKind, Event, Order};
use proptest::prelude::*;

/// Pages that are sealed, behind an empty first one.
fn pages_of(add: impl FnOnce(&mut Vec<u8>)) -> Pages {
    let mut file = Vec::new();
    add_page(&mut file, &[]);
    add(&mut file);
    for (number, page) in file.chunks_exact_mut(PAGE_BYTES).enumerate() {
        seal(page, number as u32, 1);
    }
    Pages::new(Box::new(Bytes::of(file)), "x.idx".to_owned(), 1)
}

proptest! {
    #[test]
    fn a_number_is_read_as_it_was_written(number: u64) {
        let mut bytes = Vec::new();
        varint::put(&mut bytes, number);
        prop_assert_eq!(varint::get(&mut Reader(&bytes)), Some(number));
        bytes.pop();
        prop_assert_eq!(varint::get(&mut Reader(&bytes)), None);
    }

    #[test]
    fn a_list_gives_each_window_from_either_end(
        steps in prop::collection::vec(1..9_000_u32, 1..700), start: u64, end: u64,
    ) {
        let mut offsets = steps.clone();
        for at in 1..offsets.len() {
            offsets[at] += offsets[at - 1];
        }
        let last = u64::from(offsets[offsets.len() - 1]);
        let window = start % (last + 2)..end % (last + 2);
        // Behind another list, so that its address says something.
        let mut bytes = Vec::new();
        add_list(&mut bytes, &[5, 6, 7]);
        let address = add_list(&mut bytes, &offsets);
        let pages = pages_of(|file| page::add_bytes(file, &bytes));
        let section = Section { first: 1, pages: 9, items: bytes.len() as u64 };
        let mut reading = Reading::new(&pages);
        let list = List::read(&mut reading, &section, address).expect("reads");
        let range = list.within(&mut reading, &window).expect("reads");
        let mut wanted: Vec<u32> =
            offsets.iter().copied().filter(|one| window.contains(&(*one).into())).collect();
        for order in [Order::Asc, Order::Desc] {
            let mut cursor = ListCursor::new(list, range.clone());
            let mut found = Vec::new();
            while let Some(offset) = cursor.next(&mut reading, order).expect("reads") {
                found.push(offset);
            }
            prop_assert_eq!(&found, &wanted);
            wanted.reverse();
        }
    }
}

#[test]
fn terms_that_share_the_kept_part_of_a_hash_are_all_found() {
    let hash = |at: u64| ((at / 700) << 24) | (at % 700);
    let terms: Vec<(u64, Lead)> = (0..7_000).map(|at| (hash(at), Lead::Frame(at as u32))).collect();
    let mut firsts = Vec::new();
    let pages = pages_of(|file| firsts = terms::add_table(file, &terms, Grain::Frames));
    let section = Section { first: 1, pages: firsts.len() as u32, items: 7_000 };
    assert!(firsts.len() > 5, "they go over several pages");
    for group in 0..10_u64 {
        let leads = terms::find(
            &mut Reading::new(&pages),
            &section,
            &firsts,
            Grain::Frames.kept((group << 24) | 99),
        );
        let wanted: Vec<Lead> =
            (group * 700..(group + 1) * 700).map(|at| Lead::Frame(at as u32)).collect();
        assert_eq!(leads.expect("reads"), wanted);
    }
    let absent =
        terms::find(&mut Reading::new(&pages), &section, &firsts, Grain::Frames.kept(10 << 24));
    assert_eq!(absent.expect("reads"), []);
}

#[test]
fn a_filter_holds_its_terms_and_few_others() {
    let hash = |at: u64| {
        at.wrapping_mul(0x9e37_79b9_7f4a_7c15)
            ^ at.wrapping_mul(0xd6e8_feb8_6659_fd93).rotate_left(31)
    };
    let mut filter = Filter::for_terms(20_000);
    (0..20_000).for_each(|at| filter.add(hash(at)));
    let mut bytes = Vec::new();
    filter.write(&mut bytes);
    let read = Filter::read(&bytes, 20_000).expect("is one");
    assert_eq!(read, filter);
    assert_eq!(Filter::read(&bytes, 30_000), None);
    assert!((0..20_000).all(|at| read.may_hold(hash(at))));
    let others = (20_000..220_000).filter(|at| read.may_hold(hash(*at))).count();
    println!("{} bytes for 20,000 terms, {others} of 200,000 others are let through", bytes.len());
    assert!(others < 4_000, "{others}");
    assert!(!Filter::for_terms(0).may_hold(7));
}

#[test]
fn a_planted_wrong_checksum_is_caught() {
    let pages = pages_of(|file| {
        add_page(file, b"right");
        add_page(file, b"also right");
    });
    let section = Section { first: 1, pages: 2, items: 2 };
    let mut reading = Reading::new(&pages);
    assert!(reading.page(&section, 1).is_ok());
    let mut wrong = Pages::new(Box::new(Bytes::of(vec![0; 3 * PAGE_BYTES])), "x.idx".to_owned(), 1);
    let error = Reading::new(&wrong).page(&section, 1).expect_err("is refused");
    assert_eq!(error.kind(), ErrorKind::Corruption);
    assert!(error.context().contains(&("range".to_owned(), "8192..12288".to_owned())), "{error:?}");
    wrong.seed = 2;
    assert!(Reading::new(&wrong).page(&section, 0).is_err());
}

#[test]
fn a_record_that_is_not_the_next_one_is_refused() {
    let sample = Sample::of(&[
        Draft::new("a", Event::new("b").id("1")),
        Draft::new("a", Event::new("b").id("2")),
    ]);
    let mut builder = IndexBuilder::new(header(), Grain::Frames);
    let kind = |outcome: foundation_types::Result<()>| outcome.err().map(|error| error.kind());
    assert_eq!(kind(builder.add(&sample.records[1], 120)), Some(ErrorKind::Internal));
    assert_eq!(kind(builder.add(&sample.records[0], 1 << 32)), Some(ErrorKind::Internal));
    assert_eq!(kind(builder.add(&sample.records[0], 120)), None);
    assert_eq!(kind(builder.add(&sample.records[1], 120)), Some(ErrorKind::Internal));
    assert_eq!(Sections::default().lists.items, 0);
}
