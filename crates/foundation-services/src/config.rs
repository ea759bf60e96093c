//! Live configuration: typed documents that are wait-free to read, and checked, versioned and
//! durable to change.
//!
//! Every change goes through one lane in one order: check the change → compute the candidate →
//! validate the candidate → ask who may refuse it → log → publish → notify. The record of a change
//! in the journal is the event that tells of it, and what was refused is recorded as such.
//!
//! In reading order: the [`ConfigServer`], the [`Update`] that it takes and the lane that an
//! update goes through, the history, subscriptions, the reference of fields, and what tools see
//! of a document whose type they do not know ([`AnyConfig`]).

mod any;
mod back;
mod decision;
mod expectation;
mod explain;
mod fields;
mod file_bytes;
mod history;
mod lane;
mod migration;
mod parking;
mod passing;
mod past;
mod place;
mod refusals;
mod reload;
mod resolve;
mod sealing;
mod sealing_key;
mod server;
mod sources;
mod subscription;
#[cfg(test)]
mod tests;
mod unlinked;
mod update;
mod veto;
mod vetoes;
mod watch;

pub use any::AnyConfig;
pub use explain::{Aside, Explanation, Given, KeyGiven};
pub use fields::FieldRow;
pub use file_bytes::file_bytes;
pub use history::HistoryQuery;
pub use migration::MigrationReport;
pub use place::{Accepts, Place};
pub use refusals::{Finding, RefusedChange};
pub use resolve::{Resolution, Resolve};
pub use sealing_key::SealingKey;
pub use server::ConfigServer;
pub use sources::{Sources, Unknown};
pub use subscription::{ConfigChange, Notice, Subscription};
pub use unlinked::UnlinkedConfig;
pub use update::{Update, Updated};
pub use veto::{OnSilence, Proposed, VetoGuard, VetoTerms};
pub use watch::{FieldChange, FieldNotice, FieldWatch};
