//! The file that makes a directory a backup: what is in it, with lengths and hashes.
//!
//! It is JSON and a last line with its own hash, and it is written last: a directory without it is
//! a backup that was not finished.

use std::collections::BTreeSet;
use std::io;

use foundation_types::{Error, ErrorKind, Position, Result, StoreId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::super::heads;
use super::super::identity::remove_if_there;
use super::super::mark::FRONT;
use super::super::{disk_failure, identity, segment, snapshot};
use crate::disk::{Access, Disk, read_small};

pub(in super::super) const FILE: &str = "MANIFEST";
pub(super) const NEW_FILE: &str = "MANIFEST.new";
const FORMAT: u64 = 1;
/// Bytes of a file that is read as a manifest at all.
const BYTES_MAX: usize = 64 * 1024 * 1024;
const SUM: &str = "sha256 ";

/// What a backup is and what is in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Manifest {
    format: u64,
    #[serde(with = "store_text")]
    pub(in super::super) store: StoreId,
    pub(in super::super) epoch: u64,
    /// The last record that is in it.
    pub(in super::super) position: Position,
    pub(in super::super) created: Timestamp,
    /// Version of the program that made it.
    pub(in super::super) program: String,
    pub(in super::super) files: Vec<Entry>,
}

/// One file of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Entry {
    pub(in super::super) name: String,
    pub(in super::super) bytes: u64,
    pub(in super::super) sha256: String,
}

impl Manifest {
    pub(in super::super) fn new(
        store: StoreId,
        epoch: u64,
        position: Position,
        created: Timestamp,
        files: Vec<Entry>,
    ) -> Self {
        let program = env!("CARGO_PKG_VERSION").to_owned();
        Self { format: FORMAT, store, epoch, position, created, program, files }
    }

    /// Bytes of all files in it.
    pub(in super::super) fn bytes(&self) -> u64 {
        self.files.iter().map(|entry| entry.bytes).fold(0, u64::saturating_add)
    }

    /// Makes the directory a backup: after this, all of it is durable.
    pub(in super::super) fn write(&self, disk: &dyn Disk) -> Result<()> {
        let bytes = self.to_bytes()?;
        let write = || -> io::Result<()> {
            disk.sync_names()?;
            remove_if_there(disk, NEW_FILE)?;
            let file = disk.open(NEW_FILE, Access::Create)?;
            file.write_at(&bytes, 0)?;
            file.sync()?;
            disk.rename(NEW_FILE, FILE)?;
            disk.sync_names()
        };
        write().map_err(|cause| disk_failure("write the manifest of a backup", FILE, cause))
    }

    /// Reads the manifest and checks that it is one by itself. The files are not looked at.
    pub(in super::super) fn read(disk: &dyn Disk) -> Result<Self> {
        let fail = |cause| disk_failure("read the manifest of a backup", FILE, cause);
        let file = match disk.open(FILE, Access::Read) {
            Ok(file) => file,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => {
                let message = format!(
                    "there is no backup in {}: it has no manifest, which is written last",
                    disk.place()
                );
                return Err(Error::new(ErrorKind::NotFound, message).with("file", FILE));
            }
            Err(cause) if cause.kind() == io::ErrorKind::InvalidInput => {
                return Err(Error::new(ErrorKind::ForeignFile, "it is not a regular file")
                    .with("file", FILE));
            }
            Err(cause) => return Err(fail(cause)),
        };
        if file.len().map_err(fail)? > BYTES_MAX as u64 {
            return Err(damaged("it is larger than a manifest can be"));
        }
        Self::of_bytes(&read_small(&*file, BYTES_MAX).map_err(fail)?)
    }

    fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut bytes = serde_json::to_vec_pretty(self).map_err(|cause| {
            Error::new(ErrorKind::Internal, "a manifest cannot be written as JSON").caused_by(cause)
        })?;
        bytes.push(b'\n');
        let sum = sum_line(&bytes);
        bytes.extend_from_slice(sum.as_bytes());
        Ok(bytes)
    }

    fn of_bytes(bytes: &[u8]) -> Result<Self> {
        let at = bytes.len().saturating_sub(sum_line(&[]).len());
        let (json, sum) = bytes.split_at_checked(at).unwrap_or_default();
        if sum_line(json).as_bytes() != sum {
            return Err(damaged("its hash does not match"));
        }
        let value: Value = serde_json::from_slice(json).map_err(|_| damaged("it is not JSON"))?;
        // The version comes first: a later format may have other fields.
        match value.get("format").and_then(Value::as_u64) {
            Some(FORMAT) => {}
            Some(format) => {
                let message = format!("a backup has format {format}, this program knows {FORMAT}");
                return Err(Error::new(ErrorKind::UnknownFormat, message).with("file", FILE));
            }
            None => return Err(damaged("it does not say its format")),
        }
        let manifest: Self = serde_json::from_value(value)
            .map_err(|cause| damaged(&format!("a field is not as it should be: {cause}")))?;
        manifest.check_names()?;
        Ok(manifest)
    }

    /// Only names that a store gives to its files, each once: nothing else is ever opened.
    fn check_names(&self) -> Result<()> {
        let foreign = |what: &str, name: &str| {
            let message = format!("the manifest of a backup {what}");
            let shown: String = name.chars().take(64).collect();
            Err(Error::new(ErrorKind::ForeignFile, message).with("file", shown))
        };
        let mut seen = BTreeSet::new();
        for Entry { name, .. } in &self.files {
            if !may_be_in_backup(name) {
                return foreign("lists a file that no backup has", name);
            }
            if !seen.insert(name) {
                return foreign("lists a file twice", name);
            }
        }
        if !self.files.iter().any(|entry| entry.name == identity::FILE) {
            return foreign("does not list a file that every backup has", identity::FILE);
        }
        Ok(())
    }
}

fn may_be_in_backup(name: &str) -> bool {
    matches!(name, identity::FILE | FRONT | heads::FILE)
        || segment::is_segment(name)
        || snapshot::last_of(name).is_some()
}

/// A hash as text.
pub(in super::super) fn hex(hash: &[u8]) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The last line of a file whose other bytes are these.
pub(in super::super) fn sum_line(json: &[u8]) -> String {
    format!("{SUM}{}\n", hex(&Sha256::digest(json)))
}

fn damaged(what: &str) -> Error {
    let message = format!("the manifest of a backup is damaged: {what}");
    Error::new(ErrorKind::Corruption, message).with("file", FILE)
}

/// The id of a store as it is shown.
pub(in super::super) mod store_text {
    use foundation_types::StoreId;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(in super::super::super) fn serialize<S: Serializer>(
        store: &StoreId,
        out: S,
    ) -> Result<S::Ok, S::Error> {
        out.serialize_str(&format!("{:032x}", store.to_bits()))
    }

    pub(in super::super::super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<StoreId, D::Error> {
        let text = String::deserialize(from)?;
        u128::from_str_radix(&text, 16)
            .map(StoreId::from_bits)
            .map_err(|_| serde::de::Error::custom("a store id is 32 digits"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::MemoryDisk;

    fn sample() -> Manifest {
        let entry = |name: &str| Entry { name: name.to_owned(), bytes: 48, sha256: hex(&[7; 32]) };
        let files = vec![entry("STORE"), entry("00000000000000000001.seg")];
        let created = Timestamp::from_unix_micros(0);
        Manifest::new(StoreId::from_bits(7), 1, Position::from_engine(12), created, files)
    }

    fn read(bytes: &[u8]) -> Result<Manifest, ErrorKind> {
        Manifest::of_bytes(bytes).map_err(|error| error.kind())
    }

    #[test]
    fn what_was_written_is_read_and_a_person_can_read_it() {
        let disk = MemoryDisk::default();
        sample().write(&disk).expect("written");
        assert_eq!(Manifest::read(&disk).expect("reads"), sample());
        let bytes = sample().to_bytes().expect("is JSON");
        let text = String::from_utf8(bytes).expect("is text");
        assert!(text.contains("\"created\": \"1970-01-01T00:00:00Z\""), "{text}");
        assert!(text.contains("\"store\": \"00000000000000000000000000000007\""), "{text}");
    }

    #[test]
    fn no_flipped_bit_and_no_cut_is_read_as_a_manifest() {
        let bytes = sample().to_bytes().expect("is JSON");
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(read(&flipped), Err(ErrorKind::Corruption), "bit {bit}");
        }
        for length in 0..bytes.len() {
            assert_eq!(read(&bytes[..length]), Err(ErrorKind::Corruption), "cut to {length}");
        }
    }

    #[test]
    fn only_names_of_a_store_are_taken() {
        for name in [
            "",
            ".",
            "..",
            "../STORE",
            "/etc/passwd",
            "a/../STORE",
            "STORE/.",
            "STORE ",
            "store",
            "LOCK",
            "WATERMARK",
            "MANIFEST",
            "00000000000000000001.idx",
            "00000000000000000001.seg/",
            "../00000000000000000001.seg",
            "C:\\STORE",
            "STORE\0",
            "0000000000000000000\u{0661}.seg",
        ] {
            let mut forged = sample();
            forged.files[1].name = name.to_owned();
            let bytes = forged.to_bytes().expect("is JSON");
            assert_eq!(read(&bytes), Err(ErrorKind::ForeignFile), "{name:?}");
        }
        let mut twice = sample();
        twice.files[1].name = "STORE".to_owned();
        assert_eq!(read(&twice.to_bytes().expect("is JSON")), Err(ErrorKind::ForeignFile));
        let mut without = sample();
        without.files.remove(0);
        assert_eq!(read(&without.to_bytes().expect("is JSON")), Err(ErrorKind::ForeignFile));
    }

    #[test]
    fn a_newer_format_is_told_apart_from_damage() {
        let newer = Manifest { format: 2, ..sample() };
        let bytes = newer.to_bytes().expect("is JSON");
        assert_eq!(read(&bytes), Err(ErrorKind::UnknownFormat));
    }
}
