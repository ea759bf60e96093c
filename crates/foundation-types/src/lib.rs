//! The schemas of Foundation: data, and the laws that data keeps by itself.
//!
//! Nothing here reads a clock, touches a file, starts a thread or decides whether a value may
//! enter: that is `foundation-validate`. Values are immutable, `Send + Sync` and cloned in O(1)
//! wherever they can be large.
//!
//! In reading order: the shared vocabulary ([`Value`], [`Path`], ids, versions and times), then
//! one module a feature ([`config`], [`event`], [`table`], [`telemetry`]), then what every feature
//! shares ([`durability`], [`error`], [`limits`], [`lifecycle`]).

#![forbid(unsafe_code)]

pub mod config;
pub mod durability;
pub mod error;
pub mod event;
pub mod id;
pub mod lifecycle;
pub mod limits;
pub mod path;
mod secret;
pub mod table;
pub mod telemetry;
pub mod time;
pub mod value;
pub mod version;

pub use config::{Change, Document, Edit, Field, Settings, Shaped};
pub use durability::Durability;
pub use error::{Error, ErrorKind, Problem, Result};
pub use event::{
    Comparison, Data, Event, EventData, EventQuery, FieldFilter, Order, Recorded, TypePattern,
};
pub use id::{CorrelationId, EventId, EventType, StoreId, StreamName, Tag};
pub use path::{Path, Segment};
pub use secret::{HIDDEN, Secret};
pub use table::{Keep, TableKey, TableValue};
pub use time::{Stamp, Timestamp};
pub use value::{Number, Value};
pub use version::{ExpectedVersion, Position, Version};
