//! What a change that is asked for comes to at a head.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use foundation_logic::config::{self, Layers};
use foundation_logic::merge::{Merged, three_way};
use foundation_logic::{diff, lens};
use foundation_store::config::{Head, Snapshot};
use foundation_store::journal::is_lost;
use foundation_types::config::{Layer, OnConflict, Shape};
use foundation_types::path::Segment;
use foundation_types::{
    Document, Edit, Error, ErrorKind, EventId, Path, Problem, Result, Value, Version,
};
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

/// Who makes a change, and why.
#[derive(Clone, Debug, Default)]
pub(super) struct Cause {
    pub(super) actor: Option<String>,
    pub(super) reason: Option<String>,
    /// The parked change that it settles.
    pub(super) settles: Option<EventId>,
    /// How long it lasts; for good if absent.
    pub(super) lasts: Option<Duration>,
}

impl Ask {
    pub(super) fn cause(&self) -> Cause {
        let ChangeRequest { actor, reason, lasts, .. } = &*self.request;
        let (actor, reason, lasts) = (actor.clone(), reason.clone(), *lasts);
        Cause { actor, reason, settles: self.settles.clone(), lasts }
    }
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
    /// What moved.
    pub(super) layer: Layer,
    /// Where what was set at run time is taken away.
    pub(super) withdrawn: Vec<Path>,
    /// What the sources say, if that is what moved.
    pub(super) layers: Option<Arc<Layers>>,
}

impl<T> Plan<T> {
    /// What is set at run time.
    pub(super) fn at_run_time(stored: Stored<T>, edits: Vec<Edit>, withdrawn: Vec<Path>) -> Self {
        let (layer, layers) = (Layer::RunTime, None);
        Self { stored, edits, layer, withdrawn, layers }
    }
}

impl<T: Document> ConfigServer<T> {
    /// Looks at the request by itself, and at what was published of what it expects.
    pub(super) async fn ask(&self, request: ChangeRequest, purpose: Purpose) -> Result<Ask> {
        self.check_not_within_veto()?;
        let way = self.way_of(&request);
        let request = foundation_validate::config::change_of::<T>(request)?;
        let checked = self.timeline().last().0;
        self.check_expectations(&request.unchanged)?;
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
                let (current, layers, _) = self.state.in_force();
                // A secret that was not logged is as it is now, for both sides.
                let settled = self.state.seals().settle(T::NAME, &base, &current.tree);
                let base = settled.unwrap_or(base);
                let ours = config::candidate(&base, layers.tree(), &ask.request)
                    .map_err(with_nearest::<T>)?;
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
        let candidate = self.settled(&candidate, head).map_err(Stop::Refused)?;
        let stored = self.judge(&candidate).map_err(Stop::Refused)?.into_inner();
        let mut withdrawn = withdrawn(&ask.request);
        if !withdrawn.is_empty() && !ask.request.defaults && self.lacks_sources() {
            return Err(Stop::Refused(no_sources::<T>(&withdrawn)));
        }
        let set = self.state.overlay_ahead();
        withdrawn.extend(ask.request.withdrawn.iter().filter(|path| set.has_in(path)).cloned());
        // A merge may have kept what another one set there: then it is not taken away.
        let below = head.layers.tree();
        withdrawn.retain(|path| lens::get(&stored.tree, path) == lens::get(below, path));
        let pins = config::pins(&ask.request, &set, &head.snapshot.tree, &stored.tree);
        let is_taken = withdrawn.iter().any(|place| set.has_in(place));
        if stored.tree == head.snapshot.tree && !is_taken && pins.is_empty() {
            return Err(Stop::Unmoved);
        }
        let plan = self.sealed(stored, head, withdrawn, pins).map_err(Stop::Refused)?;
        let is_secret = |value: &Option<Value>| value.as_ref().is_some_and(Value::has_secret);
        let has_secret = |edit: &Edit| is_secret(&edit.before) || is_secret(&edit.after);
        if ask.request.lasts.is_some() && plan.edits.iter().any(has_secret) {
            let message = "a secret is not set for a time only: what was there before is not kept";
            return Err(Stop::Refused(Error::new(ErrorKind::InvalidArgument, message)));
        }
        let is_preview = ask.purpose == Purpose::Preview;
        self.put_to_vetoes(head, &plan, &ask.cause(), is_preview).await.map_err(Stop::Refused)?;
        Ok(plan)
    }

    /// Asks who may refuse the change, if there is anybody.
    pub(super) async fn put_to_vetoes(
        &self,
        head: &Head<T>,
        plan: &Plan<T>,
        cause: &Cause,
        is_preview: bool,
    ) -> Result<()> {
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
            actor: cause.actor.clone(),
            reason: cause.reason.clone(),
            is_preview,
        };
        self.ask_vetoes(vetoes, &proposed).await
    }

    /// The tree that the request leads to, to be validated; nothing if head is at another version
    /// than was expected and it has to be seen to first.
    async fn candidate(&self, ask: &Ask, head: &Head<T>) -> Result<Option<Value>> {
        let (request, version) = (&ask.request, head.snapshot.version);
        let overwrites = ask.way == OnConflict::Overwrite;
        if request.expected.admits(version) || overwrites {
            let candidate = config::candidate(&head.snapshot.tree, head.layers.tree(), request);
            return candidate.map(Some).map_err(with_nearest::<T>);
        }
        let Some(Wanted { base, ours }) = &ask.wanted else { return Ok(None) };
        let Merged { tree, clashes } = three_way(base, ours, &head.snapshot.tree);
        if clashes.is_empty() {
            return Ok(Some(tree));
        }
        Err(self.clash(request.expected, version, clashes).await)
    }

    /// What the document becomes if its sources say this, at a head that is published.
    pub(super) fn sourced(&self, layers: Arc<Layers>, head: &Head<T>) -> Result<Option<Plan<T>>> {
        let tree = self.state.overlay().on(layers.tree())?;
        let tree = self.settled(&tree, head)?;
        let judged = self.judge(&tree).map_err(|error| layers.placed::<T>(error))?;
        let stored = judged.into_inner();
        let edits = diff::diff(&head.logged, &stored.tree);
        // What was set at run time keeps the seals that were logged.
        let stored = Stored { tree: diff::apply(&head.logged, &edits)?, ..stored };
        if edits.is_empty() {
            self.state.relayer(layers);
            self.state.unpark(stored);
            return Ok(None);
        }
        let (layer, withdrawn) = (Layer::Sources, Vec::new());
        Ok(Some(Plan { stored, edits, layer, withdrawn, layers: Some(layers) }))
    }

    /// Validates a candidate. A rule that panics refuses it and harms nothing else.
    pub(super) fn judge(&self, candidate: &Value) -> Result<Validated<Stored<T>>> {
        let judged = || stored::<T>(candidate, &self.inner.rules);
        catch_unwind(AssertUnwindSafe(judged)).unwrap_or_else(|_| {
            let message = format!("a rule of document {:?} panicked", T::NAME);
            Err(Error::new(ErrorKind::Invalid, message))
        })
    }
}

/// Where a request takes away what was set. An item of a list cannot be taken away by itself: what is
/// left of the list is set.
fn withdrawn(request: &ChangeRequest) -> Vec<Path> {
    let is_key = |segment: &Segment| matches!(segment, Segment::Key(_));
    let taken = request
        .edits
        .iter()
        .filter(|(path, value)| value.is_none() && path.segments().iter().all(is_key));
    taken.map(|(path, _)| path.clone()).collect()
}

/// The refusal to leave defaults where sources that are not here say something.
fn no_sources<T: Document>(places: &[Path]) -> Error {
    let names: Vec<String> = places.iter().take(3).map(ToString::to_string).collect();
    let named = match names.iter().any(String::is_empty) {
        true => "the whole document".to_owned(),
        false => names.join(", "),
    };
    let message = format!(
        "document {:?} was given values by files or the environment, which are not known here: without \
         what was set, {named} would have its default and not what they say",
        T::NAME
    );
    Error::new(ErrorKind::NoSources, message).with("document", T::NAME)
}

fn is_gone(error: &Error) -> bool {
    error.kind() == ErrorKind::Compacted || is_lost(error)
}

/// The refusal of edits, with the nearest known key where nothing was found. In a document with
/// secrets what was to be put there may be one under a mistyped key.
fn with_nearest<T: Document>(error: Error) -> Error {
    let problems =
        error.problems().iter().map(|problem| match (problem.kind, problem.path.parse()) {
            (ErrorKind::NotFound, Ok(path)) => no_such_key::<T>(&path),
            (ErrorKind::NotFound, Err(_)) if Shape::Fields(T::FIELDS).has_secret() => {
                Problem { value: None, ..problem.clone() }
            }
            _ => problem.clone(),
        });
    Error::of_problems(problems.collect())
}
