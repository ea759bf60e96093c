//! One sync of a directory at a time, and none after one that failed.
//!
//! Where two syncs run at once and the file system fails under them, only one of them may be told:
//! the journal of ext4 commits for both, and whoever asks after a commit has failed hears that it
//! is over. So what is acked on the word of the other would be lost. And what was not synced when
//! one failed may never be: nobody can sync here any more until the directory is opened again.

use std::io;
use std::sync::{Mutex, PoisonError};

/// What all files of a directory sync through.
#[derive(Debug, Default)]
pub(super) struct Syncs {
    /// The first failure, as the system numbers it.
    failed: Mutex<Option<i32>>,
}

impl Syncs {
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
