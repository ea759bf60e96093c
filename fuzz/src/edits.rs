//! What an input says: changes of a file that is right, so that most of it stays reachable.
//!
//! An input is read from its front to its end, and what is missing counts as zero: any bytes are
//! an input, and a part that is cut off ends the changes.

use arbitrary::Unstructured;

/// Changes that one input may make.
const EDITS_MAX: usize = 16;

/// Changes `file` as the rest of the input says.
pub fn apply(input: &mut Unstructured<'_>, file: &mut Vec<u8>) {
    for _ in 0..EDITS_MAX {
        if input.is_empty() {
            return;
        }
        one(input, file);
    }
}

fn one(input: &mut Unstructured<'_>, file: &mut Vec<u8>) {
    let kind = byte(input);
    let at = place(input, file.len());
    let end = file.len();
    match kind % 10 {
        0 => put(file, at, &[byte(input)]),
        1 => put(file, at, &u16::from(byte(input)).to_le_bytes()),
        2 => put(file, at, &number(input).to_le_bytes()),
        3 => put(file, at, &u64::from(number(input)).to_le_bytes()),
        4 => put(file, at, &u32::MAX.to_le_bytes()),
        5 => put(file, at, &u64::MAX.to_le_bytes()),
        6 => {
            let bytes = some_bytes(input).to_vec();
            put(file, at, &bytes);
        }
        7 => file.truncate(at),
        8 => {
            let bytes = some_bytes(input).to_vec();
            file.splice(at..at, bytes);
        }
        // A stretch of the file stands somewhere else, too.
        _ => {
            let from = place(input, end);
            let length = usize::from(byte(input)).min(end - from);
            let stretch = file[from..from + length].to_vec();
            put(file, at, &stretch);
        }
    }
}

fn put(file: &mut [u8], at: usize, bytes: &[u8]) {
    let count = bytes.len().min(file.len() - at);
    file[at..at + count].copy_from_slice(&bytes[..count]);
}

/// A place in a file of this length, the end included; in three bytes.
fn place(input: &mut Unstructured<'_>, length: usize) -> usize {
    let low = usize::from(input.arbitrary::<u16>().unwrap_or_default());
    (low | usize::from(byte(input)) << 16) % (length + 1)
}

/// The next byte.
pub fn byte(input: &mut Unstructured<'_>) -> u8 {
    input.arbitrary().unwrap_or_default()
}

/// The next four bytes.
pub fn number(input: &mut Unstructured<'_>) -> u32 {
    input.arbitrary().unwrap_or_default()
}

/// Bytes behind a length of one byte.
pub fn some_bytes<'a>(input: &mut Unstructured<'a>) -> &'a [u8] {
    let length = usize::from(byte(input)).min(input.len());
    input.bytes(length).unwrap_or_default()
}

/// Writes inputs as [`apply`] reads them, for the corpus.
#[derive(Clone, Debug, Default)]
pub struct Script(pub Vec<u8>);

impl Script {
    /// An input that begins with these bytes.
    #[must_use]
    pub fn of(head: &[u8]) -> Self {
        Self(head.to_vec())
    }

    /// One byte is another.
    #[must_use]
    pub fn byte(self, at: u32, value: u8) -> Self {
        self.edit(0, at, &[value])
    }

    /// Four bytes are this number.
    #[must_use]
    pub fn number(self, at: u32, value: u32) -> Self {
        self.edit(2, at, &value.to_le_bytes())
    }

    /// Eight bytes are as large as they can be.
    #[must_use]
    pub fn huge(self, at: u32) -> Self {
        self.edit(5, at, &[])
    }

    /// The file ends here.
    #[must_use]
    pub fn cut(self, at: u32) -> Self {
        self.edit(7, at, &[])
    }

    /// These bytes are put between.
    #[must_use]
    pub fn insert(self, at: u32, bytes: &[u8]) -> Self {
        let length = bytes.len() as u8;
        self.edit(8, at, &[&[length], bytes].concat())
    }

    fn edit(mut self, kind: u8, at: u32, rest: &[u8]) -> Self {
        self.0.push(kind);
        self.0.extend_from_slice(&at.to_le_bytes()[..3]);
        self.0.extend_from_slice(rest);
        self
    }
}
