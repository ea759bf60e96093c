//! Keyed hashes, so that nobody outside can choose ids or names that fall together.

use std::hash::{BuildHasher, BuildHasherDefault, Hash, Hasher, RandomState};

use crate::key_hash::KeyHasher;
use crate::record::IdBytes;

/// The keys of this process.
#[derive(Clone, Debug)]
pub(super) struct Hashing {
    names: KeyHasher,
    first: RandomState,
    second: RandomState,
}

impl Default for Hashing {
    fn default() -> Self {
        let (first, second) = Default::default();
        Self { names: KeyHasher::new(), first, second }
    }
}

/// 128 bits that stand for an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fingerprint {
    pub(super) low: u64,
    pub(super) high: u64,
}

impl Hash for Fingerprint {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.low);
    }
}

impl Hashing {
    /// 64 bits that stand for a type, a stream or a correlation. Two names that share them only
    /// share a list of candidates.
    pub(super) fn name(&self, name: &[u8]) -> u64 {
        self.names.name(name)
    }

    /// The bits that stand for an id.
    pub(super) fn fingerprint(&self, id: IdBytes<'_>) -> Fingerprint {
        Fingerprint { low: hash_id(&self.first, id), high: hash_id(&self.second, id) }
    }
}

/// A UUID is 16 bytes and another id is text without a byte of 0xff, which ends it: no two ids
/// give the hasher the same bytes.
fn hash_id(key: &RandomState, id: IdBytes<'_>) -> u64 {
    let mut hasher = key.build_hasher();
    match id {
        IdBytes::Uuid(bits) => hasher.write(&bits.to_le_bytes()),
        IdBytes::Text(text) => {
            hasher.write(text);
            hasher.write_u8(u8::MAX);
        }
    }
    hasher.finish()
}

/// For maps whose keys are hashes already.
pub(super) type AsIs = BuildHasherDefault<AsIsHasher>;

/// Gives back the 64 bits that it was given.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct AsIsHasher(u64);

impl Hasher for AsIsHasher {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, bits: u64) {
        self.0 = bits;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
