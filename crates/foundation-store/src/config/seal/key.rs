//! The key that secrets are sealed under.
//!
//! XChaCha20-Poly1305, with the place as associated data. The nonce of 24 bytes is a keyed hash of
//! place, content and drawn bits: should the bits ever repeat, it repeats only for what is the same
//! anyway. The digest is HMAC-SHA256 of place and content. Each of the three uses has a key of its
//! own, derived from the one that is given.

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{Key, KeyInit as _, XChaCha20Poly1305, XNonce};
use foundation_types::Value;
use foundation_types::value::Seal;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

/// Bytes of a key.
const KEY_BYTES: usize = 32;

const NONCE_BYTES: usize = 24;

type Bytes = Zeroizing<[u8; KEY_BYTES]>;

/// A key of 32 bytes. It is overwritten when it is dropped, and never printed.
pub struct SecretKey {
    sealing: Bytes,
    nonces: Bytes,
    digests: Bytes,
}

impl std::fmt::Debug for SecretKey {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("SecretKey")
    }
}

impl SecretKey {
    /// The key that these bytes are. They have to be random: nothing makes a guessable key safe.
    #[must_use]
    pub fn new(bytes: &[u8; KEY_BYTES]) -> Self {
        let derived = |label: &str| keyed(bytes, &[label.as_bytes()]);
        Self {
            sealing: derived("foundation secret sealing 1"),
            nonces: derived("foundation secret nonces 1"),
            digests: derived("foundation secret digests 1"),
        }
    }

    /// The seal of a content at a place; nothing if the cipher refuses it, as it does beyond 256 GiB.
    pub(super) fn seal(&self, place: &[u8], content: &Value, drawn: [u64; 2]) -> Option<Seal> {
        let text = Zeroizing::new(content.to_json());
        let sealed = hex(&self.encrypt(place, text.as_bytes(), drawn)?);
        Some(Seal { sealed: sealed.into(), digest: self.digest(place, &text).into() })
    }

    /// The content of a seal for this place, if this key has sealed it.
    pub(super) fn open(&self, place: &[u8], seal: &Seal) -> Option<Value> {
        let text = self.decrypt(place, &unhex(&seal.sealed)?)?;
        let text = std::str::from_utf8(&text).ok()?;
        // By its digest a secret counts as changed or not: one that lies is no seal of ours.
        if self.digest(place, text) != *seal.digest {
            return None;
        }
        serde_json::from_str(text).ok()
    }

    /// Bytes encrypted for a place, the nonce before them. Without drawn bits the same bytes at the
    /// same place come to the same.
    #[must_use]
    pub fn encrypt(&self, place: &[u8], content: &[u8], drawn: [u64; 2]) -> Option<Vec<u8>> {
        let drawn = drawn.map(u64::to_le_bytes).concat();
        let nonce = keyed(&self.nonces, &[place, &drawn, content]);
        let nonce = nonce.first_chunk::<NONCE_BYTES>()?;
        let payload = Payload { msg: content, aad: place };
        let encrypted = self.cipher().encrypt(&XNonce::from(*nonce), payload).ok()?;
        Some([nonce.as_slice(), &encrypted].concat())
    }

    /// What was encrypted for this place under this key.
    #[must_use]
    pub fn decrypt(&self, place: &[u8], bytes: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, encrypted) = bytes.split_first_chunk::<NONCE_BYTES>()?;
        let payload = Payload { msg: encrypted, aad: place };
        self.cipher().decrypt(&XNonce::from(*nonce), payload).ok().map(Zeroizing::new)
    }

    /// What a subject is called where nobody is to know it.
    pub(super) fn subject_hash(&self, subject: &str) -> [u8; KEY_BYTES] {
        *keyed(&self.digests, &[b"subject", subject.as_bytes()])
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&Key::from(*self.sealing))
    }

    fn digest(&self, place: &[u8], text: &str) -> String {
        hex(&*keyed(&self.digests, &[place, text.as_bytes()]))
    }
}

/// HMAC-SHA256 of these parts, each with its length before it.
fn keyed(key: &[u8; KEY_BYTES], parts: &[&[u8]]) -> Bytes {
    // A key of any length is taken; one of 32 bytes is shorter than a block.
    let mut block = Zeroizing::new([0; 64]);
    block[..KEY_BYTES].copy_from_slice(key);
    let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new(&(*block).into());
    for part in parts {
        mac.update(&(part.len() as u64).to_le_bytes());
        mac.update(part);
    }
    Zeroizing::new(mac.finalize().into_bytes().into())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = text.as_bytes().chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return None;
    }
    pairs.map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn only_the_same_key_opens_at_the_same_place(
            text in ".{0,64}",
            drawn in any::<[u64; 2]>(),
            flip in any::<prop::sample::Index>(),
        ) {
            let (key, other) = (SecretKey::new(&[7; 32]), SecretKey::new(&[8; 32]));
            let content = Value::from(text.as_str());
            let seal = key.seal(b"shop/key", &content, drawn).expect("is short");
            prop_assert_eq!(key.open(b"shop/key", &seal), Some(content.clone()));
            prop_assert_eq!(other.open(b"shop/key", &seal), None);
            prop_assert_eq!(key.open(b"shop/kez", &seal), None);
            let again = key.seal(b"shop/key", &content, drawn.map(|bits| !bits)).expect("is short");
            prop_assert_eq!(&again.digest, &seal.digest);
            prop_assert_ne!(&again.sealed, &seal.sealed);
            let mut damaged = seal.sealed.to_string().into_bytes();
            let place = flip.index(damaged.len());
            damaged[place] = if damaged[place] == b'0' { b'1' } else { b'0' };
            let sealed = String::from_utf8(damaged).expect("is text").into();
            prop_assert_eq!(key.open(b"shop/key", &Seal { sealed, ..seal.clone() }), None);
            prop_assert_eq!(key.open(b"shop/key", &Seal { digest: "00".into(), ..seal }), None);
        }
    }
}
