//! What is shown of a projection by its name, whatever its kind.

use foundation_types::{Data, Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

use super::registry::{Projections, ServedKeys, ServedProjection};

/// What readers of a projection by name get.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProjectionShown {
    /// Its state.
    State(ServedProjection),
    /// Some of its keys with their states.
    Keys(ServedKeys),
    /// The state under the key that was asked for.
    Key(Data),
}

impl Projections {
    /// The state of a projection; of one by key that under a key, or a page of them.
    ///
    /// # Errors
    /// `NotFound` if there is no such projection, or no state under the key; `InvalidArgument` if one
    /// without keys is asked for some.
    pub fn show(
        &self,
        name: &str,
        key: Option<&str>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<ProjectionShown> {
        if self.knows_plain(name) {
            if key.is_some() || after.is_some() {
                let message = format!("projection {name:?} has one state, and no keys");
                return Err(Error::new(ErrorKind::InvalidArgument, message));
            }
            return self.served(name).map(ProjectionShown::State);
        }
        let Some(key) = key else {
            return self.served_keys(name, after, limit).map(ProjectionShown::Keys);
        };
        self.served_key(name, key)?.map(ProjectionShown::Key).ok_or_else(|| {
            let shown: String = key.chars().take(64).collect();
            let message = format!("projection {name:?} has no state under the key {shown:?}");
            Error::new(ErrorKind::NotFound, message)
        })
    }
}
