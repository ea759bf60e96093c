//! The file `KEYS`: one key for each subject, wrapped under the application's, outside of the log.
//!
//! Invariants: a key is durable before anything is sealed under it; one that was destroyed is not in
//! the file any more once that is acked, and never comes back, whatever older copy of the file is put
//! in its place while the log still tells of it. New keys are appended, so that only the last row
//! can be torn, and it was acked to nobody; destroying writes the file anew.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use foundation_types::limits::SUBJECTS_MAX;
use foundation_types::{Error, ErrorKind, Result, StoreId};
use zeroize::Zeroizing;

use super::rows::{self, HEADER_BYTES, ROW_BYTES_MAX, Row};
use crate::config::{Seals, SecretKey};
use crate::disk::{Access, Disk, read_full};
use crate::journal::Mode;

const FILE: &str = "KEYS";
const NEW_FILE: &str = "KEYS.new";
/// Bytes of a file that is read as keys at all.
const FILE_BYTES_MAX: u64 = 1 << 30;
/// What a wrapped key is bound to, beside its id.
const WRAPPING: &[u8] = b"subject key ";

/// Which key: a number drawn for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(u128);

impl KeyId {
    /// The id that these bytes are.
    #[must_use]
    pub fn of_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_le_bytes(bytes))
    }

    /// The bytes of the id.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.to_le_bytes()
    }

    /// The id that this text writes in 32 hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_plain = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        u128::from_str_radix(text, 16).ok().filter(|_| is_plain).map(Self)
    }
}

impl std::fmt::Display for KeyId {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{:032x}", self.0)
    }
}

/// A key that is no more, of which the log does not tell yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DestroyedKey {
    /// Which.
    pub id: KeyId,
    /// What the log is to say, as whoever destroyed it gave it.
    pub certificate: Vec<u8>,
}

/// What destroying a key came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destruction {
    /// It is destroyed.
    Done(KeyId),
    /// The subject has no key.
    NoKey,
}

/// The keys of all subjects. Keys themselves are unwrapped when they are used, and not kept.
pub struct SubjectKeys {
    disk: Arc<dyn Disk>,
    store: StoreId,
    seals: Arc<Seals>,
    known: RwLock<Known>,
    /// Held while the file is written: its length.
    file: Mutex<u64>,
}

#[derive(Default)]
struct Known {
    by_subject: HashMap<[u8; 32], KeyId>,
    wrapped: HashMap<KeyId, Vec<u8>>,
    destroyed: BTreeSet<KeyId>,
    untold: BTreeMap<KeyId, Vec<u8>>,
}

impl SubjectKeys {
    /// Opens the file of this store; there is none before the first key. What was destroyed, as the
    /// log tells, is so whatever the file says.
    ///
    /// # Errors
    /// `Corruption`, `ForeignFile` or `UnknownFormat` if it is not what was written for this store;
    /// `Disk`.
    pub fn open(
        disk: Arc<dyn Disk>,
        store: StoreId,
        seals: Arc<Seals>,
        destroyed: impl IntoIterator<Item = KeyId>,
        mode: Mode,
    ) -> Result<Self> {
        let (mut known, length) = read(&*disk, store)?;
        let before = known.wrapped.len();
        for id in destroyed {
            known.destroy(id);
        }
        let has_old = known.wrapped.len() < before;
        let keys = Self { disk, store, seals, known: RwLock::new(known), file: Mutex::new(length) };
        if has_old && mode == Mode::Write {
            // An older copy of the file was put back: what it had too much goes at once.
            let mut file = keys.file.lock().unwrap_or_else(PoisonError::into_inner);
            keys.rewrite(&mut file)?;
        }
        Ok(keys)
    }

    /// The key of a subject, if it has one.
    ///
    /// # Errors
    /// `SecretSealed` if it was wrapped under another key than the ones that are given.
    pub fn of_subject(&self, subject: &str) -> Result<Option<(KeyId, SecretKey)>> {
        let id = {
            let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
            known.find(&self.seals, subject)
        };
        let Some(id) = id else { return Ok(None) };
        Ok(self.of_id(id)?.map(|key| (id, key)))
    }

    /// Which key a subject has.
    #[must_use]
    pub fn id_of(&self, subject: &str) -> Option<KeyId> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.find(&self.seals, subject)
    }

    /// The key with this id, if it is there.
    ///
    /// # Errors
    /// As [`SubjectKeys::of_subject`].
    pub fn of_id(&self, id: KeyId) -> Result<Option<SecretKey>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let Some(wrapped) = known.wrapped.get(&id) else { return Ok(None) };
        let opened = self.seals.unwrap(&place(id), wrapped);
        let bytes = opened.and_then(|bytes| bytes.as_slice().try_into().ok().map(Zeroizing::new));
        let bytes: Zeroizing<[u8; 32]> = bytes.ok_or_else(|| {
            let message =
                "the key of a person was wrapped under another sealing key than was given";
            Error::new(ErrorKind::SecretSealed, message).with("key", id)
        })?;
        Ok(Some(SecretKey::new(&bytes)))
    }

    /// Whether the key with this id was destroyed.
    #[must_use]
    pub fn is_destroyed(&self, id: KeyId) -> bool {
        self.known.read().unwrap_or_else(PoisonError::into_inner).destroyed.contains(&id)
    }

    /// How many subjects have a key.
    #[must_use]
    pub fn len(&self) -> usize {
        self.known.read().unwrap_or_else(PoisonError::into_inner).wrapped.len()
    }

    /// Whether nobody has a key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Has this be the key of a subject, unless it has one by now; durable when it comes back.
    ///
    /// # Errors
    /// `NoSealingKey`, `TooLarge` beyond 1,000,000 subjects, `Disk`, `DiskFull`.
    pub fn add(&self, subject: &str, id: KeyId, key: &[u8; 32]) -> Result<()> {
        let mut length = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let hash = {
            let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
            if known.find(&self.seals, subject).is_some() {
                return Ok(());
            }
            if known.wrapped.len() >= SUBJECTS_MAX {
                let message = format!("{SUBJECTS_MAX} persons have a key, which is the limit");
                return Err(Error::new(ErrorKind::TooLarge, message));
            }
            self.seals.subject_hashes(subject).next()
        };
        let wrapped = self.seals.wrap(&place(id), key);
        let (Some(subject), Some(wrapped)) = (hash, wrapped) else { return Err(no_sealing_key()) };
        let row = Row::Live { subject, wrapped: wrapped.clone() };
        *length = self.append(*length, id, &row).map_err(|cause| unwritten(&cause))?;
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.by_subject.insert(subject, id);
        known.wrapped.insert(id, wrapped);
        Ok(())
    }

    /// Destroys the key of a subject, and keeps the certificate until [`SubjectKeys::told`].
    ///
    /// # Errors
    /// `TooLarge` for a certificate that does not fit a row; `SecretSealed` if no key of the file was
    /// wrapped under the sealing key, so that the subject may have one after all; `Disk` or `DiskFull`:
    /// the key may be destroyed or not, which the next opening says, or the next call.
    pub fn destroy(
        &self,
        subject: &str,
        certificate: impl FnOnce(KeyId) -> Result<Vec<u8>>,
    ) -> Result<Destruction> {
        let mut length = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(id) = self.id_of(subject) else {
            self.check_sealing_key()?;
            return Ok(Destruction::NoKey);
        };
        let certificate = certificate(id)?;
        if certificate.len() > ROW_BYTES_MAX {
            let message = format!("who and why have more than {ROW_BYTES_MAX} bytes together");
            return Err(Error::new(ErrorKind::TooLarge, message));
        }
        {
            let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
            known.destroy(id);
            known.untold.insert(id, certificate);
        }
        self.rewrite(&mut length)?;
        Ok(Destruction::Done(id))
    }

    /// Subjects are found by a hash under the sealing key: with another one, everybody seems unknown.
    fn check_sealing_key(&self) -> Result<()> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let opens =
            |(id, wrapped): (&KeyId, &Vec<u8>)| self.seals.unwrap(&place(*id), wrapped).is_some();
        if known.wrapped.is_empty() || known.wrapped.iter().any(opens) {
            return Ok(());
        }
        let message = "the keys of persons were wrapped under another sealing key than was given";
        Err(Error::new(ErrorKind::SecretSealed, message).with("file", FILE))
    }

    /// Keys that are destroyed and of which the log does not tell yet.
    #[must_use]
    pub fn untold(&self) -> Vec<DestroyedKey> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let row = |(id, certificate): (&KeyId, &Vec<u8>)| DestroyedKey {
            id: *id,
            certificate: certificate.clone(),
        };
        known.untold.iter().map(row).collect()
    }

    /// The log tells of it.
    ///
    /// # Errors
    /// `Disk` or `DiskFull`: it is told once more, which the log takes as a repeat.
    pub fn told(&self, id: KeyId) -> Result<()> {
        let mut length = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let certificate = {
            let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
            known.untold.remove(&id)
        };
        let Some(certificate) = certificate else { return Ok(()) };
        self.rewrite(&mut length).inspect_err(|_| {
            let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
            known.untold.insert(id, certificate);
        })
    }

    /// The subject as others may know it: a hash under the key of the application.
    #[must_use]
    pub fn hash_of(&self, subject: &str) -> Option<String> {
        let hash = self.seals.subject_hashes(subject).next()?;
        Some(hash.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// Appends a row; gives the length by then.
    fn append(&self, length: u64, id: KeyId, row: &Row) -> io::Result<u64> {
        let mut bytes = Vec::new();
        let file = if length == 0 {
            bytes = rows::header(self.store);
            remove_if_there(&*self.disk, FILE)?;
            self.disk.open(FILE, Access::Create)?
        } else {
            self.disk.open(FILE, Access::Write)?
        };
        rows::write(id, row, &mut bytes);
        file.write_at(&bytes, length)?;
        file.sync()?;
        if length == 0 {
            self.disk.sync_names()?;
        }
        Ok(length + bytes.len() as u64)
    }

    /// Writes the file anew, and then zeros over the one before, of which nothing is to be left.
    fn rewrite(&self, length: &mut u64) -> Result<()> {
        let bytes = {
            let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
            known.to_bytes(self.store)
        };
        let write = || -> io::Result<()> {
            let before = self.disk.open(FILE, Access::Write).ok();
            remove_if_there(&*self.disk, NEW_FILE)?;
            let file = self.disk.open(NEW_FILE, Access::Create)?;
            file.write_at(&bytes, 0)?;
            file.sync()?;
            self.disk.rename(NEW_FILE, FILE)?;
            self.disk.sync_names()?;
            if let Some(before) = before {
                let zeros = vec![0; usize::try_from(before.len()?).unwrap_or_default()];
                before.write_at(&zeros, 0)?;
                before.sync()?;
            }
            Ok(())
        };
        write().map_err(|cause| unwritten(&cause))?;
        *length = bytes.len() as u64;
        Ok(())
    }
}

impl std::fmt::Debug for SubjectKeys {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("SubjectKeys").field("subjects", &self.len()).finish_non_exhaustive()
    }
}

impl Known {
    fn find(&self, seals: &Seals, subject: &str) -> Option<KeyId> {
        seals.subject_hashes(subject).find_map(|hash| self.by_subject.get(&hash).copied())
    }

    fn destroy(&mut self, id: KeyId) {
        if self.wrapped.remove(&id).is_some() {
            self.by_subject.retain(|_, known| *known != id);
        }
        self.destroyed.insert(id);
    }

    fn take_in(&mut self, id: KeyId, row: Row) {
        match row {
            Row::Live { subject, wrapped } => {
                self.by_subject.insert(subject, id);
                self.wrapped.insert(id, wrapped);
            }
            Row::Destroyed => self.destroy(id),
            Row::Untold { certificate } => {
                self.destroy(id);
                self.untold.insert(id, certificate);
            }
        }
    }

    fn to_bytes(&self, store: StoreId) -> Vec<u8> {
        let mut bytes = rows::header(store);
        for id in &self.destroyed {
            let row = match self.untold.get(id) {
                Some(certificate) => Row::Untold { certificate: certificate.clone() },
                None => Row::Destroyed,
            };
            rows::write(*id, &row, &mut bytes);
        }
        for (subject, id) in &self.by_subject {
            if let Some(wrapped) = self.wrapped.get(id) {
                let row = Row::Live { subject: *subject, wrapped: wrapped.clone() };
                rows::write(*id, &row, &mut bytes);
            }
        }
        bytes
    }
}

/// What the file says, and up to where it is whole.
fn read(disk: &dyn Disk, store: StoreId) -> Result<(Known, u64)> {
    let fail = |cause: io::Error| {
        Error::new(ErrorKind::Disk, format!("cannot read the keys of persons: {cause}"))
            .with("file", FILE)
            .caused_by(cause)
    };
    let file = match disk.open(FILE, Access::Read) {
        Ok(file) => file,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(Default::default()),
        Err(cause) => return Err(fail(cause)),
    };
    let bytes = file.len().map_err(fail)?;
    if bytes > FILE_BYTES_MAX {
        return Err(damaged("the file is larger than it can be"));
    }
    let mut buffer = vec![0; usize::try_from(bytes).unwrap_or_default()];
    let count = read_full(&*file, &mut buffer, 0).map_err(fail)?;
    buffer.truncate(count);
    let Some((header, mut rest)) = buffer.split_at_checked(HEADER_BYTES) else {
        // The first key was being written, and acked to nobody.
        return Ok(Default::default());
    };
    if header != rows::header(store) {
        return other(header, rest);
    }
    let mut known = Known::default();
    while !rest.is_empty() {
        match rows::read(rest) {
            Some((id, row, after)) => {
                known.take_in(id, row);
                rest = after;
            }
            // The last row was being written: it is no longer than a row, and none comes after it.
            None if rest.len() <= ROW_BYTES_MAX && !rows::has_any(rest) => break,
            None => return Err(damaged("a row is not what was written")),
        }
    }
    Ok((known, (buffer.len() - rest.len()) as u64))
}

/// The header is not that of this store.
fn other(header: &[u8], rest: &[u8]) -> Result<(Known, u64)> {
    if header.get(..8) == Some(rows::MAGIC) {
        if header.get(8..10) != Some(&rows::FORMAT.to_le_bytes()) {
            let message = "the keys of persons have a format that this program does not know";
            return Err(Error::new(ErrorKind::UnknownFormat, message).with("file", FILE));
        }
        let (summed, sum) = header.split_at(HEADER_BYTES - 4);
        if crc32c::crc32c(summed).to_le_bytes() == sum {
            let message = "the keys of persons are those of another store";
            return Err(Error::new(ErrorKind::ForeignFile, message).with("file", FILE));
        }
    }
    // As long as there is no whole row, the first write may have been torn.
    if rest.len() <= ROW_BYTES_MAX && rows::read(rest).is_none() {
        return Ok(Default::default());
    }
    Err(damaged("the header is not what was written"))
}

fn remove_if_there(disk: &dyn Disk, name: &str) -> io::Result<()> {
    match disk.remove(name) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

fn place(id: KeyId) -> Vec<u8> {
    [WRAPPING, &id.to_bytes()].concat()
}

fn no_sealing_key() -> Error {
    let message = "personal fields are kept only under a sealing key";
    Error::new(ErrorKind::NoSealingKey, message)
}

fn damaged(what: &str) -> Error {
    let message = format!("the keys of persons are damaged: {what}");
    Error::new(ErrorKind::Corruption, message).with("file", FILE)
}

fn unwritten(cause: &io::Error) -> Error {
    let kind = match cause.kind() {
        io::ErrorKind::StorageFull => ErrorKind::DiskFull,
        _ => ErrorKind::Disk,
    };
    let message = format!("cannot write the keys of persons: {cause}");
    Error::new(kind, message).with("file", FILE)
}
