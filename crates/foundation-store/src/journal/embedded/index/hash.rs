//! The hash of a term: the same in every process, and another one in every store.

use std::hash::Hasher;

use foundation_types::StoreId;
use siphasher::sip::SipHasher13;

use super::Term;
use crate::record::IdBytes;

/// The hashes of one store.
#[derive(Clone, Copy)]
pub(super) struct TermHasher {
    key: [u8; 16],
}

impl TermHasher {
    pub(super) fn new(store: StoreId) -> Self {
        Self { key: store.to_bits().to_le_bytes() }
    }

    /// SipHash-1-3 of a tag, which tells terms of different kinds apart, and the bytes of the term.
    pub(super) fn hash(&self, term: Term<'_>) -> u64 {
        let mut hasher = SipHasher13::new_with_key(&self.key);
        let mut feed = |tag: u8, bytes: &[u8]| {
            hasher.write(&[tag]);
            hasher.write(bytes);
        };
        match term {
            Term::Id(IdBytes::Uuid(bits)) => feed(0, &bits.to_le_bytes()),
            Term::Id(IdBytes::Text(text)) => feed(1, text),
            Term::Type(name) => feed(2, name),
            Term::Stream(name) => feed(3, name),
            Term::Correlation(id) => feed(4, id),
            Term::Parent(id) => feed(5, id),
            Term::Tag(tag) => feed(6, tag),
        }
        hasher.finish()
    }
}
