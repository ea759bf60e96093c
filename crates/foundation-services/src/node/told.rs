//! What the system tells of the directories that files lie in: a wake-up for another look at them.
//!
//! Nothing is learned from it but that something happened. What counts is the content of the files,
//! and whatever is not told here is found by looking again after a while.

use std::collections::BTreeSet;
use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::inotify::{CreateFlags, WatchFlags, add_watch, init, remove_watch};
use rustix::io::Errno;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// How long what is told is gathered: a directory may be a busy one.
const GATHERED_FOR: Duration = Duration::from_millis(50);

/// What is told of the directories of some files.
pub(super) struct Told {
    files: Vec<PathBuf>,
    queue: AsyncFd<OwnedFd>,
    /// What is watched, as the system numbers it.
    watched: BTreeSet<i32>,
}

impl Told {
    /// Nothing where the system does not tell of changes: without a queue, or without a runtime that
    /// waits for one.
    pub(super) fn of(files: Vec<PathBuf>) -> Option<Self> {
        let queue = init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC).ok()?;
        let queue = catch_unwind(AssertUnwindSafe(|| awaited(queue))).ok()?.ok()?;
        let mut told = Self { files, queue, watched: BTreeSet::new() };
        told.watch();
        Some(told)
    }

    /// Waits until something is told, and forgets what. Whoever stops waiting loses nothing.
    pub(super) async fn next(&mut self) {
        loop {
            let Ok(mut ready) = self.queue.readable().await else {
                return std::future::pending().await;
            };
            let has_any = drained(ready.get_inner());
            ready.clear_ready();
            if has_any {
                break;
            }
        }
        tokio::time::sleep(GATHERED_FOR).await;
        drained(self.queue.get_ref());
        // Where the names lead to may have changed.
        self.watch();
    }

    fn watch(&mut self) {
        let events = WatchFlags::MODIFY
            | WatchFlags::CLOSE_WRITE
            | WatchFlags::ATTRIB
            | WatchFlags::CREATE
            | WatchFlags::DELETE
            | WatchFlags::MOVE
            | WatchFlags::MOVE_SELF
            | WatchFlags::ONLYDIR;
        let queue = self.queue.get_ref();
        let directories: BTreeSet<PathBuf> =
            self.files.iter().flat_map(|path| around(path)).collect();
        // The same directory has the same number again.
        let now: BTreeSet<i32> = directories
            .iter()
            .filter_map(|directory| add_watch(queue, directory, events).ok())
            .collect();
        for gone in self.watched.difference(&now) {
            // It may be gone by itself.
            let _ = remove_watch(queue, *gone);
        }
        self.watched = now;
    }
}

#[expect(
    deprecated,
    reason = "an owned descriptor keeps its number while it lives; what replaces it is unsafe code"
)]
fn awaited(queue: OwnedFd) -> std::io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::with_interest(queue, Interest::READABLE)
}

/// The directory of the name of a file, and of what links on the way lead to.
fn around(path: &Path) -> Vec<PathBuf> {
    let directory = |path: &Path| match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Some(PathBuf::from(".")),
        parent => parent.map(Path::to_path_buf),
    };
    let real = path.canonicalize().ok().and_then(|path| directory(&path));
    directory(path).into_iter().chain(real).collect()
}

/// Empties the queue; whether there was anything in it.
fn drained(queue: &OwnedFd) -> bool {
    let (mut buffer, mut has_any) = ([0_u8; 4_096], false);
    loop {
        match rustix::io::read(queue, &mut buffer) {
            Ok(1..) => has_any = true,
            Err(Errno::INTR) => {}
            Ok(0) | Err(_) => return has_any,
        }
    }
}
