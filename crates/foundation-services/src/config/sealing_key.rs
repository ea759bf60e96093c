//! Where the key comes from that secrets are sealed under: the environment or a file.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use foundation_store::config::SecretKey;
use foundation_types::{Error, ErrorKind, Result};
use zeroize::Zeroizing;

/// Bytes of a key.
const KEY_BYTES: usize = 32;

/// No file of a key is longer: 64 hexadecimal digits and the end of a line.
const FILE_BYTES_MAX: u64 = 128;

/// What a key may look like.
const FORM: &str = "32 random bytes, as 64 hexadecimal digits or as base64";

/// The key under which secrets are kept that are set at run time: 32 random bytes.
///
/// Whoever has it and the store has the secrets; without it they are lost. It belongs into neither
/// the store nor its backups.
///
/// ```
/// use foundation_services::config::SealingKey;
/// let key = SealingKey::parse(&"5a".repeat(32))?;
/// assert_eq!(format!("{key:?}"), "SealingKey");
/// assert!(SealingKey::parse("too short").is_err());
/// # Ok::<(), foundation_types::Error>(())
/// ```
pub struct SealingKey(SecretKey);

impl SealingKey {
    /// The key that these bytes are.
    #[must_use]
    pub fn new(bytes: &[u8; KEY_BYTES]) -> Self {
        Self(SecretKey::new(bytes))
    }

    /// The key that this text says: 64 hexadecimal digits, or base64 with or without `=` at its end.
    /// White space around it is left out of account.
    ///
    /// # Errors
    /// `InvalidArgument` for any other text, which is not repeated.
    pub fn parse(text: &str) -> Result<Self> {
        decoded(text.trim()).map(|bytes| Self::new(&bytes)).ok_or_else(|| {
            let message = format!("the text is no sealing key, which is {FORM}");
            Error::new(ErrorKind::InvalidArgument, message)
        })
    }

    /// The key that an environment variable has, as [`SealingKey::parse`] reads it.
    ///
    /// # Errors
    /// `NotFound` if there is no such variable, `InvalidArgument` if it has no key.
    pub fn from_env(variable: &str) -> Result<Self> {
        let text = std::env::var(variable).map(Zeroizing::new).map_err(|_| {
            let message = format!("the variable {variable} has no sealing key");
            Error::new(ErrorKind::NotFound, message)
        })?;
        Self::parse(&text).map_err(|error| error.with("variable", variable))
    }

    /// The key that a file has: as text, as [`SealingKey::parse`] reads it, or as 32 bytes.
    ///
    /// # Errors
    /// `Denied` for a file that others than its owner may read or write, `NotFound`, `Disk`, and
    /// `InvalidArgument` if it has no key.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let shown = path.display();
        let unread = |cause: std::io::Error| {
            let kind = match cause.kind() {
                std::io::ErrorKind::NotFound => ErrorKind::NotFound,
                std::io::ErrorKind::PermissionDenied => ErrorKind::Denied,
                _ => ErrorKind::Disk,
            };
            Error::new(kind, format!("cannot read the sealing key in {shown}: {cause}"))
                .caused_by(cause)
        };
        let file = File::open(path).map_err(unread)?;
        // Asked of what is open: the name may lead elsewhere in the next moment.
        let mode = file.metadata().map_err(unread)?.permissions().mode();
        if mode & 0o077 != 0 {
            let message = format!(
                "the sealing key in {shown} is open to others than its owner (mode {:04o}): make \
                 it 0600",
                mode & 0o7777
            );
            return Err(Error::new(ErrorKind::Denied, message));
        }
        let mut bytes = Zeroizing::new(Vec::with_capacity(FILE_BYTES_MAX as usize));
        file.take(FILE_BYTES_MAX).read_to_end(&mut bytes).map_err(unread)?;
        if let Ok(bytes) = <&[u8; KEY_BYTES]>::try_from(bytes.as_slice()) {
            return Ok(Self::new(bytes));
        }
        let text = std::str::from_utf8(&bytes).unwrap_or_default();
        Self::parse(text).map_err(|error| error.with("file", shown))
    }

    /// The key as the store takes it.
    #[must_use]
    pub fn into_inner(self) -> SecretKey {
        self.0
    }
}

impl std::fmt::Debug for SealingKey {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("SealingKey")
    }
}

fn decoded(text: &str) -> Option<Zeroizing<[u8; KEY_BYTES]>> {
    let bits = |byte: u8| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    };
    let hex = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    if text.len() == 2 * KEY_BYTES {
        return unpacked(text, 4, hex);
    }
    let text = text.strip_suffix('=').unwrap_or(text);
    // 43 letters have two bits more than 32 bytes.
    if text.len() == 43 { unpacked(text, 6, bits) } else { None }
}

/// The bytes whose bits the letters of a text are, the most significant ones first.
fn unpacked(
    text: &str,
    width: u32,
    bits: impl Fn(u8) -> Option<u8>,
) -> Option<Zeroizing<[u8; KEY_BYTES]>> {
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    let (mut held, mut count, mut at) = (0_u16, 0, 0);
    for byte in text.bytes() {
        held = held << width | u16::from(bits(byte)?);
        count += width;
        if count >= 8 {
            count -= 8;
            *key.get_mut(at)? = u8::try_from(held >> count).ok()?;
            held &= (1 << count) - 1;
            at += 1;
        }
    }
    (at == KEY_BYTES && held == 0).then_some(key)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::OpenOptionsExt;

    use super::*;

    #[test]
    fn a_key_is_read_from_every_form() {
        let bytes: [u8; 32] = std::array::from_fn(|at| u8::try_from(at * 8 + 1).expect("small"));
        let hex: String = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
        let base64 = "AQkRGSEpMTlBSVFZYWlxeYGJkZmhqbG5wcnR2eHp8fk=";
        for text in [hex.as_str(), base64, base64.trim_end_matches('='), &format!(" {base64}\n")] {
            assert_eq!(decoded(text.trim()).as_deref(), Some(&bytes), "{text}");
        }
        for text in
            ["", "x", &hex[1..], &format!("{hex}0"), "AQkRGSEpMTlBSVFZYWlxeYGJkZmhqbG5wcnR2eHp8fl="]
        {
            assert!(SealingKey::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_file_that_others_may_read_is_refused() {
        let directory = tempfile::tempdir().expect("a directory");
        for (mode, ok) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false)] {
            let path = directory.path().join(format!("{mode:o}"));
            let file =
                std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
            std::io::Write::write_all(&mut file.expect("is new"), &[200; 32]).expect("has room");
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode))
                .expect("is ours");
            assert_eq!(SealingKey::from_file(&path).is_ok(), ok, "{mode:o}");
        }
        let error = SealingKey::from_file(directory.path().join("none")).expect_err("is not there");
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }
}
