//! Tables: maps from keys to values that many share, journaled by choice.
//!
//! Reading waits for nobody. A change is checked, logged, published and told, in this order; what
//! readers see is durable. [`Keep`] says what survives: with `Log` each change is a
//! record, which is an event too, and the table is what its records fold to.
//!
//! ```
//! use foundation::tables::Swap;
//! use foundation::{EventQuery, ErrorKind, Foundation, Keep};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> foundation::Result<()> {
//! let foundation = Foundation::in_memory()
//!     .table::<String, u64>("visits", Keep::Log)
//!     .table::<u32, String>("names", Keep::Nothing)
//!     .start()
//!     .await?;
//! let visits = foundation.table::<String, u64>("visits")?;
//!
//! // Put, read, remove: what was there comes back.
//! assert_eq!(visits.insert("ada".to_owned(), 1).await?, None);
//! assert_eq!(visits.get("ada").as_deref(), Some(&1));
//!
//! // However many do this at once, no update is lost.
//! let more = visits.update("ada".to_owned(), |count| count.map(|count| count + 1)).await?;
//! assert_eq!(more.as_deref(), Some(&2));
//! let swap = visits.compare_and_swap("ada".to_owned(), Some(&1), Some(10)).await?;
//! assert_eq!(swap, Swap::Differs(more));
//!
//! // One version of the whole table, in the order of keys, for as long as it is held.
//! let before = visits.snapshot();
//! visits.insert("bob".to_owned(), 7).await?;
//! assert_eq!((before.len(), visits.len()), (1, 2));
//! let after = visits.snapshot();
//! let keys: Vec<&String> = after.range("b".to_owned()..).map(|(key, _)| key).collect();
//! assert_eq!(keys, ["bob"]);
//!
//! // Each change is an event of the table's stream.
//! let page = foundation.events().query(EventQuery::all().stream("table/visits")).await?;
//! assert_eq!(page.events[0].event.data.as_json(), r#"{"key":"ada","value":1}"#);
//!
//! // A wrong name is told with the nearest one, wrong types with the right ones.
//! let error = foundation.table::<String, u64>("visit").unwrap_err();
//! assert_eq!(error.to_string(), "there is no table \"visit\", did you mean visits?");
//! let error = foundation.table::<String, u64>("names").unwrap_err();
//! assert_eq!(error.kind(), ErrorKind::InvalidArgument);
//! # Ok(())
//! # }
//! ```

pub use foundation_services::table::{AnyTable, Swap, Table, TableRow};
pub use foundation_store::table::{Entry, TableSnapshot};
pub use foundation_types::table::{Keep, TableKey, TableValue};
pub use foundation_validate::table::is_own_table;
