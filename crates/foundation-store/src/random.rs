//! Randomness as a seam: ids and salts are drawn through it, so that a test can repeat them.

use std::hash::{BuildHasher, Hasher, RandomState};

/// Where random bits come from.
pub trait Rng: Send + Sync + 'static {
    /// 64 bits that differ from call to call.
    fn bits(&self) -> u64;

    /// Ten random bytes, as an event id takes.
    fn ten_bytes(&self) -> [u8; 10] {
        let mut bytes = [0; 10];
        let (head, tail) = bytes.split_at_mut(8);
        head.copy_from_slice(&self.bits().to_le_bytes());
        tail.copy_from_slice(&self.bits().to_le_bytes()[..2]);
        bytes
    }
}

/// Random bits of this process: enough to tell ids apart, not for keys.
///
/// The standard library seeds its hash maps from the system; a keyed hash of a counter under two
/// such seeds gives bits that nobody outside can predict.
#[derive(Debug, Default)]
pub struct SystemRng {
    seed: RandomState,
    drawn: std::sync::atomic::AtomicU64,
}

impl Rng for SystemRng {
    fn bits(&self) -> u64 {
        let count = self.drawn.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let mut hasher = self.seed.build_hasher();
        hasher.write_u64(count);
        hasher.finish()
    }
}
