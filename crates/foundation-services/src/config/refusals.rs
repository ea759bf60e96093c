//! What is recorded of changes that were refused: who wanted what and what stood against it.
//!
//! Recording never waits and never fails the caller. A flood of refused changes is counted
//! instead, and the next one that is recorded tells how many there were.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use foundation_store::journal::Batch;
use foundation_store::record::RecordKind;
use foundation_types::config::Leaf;
use foundation_types::limits::{REASON_BYTES_MAX, REFUSAL_PROBLEMS_MAX, REFUSALS_PER_SECOND_MAX};
use foundation_types::{
    Document, Error, ErrorKind, Event, EventId, EventType, Path, Problem, Result, StreamName,
};
use foundation_validate::{ChangeRequest, Origin, event};
use serde::{Deserialize, Serialize};

use super::lane::SOURCE;
use super::server::ConfigServer;

/// A change that was refused: the data of an event of the type `foundation.config.refused`, in the
/// stream `foundation`. It has no values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RefusedChange {
    /// Name of the document.
    pub document: String,
    /// Who wanted to change it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What stood against it; at most 20 findings.
    pub refused: Vec<Finding>,
    /// How many more findings there were.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more: u64,
    /// How many refused changes were not recorded since the last one that was, because there were
    /// too many or the journal had no room.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub not_recorded: u64,
}

/// What stood against a change at one place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Where, as dotted text; empty for the document as a whole.
    pub path: String,
    /// Of which kind.
    pub code: ErrorKind,
    /// What, at most 1,024 bytes.
    pub message: String,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// Who wanted a change, and why.
pub(super) struct Wish {
    actor: Option<String>,
    reason: Option<String>,
}

impl Wish {
    pub(super) fn of(request: &ChangeRequest) -> Self {
        let short = |text: &Option<String>| text.as_deref().map(shortened);
        Self { actor: short(&request.actor), reason: short(&request.reason) }
    }
}

/// How many refused changes were recorded, so that they stay few.
#[derive(Debug, Default)]
pub(super) struct Refusals(Mutex<Count>);

#[derive(Debug, Default)]
struct Count {
    /// When the second began in which `recorded` were recorded.
    since: Duration,
    recorded: u32,
    not_recorded: u64,
    ever: u64,
}

impl Count {
    /// Whether one more may be recorded.
    fn admits(&mut self, now: Duration) -> bool {
        if now.saturating_sub(self.since) >= Duration::from_secs(1) {
            (self.since, self.recorded) = (now, 0);
        }
        self.recorded += 1;
        self.recorded <= REFUSALS_PER_SECOND_MAX
    }
}

impl<T: Document> ConfigServer<T> {
    /// Records that a change was refused, if this error says so and there is room.
    pub(super) fn record_refusal(&self, wish: Wish, error: &Error) {
        if !is_refusal(error) {
            return;
        }
        let mut count = self.inner.refusals.0.lock().unwrap_or_else(PoisonError::into_inner);
        count.ever += 1;
        if count.admits(self.inner.clock.monotonic()) {
            let told = self.refused_change(wish, error, count.not_recorded);
            if self.append_refusal(&told, count.ever).is_ok_and(|appended| appended) {
                count.not_recorded = 0;
                return;
            }
        }
        count.not_recorded += 1;
    }

    fn refused_change(&self, wish: Wish, error: &Error, not_recorded: u64) -> RefusedChange {
        let whole = [Problem::new(error.kind(), "", error.message())];
        let problems = if error.problems().is_empty() { &whole } else { error.problems() };
        let secrets: Vec<Path> = Leaf::all(T::FIELDS)
            .into_iter()
            .filter(|leaf| leaf.secret)
            .map(|leaf| leaf.path)
            .collect();
        let findings = problems.iter().take(REFUSAL_PROBLEMS_MAX);
        RefusedChange {
            document: T::NAME.to_owned(),
            actor: wish.actor,
            reason: wish.reason,
            refused: findings.map(|problem| finding(problem, &secrets)).collect(),
            more: problems.len().saturating_sub(REFUSAL_PROBLEMS_MAX) as u64,
            not_recorded,
        }
    }

    /// Gives it a place in the journal, if there is one without waiting. Nobody waits for it to
    /// be durable: whatever is durable later comes after it.
    fn append_refusal(&self, told: &RefusedChange, ever: u64) -> Result<bool> {
        let journal = &self.inner.journal;
        let stream = StreamName::from(StreamName::FOUNDATION);
        let (head, now) = (journal.head(&stream)?, self.inner.clock.wall());
        // Neither the head nor the time alone is another one each time.
        let name = format!("{} refused {head} {now} {ever}", self.timeline().stream());
        let event = Event::new(EventType::CONFIG_REFUSED)
            .id(EventId::derived(journal.store_id(), &name))
            .source(SOURCE)
            .subject(T::NAME)
            .data(told)?;
        let event = event::event(event, Origin::Foundation)?.into_inner();
        let batch = Batch::new(stream, RecordKind::Event, vec![event])?;
        let Some(room) = journal.try_reserve(&batch)? else { return Ok(false) };
        journal.append(batch, room)?;
        Ok(true)
    }
}

/// Whether the document, or who is asked before it is changed, refused what was asked for.
fn is_refusal(error: &Error) -> bool {
    use foundation_types::error::Category;
    match error.kind().row().category {
        Category::Validation => true,
        // Of a key that the document does not have.
        Category::NotFound => !error.problems().is_empty(),
        _ => false,
    }
}

fn finding(problem: &Problem, secrets: &[Path]) -> Finding {
    let place = problem.path.parse::<Path>();
    let is_secret = place.is_ok_and(|path| secrets.iter().any(|secret| secret.overlaps(&path)));
    let value = problem.value.as_deref().map(|value| value.trim_matches(['"', '…']));
    let tells_value =
        value.is_some_and(|value| !value.is_empty() && problem.message.contains(value));
    let message = match is_secret || tells_value {
        true => problem.kind.row().advice,
        false => problem.message.as_str(),
    };
    Finding { path: shortened(&problem.path), code: problem.kind, message: shortened(message) }
}

/// The text up to the longest that a reason may be.
pub(super) fn shortened(text: &str) -> String {
    let longest = text.len().min(REASON_BYTES_MAX);
    // The beginning of a text is a boundary of characters.
    let end = (0..=longest).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text[..end].to_owned()
}
