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
    /// Whether it is to be made anew at the next start; until that has caught up, this is read.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rebuild: bool,
    /// The state.
    pub state: Data,
}

/// An entry of what is kept of the projections by key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyedKept {
    /// How far a build is: kept in one step with the states that changed on the way there.
    Place(KeyedPlace),
    /// The state under one key of a build.
    State(Data),
}

/// How far one build of a projection by key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyedPlace {
    /// Everything up to here is in the states.
    pub position: Position,
    /// Whether it has caught up once, and is what readers by name get.
    pub serving: bool,
    /// How many keys have a state.
    pub keys: u64,
}
