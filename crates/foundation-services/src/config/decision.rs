//! What a change that is asked for comes to at a head.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use foundation_logic::merge::{Merged, three_way};
use foundation_logic::{config, diff};
use foundation_store::config::{Head, Snapshot};
use foundation_store::journal::is_lost;
use foundation_types::config::OnConflict;
use foundation_types::{Document, Edit, Error, ErrorKind, EventId, Result, Value, Version};
use foundation_validate::config::{Stored, no_such_key, stored};
use foundation_validate::{ChangeRequest, Validated};

use super::expectation::unmet_by;
use super::server::ConfigServer;
use super::veto::Proposed;

/// What a change is asked for for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To be made.
    Make,
    /// To see what would come of it.
    Preview,
}

/// A change that is asked for, with what was already looked up for it.
pub(super) struct Ask {
    pub(super) request: Validated<ChangeRequest>,
    purpose: Purpose,
    /// What happens if head is at another version than is expected.
    way: OnConflict,
    /// What waits for somebody to decide, and is decided with this change.
    pub(super) settles: Option<EventId>,
    /// What may not have changed has not, up to this version.
    checked: Version,
    /// What the request makes of the version that its writer has seen, once it is to be merged.
    wanted: Option<Wanted>,
}

struct Wanted {
    base: Value,
    ours: Value,
}

/// Why a change makes no version.
pub(super) enum Stop {
    /// Head says the same already.
    Unmoved,
    /// Head is at another version than was expected.
    Conflict,
    /// It cannot be made, or may not.
    Refused(Error),
}

/// What a change leads to.
pub(super) struct Plan<T> {
    pub(super) stored: Stored<T>,
    pub(super) edits: Vec<Edit>,
}

impl<T: Document> ConfigServer<T> {
    /// Looks at the request by itself, and at what was published of what it expects.
    pub(super) async fn ask(&self, request: ChangeRequest, purpose: Purpose) -> Result<Ask> {
        self.check_not_within_veto()?;
        let way = self.way_of(&request);
        let request = foundation_validate::config::change(request)?;
        let checked = self.timeline().last().0;
        self.unmet(&request.unchanged, Version::NONE).await?;
        Ok(Ask { request, purpose, way, settles: None, checked, wanted: None })
    }

    pub(super) fn way_of(&self, request: &ChangeRequest) -> OnConflict {
        request.on_conflict.unwrap_or_else(|| self.usual_way(request))
    }

    /// Answers a conflict: with what it takes to merge, if that was asked for and not yet tried,
    /// otherwise with the refusal.
    pub(super) async fn settle(&self, ask: &mut Ask, actual: Version) -> Result<()> {
        let expected = ask.request.expected;
        let seen = expected.version().filter(|seen| *seen < actual);
        match (ask.way, seen, &ask.wanted) {
            (OnConflict::Merge | OnConflict::Park, Some(seen), None) => {
                let base = match self.tree_at(seen).await {
                    // What cannot be merged any more can still be decided about.
                    Err(error) if ask.way == OnConflict::Park && is_gone(&error) => {
                        return Err(self.conflict(expected, actual).await);
                    }
                    base => base?,
                };
                let ours = config::candidate(&base, &ask.request).map_err(with_nearest::<T>)?;
                if ask.way == OnConflict::Park {
                    // What could never be made is not worth anybody's decision.
                    self.judge(&ours)?;
                }
                ask.wanted = Some(Wanted { base, ours });
                Ok(())
            }
            _ => Err(self.conflict(expected, actual).await),
        }
    }

    /// What the change comes to at this head. The lane is held meanwhile.
    pub(super) async fn decide(&self, ask: &Ask, head: &Head<T>) -> Result<Plan<T>, Stop> {
        let unchanged = &ask.request.unchanged;
        if !unchanged.is_empty() {
            // What is on its way is looked at first: it may be published in the next moment.
            let pending = self.state.pending();
            if let Some(error) = pending.iter().find_map(|change| unmet_by(unchanged, change)) {
                return Err(Stop::Refused(error));
            }
            self.unmet(unchanged, ask.checked).await.map_err(Stop::Refused)?;
        }
        let candidate = self.candidate(ask, head).await.map_err(Stop::Refused)?;
        let candidate = candidate.ok_or(Stop::Conflict)?;
        let stored = self.judge(&candidate).map_err(Stop::Refused)?.into_inner();
        if stored.tree == head.snapshot.tree {
            return Err(Stop::Unmoved);
        }
        let edits = diff::diff(&head.logged, &stored.tree);
        let plan = Plan { stored, edits };
        self.put_to_vetoes(ask, head, &plan).await.map_err(Stop::Refused)?;
        Ok(plan)
    }

    /// Asks who may refuse the change, if there is anybody.
    async fn put_to_vetoes(&self, ask: &Ask, head: &Head<T>, plan: &Plan<T>) -> Result<()> {
        let vetoes = self.inner.vetoes.all();
        if vetoes.is_empty() {
            return Ok(());
        }
        let Stored { document, tree } = plan.stored.clone();
        let version = head.snapshot.version.next();
        let proposed = Proposed {
            before: Arc::clone(&head.snapshot),
            after: Arc::new(Snapshot { version, document, tree }),
            edits: plan.edits.as_slice().into(),
            actor: ask.request.actor.clone(),
            reason: ask.request.reason.clone(),
            is_preview: ask.purpose == Purpose::Preview,
        };
        self.ask_vetoes(vetoes, &proposed).await
    }

    /// The tree that the request leads to, to be validated; nothing if head is at another version
    /// than was expected and it has to be seen to first.
    async fn candidate(&self, ask: &Ask, head: &Head<T>) -> Result<Option<Value>> {
        let (request, version) = (&ask.request, head.snapshot.version);
        let overwrites = ask.way == OnConflict::Overwrite;
        if request.expected.admits(version) || overwrites {
            let candidate = config::candidate(&head.snapshot.tree, request);
            return candidate.map(Some).map_err(with_nearest::<T>);
        }
        let Some(Wanted { base, ours }) = &ask.wanted else { return Ok(None) };
        let Merged { tree, clashes } = three_way(base, ours, &head.snapshot.tree);
        if clashes.is_empty() {
            return Ok(Some(tree));
        }
        Err(self.clash(request.expected, version, clashes).await)
    }

    /// Validates a candidate. A rule that panics refuses it and harms nothing else.
    fn judge(&self, candidate: &Value) -> Result<Validated<Stored<T>>> {
        let judged = || stored::<T>(candidate, &self.inner.rules);
        catch_unwind(AssertUnwindSafe(judged)).unwrap_or_else(|_| {
            let message = format!("a rule of document {:?} panicked", T::NAME);
            Err(Error::new(ErrorKind::Invalid, message))
        })
    }
}

fn is_gone(error: &Error) -> bool {
    error.kind() == ErrorKind::Compacted || is_lost(error)
}

/// The refusal of edits, with the nearest known key where nothing was found.
fn with_nearest<T: Document>(error: Error) -> Error {
    let problems =
        error.problems().iter().map(|problem| match (problem.kind, problem.path.parse()) {
            (ErrorKind::NotFound, Ok(path)) => no_such_key::<T>(&path),
            _ => problem.clone(),
        });
    Error::of_problems(problems.collect())
}
