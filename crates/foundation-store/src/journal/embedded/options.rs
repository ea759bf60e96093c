//! How a directory is opened.

/// For what a store is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Reading, alone or beside other readers: nothing on the disk is changed, a torn tail stays
    /// where it is.
    Read,
    /// Reading beside an owner who may be writing: without the lock, as far as the log can be read
    /// at this moment. For a look, not for decisions.
    Peek,
    /// Reading and writing.
    Write,
}

/// Options of an embedded journal.
#[derive(Clone, Copy, Debug)]
pub struct EmbeddedOptions {
    /// For what it is opened.
    pub mode: Mode,
    /// Bytes after which a segment is sealed and the next one begun.
    pub segment_bytes: u64,
    /// Whether indices and snapshots are made on a thread of their own. Otherwise the writer makes
    /// them, and appends wait, but every call to the disk comes in an order that can be repeated.
    pub background: bool,
    /// Bytes of a file that is given up when a full disk leaves no room to let go of old segments;
    /// 0 makes none.
    pub reserve_bytes: usize,
}

impl Default for EmbeddedOptions {
    fn default() -> Self {
        Self {
            mode: Mode::Write,
            segment_bytes: 16 * 1024 * 1024,
            background: true,
            reserve_bytes: 256 * 1024,
        }
    }
}

impl EmbeddedOptions {
    /// Options for this mode.
    #[must_use]
    pub fn of(mode: Mode) -> Self {
        Self { mode, ..Self::default() }
    }
}
