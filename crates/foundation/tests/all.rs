//! The facade as an application meets it.

mod archived;
mod consumers;
mod dumps;
mod erasing;
mod erasing_derived;
mod evolving;
mod expiring;
mod exporting;
mod keyed;
mod life;
#[cfg(feature = "log-level")]
mod log_level;
mod migrated;
mod parked;
mod parked_documents;
mod projections;
mod reference;
mod refused;
mod secrets;
mod settings;
mod socket;
mod sources;
mod sources_lost;
mod tables;

use foundation::{Document, Foundation, Sources};
use serde::{Deserialize, Serialize};
use validator::Validate;

/// A document of an application.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Validate, Document)]
#[serde(default, deny_unknown_fields)]
struct Shop {
    /// Requests that one client may send each second.
    #[validate(range(max = 10_000))]
    rate_limit: u32,
    /// What stands over the door.
    name: String,
}

/// A directory that goes away with its test.
fn directory() -> tempfile::TempDir {
    tempfile::tempdir().expect("a directory")
}

async fn open(directory: &tempfile::TempDir) -> Foundation {
    let builder =
        Foundation::builder(directory.path().join("store")).document::<Shop>(Sources::defaults());
    // A process that another test is just starting has the lock for a moment, too.
    let builder = builder.lock_timeout(std::time::Duration::from_secs(5));
    builder.control_socket().start().await.expect("starts")
}
