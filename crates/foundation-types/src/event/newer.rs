//! What to do with an event whose schema is newer than any that the program knows.

/// What a reader is given of an event whose schema is newer than the newest known one of its type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NewerSchema {
    /// The event as it is.
    #[default]
    AsIs,
    /// An error of the kind [`crate::ErrorKind::NewerSchema`].
    Refuse,
}
