//! What a writer expects of a document, held against what became of it.

use foundation_logic::lens;
use foundation_types::config::{Layer, Shape, Unchanged};
use foundation_types::error::{Clash, Conflict};
use foundation_types::limits::CONFLICT_CHANGES_MAX;
use foundation_types::{
    Change, Document, Error, ErrorKind, ExpectedVersion, Order, Path, Problem, Result, Version,
};
use foundation_validate::config::no_such_key;

use super::history::{self, HistoryQuery};
use super::server::ConfigServer;

impl<T: Document> ConfigServer<T> {
    /// The newest change at, in or around a path; nothing if it is as the defaults have it.
    ///
    /// The history is read from its end until one is found.
    ///
    /// # Errors
    /// `Compacted` if there may have been one that is no longer kept.
    pub async fn last_change(&self, path: &Path) -> Result<Option<Change>> {
        let newest = self.timeline().last().0;
        Ok(self.touching(path, Version::NONE, newest, 1).await?.pop())
    }

    /// The newest change of a layer at, in or around a path.
    pub(super) async fn last_change_of(&self, layer: Layer, path: &Path) -> Result<Option<Change>> {
        let mut to = self.timeline().last().0;
        loop {
            let Some(change) = self.touching(path, Version::NONE, to, 1).await?.pop() else {
                return Ok(None);
            };
            if change.layer == layer {
                return Ok(Some(change));
            }
            to = change.version.previous();
        }
    }

    /// Whether these are expectations that can be held against the document: a path that it cannot have
    /// would never change, and neither would one since a version that does not exist.
    pub(super) fn check_expectations(&self, expected: &[Unchanged]) -> Result<()> {
        let (newest, tree) = self.timeline().last();
        let is_known = |path: &Path| {
            T::FIELDS.is_empty()
                || lens::get(&tree, path).is_some()
                || Shape::Fields(T::FIELDS).at(path.segments()).is_some()
        };
        let mut found: Vec<Problem> = Vec::new();
        for Unchanged { path, since } in expected {
            if *since > newest {
                let message = format!("there is no version {since}; the newest is {newest}");
                found.push(Problem::new(ErrorKind::NotFound, path, message));
            } else if !is_known(path) {
                found.push(no_such_key::<T>(path));
            }
        }
        if found.is_empty() { Ok(()) } else { Err(Error::of_problems(found)) }
    }

    /// The first of these expectations that the published versions after `from` do not meet, told
    /// as a conflict.
    pub(super) async fn unmet(&self, expected: &[Unchanged], from: Version) -> Result<()> {
        let newest = self.timeline().last().0;
        for Unchanged { path, since } in expected {
            let after = from.max(*since);
            let missed = self.touching(path, after, newest, CONFLICT_CHANGES_MAX).await?;
            if !missed.is_empty() {
                return Err(moved(path, *since, missed));
            }
        }
        Ok(())
    }

    /// The newest changes of versions after `after` up to `to` that touch a path, oldest first.
    async fn touching(
        &self,
        path: &Path,
        after: Version,
        to: Version,
        limit: usize,
    ) -> Result<Vec<Change>> {
        let mut query = HistoryQuery { from: Some(after.next()), ..HistoryQuery::default() };
        (query.to, query.order) = (Some(to), Order::Desc);
        let mut found = Vec::new();
        while query.to > Some(after) && found.len() < limit {
            let changes =
                history::changes(self.timeline(), &*self.inner.journal, query.clone()).await?;
            let Some(last) = changes.last() else { break };
            query.to = Some(last.version.previous());
            found.extend(changes.into_iter().filter(|change| touches(change, path)));
        }
        found.truncate(limit);
        found.reverse();
        Ok(found)
    }

    /// The document is not at the version that was expected.
    pub(super) async fn conflict(&self, expected: ExpectedVersion, actual: Version) -> Error {
        let expected = expected.version().unwrap_or(actual);
        let query = HistoryQuery {
            from: Some(expected.next()),
            to: Some(actual),
            limit: CONFLICT_CHANGES_MAX,
            order: Order::Desc,
        };
        // The conflict is the answer, whether or not what was missed can still be read.
        let missed = history::changes(self.timeline(), &*self.inner.journal, query).await;
        let mut missed = missed.unwrap_or_default();
        missed.reverse();
        let message = format!(
            "document {:?} is at version {actual}, not at the expected version {expected}",
            T::NAME
        );
        let conflict = Conflict { expected, actual, missed, ..Conflict::default() };
        Error::new(ErrorKind::VersionConflict, message).with_conflict(conflict)
    }

    /// What the writer wants and what others made of the document cannot be brought together.
    pub(super) async fn clash(
        &self,
        expected: ExpectedVersion,
        actual: Version,
        clashes: Vec<Clash>,
    ) -> Error {
        let refusal = self.conflict(expected, actual).await;
        let Some(conflict) = refusal.conflict() else { return refusal };
        let places: Vec<String> =
            clashes.iter().take(8).map(|clash| format!("\"{}\"", clash.path)).collect();
        let more = if clashes.len() > places.len() { " and more" } else { "" };
        let message =
            format!("{}, and both changed {}{more}", refusal.message(), places.join(", "));
        let conflict = Conflict { clashes, ..conflict.clone() };
        Error::new(ErrorKind::VersionConflict, message).with_conflict(conflict)
    }
}

/// The first of these expectations that a change does not meet, told as a conflict.
pub(super) fn unmet_by(expected: &[Unchanged], change: &Change) -> Option<Error> {
    let is_unmet = |one: &&Unchanged| one.since < change.version && touches(change, &one.path);
    let Unchanged { path, since } = expected.iter().find(is_unmet)?;
    Some(moved(path, *since, vec![change.clone()]))
}

fn touches(change: &Change, path: &Path) -> bool {
    change.changes.iter().any(|edit| edit.path.overlaps(path))
}

fn moved(path: &Path, since: Version, missed: Vec<Change>) -> Error {
    let newest = missed.last();
    let actual = newest.map_or(since, |change| change.version);
    let document = newest.map_or("", |change| &change.document);
    let message = format!(
        "\"{path}\" of document {document:?} was changed by version {actual}, after the expected \
         version {since}"
    );
    let conflict = Conflict { expected: since, actual, missed, ..Conflict::default() };
    Error::new(ErrorKind::VersionConflict, message).with_conflict(conflict)
}
