//! May this data enter? Every rule of Foundation that says yes or no to data.
//!
//! Nothing here computes new data, reads a clock or remembers anything. The answer to "yes" is a
//! [`Validated`] value, which only this crate can make, so that what asks for one need not check
//! again; the answer to "no" is an error with every problem that was found.
//!
//! In reading order: [`validated`] and the [`pipeline`] that makes it, what turns text into data
//! ([`parse`]), then one module a feature ([`config`], [`event`], [`table`],
//! [`telemetry`]), and [`nearest`]
//! for what the writer may have meant.

#![forbid(unsafe_code)]

pub mod config;
pub mod event;
pub mod nearest;
pub mod parse;
pub mod pipeline;
pub mod settings;
pub mod table;
pub mod telemetry;
mod text;
pub mod validated;

pub use config::{BusinessRule, ChangeRequest};
pub use event::Origin;
pub use validated::Validated;
