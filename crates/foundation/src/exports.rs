//! Exports: events passed on to other systems, in batches, until those say that they have them.
//!
//! An export is a durable consumer with a [`Sink`] behind it. Events of a stream are passed on in
//! their order and at least once; the place moves only over what the sink said it has. What a
//! restart, or a lost answer, has come again is told by its [`Exported::dedup_id`], which stays the
//! same.
//!
//! ```
//! use std::time::Duration;
//!
//! use foundation::exports::{ExportAction, ExportRules, FileRules, FileSink};
//! use foundation::{Event, Foundation};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> foundation::Result<()> {
//! # let directory = std::env::temp_dir().join(format!("foundation-doc-ex-{}", std::process::id()));
//! let files = FileSink::open(directory.join("audit"), FileRules::default())?;
//! let foundation = Foundation::builder(directory.join("store"))
//!     .export("audit", files, ExportRules::default())
//!     .start()
//!     .await?;
//! foundation.events().append(Event::new("order.placed").id("order-1")).await?;
//!
//! // A shutdown passes on what is there, as far as its deadline lets it, and says what is left.
//! foundation.exports().change("audit", ExportAction::Pause).await?;
//! assert!(foundation.exports().list()[0].paused);
//! foundation.exports().change("audit", ExportAction::Resume).await?;
//! let report = foundation.shutdown(Duration::from_secs(10)).await;
//! assert!(report.exports_left.is_empty());
//! # let written = std::fs::read_to_string(directory.join("audit/events-0000000001.ndjson"));
//! # let written = written.expect("reads");
//! assert!(written.contains(r#""type":"order.placed","id":"order-1""#));
//! # let _ = std::fs::remove_dir_all(&directory);
//! # Ok(())
//! # }
//! ```

pub use foundation_services::event::Holds;
pub use foundation_services::export::{
    Delivered, ExportAction, ExportBatch, ExportLeft, ExportPage, ExportRules, ExportStatus,
    Exported, Exports, FileRules, FileSink, Layout, Sink, SinkError, Verdict, async_trait, line_of,
};
pub use foundation_types::StoreId;
pub use foundation_types::event::CloudEvent;
