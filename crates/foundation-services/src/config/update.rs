//! A change that is being put together, and what came of it.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::time::Duration;

use foundation_types::config::{OnConflict, Patch, Unchanged};
use foundation_types::value::to_value;
use foundation_types::{
    Document, Edit, Error, ExpectedVersion, Path, Position, Problem, Result, Value, Version,
};
use foundation_validate::ChangeRequest;
use foundation_validate::config::{patch_with_secrets, with_secrets};
use serde::{Deserialize, Serialize};

use super::place::{Accepts, Place};
use super::server::ConfigServer;

/// What an update came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Updated {
    /// The version that it made, or the one that already said the same.
    pub version: Version,
    /// Where its record is; absent if nothing had to change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
    /// What differs from the version before, in the order of paths; and what was set to the value that
    /// was in force already, whose `before` and `after` are the same.
    pub changes: Vec<Edit>,
    /// Of a rollback: secrets that a file or the environment said at the earlier version, and that
    /// are as they say now, since what they said is not kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub as_sourced: Vec<Path>,
}

impl Updated {
    /// What leaves the document as it is.
    pub(super) fn unmoved(version: Version) -> Self {
        Self { version, position: None, changes: Vec::new(), as_sourced: Vec::new() }
    }
}

/// A change to a document: applied as a whole or not at all, when it is awaited.
///
/// What was put wrongly, a path or a value, is told when it is awaited.
///
/// ```
/// use foundation_services::config::{ConfigServer, Updated};
/// use foundation_types::{Result, Settings};
///
/// async fn calm_down(settings: &ConfigServer<Settings>) -> Result<Updated> {
///     let seen = settings.get().version();
///     settings
///         .transaction()
///         .set("interface.max_results", 100)
///         .reset("log.level")
///         .expect_version(seen)
///         .actor("ops")
///         .reason("too many rows in one page")
///         .await
/// }
/// ```
#[derive(Debug)]
#[must_use = "an update does nothing until it is awaited"]
pub struct Update<T> {
    server: ConfigServer<T>,
    request: ChangeRequest,
    back_to: Option<Version>,
    problems: Vec<Problem>,
}

impl<T: Document> Update<T> {
    pub(super) fn new(server: ConfigServer<T>) -> Self {
        Self { server, request: ChangeRequest::default(), back_to: None, problems: Vec::new() }
    }

    pub(super) fn back_to(mut self, version: Version) -> Self {
        self.back_to = Some(version);
        self
    }

    /// And puts this value at that place.
    pub fn set<V: Serialize>(self, place: impl Place<T> + Accepts<V>, value: V) -> Self {
        self.edit(place, || to_value(&value).map(Some))
    }

    /// And takes away what was set at run time at that place: a field then has what the sources say,
    /// or its default.
    pub fn unset(self, place: impl Place<T>) -> Self {
        self.edit(place, || Ok(None))
    }

    /// The defaults are meant: what is taken away may leave them also in a document that once had
    /// sources which are not given here.
    pub fn defaults(mut self) -> Self {
        self.request.defaults = true;
        self
    }

    /// As [`Update::unset`].
    pub fn reset(self, place: impl Place<T>) -> Self {
        self.unset(place)
    }

    /// And makes this patch of it, before anything is set, unset or reset: an RFC 7396 merge patch,
    /// or an RFC 6902 JSON patch if it is a list.
    ///
    /// A merge patch that is `null` at a field gives it its default, as [`Update::unset`] does.
    pub fn patch(mut self, patch: impl Serialize) -> Self {
        match to_value(&patch).and_then(Patch::from_value) {
            Ok(patch) => self.request.patches.push(patch_with_secrets::<T>(patch)),
            Err(error) => self.note(&error, &Path::root()),
        }
        self
    }

    /// Only if the document is at this version: otherwise it is a conflict that tells of every
    /// change missed, unless [`Update::on_conflict`] says something else.
    pub fn expect_version(mut self, version: Version) -> Self {
        self.request.expected = ExpectedVersion::Exactly(version);
        self
    }

    /// What happens if the document is at another version than is expected; if this is not said,
    /// what is usual there: see [`ConfigServer::on_conflict`].
    pub fn on_conflict(mut self, on_conflict: OnConflict) -> Self {
        self.request.on_conflict = Some(on_conflict);
        self
    }

    /// Only if nothing at, in or around this place was changed after a version: otherwise it is a
    /// conflict that tells of every such change. What others change elsewhere is no hindrance.
    pub fn expect_unchanged(mut self, place: impl Place<T>, since: Version) -> Self {
        match place.into_path() {
            Ok(path) => self.request.unchanged.push(Unchanged { path, since }),
            Err(error) => self.note(&error, &Path::root()),
        }
        self
    }

    /// For so long only, up to 366 days: then what was there before is there again, as a change of its
    /// own. If somebody sets something there meanwhile, that stays.
    pub fn lasting(mut self, time: Duration) -> Self {
        self.request.lasts = Some(time);
        self
    }

    /// On whose behalf.
    pub fn actor(mut self, actor: impl Into<String>) -> Self {
        self.request.actor = Some(actor.into());
        self
    }

    /// Why.
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.request.reason = Some(reason.into());
        self
    }

    /// What the update would change now, with all checks and without doing it.
    ///
    /// # Errors
    /// As [`ConfigServer::update`].
    pub async fn preview(self) -> Result<Vec<Edit>> {
        let server = self.server.clone();
        server.preview(self.request().await?).await
    }

    fn edit(mut self, place: impl Place<T>, value: impl FnOnce() -> Result<Option<Value>>) -> Self {
        match place.into_path() {
            Ok(path) => match value() {
                Ok(value) => {
                    let value = value.map(|value| with_secrets::<T>(&path, value));
                    self.request.edits.push((path, value));
                }
                Err(error) => self.note(&error, &path),
            },
            Err(error) => self.note(&error, &Path::root()),
        }
        self
    }

    fn note(&mut self, error: &Error, path: &Path) {
        self.problems.push(Problem::new(error.kind(), path, error.message()));
    }

    async fn request(self) -> Result<ChangeRequest> {
        if !self.problems.is_empty() {
            return Err(Error::of_problems(self.problems));
        }
        match self.back_to {
            Some(version) => self.server.request_back_to(version, self.request).await,
            None => Ok(self.request),
        }
    }
}

impl<T: Document> IntoFuture for Update<T> {
    type Output = Result<Updated>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let Self { server, request, back_to, problems } = self;
            if !problems.is_empty() {
                return Err(Error::of_problems(problems));
            }
            match back_to {
                Some(version) => server.go_back(version, request).await,
                None => server.update(request).await,
            }
        })
    }
}
