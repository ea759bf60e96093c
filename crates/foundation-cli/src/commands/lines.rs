//! Lines of any length from any reader, with bounded memory.

use std::io::{BufRead, BufReader, ErrorKind, Read, Result};

/// Longest line that is kept, in bytes: the largest event with room for what JSON adds.
pub(super) const LINE_BYTES_MAX: usize = foundation::limits::EVENT_BYTES_MAX + 64 * 1024;

/// What some editors write before the first line of a text in UTF-8.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Bytes that are read at a time.
const BUFFER_BYTES: usize = 256 * 1024;

/// Reads line after line.
pub(super) struct Lines<R> {
    from: BufReader<R>,
    number: u64,
    bytes_read: u64,
    kept: Vec<u8>,
}

/// One line, without its line break.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// From 1.
    pub(super) number: u64,
    pub(super) content: Content<'a>,
}

/// What a line has.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Content<'a> {
    /// These bytes.
    Bytes(&'a [u8]),
    /// More bytes than are kept: so many.
    TooLong(u64),
}

impl<R: Read> Lines<R> {
    pub(super) fn new(from: R) -> Self {
        let from = BufReader::with_capacity(BUFFER_BYTES, from);
        Self { from, number: 0, bytes_read: 0, kept: Vec::new() }
    }

    /// Bytes of input so far.
    pub(super) fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    /// Whether the next line is here already; for any other one may have to wait.
    pub(super) fn has_next_here(&self) -> bool {
        self.from.buffer().contains(&b'\n')
    }

    /// The next line, `None` after the last.
    pub(super) fn next(&mut self) -> Result<Option<Line<'_>>> {
        self.kept.clear();
        let mut length = 0_u64;
        loop {
            let bytes = match self.from.fill_buf() {
                Err(cause) if cause.kind() == ErrorKind::Interrupted => continue,
                bytes => bytes?,
            };
            if bytes.is_empty() && length == 0 {
                return Ok(None);
            }
            let end = bytes.iter().position(|byte| *byte == b'\n');
            let part = bytes.get(..end.unwrap_or(bytes.len())).unwrap_or_default();
            let room = LINE_BYTES_MAX.saturating_sub(self.kept.len()).min(part.len());
            self.kept.extend_from_slice(part.get(..room).unwrap_or_default());
            length += part.len() as u64;
            let is_whole = end.is_some() || bytes.is_empty();
            let used = part.len() + usize::from(end.is_some());
            self.from.consume(used);
            self.bytes_read += used as u64;
            if is_whole {
                break;
            }
        }
        self.number += 1;
        let content = if length > LINE_BYTES_MAX as u64 {
            Content::TooLong(length)
        } else {
            let line = self.kept.strip_suffix(b"\r").unwrap_or(&self.kept);
            let mark = if self.number == 1 { BYTE_ORDER_MARK } else { &[] };
            Content::Bytes(line.strip_prefix(mark).unwrap_or(line))
        };
        Ok(Some(Line { number: self.number, content }))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_line_beyond_all_bounds_is_counted_and_not_kept() {
        let before = Read::chain(&b"a\r\n"[..], std::io::repeat(b'x').take(5_000_000));
        let mut lines = Lines::new(before.chain(&b"\nb"[..]));
        let mut seen = Vec::new();
        while let Some(line) = lines.next().expect("reads") {
            seen.push(match line.content {
                Content::Bytes(bytes) => (line.number, bytes.to_vec(), 0),
                Content::TooLong(bytes) => (line.number, Vec::new(), bytes),
            });
        }
        let none = Vec::new();
        assert_eq!(seen, [(1, b"a".to_vec(), 0), (2, none, 5_000_000), (3, b"b".to_vec(), 0)]);
        assert!(lines.kept.capacity() <= 2 * LINE_BYTES_MAX);
        assert_eq!(lines.bytes_read(), 5_000_005);
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_first_line() {
        let mut lines = Lines::new("\u{feff}a\n\u{feff}b".as_bytes());
        for expected in ["a", "\u{feff}b"] {
            let line = lines.next().expect("reads").expect("is there");
            assert_eq!(line.content, Content::Bytes(expected.as_bytes()));
        }
    }

    proptest! {
        #[test]
        fn lines_are_those_of_the_text(text in "[a-c\n]{0,40}") {
            let mut lines = Lines::new(text.as_bytes());
            let mut seen = Vec::new();
            while let Some(line) = lines.next().expect("reads") {
                let Content::Bytes(bytes) = line.content else { panic!("no line is long") };
                seen.push(String::from_utf8(bytes.to_vec()).expect("is text"));
            }
            prop_assert_eq!(seen, text.lines().map(str::to_owned).collect::<Vec<_>>());
        }
    }
}
