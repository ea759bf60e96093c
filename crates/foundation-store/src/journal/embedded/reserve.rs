//! Room that is kept for a disk without any: letting go of old segments needs a little itself.
//!
//! Where a file system has no space left, even writing down that a segment goes can find none. So
//! a file of zeros waits for that moment. It is given up for it, and made again once there is
//! space; a store without it works, only not on a full disk.

use std::io;

use crate::disk::{Access, Disk};

pub(super) const FILE: &str = "RESERVE";
const NEW_FILE: &str = "RESERVE.new";

/// Makes the reserve if it is not there or is smaller. Without space for it there is none.
pub(super) fn make(disk: &dyn Disk, bytes: usize) {
    if bytes == 0 {
        return;
    }
    let make = || -> io::Result<()> {
        match disk.open(FILE, Access::Read) {
            Ok(file) if file.len()? >= bytes as u64 => return Ok(()),
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => return Err(cause),
            _ => {}
        }
        super::identity::remove_if_there(disk, NEW_FILE)?;
        let file = disk.open(NEW_FILE, Access::Create)?;
        // Written, not only set: a hole takes no space.
        file.write_at(&vec![0; bytes], 0)?;
        file.sync()?;
        disk.rename(NEW_FILE, FILE)?;
        disk.sync_names()
    };
    if make().is_err() {
        // Half of it would only take the space that somebody else needs.
        let _ = disk.remove(NEW_FILE);
    }
}

/// Gives the reserve up; tells whether there was one.
pub(super) fn give_up(disk: &dyn Disk) -> bool {
    disk.remove(FILE).and_then(|()| disk.sync_names()).is_ok()
}
