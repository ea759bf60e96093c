//! What is kept of a projection.

use serde::{Deserialize, Serialize};

use super::Data;
use crate::version::Position;

/// The state of one version of a projection with how far the log is in it: one record, so that
/// neither is kept without the other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProjectionKept {
    /// Everything up to here is in the state.
    pub position: Position,
    /// Whether it has caught up once, and is what readers by name get.
    pub serving: bool,
    /// The state.
    pub state: Data,
}
