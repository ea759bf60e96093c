//! The last snapshot of the metrics of a process, in a file beside the log.
//!
//! Counters begin anew with each process; what the one before had counted is kept as it was at its
//! last snapshot, with when that was. It is written as a whole and read as a whole.

use std::io;

use foundation_types::telemetry::Metric;
use foundation_types::{Error, ErrorKind, Result, Timestamp};
use serde::{Deserialize, Serialize};

use crate::disk::{Access, Disk, read_small};

/// Name of the file.
pub(crate) const METRICS_FILE: &str = "METRICS";
const FILE: &str = METRICS_FILE;
const NEW_FILE: &str = "METRICS.new";
const MAGIC: &[u8; 8] = b"FNDMETRC";
const FORMAT: u16 = 1;
const HEADER_BYTES: usize = 16;
/// Bytes of a file that is read at all.
const FILE_BYTES_MAX: usize = 1 << 30;

/// Every series of a process as of its last snapshot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeptMetrics {
    /// When the process began to count.
    pub started: Timestamp,
    /// When the snapshot was taken.
    pub taken: Timestamp,
    /// Every series, sorted by name and labels.
    pub metrics: Vec<Metric>,
}

impl KeptMetrics {
    /// Puts the snapshot in the place of the one before, once it is durable.
    ///
    /// # Errors
    /// `DiskFull` or `Disk`; the one before is still there.
    pub fn write(&self, disk: &dyn Disk) -> Result<()> {
        let body = serde_json::to_vec(self).map_err(|cause| {
            Error::new(ErrorKind::Internal, "metrics cannot be written as JSON").caused_by(cause)
        })?;
        let mut bytes = Vec::with_capacity(HEADER_BYTES + body.len());
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&FORMAT.to_le_bytes());
        bytes.extend_from_slice(&[0; 2]);
        bytes.extend_from_slice(&crc32c::crc32c(&body).to_le_bytes());
        bytes.extend_from_slice(&body);
        let write = || -> io::Result<()> {
            match disk.remove(NEW_FILE) {
                Err(cause) if cause.kind() != io::ErrorKind::NotFound => return Err(cause),
                _ => {}
            }
            let file = disk.open(NEW_FILE, Access::Create)?;
            file.write_at(&bytes, 0)?;
            file.sync()?;
            disk.rename(NEW_FILE, FILE)?;
            disk.sync_names()
        };
        write().map_err(|cause| failed("write the snapshot of the metrics", cause))
    }

    /// The last snapshot, if there is one.
    ///
    /// # Errors
    /// `Corruption` if it is not what was written, `UnknownFormat` if a newer program wrote it,
    /// `Disk` if it cannot be read.
    pub fn read(disk: &dyn Disk) -> Result<Option<Self>> {
        let file = match disk.open(FILE, Access::Read) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file.map_err(|cause| failed("read the snapshot of the metrics", cause))?,
        };
        let length = file.len().ok().and_then(|length| usize::try_from(length).ok());
        let length = length.filter(|length| *length <= FILE_BYTES_MAX);
        let length = length.ok_or_else(|| damaged("it is larger than it can be"))?;
        let bytes = read_small(&*file, length)
            .map_err(|cause| failed("read the snapshot of the metrics", cause))?;
        let (header, body) =
            bytes.split_at_checked(HEADER_BYTES).ok_or_else(|| damaged("it is cut short"))?;
        if !header.starts_with(MAGIC) {
            return Err(damaged("it does not begin with its mark"));
        }
        if header[8..10] != FORMAT.to_le_bytes() {
            let message =
                "the snapshot of the metrics has a format that this program does not know";
            return Err(Error::new(ErrorKind::UnknownFormat, message).with("file", FILE));
        }
        if header[10..12] != [0; 2] || header[12..16] != crc32c::crc32c(body).to_le_bytes() {
            return Err(damaged("its checksum does not match"));
        }
        serde_json::from_slice(body).map(Some).map_err(|_| damaged("it cannot be decoded"))
    }
}

fn failed(attempt: &str, cause: io::Error) -> Error {
    let kind = match cause.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ErrorKind::DiskFull,
        _ => ErrorKind::Disk,
    };
    Error::new(kind, format!("cannot {attempt}: {cause}")).with("file", FILE).caused_by(cause)
}

fn damaged(what: &str) -> Error {
    let message = format!("the snapshot of the metrics is damaged: {what}");
    Error::new(ErrorKind::Corruption, message).with("file", FILE)
}

#[cfg(test)]
mod tests {
    use foundation_types::telemetry::{Labels, MetricValue};

    use super::*;
    use crate::disk::MemoryDisk;

    fn sample(count: u64) -> KeptMetrics {
        let value = MetricValue::Counter(count);
        let metric = Metric { name: "shop.orders".into(), labels: Labels::default(), value };
        let at = |text: &str| text.parse::<Timestamp>().expect("a time");
        let (started, taken) = (at("2026-01-01T00:00:00Z"), at("2026-01-01T00:00:10Z"));
        KeptMetrics { started, taken, metrics: vec![metric] }
    }

    #[test]
    fn the_last_snapshot_is_read_and_no_damage_is() {
        let disk = MemoryDisk::default();
        assert_eq!(KeptMetrics::read(&disk).expect("there is none"), None);
        sample(1).write(&disk).expect("written");
        sample(7).write(&disk).expect("written");
        assert_eq!(KeptMetrics::read(&disk).expect("reads"), Some(sample(7)));
        let file = disk.open(FILE, Access::Write).expect("is there");
        let length = file.len().expect("has a length");
        for bit in 0..length * 8 {
            let mut byte = [0];
            file.read_at(&mut byte, bit / 8).expect("reads");
            file.write_at(&[byte[0] ^ (1 << (bit % 8))], bit / 8).expect("flips");
            assert!(KeptMetrics::read(&disk).is_err(), "bit {bit}");
            file.write_at(&byte, bit / 8).expect("flips back");
        }
        file.set_len(length - 1).expect("cuts");
        assert!(KeptMetrics::read(&disk).is_err());
    }
}
