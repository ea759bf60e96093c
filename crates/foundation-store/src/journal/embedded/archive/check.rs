//! Comparing what is in the archive with its checksums, and with what the manifest says of it.

use std::ops::Range;

use foundation_types::{Error, ErrorKind, Result};
use sha2::{Digest, Sha256};

use super::super::cause::is_damage;
use super::container::Table;
use super::manifest::{ArchivedSegment, is_archived};
use super::reader::table_of;
use super::shown::ArchivedStore;
use crate::journal::status::{Finding, Verification};

/// Reads an archived segment and names what is wrong with it, block by block.
///
/// # Errors
/// `UnknownFormat`, or what the archive says if it cannot be read.
pub(in super::super) fn check(
    store: &ArchivedStore,
    archived: &ArchivedSegment,
) -> Result<Vec<Finding>> {
    let table = match table_of(store.files(), archived) {
        Ok(table) => table,
        Err(error) => return told(error, 0..0).map(|finding| vec![finding]),
    };
    let (mut findings, mut hash) = (Vec::new(), Sha256::new());
    hash.update(table.header.segment.to_bytes());
    for number in 0..table.blocks.len() {
        match block(store, archived, &table, number) {
            Ok(raw) => hash.update(&raw),
            Err((error, range)) => findings.push(told(error, range)?),
        }
    }
    let name = &archived.name;
    if findings.is_empty() && hash.finalize()[..] != table.header.hash {
        let what = "an archived segment has another hash than it says";
        findings.push(finding(name, 0..archived.stored, what));
    }
    let end = table.file_bytes();
    if store.files().get_range(name, end..end + 1)?.len() == 1 {
        findings.push(finding(name, end..end + 1, "bytes behind the end of an archived segment"));
    }
    Ok(findings)
}

/// Reads all that is in the archive, and names what is there and is not told by the manifest.
pub(in super::super) fn verify(store: &ArchivedStore) -> Result<Verification> {
    let (mut all, manifest) = (Verification::default(), store.manifest()?);
    let archived = manifest.as_ref().map_or(&[][..], |manifest| manifest.segments());
    for segment in archived {
        let found = check(store, segment)?;
        all.segments += 1;
        all.bytes += segment.stored;
        all.records += if found.is_empty() { segment.records } else { 0 };
        all.findings.extend(found);
    }
    let mut names = store.files().list()?;
    names.sort_unstable();
    for file in names.into_iter().filter(|name| is_archived(name)) {
        if archived.iter().all(|segment| segment.name != file) {
            let what = "the manifest does not name it: left from a move that was not finished";
            all.findings.push(Finding { damage: false, ..finding(&file, 0..0, what) });
        }
    }
    Ok(all)
}

fn block(
    store: &ArchivedStore,
    archived: &ArchivedSegment,
    table: &Table,
    number: usize,
) -> std::result::Result<Vec<u8>, (Error, Range<u64>)> {
    let range = table.blocks.get(number).map(|block| block.range()).unwrap_or_default();
    let body = store.files().get_range(&archived.name, range.clone());
    body.and_then(|body| table.unpack(number, &body, &archived.name))
        .map_err(|error| (error, range))
}

/// Damage, and what is missing, are found; what cannot be read now is no finding.
fn told(error: Error, range: Range<u64>) -> Result<Finding> {
    if !is_damage(&error) && error.kind() != ErrorKind::ArchiveMissing {
        return Err(error);
    }
    let file = error.context().iter().find(|(name, _)| name == "file");
    let file = file.map(|(_, file)| file.clone()).unwrap_or_default();
    Ok(Finding { file, range, what: error.message().to_owned(), damage: true })
}

fn finding(file: &str, range: Range<u64>, what: &str) -> Finding {
    Finding { file: file.to_owned(), range, what: what.to_owned(), damage: true }
}
