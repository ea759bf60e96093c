//! Building the index of a segment from its records, told in order.

use std::collections::BTreeMap;

use foundation_types::{Error, ErrorKind, Result, Stamp, Version};

use super::super::scan::Cursor;
use super::super::segment::SegmentHeader;
use super::blocks::{self, Block};
use super::directory::Directory;
use super::filter::Filter;
use super::grain::Grain;
use super::hash::TermHasher;
use super::header::{Header, Sections};
use super::names::{NameKind, Posted, add_name};
use super::page::{PAGE_BYTES, Section, add_bytes, add_page, seal};
use super::postings::add_list;
use super::terms::{self, Lead};
use super::times;
use super::{Summary, Term};
use crate::record::{EventView, IdBytes, IdView, Record};

/// Builds the index of one segment. It takes memory for about 50 bytes a record, and more for
/// each stream.
pub(in crate::journal::embedded) struct IndexBuilder {
    header: SegmentHeader,
    grain: Grain,
    hasher: TermHasher,
    records: u32,
    /// Number of the next record, counted from the first of the segment: those that were lost to
    /// damage count.
    next: u32,
    unreadable: u64,
    stamps: Option<(Stamp, Stamp)>,
    blocks: Vec<Block>,
    /// Time and offset of every event.
    times: Vec<(i64, u32)>,
    /// Hash and posting of every id, correlation, parent and tag.
    hashed: Vec<(u64, u32)>,
    types: BTreeMap<Vec<u8>, Posted>,
    streams: BTreeMap<Vec<u8>, Posted>,
}

impl IndexBuilder {
    pub(in crate::journal::embedded) fn new(header: SegmentHeader, grain: Grain) -> Self {
        Self {
            header,
            grain,
            hasher: TermHasher::new(header.store),
            records: 0,
            next: 0,
            unreadable: 0,
            stamps: None,
            blocks: Vec::new(),
            times: Vec::new(),
            hashed: Vec::new(),
            types: BTreeMap::new(),
            streams: BTreeMap::new(),
        }
    }

    /// Adds the next record, whose frame stands at `offset` in the segment.
    ///
    /// # Errors
    /// `Internal` if it is not the next one, or if the offset is beyond 4 GiB, which no segment
    /// reaches.
    pub(in crate::journal::embedded) fn add(&mut self, record: &Record, offset: u64) -> Result<()> {
        let refused = |what: &str| {
            Error::new(ErrorKind::Internal, format!("a record cannot be indexed: {what}"))
                .with("position", record.position())
                .with("offset", offset)
        };
        let offset = u32::try_from(offset).map_err(|_| refused("it stands too far behind"))?;
        let number = record.position().to_engine().checked_sub(self.header.first);
        let number = number.and_then(|number| u32::try_from(number).ok());
        let number = number.filter(|number| *number == self.next);
        let number = number.ok_or_else(|| refused("it is not the next one"))?;
        let is_behind = self.blocks.last().is_none_or(|block| offset > block.offset);
        if !is_behind {
            return Err(refused("it is not the next one"));
        }
        let first = self.stamps.map_or(record.stamp(), |(first, _)| first);
        self.stamps = Some((first, record.stamp()));
        let begins = |block: &Block| offset - block.offset >= self.grain.span_bytes();
        if self.blocks.last().is_none_or(begins) {
            self.blocks.push(Block::new(number, offset));
        }
        self.next = number.checked_add(1).ok_or_else(|| refused("there are too many"))?;
        self.records += 1;
        match record.event() {
            Ok(event) => {
                self.add_event(&event, event.time_or(record.recorded()).as_unix_micros(), offset)
            }
            Err(_) => self.unreadable += 1,
        }
        Ok(())
    }

    /// Goes on with this record: those before it were lost to damage.
    pub(in crate::journal::embedded) fn pass_over(&mut self, next: u64) {
        let number = u32::try_from(next.saturating_sub(self.header.first)).unwrap_or(u32::MAX);
        self.next = self.next.max(number);
    }

    fn add_event(&mut self, event: &EventView<'_>, time: i64, offset: u32) {
        if let Some(block) = self.blocks.last_mut() {
            block.include(time);
        }
        self.times.push((time, offset));
        let place = match self.grain {
            Grain::Frames => offset,
            Grain::Stretches => self.blocks.len() as u32,
        };
        let id = match event.id {
            IdView::Text(text) => IdBytes::Text(text.as_bytes()),
            IdView::Uuid(bits) => IdBytes::Uuid(bits),
        };
        self.hashed.push((self.hasher.hash(Term::Id(id)), place));
        if let Some(correlation) = event.correlation {
            let term = Term::Correlation(correlation.as_bytes());
            self.hashed.push((self.hasher.hash(term), place));
        }
        let parent = event.parent.map(|id| Term::Parent(id.as_bytes()));
        let tags = event.tags.iter().map(|tag| Term::Tag(tag.as_bytes()));
        for term in parent.into_iter().chain(tags) {
            self.hashed.push((self.hasher.hash(term), place));
        }
        post(&mut self.types, event.kind, Version::NONE, place);
        post(&mut self.streams, event.stream, event.version, place);
    }

    /// The bytes of the file. `end` is the place after the last group whose records were added.
    pub(in crate::journal::embedded) fn finish(mut self, end: Cursor, sealed: bool) -> Vec<u8> {
        let (mut lists, mut names, mut terms) = (Vec::new(), Vec::new(), Vec::new());
        self.add_hashed(&mut lists, &mut terms);
        let counts = (self.types.len() as u32, self.streams.len() as u32);
        for (name, posted) in std::mem::take(&mut self.types) {
            let address = add_name(&mut names, &mut lists, NameKind::Type, &name, &posted);
            terms.push((self.hasher.hash(Term::Type(&name)), Lead::Name(address)));
        }
        let streams_start = names.len() as u64;
        for (name, posted) in std::mem::take(&mut self.streams) {
            let address = add_name(&mut names, &mut lists, NameKind::Stream, &name, &posted);
            terms.push((self.hasher.hash(Term::Stream(&name)), Lead::Name(address)));
        }
        terms.sort_unstable_by_key(|(hash, _)| *hash);
        let mut filter = Filter::for_terms(terms.len() as u64);
        terms.iter().for_each(|(hash, _)| filter.add(*hash));

        let mut file = Vec::new();
        add_page(&mut file, &[]);
        let sections = self.add_sections(&mut file, [lists, names], &terms, filter);
        let header = Header {
            grain: self.grain,
            summary: self.summary(end, sealed),
            types: counts.0,
            streams: counts.1,
            streams_start,
            sections,
        };
        seal_all(&mut file, &header, self.header);
        file
    }

    /// Gives each id, correlation, parent and tag what leads on from it.
    fn add_hashed(&mut self, lists: &mut Vec<u8>, terms: &mut Vec<(u64, Lead)>) {
        let mut hashed = std::mem::take(&mut self.hashed);
        hashed.sort_unstable();
        let mut places = Vec::new();
        for group in hashed.chunk_by(|(one, _), (other, _)| one == other) {
            places.clear();
            places.extend(group.iter().map(|(_, place)| *place));
            // Two terms of one record may share a hash, and two records a stretch.
            places.dedup();
            let lead = match places.as_slice() {
                [only] => Lead::Frame(*only),
                places => Lead::List(add_list(lists, places)),
            };
            terms.extend(group.first().map(|(hash, _)| (*hash, lead)));
        }
    }

    fn add_sections(
        &mut self,
        file: &mut Vec<u8>,
        [lists, names]: [Vec<u8>; 2],
        terms: &[(u64, Lead)],
        filter: Filter,
    ) -> Sections {
        let mut sections = Sections::default();
        let mut directory = Directory { filter, ..Directory::default() };
        self.times.sort_unstable();
        // Of stretches the blocks tell enough: each is read as a whole.
        let are_scattered =
            self.grain == Grain::Frames && times::are_scattered(&self.times, &self.blocks);
        let times = if are_scattered { self.times.as_slice() } else { &[] };

        sections.lists = section(file, lists.len(), |file| add_bytes(file, &lists));
        sections.names = section(file, names.len(), |file| add_bytes(file, &names));
        sections.terms = section(file, terms.len(), |file| {
            directory.terms = terms::add_table(file, terms, self.grain);
        });
        sections.blocks = section(file, self.blocks.len(), |file| {
            directory.blocks = blocks::add_table(file, &self.blocks);
        });
        sections.times = section(file, times.len(), |file| {
            directory.times = times::add_list(file, times);
        });
        let directory = directory.to_bytes();
        sections.directory = section(file, directory.len(), |file| add_bytes(file, &directory));
        sections
    }

    fn summary(&self, end: Cursor, sealed: bool) -> Summary {
        let times = self.times.first().zip(self.times.last());
        Summary {
            first: self.header.first,
            end,
            sealed,
            records: self.records.into(),
            unreadable: self.unreadable,
            first_stamp: self.stamps.map(|(first, _)| first),
            last_stamp: self.stamps.map(|(_, last)| last),
            times: times.map(|((earliest, _), (latest, _))| *earliest..=*latest),
        }
    }
}

fn post(names: &mut BTreeMap<Vec<u8>, Posted>, name: &str, version: Version, place: u32) {
    // Looked up first: most names are there, and a look-up by the text makes no copy of it.
    let posted = match names.get_mut(name.as_bytes()) {
        Some(posted) => posted,
        None => names.entry(name.as_bytes().to_vec()).or_default(),
    };
    posted.version = version;
    posted.records += 1;
    if posted.places.last() != Some(&place) {
        posted.places.push(place);
    }
}

/// Adds a section; says where it is.
fn section(file: &mut Vec<u8>, items: usize, add: impl FnOnce(&mut Vec<u8>)) -> Section {
    let first = page_count(file);
    add(file);
    Section { first, pages: page_count(file) - first, items: items as u64 }
}

fn page_count(file: &[u8]) -> u32 {
    (file.len() / PAGE_BYTES) as u32
}

/// Writes the first page and all checksums.
fn seal_all(file: &mut [u8], header: &Header, segment: SegmentHeader) {
    let mut seed = segment.seed();
    for (number, page) in file.chunks_exact_mut(PAGE_BYTES).enumerate() {
        if number == 0 {
            let bytes = header.to_bytes(segment);
            page[..bytes.len()].copy_from_slice(&bytes);
            seed = seal(page, 0, seed);
        } else {
            seal(page, number as u32, seed);
        }
    }
}
