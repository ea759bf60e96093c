//! What an open index keeps in memory: which page holds what, and the filter of terms.

use foundation_types::Result;

use super::blocks::Block;
use super::filter::Filter;
use super::header::Sections;
use super::page::Reading;
use super::times::TimesPage;
use crate::record::reader::Reader;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Directory {
    /// The first hash on each page of terms.
    pub(super) terms: Vec<u64>,
    /// What each page of the table of blocks is about.
    pub(super) blocks: Vec<Block>,
    /// What each page of the list of times is about.
    pub(super) times: Vec<TimesPage>,
    pub(super) filter: Filter,
}

impl Directory {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.terms.iter().for_each(|first| bytes.extend_from_slice(&first.to_le_bytes()));
        self.blocks.iter().for_each(|page| page.write(&mut bytes));
        self.times.iter().for_each(|page| page.write(&mut bytes));
        self.filter.write(&mut bytes);
        bytes
    }

    pub(super) fn read(reading: &mut Reading<'_>, sections: &Sections) -> Result<Self> {
        let section = &sections.directory;
        let length = usize::try_from(section.items).unwrap_or(usize::MAX);
        let bytes = reading.bytes(section, 0, length)?;
        let directory = Self::read_bytes(Reader(&bytes), sections);
        directory.ok_or_else(|| reading.damaged(section, 0, "the directory is of another index"))
    }

    fn read_bytes(mut reader: Reader<'_>, sections: &Sections) -> Option<Self> {
        let terms = (0..sections.terms.pages).map(|_| reader.u64()).collect::<Option<_>>()?;
        let pages = 0..sections.blocks.pages;
        let blocks = pages.map(|_| Block::read(&mut reader)).collect::<Option<_>>()?;
        let pages = 0..sections.times.pages;
        let times = pages.map(|_| TimesPage::read(&mut reader)).collect::<Option<_>>()?;
        let filter = Filter::read(reader.0, sections.terms.items)?;
        Some(Self { terms, blocks, times, filter })
    }
}
