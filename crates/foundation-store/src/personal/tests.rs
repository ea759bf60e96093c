//! The file of the keys: what was written is read, what is damaged is told, what was destroyed is gone.

use std::sync::Arc;

use foundation_types::{ErrorKind, Result, StoreId};

use super::{Destruction, KeyId, SubjectKeys};
use crate::config::{Seals, SecretKey};
use crate::disk::{Access, Disk, MemoryDisk, read_small};
use crate::journal::Mode;
use crate::random::SystemRng;

const STORE: StoreId = StoreId::from_bits(7);

fn seals(key: u8, former: Option<u8>) -> Arc<Seals> {
    let former = former.map(|byte| SecretKey::new(&[byte; 32])).into_iter().collect();
    let key = Some(SecretKey::new(&[key; 32]));
    Arc::new(Seals::new(key, former, Arc::new(SystemRng::default())))
}

fn open(disk: &Arc<MemoryDisk>) -> Result<SubjectKeys> {
    SubjectKeys::open(disk.clone(), STORE, seals(1, None), [], Mode::Write)
}

fn id(number: u8) -> KeyId {
    KeyId::of_bytes([number; 16])
}

fn content(disk: &MemoryDisk) -> Vec<u8> {
    let file = disk.open("KEYS", Access::Read).expect("is there");
    read_small(&*file, 1 << 20).expect("reads")
}

fn put(bytes: &[u8]) -> Arc<MemoryDisk> {
    let disk = Arc::new(MemoryDisk::default());
    disk.open("KEYS", Access::Create).expect("is new").write_at(bytes, 0).expect("has room");
    disk
}

fn certificate(_: KeyId) -> Result<Vec<u8>> {
    Ok(b"{}".to_vec())
}

/// Ann's key is destroyed, Bo's is there.
fn sample() -> Arc<MemoryDisk> {
    let disk = Arc::new(MemoryDisk::default());
    let keys = open(&disk).expect("none yet");
    keys.add("ann", id(1), &[11; 32]).expect("is written");
    keys.add("bo", id(2), &[22; 32]).expect("is written");
    keys.add("bo", id(3), &[33; 32]).expect("has one");
    assert_eq!(keys.destroy("ann", certificate).expect("is written"), Destruction::Done(id(1)));
    disk
}

#[test]
fn a_key_is_kept_until_it_is_destroyed() {
    let disk = sample();
    let keys = open(&disk).expect("is whole");
    assert!(keys.of_subject("ann").expect("is no error").is_none());
    assert!(keys.is_destroyed(id(1)) && keys.of_id(id(1)).expect("is no error").is_none());
    let (found, key) = keys.of_subject("bo").expect("opens").expect("is there");
    assert_eq!(found, id(2));
    let sealed = key.encrypt(b"place", b"text", [0, 0]).expect("is short");
    let same = SecretKey::new(&[22; 32]).decrypt(b"place", &sealed);
    assert_eq!(same.as_deref().map(Vec::as_slice), Some(&b"text"[..]));
    assert_eq!(keys.untold().len(), 1);
    keys.told(id(1)).expect("is written");
    assert_eq!(open(&disk).expect("is whole").untold(), []);
    assert_eq!(keys.destroy("ann", certificate).expect("is no error"), Destruction::NoKey);
    assert!(!content(&disk).windows(4).any(|bytes| bytes == [22; 4]), "keys are wrapped");
}

#[test]
fn a_key_is_found_under_a_former_sealing_key_and_under_no_other() {
    let disk = sample();
    let open = |seals| SubjectKeys::open(disk.clone(), STORE, seals, [], Mode::Write);
    let changed = open(seals(9, Some(1))).expect("is whole");
    assert!(changed.of_subject("bo").expect("opens").is_some());
    let other = open(seals(9, None)).expect("is whole");
    assert!(other.of_subject("bo").expect("is not known by this name").is_none());
    assert_eq!(other.of_id(id(2)).expect_err("does not open").kind(), ErrorKind::SecretSealed);
}

#[test]
fn what_the_log_tells_of_is_destroyed_in_an_older_file_too() {
    let disk = sample();
    let keys = SubjectKeys::open(disk.clone(), STORE, seals(1, None), [id(2)], Mode::Write);
    assert!(keys.expect("is whole").of_subject("bo").expect("is no error").is_none());
    assert!(open(&disk).expect("is whole").is_destroyed(id(2)), "the file says so, too");
}

#[test]
fn the_keys_of_another_store_are_refused() {
    let bytes = content(&sample());
    let other = StoreId::from_bits(8);
    let refused = SubjectKeys::open(put(&bytes), other, seals(1, None), [], Mode::Write);
    assert_eq!(refused.expect_err("is foreign").kind(), ErrorKind::ForeignFile);
}

/// A cut leaves what came before it: only the last row may have been on its way. No flipped bit gives
/// a wrong key, and none brings a destroyed one back.
#[test]
fn no_damage_gives_a_wrong_key() {
    let right = content(&sample());
    for length in 0..right.len() {
        let keys = open(&put(&right[..length])).expect("the last row is torn");
        assert!(keys.of_id(id(1)).expect("is no error").is_none(), "{length} bytes");
    }
    let last_row = 8 * (2 + 1 + 16 + 32 + 24 + 32 + 16 + 4);
    let mut refused = right.len() * 8;
    for bit in 0..right.len() * 8 {
        let mut bytes = right.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let Ok(keys) = open(&put(&bytes)) else { continue };
        refused -= 1;
        assert!(keys.of_id(id(1)).expect("is no error").is_none(), "bit {bit}");
        if let Some(key) = keys.of_id(id(2)).expect("opens or is not there") {
            let sealed = key.encrypt(b"p", b"t", [0, 0]).expect("is short");
            assert!(SecretKey::new(&[22; 32]).decrypt(b"p", &sealed).is_some(), "bit {bit}");
        }
    }
    assert_eq!(refused, right.len() * 8 - last_row, "all but the last row, which may be torn");
}
