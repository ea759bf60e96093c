//! Reading at a limited rate, so that a verification leaves the disk to others.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Clock;
use crate::disk::{Access, Claim, Disk, DiskFile, LockGuard};

/// Says how long to wait before the next read. It has no clock: times are arguments.
///
/// What was not read while nobody was reading is not made up for later.
#[derive(Debug)]
struct Pacer {
    bytes_per_second: u64,
    /// When what was read so far has had its time.
    free_at: Duration,
}

impl Pacer {
    /// The time to wait after these bytes were read at `now`.
    fn wait_after(&mut self, bytes: u64, now: Duration) -> Duration {
        let micros = u128::from(bytes) * 1_000_000 / u128::from(self.bytes_per_second.max(1));
        let takes = Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX));
        self.free_at = self.free_at.max(now).saturating_add(takes);
        self.free_at.saturating_sub(now)
    }
}

/// A disk that is read no faster than a rate allows.
pub(super) struct PacedDisk {
    disk: Arc<dyn Disk>,
    pace: Arc<Pace>,
}

struct Pace {
    pacer: Mutex<Pacer>,
    clock: Arc<dyn Clock>,
    wait: fn(Duration),
}

impl PacedDisk {
    pub(super) fn new(disk: Arc<dyn Disk>, bytes_per_second: u64, clock: Arc<dyn Clock>) -> Self {
        Self::waiting_by(disk, bytes_per_second, clock, std::thread::sleep)
    }

    fn waiting_by(
        disk: Arc<dyn Disk>,
        bytes_per_second: u64,
        clock: Arc<dyn Clock>,
        wait: fn(Duration),
    ) -> Self {
        let pacer = Mutex::new(Pacer { bytes_per_second, free_at: Duration::ZERO });
        Self { disk, pace: Arc::new(Pace { pacer, clock, wait }) }
    }
}

impl Pace {
    fn after(&self, bytes: u64) {
        let now = self.clock.monotonic();
        let wait = self.pacer.lock().unwrap_or_else(PoisonError::into_inner).wait_after(bytes, now);
        if !wait.is_zero() {
            (self.wait)(wait);
        }
    }
}

impl Disk for PacedDisk {
    fn list(&self) -> io::Result<Vec<String>> {
        self.disk.list()
    }

    fn open(&self, name: &str, access: Access) -> io::Result<Box<dyn DiskFile>> {
        let file = self.disk.open(name, access)?;
        Ok(Box::new(PacedFile { file, pace: Arc::clone(&self.pace) }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.disk.rename(from, to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.disk.remove(name)
    }

    fn sync_names(&self) -> io::Result<()> {
        self.disk.sync_names()
    }

    fn lock(&self, name: &str, claim: Claim<'_>) -> io::Result<Option<Box<dyn LockGuard>>> {
        self.disk.lock(name, claim)
    }

    fn place(&self) -> String {
        self.disk.place()
    }
}

struct PacedFile {
    file: Box<dyn DiskFile>,
    pace: Arc<Pace>,
}

impl DiskFile for PacedFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let count = self.file.read_at(buffer, offset)?;
        self.pace.after(count as u64);
        Ok(count)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.file.write_at(bytes, offset)
    }

    fn sync(&self) -> io::Result<()> {
        self.file.sync()
    }

    fn set_len(&self, bytes: u64) -> io::Result<()> {
        self.file.set_len(bytes)
    }

    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use foundation_types::Timestamp;

    use super::*;
    use crate::disk::MemoryDisk;

    #[test]
    fn a_rate_is_kept_to_and_a_pause_is_not_made_up_for() {
        let mut pacer = Pacer { bytes_per_second: 1_000, free_at: Duration::ZERO };
        let at = Duration::from_millis;
        assert_eq!(pacer.wait_after(500, at(0)), at(500));
        assert_eq!(pacer.wait_after(500, at(500)), at(500));
        // Reading itself took a part of the time.
        assert_eq!(pacer.wait_after(500, at(1_200)), at(500));
        // Nobody read for ten seconds; what comes now is no faster for that.
        assert_eq!(pacer.wait_after(1_000, at(11_000)), at(1_000));
        assert_eq!(pacer.wait_after(0, at(12_000)), at(0));
        // A rate of nothing would never end.
        let mut pacer = Pacer { bytes_per_second: 0, free_at: Duration::ZERO };
        assert_eq!(pacer.wait_after(3, at(0)), Duration::from_secs(3));
    }

    struct Still;

    impl Clock for Still {
        fn wall(&self) -> Timestamp {
            Timestamp::from_unix_micros(0)
        }

        fn monotonic(&self) -> Duration {
            Duration::ZERO
        }
    }

    thread_local! {
        static WAITED: Cell<Duration> = const { Cell::new(Duration::ZERO) };
    }

    #[test]
    fn every_byte_that_is_read_counts() {
        let disk = MemoryDisk::default();
        let file = disk.open("a", Access::Create).expect("is made");
        file.write_at(&[1; 3_000], 0).expect("is written");
        let note = |wait| WAITED.set(wait);
        let paced = PacedDisk::waiting_by(Arc::new(disk), 1_000, Arc::new(Still), note);
        let file = paced.open("a", Access::Read).expect("opens");
        let mut buffer = [0; 1_000];
        for offset in [0, 1_000, 2_000, 3_000] {
            file.read_at(&mut buffer, offset).expect("is read");
        }
        assert_eq!(WAITED.take(), Duration::from_secs(3));
    }
}
