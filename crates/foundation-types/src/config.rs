//! Configuration: typed documents, their changes, and Foundation's own settings.

mod change;
mod conflict;
mod document;
mod event_rules;
mod field;
mod lens;
mod on_invalid;
mod origin;
mod patch;
mod settings;
mod shape;
mod shaped;
#[cfg(test)]
mod tests;

pub use change::{Change, Edit, Layer};
pub use conflict::{OnConflict, ParkedConflict, Unchanged};
pub use document::Document;
pub use event_rules::{EventRule, ExpirySettings, RuleAction, StreamSettings, TtlRule};
pub use field::{Field, Leaf, Merge};
pub use foundation_macros::{Document, Shaped};
pub use lens::Lens;
#[doc(hidden)]
pub use lens::{has_fields, path_of_fields};
pub use on_invalid::OnInvalid;
pub use origin::Origin;
pub use patch::{Operation, Patch, Pointer};
pub use settings::{
    ArchiveSettings, BufferSettings, ConfigSettings, EventSettings, HistorySettings,
    InterfaceSettings, JournalSettings, LogLevel, LogSettings, Overflow, RetentionSettings,
    Settings, TelemetrySettings,
};
pub use shape::{Bound, Shape};
pub use shaped::Shaped;
