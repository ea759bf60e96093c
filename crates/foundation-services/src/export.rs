//! Exports: events passed on to other systems, in batches, until those say that they have them.
//!
//! An export is a durable consumer with a [`Sink`] behind it: place, parked events, hold on the log
//! and lag are those of the consumer of the same name. Here is what passes events on.
//!
//! Invariants: the place moves only over what the sink said it has, or what is durably parked;
//! events of one stream are passed on in their order; after a crash no more of what the sink had
//! comes again than may be in flight; whatever a sink does, it has a deadline.

mod cursor;
mod exporter;
mod exports;
mod files;
mod outcome;
mod rules;
mod sink;
mod status;

pub use async_trait::async_trait;
pub use cursor::ExportPage;
pub use exports::{ExportAction, Exports};
pub use files::{FileRules, FileSink, Layout, line_of};
pub use rules::ExportRules;
pub use sink::{Delivered, ExportBatch, Exported, Sink, SinkError, Verdict};
pub use status::{ExportLeft, ExportStatus};
