//! Pages of an index: each carries its own checksum, so that any part can be read alone and is
//! proven whenever it is read.

use foundation_types::{Error, ErrorKind, Result};

use super::super::disk_failure;
use crate::disk::{DiskFile, read_full};

pub(super) const PAGE_BYTES: usize = 4096;
/// Bytes of a page before its checksum.
pub(super) const PAYLOAD_BYTES: usize = PAGE_BYTES - 4;

/// Pages of one kind, one after the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Section {
    /// Number of its first page in the file.
    pub(super) first: u32,
    pub(super) pages: u32,
    /// Entries; bytes, where entries run on from page to page.
    pub(super) items: u64,
}

/// Adds a page that is not sealed yet; the payload is cut to what fits.
pub(super) fn add_page(file: &mut Vec<u8>, payload: &[u8]) {
    debug_assert!(payload.len() <= PAYLOAD_BYTES, "a page takes its payload");
    let end = file.len() + PAGE_BYTES;
    file.extend_from_slice(payload.get(..PAYLOAD_BYTES).unwrap_or(payload));
    file.resize(end, 0);
}

/// Adds bytes that run on from page to page.
pub(super) fn add_bytes(file: &mut Vec<u8>, bytes: &[u8]) {
    bytes.chunks(PAYLOAD_BYTES).for_each(|payload| add_page(file, payload));
}

/// Writes the checksum of a page; gives it.
pub(super) fn seal(page: &mut [u8], number: u32, seed: u32) -> u32 {
    let (payload, place) = page.split_at_mut(PAYLOAD_BYTES);
    let sum = checksum(payload, number, seed);
    place.copy_from_slice(&sum.to_le_bytes());
    sum
}

fn checksum(payload: &[u8], number: u32, seed: u32) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c_append(seed, &number.to_le_bytes()), payload)
}

/// The pages of an open index.
pub(super) struct Pages {
    file: Box<dyn DiskFile>,
    pub(super) name: String,
    /// What the checksum of each page begins with.
    pub(super) seed: u32,
}

impl Pages {
    pub(super) fn new(file: Box<dyn DiskFile>, name: String, seed: u32) -> Self {
        Self { file, name, seed }
    }

    pub(super) fn file_bytes(&self) -> Result<u64> {
        self.file.len().map_err(|cause| disk_failure("open an index", &self.name, cause))
    }

    /// Fills `page` with the page of this number, not yet verified.
    pub(super) fn read_raw(&self, number: u32, page: &mut [u8; PAGE_BYTES]) -> Result<()> {
        let offset = u64::from(number) * PAGE_BYTES as u64;
        let count = read_full(&*self.file, page, offset)
            .map_err(|cause| disk_failure("read an index", &self.name, cause))?;
        if count < PAGE_BYTES {
            return Err(self.damaged(number, "it is cut short"));
        }
        Ok(())
    }

    /// The checksum of a page, if it is right.
    pub(super) fn verify(&self, number: u32, page: &[u8; PAGE_BYTES]) -> Result<u32> {
        let (payload, stored) = page.split_at(PAYLOAD_BYTES);
        let sum = checksum(payload, number, self.seed);
        if stored == sum.to_le_bytes() {
            Ok(sum)
        } else {
            Err(self.damaged(number, "the checksum of a page does not match"))
        }
    }

    pub(super) fn damaged(&self, number: u32, what: &str) -> Error {
        let start = u64::from(number) * PAGE_BYTES as u64;
        self.error(ErrorKind::Corruption, format!("the index of a segment is damaged: {what}"))
            .with("range", format!("{start}..{}", start + PAGE_BYTES as u64))
    }

    pub(super) fn error(&self, kind: ErrorKind, message: String) -> Error {
        Error::new(kind, message).with("file", &self.name)
    }
}

/// One reading of an index. It keeps the last page that it read, so that what stands on one page
/// is read and verified once.
pub(super) struct Reading<'a> {
    pub(super) pages: &'a Pages,
    held: Option<u32>,
    page: Box<[u8; PAGE_BYTES]>,
}

impl<'a> Reading<'a> {
    pub(super) fn new(pages: &'a Pages) -> Self {
        Self { pages, held: None, page: Box::new([0; PAGE_BYTES]) }
    }

    /// The payload of a page of a section.
    pub(super) fn page(&mut self, section: &Section, at: u32) -> Result<&[u8]> {
        let number = number(section, at);
        if at >= section.pages {
            return Err(self.pages.damaged(number, "it leads past the end of a section"));
        }
        if self.held != Some(number) {
            self.held = None;
            self.pages.read_raw(number, &mut self.page)?;
            self.pages.verify(number, &self.page)?;
            self.held = Some(number);
        }
        Ok(&self.page[..PAYLOAD_BYTES])
    }

    /// Bytes of a section whose entries run on from page to page; fewer where it ends.
    pub(super) fn bytes(
        &mut self,
        section: &Section,
        address: u64,
        length: usize,
    ) -> Result<Vec<u8>> {
        let left = usize::try_from(section.items.saturating_sub(address)).unwrap_or(usize::MAX);
        let length = length.min(left);
        let mut bytes = Vec::with_capacity(length);
        let mut skip = (address % PAYLOAD_BYTES as u64) as usize;
        let mut at = page_of(address);
        while bytes.len() < length {
            let payload = self.page(section, at)?.get(skip..).unwrap_or_default();
            let taken = payload.len().min(length - bytes.len());
            bytes.extend_from_slice(&payload[..taken]);
            (skip, at) = (0, at.saturating_add(1));
        }
        Ok(bytes)
    }

    /// The error of a page of a section.
    pub(super) fn damaged(&self, section: &Section, at: u32, what: &str) -> Error {
        self.pages.damaged(number(section, at), what)
    }

    /// The error of the page that holds an address.
    pub(super) fn damaged_at(&self, section: &Section, address: u64, what: &str) -> Error {
        self.damaged(section, page_of(address), what)
    }
}

fn number(section: &Section, at: u32) -> u32 {
    section.first.saturating_add(at)
}

fn page_of(address: u64) -> u32 {
    u32::try_from(address / PAYLOAD_BYTES as u64).unwrap_or(u32::MAX)
}
