//! What becomes of a document whose logged state its type does not take any more.

use serde::{Deserialize, Serialize};

/// What happens at the start if what was logged of a document breaks a rule of its type as it is now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnInvalid {
    /// The start is refused, with every problem.
    #[default]
    Refuse,
    /// What was logged is put aside and kept in the log as it is; the defaults and the sources count.
    /// It comes back as soon as it passes: with a type that takes it, with other sources, or by a
    /// change that corrects it.
    Park,
}
