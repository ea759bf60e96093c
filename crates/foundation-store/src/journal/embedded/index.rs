//! The index of one segment: a derived file beside it that answers what else takes a reading of
//! the whole segment.
//!
//! The file of segment `00000000000000000001.seg` is `00000000000000000001.idx`. It is written
//! once, from the records of the segment up to some group, and says up to which: the whole of a
//! sealed segment, or what an active one held when it was closed. Whoever finds none, or one that
//! is refused, builds it anew from the segment: nothing is lost with it.
//!
//! An [`IndexBuilder`] is told of each record and gives the bytes of the file. A [`SegmentIndex`]
//! is an open file, of which it keeps a summary, a directory and a filter of terms in memory. All
//! else is read page by page, and every page is verified each time.
//!
//! A *term* is what a record is found by: its id, type, stream, correlation, parent or tag. What is found by a
//! term is a *candidate*, the offset of a frame in the segment, or a stretch of frames if the index is that of an
//! archived segment ([`Grain`]): names are kept as hashes, so the
//! record is read and compared before it is an answer. No record that has the term is ever left
//! out, save those that cannot be decoded, which have no terms and are counted in the [`Summary`].

mod blocks;
mod build;
mod candidates;
mod directory;
mod filter;
mod grain;
mod hash;
mod header;
mod names;
mod page;
mod postings;
mod terms;
mod times;
pub(super) mod varint;

#[cfg(test)]
mod tests;

pub(super) use build::IndexBuilder;
pub(super) use candidates::Candidates;
pub(super) use grain::Grain;
pub(super) use header::{MAGIC, OWNER_BYTES, owner};

use std::ops::{Range, RangeInclusive};

use foundation_types::{EventQuery, Order, Result, Stamp, Timestamp, TypePattern, Version};

use super::scan::Cursor;
use super::segment::{HEADER_BYTES, SegmentHeader};
use crate::disk::DiskFile;
use crate::record::IdBytes;
use blocks::BlockTable;
use directory::Directory;
use hash::TermHasher;
use header::{Header, Sections};
use names::{Name, NameKind};
use page::{Pages, Reading};
use postings::{List, ListCursor};
use terms::Lead;
use times::TimeList;

/// The name of the index of the segment whose first record has this number.
pub(super) fn name_of(first: u64) -> String {
    format!("{first:020}.idx")
}

/// The number in the name of an index.
pub(super) fn first_of(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".idx")?;
    let proper = digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit());
    if proper { digits.parse().ok() } else { None }
}

/// What a record is found by.
#[derive(Clone, Copy, Debug)]
pub(super) enum Term<'a> {
    Id(IdBytes<'a>),
    Type(&'a [u8]),
    Stream(&'a [u8]),
    Correlation(&'a [u8]),
    Parent(&'a [u8]),
    Tag(&'a [u8]),
}

/// What an index says of its segment as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Summary {
    /// Sequence number of the first record.
    pub(super) first: u64,
    /// After the last group that is covered.
    pub(super) end: Cursor,
    /// Whether that is the end of the segment, to which nothing is added.
    pub(super) sealed: bool,
    /// Records that are covered.
    pub(super) records: u64,
    /// Those of them that cannot be decoded: no term leads to them.
    pub(super) unreadable: u64,
    /// Stamp of the first record.
    pub(super) first_stamp: Option<Stamp>,
    /// Stamp of the last record.
    pub(super) last_stamp: Option<Stamp>,
    /// The earliest and the latest time of an event, in microseconds since 1970.
    pub(super) times: Option<RangeInclusive<i64>>,
}

impl Summary {
    /// Sequence number of the last record that is covered; one before the first if none is.
    pub(super) fn last(&self) -> u64 {
        self.end.next.saturating_sub(1)
    }

    /// When the first record was recorded.
    pub(super) fn first_recorded(&self) -> Option<Timestamp> {
        self.first_stamp.map(Stamp::recorded)
    }
}

/// A stream in a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StreamEntry {
    pub(super) name: String,
    /// The version that its last record here made.
    pub(super) version: Version,
    /// Records of it in the segment.
    pub(super) records: u64,
}

/// Where a record may be that answers a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Candidate {
    /// In the frames at these offsets, ascending, which lie near each other.
    Frames(Vec<u64>),
    /// Among the frames in this stretch, which begins with a frame and ends after one.
    Stretch(Range<u64>),
}

/// An open index.
pub(super) struct SegmentIndex {
    pages: Pages,
    hasher: TermHasher,
    header: Header,
    directory: Directory,
}

impl SegmentIndex {
    /// Opens the index of the segment with this header; `name` is for messages.
    ///
    /// # Errors
    /// `ForeignFile` if it belongs to another segment, `UnknownFormat` if a newer program wrote
    /// it, `Corruption` if it is not what was written, `Disk` if it cannot be read. All reading
    /// methods fail with the last two.
    pub(super) fn open(
        file: Box<dyn DiskFile>,
        name: String,
        segment: &SegmentHeader,
    ) -> Result<Self> {
        let mut pages = Pages::new(file, name, segment.seed());
        let header = Header::read(&mut pages, segment)?;
        let directory = Directory::read(&mut Reading::new(&pages), &header.sections)?;
        Ok(Self { pages, hasher: TermHasher::new(segment.store), header, directory })
    }

    pub(super) fn summary(&self) -> &Summary {
        &self.header.summary
    }

    /// Whether a record with this term can be here; told from memory.
    pub(super) fn may_hold(&self, term: Term<'_>) -> bool {
        self.directory.filter.may_hold(self.hasher.hash(term))
    }

    /// Whether any record here can answer the query; told from memory.
    pub(super) fn can_answer(&self, query: &EventQuery) -> bool {
        let times = candidates::time_range(query);
        candidates::terms(query).all(|term| self.may_hold(term))
            && self.may_hold_types(&query.types)
            && times.is_none_or(|times| !self.has_none_in(&times))
    }

    /// Whether there may be a record of such a type: what begins alike is not known from memory.
    fn may_hold_types(&self, types: &[TypePattern]) -> bool {
        let may_hold = |pattern: &TypePattern| match pattern {
            TypePattern::Exact(kind) => self.may_hold(Term::Type(kind.as_str().as_bytes())),
            TypePattern::Prefix(_) => true,
        };
        types.is_empty() || types.iter().any(may_hold)
    }

    /// How finely it says where records are.
    pub(super) fn grain(&self) -> Grain {
        self.header.grain
    }

    /// Where the event with this id may be, in the order of the segment.
    pub(super) fn id(&self, id: IdBytes<'_>) -> Result<Vec<Candidate>> {
        let mut reading = Reading::new(&self.pages);
        let mut places = Vec::new();
        for lead in self.leads(&mut reading, Term::Id(id))? {
            self.places(&mut reading, lead, &(0..u64::MAX), &mut places)?;
        }
        places.sort_unstable();
        places.dedup();
        let table = self.block_table();
        let mut candidate = |place: u32| match self.grain() {
            Grain::Frames => Ok(Candidate::Frames(vec![place.into()])),
            Grain::Stretches => table.numbered(&mut reading, place).map(Candidate::Stretch),
        };
        places.into_iter().map(&mut candidate).collect()
    }

    /// The version that the last record of the stream in this segment made.
    pub(super) fn stream_version(&self, stream: &[u8]) -> Result<Option<Version>> {
        let entry = self.name(&mut Reading::new(&self.pages), Term::Stream(stream))?;
        Ok(entry.map(|entry| entry.version))
    }

    /// All types with the number of their records, by name.
    pub(super) fn types(&self) -> Result<Vec<(String, u64)>> {
        let of_type =
            |entry: Name, name| (entry.kind == NameKind::Type).then_some((name, entry.records));
        self.listed(0, self.header.types, of_type)
    }

    /// All streams, by name.
    pub(super) fn streams(&self) -> Result<Vec<StreamEntry>> {
        let of_stream = |entry: Name, name| {
            let Name { kind, records, version, .. } = entry;
            (kind == NameKind::Stream).then_some(StreamEntry { name, version, records })
        };
        self.listed(self.header.streams_start, self.header.streams, of_stream)
    }

    /// Where the records in `window` may be that answer the query, in its order. The window is a
    /// range of offsets, each of which is that of a frame or lies outside of all; cursor and
    /// limit of the query are not looked at.
    pub(super) fn candidates(
        &self,
        query: &EventQuery,
        window: Range<u64>,
    ) -> Result<Candidates<'_>> {
        Candidates::find(self, query, window)
    }

    /// The offset of a frame from which reading on reaches the record with this number.
    pub(super) fn offset_of(&self, sequence: u64) -> Result<u64> {
        let mut reading = Reading::new(&self.pages);
        let record = sequence.saturating_sub(self.header.summary.first);
        let table = self.block_table();
        let reached = table.before(&mut reading, |block| u64::from(block.record) <= record)?;
        match reached.checked_sub(1) {
            Some(at) => Ok(table.get(&mut reading, at)?.offset.into()),
            None => Ok(HEADER_BYTES),
        }
    }

    fn sections(&self) -> &Sections {
        &self.header.sections
    }

    fn block_table(&self) -> BlockTable<'_> {
        let end = self.header.summary.end.offset;
        BlockTable { section: &self.sections().blocks, pages: &self.directory.blocks, end }
    }

    fn time_list(&self) -> Option<TimeList<'_>> {
        let list = TimeList { section: &self.sections().times, pages: &self.directory.times };
        (list.section.items > 0).then_some(list)
    }

    /// Whether no event has a time in this range.
    fn has_none_in(&self, times: &RangeInclusive<i64>) -> bool {
        let here = self.header.summary.times.as_ref();
        times.is_empty()
            || here.is_none_or(|here| here.end() < times.start() || times.end() < here.start())
    }

    /// What leads on to the records of such types.
    fn type_leads(&self, reading: &mut Reading<'_>, patterns: &[TypePattern]) -> Result<Vec<Lead>> {
        let is_exact = |pattern: &TypePattern| matches!(pattern, TypePattern::Exact(_));
        if !patterns.iter().all(is_exact) {
            let admitted = |entry: Name, name: String| {
                let is_asked_for = patterns.iter().any(|pattern| pattern.admits(&name));
                (entry.kind == NameKind::Type).then_some(is_asked_for.then_some(entry.lead))
            };
            let leads = self.listed(0, self.header.types, admitted)?;
            return Ok(leads.into_iter().flatten().collect());
        }
        let mut leads = Vec::new();
        for pattern in patterns {
            if let TypePattern::Exact(kind) = pattern {
                leads.extend(self.leads(reading, Term::Type(kind.as_str().as_bytes()))?);
            }
        }
        Ok(leads)
    }

    /// What leads on to the records with a term, and perhaps to others.
    fn leads(&self, reading: &mut Reading<'_>, term: Term<'_>) -> Result<Vec<Lead>> {
        if let Term::Type(_) | Term::Stream(_) = term {
            return Ok(self.name(reading, term)?.map(|entry| entry.lead).into_iter().collect());
        }
        let mut leads = self.hashed(reading, term)?;
        leads.retain(|lead| !matches!(lead, Lead::Name(_)));
        Ok(leads)
    }

    /// The entry of a type or a stream.
    fn name(&self, reading: &mut Reading<'_>, term: Term<'_>) -> Result<Option<Name>> {
        let (kind, name) = match term {
            Term::Type(name) => (NameKind::Type, name),
            Term::Stream(name) => (NameKind::Stream, name),
            _ => return Ok(None),
        };
        for lead in self.hashed(reading, term)? {
            if let Lead::Name(address) = lead {
                let (entry, _) = names::read(reading, &self.sections().names, address)?;
                if entry.kind == kind && entry.name == name {
                    return Ok(Some(entry));
                }
            }
        }
        Ok(None)
    }

    fn hashed(&self, reading: &mut Reading<'_>, term: Term<'_>) -> Result<Vec<Lead>> {
        let hash = self.hasher.hash(term);
        if !self.directory.filter.may_hold(hash) {
            return Ok(Vec::new());
        }
        let kept = self.grain().kept(hash);
        terms::find(reading, &self.sections().terms, &self.directory.terms, kept)
    }

    /// Adds the postings in a window that something leads to.
    fn places(
        &self,
        reading: &mut Reading<'_>,
        lead: Lead,
        window: &Range<u64>,
        places: &mut Vec<u32>,
    ) -> Result<()> {
        match lead {
            Lead::Frame(place) if window.contains(&u64::from(place)) => places.push(place),
            Lead::Frame(_) | Lead::Name(_) => {}
            Lead::List(address) => {
                let list = List::read(reading, &self.sections().lists, address)?;
                let mut cursor = ListCursor::new(list, list.within(reading, window)?);
                while let Some(place) = cursor.next(reading, Order::Asc)? {
                    places.push(place);
                }
            }
        }
        Ok(())
    }

    /// This many entries of the names from an address on.
    fn listed<T>(
        &self,
        mut address: u64,
        count: u32,
        entry_of: impl Fn(Name, String) -> Option<T>,
    ) -> Result<Vec<T>> {
        let section = &self.sections().names;
        let mut reading = Reading::new(&self.pages);
        let mut entries = Vec::new();
        for _ in 0..count {
            let (mut entry, next) = names::read(&mut reading, section, address)?;
            let name = String::from_utf8(std::mem::take(&mut entry.name)).ok();
            let entry = name.and_then(|name| entry_of(entry, name));
            let what = "a name is not text or not where it belongs";
            entries.push(entry.ok_or_else(|| reading.damaged_at(section, address, what))?);
            address = next;
        }
        Ok(entries)
    }
}
