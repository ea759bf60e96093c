//! A filter in memory: whether a segment can have a term, wrong for about one in eighty that it
//! does not have, and never for one that it has.
//!
//! It is a Bloom filter in blocks of one cache line: the upper bits of a hash choose a block, the
//! lower ones six bits of it. It can be built for any set of hashes, and whatever bytes it is
//! read from, looking into it stays inside.

/// Bits for each term.
const BITS_PER_TERM: u64 = 10;
const PROBES: u32 = 6;
const BLOCK_WORDS: usize = 8;
const BLOCK_BYTES: usize = BLOCK_WORDS * 8;
const BLOCK_BITS: u64 = BLOCK_BYTES as u64 * 8;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Filter {
    blocks: Vec<[u64; BLOCK_WORDS]>,
}

impl Filter {
    /// An empty filter for this many terms.
    pub(super) fn for_terms(terms: u64) -> Self {
        let blocks = usize::try_from(blocks_for(terms)).unwrap_or(usize::MAX);
        Self { blocks: vec![[0; BLOCK_WORDS]; blocks] }
    }

    /// The filter that was written as `bytes`; `None` if it is not one for this many terms.
    pub(super) fn read(bytes: &[u8], terms: u64) -> Option<Self> {
        let (blocks, rest) = bytes.as_chunks::<BLOCK_BYTES>();
        if !rest.is_empty() || blocks.len() as u64 != blocks_for(terms) {
            return None;
        }
        let words = |block: &[u8; BLOCK_BYTES]| {
            let mut words = [0; BLOCK_WORDS];
            for (word, bytes) in words.iter_mut().zip(block.as_chunks::<8>().0) {
                *word = u64::from_le_bytes(*bytes);
            }
            words
        };
        Some(Self { blocks: blocks.iter().map(words).collect() })
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        for word in self.blocks.iter().flatten() {
            out.extend_from_slice(&word.to_le_bytes());
        }
    }

    pub(super) fn add(&mut self, hash: u64) {
        let at = self.block_of(hash);
        let Some(block) = self.blocks.get_mut(at) else { return };
        for (word, bit) in bits(hash) {
            block[word] |= bit;
        }
    }

    pub(super) fn may_hold(&self, hash: u64) -> bool {
        let block = self.blocks.get(self.block_of(hash));
        block.is_some_and(|block| bits(hash).all(|(word, bit)| block[word] & bit != 0))
    }

    fn block_of(&self, hash: u64) -> usize {
        // Below the number of blocks: the upper half of a product with a number below 2^64.
        ((u128::from(hash) * self.blocks.len() as u128) >> 64) as usize
    }
}

fn blocks_for(terms: u64) -> u64 {
    terms.saturating_mul(BITS_PER_TERM).div_ceil(BLOCK_BITS)
}

/// Words of a block and the bit in each.
fn bits(hash: u64) -> impl Iterator<Item = (usize, u64)> {
    (0..PROBES).map(move |probe| {
        let bit = (hash >> (probe * BLOCK_BITS.ilog2())) % BLOCK_BITS;
        ((bit / 64) as usize, 1 << (bit % 64))
    })
}
