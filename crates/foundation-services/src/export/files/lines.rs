//! What is in a file of lines: where its last whole line ends, and the ids of the last ones.

use std::collections::{BTreeSet, VecDeque};
use std::io;

use foundation_store::disk::DiskFile;
use foundation_types::limits::EXPORT_FILE_LINES_KNOWN;
use serde::Deserialize;

/// Bytes that are read at once.
const PIECE_BYTES: usize = 256 * 1024;

/// The ids of the last lines.
#[derive(Debug, Default)]
pub(super) struct Known {
    order: VecDeque<String>,
    ids: BTreeSet<String>,
}

#[derive(Deserialize)]
struct Id {
    #[serde(alias = "dedupid")]
    dedup_id: String,
}

impl Known {
    pub(super) fn has(&self, id: &str) -> bool {
        self.ids.contains(id)
    }

    pub(super) fn last(&self) -> Option<&String> {
        self.order.back()
    }

    pub(super) fn is_full(&self) -> bool {
        self.order.len() >= EXPORT_FILE_LINES_KNOWN
    }

    pub(super) fn add(&mut self, id: String) {
        if self.ids.insert(id.clone()) {
            self.order.push_back(id);
        }
        while self.order.len() > EXPORT_FILE_LINES_KNOWN {
            let Some(oldest) = self.order.pop_front() else { break };
            self.ids.remove(&oldest);
        }
    }

    /// Puts those of an earlier file before these.
    pub(super) fn add_before(&mut self, earlier: Self) {
        let later = std::mem::replace(self, earlier);
        later.order.into_iter().for_each(|id| self.add(id));
    }
}

/// Reads a file; gives the ids of its last lines, and where its last whole line ends.
pub(super) fn read(file: &dyn DiskFile) -> io::Result<(Known, u64)> {
    let (mut known, mut line, mut offset, mut whole) = (Known::default(), Vec::new(), 0, 0);
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let count = match file.read_at(&mut piece, offset) {
            Ok(0) => return Ok((known, whole)),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        for (place, byte) in piece.iter().take(count).enumerate() {
            if *byte != b'\n' {
                line.push(*byte);
                continue;
            }
            whole = offset + place as u64 + 1;
            // A line of somebody else has no id, and stays.
            if let Ok(Id { dedup_id }) = serde_json::from_slice(&line) {
                known.add(dedup_id);
            }
            line.clear();
        }
        offset += count as u64;
    }
}
