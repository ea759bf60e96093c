//! The hash by which names are found in memory, those of events and of series: fast for short texts, and the
//! same for labels in any order.

use std::hash::{BuildHasher, RandomState};

/// Hashes names and labels under a secret of its own, so that nobody can choose colliding ones.
#[derive(Clone, Debug)]
pub(crate) struct KeyHasher {
    /// Where a name starts, where a label starts, and what is mixed into all words: if two were
    /// the same, words could change places without changing the hash.
    name: u64,
    label: u64,
    word: u64,
}

impl KeyHasher {
    pub(crate) fn new() -> Self {
        let random = RandomState::new();
        let [name, label, word] = [0_u8, 1, 2].map(|secret| random.hash_one(secret));
        Self { name, label, word }
    }

    /// The hash of a name alone.
    #[inline]
    pub(crate) fn name(&self, name: &[u8]) -> u64 {
        self.text(self.name, name)
    }

    /// The hash of a name with labels.
    #[inline]
    pub(crate) fn series(&self, name: &str, labels: &[(&str, &str)]) -> u64 {
        labels.iter().fold(self.name(name.as_bytes()), |hash, (label, value)| {
            let label = self.text(self.label, label.as_bytes());
            hash.wrapping_add(self.text(label, value.as_bytes()))
        })
    }

    #[inline]
    fn text(&self, seed: u64, text: &[u8]) -> u64 {
        let mut hash = seed;
        let mut rest = text;
        while let Some((chunk, after)) = rest.split_first_chunk::<16>()
            && !after.is_empty()
        {
            let (low, high) = halves(*chunk);
            hash = fold(low ^ self.word, high ^ hash);
            rest = after;
        }
        let (low, high) = ends(text, rest);
        let length = (text.len() as u64).wrapping_mul(SPREAD);
        fold(low ^ self.word ^ length, high ^ hash)
    }
}

/// Spreads a length over a word, away from the bytes of a text: 2⁶⁴ divided by the golden ratio.
const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;

/// The last 1 to 16 bytes of a text as two words, which overlap if there are fewer than 16.
#[inline]
fn ends(text: &[u8], rest: &[u8]) -> (u64, u64) {
    if let (Some(_), Some(last)) = (text.get(15), text.last_chunk::<16>()) {
        return halves(*last);
    }
    if let (Some(first), Some(last)) = (rest.first_chunk::<8>(), rest.last_chunk::<8>()) {
        return (u64::from_le_bytes(*first), u64::from_le_bytes(*last));
    }
    if let (Some(first), Some(last)) = (rest.first_chunk::<4>(), rest.last_chunk::<4>()) {
        return (u32::from_le_bytes(*first).into(), u32::from_le_bytes(*last).into());
    }
    match rest {
        [] => (0, 0),
        [one] => (u64::from(*one), 0),
        [first, .., last] => {
            (u64::from(*first), u64::from(rest[rest.len() / 2]) << 8 | u64::from(*last))
        }
    }
}

#[inline]
fn halves(chunk: [u8; 16]) -> (u64, u64) {
    let both = u128::from_le_bytes(chunk);
    (both as u64, (both >> 64) as u64)
}

#[inline]
fn fold(one: u64, two: u64) -> u64 {
    let product = u128::from(one) * u128::from(two);
    product as u64 ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn labels_hash_alike_in_any_order_and_unlike_when_swapped() {
        let hasher = KeyHasher::new();
        let hash = |labels: &[(&str, &str)]| hasher.series("requests", labels);
        assert_eq!(hash(&[("a", "1"), ("b", "2")]), hash(&[("b", "2"), ("a", "1")]));
        assert_ne!(hash(&[("a", "1"), ("b", "2")]), hash(&[("a", "2"), ("b", "1")]));
        assert_ne!(hash(&[("a", "b")]), hash(&[("b", "a")]));
        assert_ne!(hash(&[]), hash(&[("a", "")]));
    }

    #[test]
    fn texts_of_every_length_spread() {
        let hasher = KeyHasher::new();
        let mut seen = HashSet::new();
        let mut slots = vec![0_u32; 1024];
        for length in 0..70_usize {
            for changed in 0..=length {
                let text: String =
                    (0..length).map(|at| if at == changed { 'x' } else { 'a' }).collect();
                let hash = hasher.name(text.as_bytes());
                if changed < length || length == 0 {
                    assert!(seen.insert(hash), "{text} collides");
                    slots[hash as usize % 1024] += 1;
                }
            }
        }
        assert!(slots.iter().max() < Some(&16), "crowded slots");
    }
}
