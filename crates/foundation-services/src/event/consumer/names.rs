//! The names of consumers and exports, which are one set: a place in the log has one owner.

use foundation_types::event::ExportKept;
use foundation_types::limits::EXPORTS_MAX;
use foundation_types::{Error, ErrorKind, EventQuery, Result};
use foundation_validate::event::{export_name, no_such_consumer};

use super::registry::Registry;
use crate::event::EventStore;

/// Who opens a consumer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum User {
    Application,
    Export,
}

impl Registry {
    /// Whether a consumer with this name may be opened on behalf of its user.
    pub(super) fn admit(&self, name: &str, user: User) -> Result<()> {
        if user == User::Application && self.is_export(name)? {
            let message = format!(
                "{name:?} is an export, whose place a consumer of that name would move: choose \
                 another name"
            );
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        Ok(())
    }

    /// Whether somebody who means a consumer has not named an export.
    pub(super) fn refuse_to_change_export(&self, name: &str) -> Result<()> {
        if self.is_export(name)? {
            let message = format!(
                "{name:?} is an export: `events export resume` has it go on, `events export \
                 delete` deletes all of it, `events export reset` has it begin anew, and `events \
                 prune --force` goes past it"
            );
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        Ok(())
    }

    /// The error of asking for a consumer that is not there, with the nearest of those that are.
    pub(super) fn no_such_consumer(&self, name: &str) -> Error {
        let known = self.tables().map(|tables| tables.consumers.snapshot());
        let known: Vec<String> =
            known.iter().flat_map(|known| known.iter()).map(|(name, _)| name.clone()).collect();
        no_such_consumer(name, known.iter().map(String::as_str))
    }

    pub(super) fn has_place(&self, name: &str) -> Result<bool> {
        Ok(self.tables()?.consumers.get(name).is_some())
    }

    fn is_export(&self, name: &str) -> Result<bool> {
        Ok(self.tables()?.exports.get(name).is_some())
    }
}

impl EventStore {
    /// What is kept of an export; it is made if there is none. The filter of an export is that with
    /// which it began, until it is reset; `None` only asks.
    ///
    /// # Errors
    /// `Invalid` or `TooLarge` for a name that it may not have; `InvalidArgument` for the name of a
    /// consumer, and for another filter; `TooLarge` beyond 100 exports; what the journal answers.
    pub(crate) async fn export_or_new(
        &self,
        name: &str,
        filter: Option<&EventQuery>,
    ) -> Result<ExportKept> {
        export_name(name)?;
        let consumers = &self.0.consumers;
        let _one_by_one = consumers.opening.lock().await;
        let tables = consumers.tables()?;
        let kept = match tables.exports.get(name) {
            Some(kept) => ExportKept::clone(&kept),
            None => {
                self.refuse_new_export(name)?;
                ExportKept::default()
            }
        };
        let now = match (&kept.filter, filter) {
            (Some(before), Some(now)) if !before.admits_as(now) => {
                return Err(another_filter(name, before, now));
            }
            (None, Some(now)) => ExportKept { filter: Some(now.filters_only()), ..kept.clone() },
            _ => kept.clone(),
        };
        if now != kept || tables.exports.get(name).is_none() {
            tables.exports.insert(name.to_owned(), now.clone()).await?;
        }
        Ok(now)
    }

    fn refuse_new_export(&self, name: &str) -> Result<()> {
        let tables = self.0.consumers.tables()?;
        if self.0.consumers.has_place(name)? {
            let message = format!(
                "{name:?} is a consumer, whose place an export of that name would move: choose \
                 another name"
            );
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        if tables.exports.len() >= EXPORTS_MAX {
            let message = format!("the store has {EXPORTS_MAX} exports, which is its limit");
            return Err(Error::new(ErrorKind::TooLarge, message));
        }
        Ok(())
    }
}

fn another_filter(name: &str, before: &EventQuery, now: &EventQuery) -> Error {
    let message = format!(
        "export {name:?} began with {before}, and is asked for with {now}: events would be missed or \
         come twice. Choose another name, or have it begin anew: events export reset {name} POSITION"
    );
    Error::new(ErrorKind::InvalidArgument, message)
}
