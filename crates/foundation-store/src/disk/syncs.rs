//! One sync of a file system at a time, and none after one that failed.
//!
//! Where two syncs run at once and the file system fails under them, only one of them may be told:
//! the journal of ext4 commits for both, and whoever asks after a commit has failed hears that it
//! is over. So what is acked on the word of the other would be lost. And what was not synced when
//! one failed may never be: nobody can sync here any more until all that is open there was closed.

use std::io;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// The file systems in use, by device. A file system is one for the whole process, whoever opened
/// a directory on it: the log, the metrics beside it, and a backup that is taken of it.
static IN_USE: Mutex<Vec<(u64, Weak<Syncs>)>> = Mutex::new(Vec::new());

/// What all files of a file system sync through.
#[derive(Debug, Default)]
pub(super) struct Syncs {
    /// The first failure, as the system numbers it.
    failed: Mutex<Option<i32>>,
}

impl Syncs {
    /// Those of the file system with this device.
    pub(super) fn of_device(device: u64) -> Arc<Self> {
        let mut in_use = IN_USE.lock().unwrap_or_else(PoisonError::into_inner);
        in_use.retain(|(_, syncs)| syncs.strong_count() > 0);
        let known = in_use.iter().find(|(one, _)| *one == device);
        if let Some(syncs) = known.and_then(|(_, syncs)| syncs.upgrade()) {
            return syncs;
        }
        let syncs = Arc::new(Self::default());
        in_use.push((device, Arc::downgrade(&syncs)));
        syncs
    }

    /// Does it when no other sync runs.
    ///
    /// # Errors
    /// What the system says, now or once before.
    pub(super) fn run(&self, sync: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(code) = *failed {
            return Err(io::Error::from_raw_os_error(code));
        }
        let done = sync();
        if let Err(cause) = &done {
            *failed = Some(cause.raw_os_error().unwrap_or(INPUT_OUTPUT));
        }
        done
    }
}

/// `EIO`, for a failure without a number.
const INPUT_OUTPUT: i32 = 5;

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[test]
    fn after_one_that_failed_none_is_done_and_each_fails_alike() {
        let syncs = Syncs::default();
        syncs.run(|| Ok(())).expect("does it");
        let failing = || Err(io::Error::from_raw_os_error(28));
        assert_eq!(syncs.run(failing).expect_err("fails").raw_os_error(), Some(28));
        let after = syncs.run(|| panic!("is not asked for any more"));
        assert_eq!(after.expect_err("fails").raw_os_error(), Some(28));
    }

    #[test]
    fn all_of_a_file_system_share_them_until_nobody_has_it_open() {
        const DEVICE: u64 = u64::MAX;
        let (log, backup) = (Syncs::of_device(DEVICE), Syncs::of_device(DEVICE));
        backup.run(|| Err(io::Error::from_raw_os_error(5))).expect_err("fails");
        log.run(|| Ok(())).expect_err("is the same file system");
        Syncs::of_device(DEVICE - 1).run(|| Ok(())).expect("is another one");
        drop((log, backup));
        Syncs::of_device(DEVICE).run(|| Ok(())).expect("was opened again");
    }

    #[test]
    fn no_two_run_at_once() {
        let (syncs, running) = (Syncs::default(), AtomicU32::new(0));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        let alone = || {
                            assert_eq!(running.fetch_add(1, Ordering::SeqCst), 0);
                            std::thread::yield_now();
                            running.fetch_sub(1, Ordering::SeqCst);
                            Ok(())
                        };
                        syncs.run(alone).expect("does it");
                    }
                });
            }
        });
    }
}
