//! What makes files on a disk the segments of one log: their names, headers and places.

use std::sync::Arc;

use foundation_types::{Error, ErrorKind, Result, StoreId};

use super::scan::Cursor;
use super::segment::{self, HEADER_BYTES, Segment, SegmentHeader};
use super::{cause, disk_failure};
use crate::disk::{Access, Disk, DiskFile, Pool, read_full};

/// The names of all segments, oldest first.
pub(super) fn segment_names(disk: &dyn Disk) -> Result<Vec<String>> {
    let names = disk.list().map_err(|cause| disk_failure("list the store", "", cause))?;
    let mut names: Vec<String> =
        names.into_iter().filter(|name| segment::is_segment(name)).collect();
    names.sort_unstable();
    Ok(names)
}

/// Splits off the segments of which nothing is kept, since all of their records are up to `front`.
pub(super) fn without_dropped(mut names: Vec<String>, front: u64) -> (Vec<String>, Vec<String>) {
    // A segment ends where the next one begins, so the last of those that begin up to here is kept.
    let begins_inside = |name: &String| segment::first_of(name).is_some_and(|at| at <= front + 1);
    let inside = names.iter().take_while(|name| begins_inside(name)).count();
    let rest = names.split_off(inside.saturating_sub(1));
    (names, rest)
}

/// Opens a segment that is only read.
pub(super) fn open_pooled(pool: &Arc<Pool>, name: &str) -> Result<Segment> {
    of_file(pool.file(name), name)
}

/// Opens a segment and reads its header.
pub(super) fn open_segment(disk: &dyn Disk, name: &str, access: Access) -> Result<Segment> {
    let opened = disk.open(name, access);
    of_file(opened.map_err(|cause| disk_failure("open a segment", name, cause))?, name)
}

fn of_file(file: Box<dyn DiskFile>, name: &str) -> Result<Segment> {
    let mut bytes = [0; HEADER_BYTES as usize];
    let count = read_full(&*file, &mut bytes, 0)
        .map_err(|cause| disk_failure("open a segment", name, cause))?;
    let header = SegmentHeader::read(bytes.get(..count).unwrap_or_default(), name)?;
    Ok(Segment::new(name.to_owned(), header, file))
}

/// Whether a segment belongs to this store and to this name.
pub(super) fn check_own(name: &str, header: SegmentHeader, store: StoreId) -> Result<()> {
    if header.store != store {
        return Err(cause::foreign("a segment", header.store).with("file", name));
    }
    if segment::first_of(name) != Some(header.first) {
        let message = format!("a segment begins with {} and has another name", header.first);
        return Err(Error::new(ErrorKind::ForeignFile, message).with("file", name));
    }
    Ok(())
}

/// Whether a segment is the one that comes next.
pub(super) fn check_place(
    name: &str,
    header: SegmentHeader,
    epoch: u64,
    cursor: Cursor,
) -> Result<()> {
    if header.first != cursor.next {
        let message = format!(
            "positions {} to {} are missing: a segment is not there",
            cursor.next,
            header.first.saturating_sub(1)
        );
        return Err(Error::new(ErrorKind::AckedDataMissing, message).with("file", name));
    }
    if header.previous != cursor.chain || header.epoch < epoch {
        let what = "a segment does not carry on the one before it";
        return Err(Error::new(ErrorKind::ForeignFile, what).with("file", name));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_wholly_before_the_front_is_told_apart() {
        let names: Vec<String> = [1, 11, 21].map(segment::name_of).to_vec();
        let kept = |front| without_dropped(names.clone(), front).1.len();
        assert_eq!([0, 5, 9].map(kept), [3, 3, 3]);
        assert_eq!([10, 11, 19].map(kept), [2, 2, 2]);
        assert_eq!([20, 21, 90].map(kept), [1, 1, 1]);
        assert_eq!(without_dropped(Vec::new(), 7), (Vec::new(), Vec::new()));
    }
}
