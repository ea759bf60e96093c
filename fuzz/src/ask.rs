//! Everything that a journal can be asked, and what must hold of the answers.

use foundation_logic::event::{EventKeys, matches};
use foundation_store::disk::MemoryDisk;
use foundation_store::journal::{Embedded, Journal, Mode, verify_store};
use foundation_store::record::{Record, RecordKind};
use foundation_types::{Event, EventQuery, Order, Position, Result, StreamName, Timestamp};

use crate::store::{self, From, Opened, SEGMENT_BYTES, said, wait};

/// Bytes that one reading asks for: a few records.
const PAGE_BYTES: usize = 4 << 10;
/// Steps after which a search that comes to no end is told.
const STEPS_MAX: usize = 10_000;

/// What the journal gives out from its beginning on.
///
/// # Errors
/// As [`Journal::read_after`].
///
/// # Panics
/// If it never ends.
pub fn forward(journal: &Embedded) -> Result<Vec<String>> {
    let (mut read, mut cursor) = (Vec::new(), journal.extent().before_first);
    for _ in 0..STEPS_MAX {
        let page = wait(journal.read_after(cursor, PAGE_BYTES))?;
        let Some(last) = page.last() else { return Ok(read) };
        assert!(last.position() > cursor, "reading goes on");
        cursor = last.position();
        read.extend(page.iter().map(said));
    }
    panic!("reading comes to no end");
}

/// The same from its end back, in the order of the log.
///
/// # Errors
/// As [`Journal::read_before`].
///
/// # Panics
/// If it never ends.
pub fn backward(journal: &Embedded) -> Result<Vec<String>> {
    let (mut read, mut cursor) = (Vec::new(), Position::END);
    for _ in 0..STEPS_MAX {
        let page = wait(journal.read_before(cursor, PAGE_BYTES))?;
        let Some(first) = page.first() else {
            read.reverse();
            return Ok(read);
        };
        assert!(first.position() < cursor, "reading goes on");
        cursor = first.position();
        read.extend(page.iter().rev().map(said));
    }
    panic!("reading comes to no end");
}

/// Positions of the records that answer a query, in its order.
///
/// # Errors
/// As [`Journal::find`].
///
/// # Panics
/// If it never ends.
pub fn found(journal: &Embedded, query: &EventQuery) -> Result<Vec<Position>> {
    let mut all = Vec::new();
    let mut cursor = match query.order {
        Order::Asc => Position::START,
        Order::Desc => Position::END,
    };
    for _ in 0..STEPS_MAX {
        let step = wait(journal.find(query, cursor, Position::END))?;
        let fitting = step.records.iter().filter(|record| answers(query, record));
        all.extend(fitting.map(Record::position));
        match step.cursor {
            None => return Ok(all),
            Some(next) => {
                assert!(if query.order == Order::Asc { next > cursor } else { next < cursor });
                cursor = next;
            }
        }
    }
    panic!("a search comes to no end");
}

fn answers(query: &EventQuery, record: &Record) -> bool {
    record.event().is_ok_and(|event| {
        let keys = EventKeys {
            position: record.position(),
            stream: event.stream,
            kind: event.kind,
            correlation: event.correlation,
            parent: event.parent,
            source: event.source,
            subject: event.subject,
            time: event.time_or(record.recorded()),
            tags: event.tags,
            data: event.data,
        };
        matches(query, &keys)
    })
}

/// Queries by everything that an index finds by, in both orders.
#[must_use]
pub fn queries() -> Vec<EventQuery> {
    let moment = Timestamp::from_unix_micros;
    let all = EventQuery::all;
    vec![
        all(),
        all().kind("placed").newest_first(),
        all().kind("paid").stream("rare"),
        all().stream("rare").newest_first(),
        all().correlation("story 7"),
        all().correlation("story 9").kind("placed").newest_first(),
        all().since(moment(100)).until(moment(120)),
        all().since(moment(490)).kind("paid").newest_first(),
        all().kind("never"),
    ]
}

/// What the journal says to all questions.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answers {
    found: Vec<Vec<Position>>,
    ids: Vec<Option<Position>>,
    heads: Vec<u64>,
    some: Vec<String>,
}

/// Asks everything.
///
/// # Errors
/// The first that an answer is.
pub fn everything(opened: &Opened) -> Result<Answers> {
    let journal = &opened.journal;
    let mut answers = Answers::default();
    for query in queries() {
        answers.found.push(found(journal, &query)?);
    }
    for id in ["00000000-0000-4000-8000-000000000008", "7", "201", "none"] {
        // What followers were told of they know; what they were not told of has an index.
        let known = match opened.log.position_of(id) {
            None if journal.may_hold(id) => {
                wait(journal.find_id(id))?.map(|record| record.position())
            }
            known => known,
        };
        answers.ids.push(known);
    }
    for stream in ["events", "rare", "never"] {
        answers.heads.push(journal.head(&StreamName::from(stream))?.number());
    }
    let last = journal.extent().last.to_engine();
    for at in [1, last / 2, last].into_iter().filter(|at| *at > 0) {
        answers.some.push(said(&wait(journal.record(Position::from_engine(at)))?));
    }
    Ok(answers)
}

/// Opens the store on `disk` in each way that there is and asks it everything.
///
/// # Panics
/// If what is told, read forward, read backward, and found is not the same; or if what an owner
/// appends to it cannot be read back.
pub fn all_ways(disk: &MemoryDisk) {
    let _ = verify_store(disk);
    for mode in [Mode::Peek, Mode::Read] {
        if let Ok(opened) = store::open(disk, mode, From::Beginning, SEGMENT_BYTES) {
            agrees(&opened);
        }
        if let Ok(opened) = store::open(disk, mode, From::Snapshot, SEGMENT_BYTES) {
            let _ = (forward(&opened.journal), backward(&opened.journal));
            let _ = everything(&opened);
        }
    }
    if let Ok(opened) = store::open(disk, Mode::Write, From::Beginning, SEGMENT_BYTES) {
        agrees(&opened);
        goes_on(opened, disk);
    }
}

/// Whether all ways to read it say the same.
fn agrees(opened: &Opened) {
    let told = opened.told.all();
    let read = forward(&opened.journal);
    assert_eq!(read.as_ref().ok(), Some(&told), "{:?}", read.as_ref().err());
    let read = backward(&opened.journal);
    assert_eq!(read.as_ref().ok(), Some(&told), "{:?}", read.as_ref().err());
    let count = found(&opened.journal, &EventQuery::all()).map(|found| found.len());
    assert_eq!(count.as_ref().ok(), Some(&told.len()), "{:?}", count.as_ref().err());
    let _ = (everything(opened), opened.states());
}

/// Whether an owner can go on with it: what is appended is there when it is opened again.
fn goes_on(opened: Opened, disk: &MemoryDisk) {
    let mut told = opened.told.all();
    let event = Event::new("one.more").id("one more");
    let more = store::batch("more", RecordKind::Event, vec![event]);
    let appended = store::append(&opened.journal, more);
    let closed = wait(opened.journal.close());
    drop(opened);
    let again = store::open(disk, Mode::Read, From::Beginning, SEGMENT_BYTES);
    let again = again.expect("what an owner has written opens");
    let mut after = again.told.all();
    if let Ok(()) = appended {
        closed.expect("closes");
        let newest = after.pop();
        assert!(newest.is_some_and(|one| one.contains("one.more")), "what was acked is there");
    }
    after.truncate(told.len());
    told.truncate(after.len());
    assert_eq!(after, told);
    let mut damage = verify_store(disk).expect("reads").findings;
    // A slot of a mark that nobody wrote here is told for as long as it is there.
    damage.retain(|found| found.damage && !["WATERMARK", "FRONT"].contains(&found.file.as_str()));
    assert!(damage.is_empty(), "{damage:?}");
}
