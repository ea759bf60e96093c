//! How finely an index says where records are: frame by frame beside the log, stretch by stretch for
//! a segment in the archive, where a read costs a whole block anyway.

/// What a posting of an index is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::journal::embedded) enum Grain {
    /// The offset of a frame.
    Frames,
    /// The number of a block of the index, the first of which is 1: all its frames are candidates.
    Stretches,
}

impl Grain {
    /// The version of the format that has it.
    pub(super) fn format(self) -> u16 {
        match self {
            // The first format had no tags and parents.
            Self::Frames => 2,
            Self::Stretches => 3,
        }
    }

    pub(super) fn of_format(format: u16) -> Option<Self> {
        [Self::Frames, Self::Stretches].into_iter().find(|grain| grain.format() == format)
    }

    /// Bytes of a segment after which the next frame begins a block.
    pub(super) fn span_bytes(self) -> u32 {
        match self {
            Self::Frames => 4 * 1024,
            Self::Stretches => 16 * 1024,
        }
    }

    /// The part of a hash that the table of terms is sorted by; the filter looks at the rest too.
    /// That two terms of a segment share it costs a read in vain.
    pub(super) fn kept(self, hash: u64) -> u64 {
        let bits = match self {
            Self::Frames => 40,
            Self::Stretches => 28,
        };
        hash >> (u64::BITS - bits)
    }
}
