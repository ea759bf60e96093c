//! Configuration: typed documents, their changes, and Foundation's own settings.

mod change;
mod conflict;
mod document;
mod patch;
mod settings;

pub use change::{Change, Edit};
pub use conflict::{OnConflict, Unchanged};
pub use document::{Document, Field, Shape};
pub use patch::{Operation, Patch, Pointer};
pub use settings::{
    BufferSettings, EventSettings, InterfaceSettings, JournalSettings, LogLevel, LogSettings,
    Overflow, RetentionSettings, Settings, TelemetrySettings,
};
