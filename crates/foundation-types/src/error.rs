//! One error type for the whole system, and one table of its kinds.
//!
//! Code, category, severity, retry and advice come from the table of [`ErrorKind`]: they are never
//! made up where an error is raised. What the raiser adds is what was attempted and where.

mod kind;
mod problem;
mod report;

pub use kind::{Category, ErrorKind, KindRow, Retry, Severity};
pub use problem::{Clash, Conflict, Problem};
pub use report::ErrorReport;

use std::fmt;
use std::sync::Arc;

use crate::id::CorrelationId;

/// The result of anything that can fail here.
pub type Result<T, E = Error> = std::result::Result<T, E>;

type Cause = Arc<dyn std::error::Error + Send + Sync>;

/// What failed, where, and what to do about it.
///
/// ```
/// use foundation_types::{Error, ErrorKind};
/// let error = Error::new(ErrorKind::NotFound, "no event has the id \"a\"").with("id", "a");
/// assert_eq!(error.code(), "not_found");
/// assert_eq!(error.to_string(), "no event has the id \"a\" [id a]");
/// ```
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    message: String,
    context: Vec<(String, String)>,
    problems: Vec<Problem>,
    conflict: Option<Conflict>,
    correlation: Option<CorrelationId>,
    cause: Option<Cause>,
}

impl Error {
    /// An error of this kind; the message says what was attempted and what stood in the way.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            context: Vec::new(),
            problems: Vec::new(),
            conflict: None,
            correlation: None,
            cause: None,
        }))
    }

    /// An error that carries every problem found, the first one as its message.
    ///
    /// Its kind is the kind of the first problem.
    #[must_use]
    pub fn of_problems(problems: Vec<Problem>) -> Self {
        let kind = problems.first().map_or(ErrorKind::Invalid, |problem| problem.kind);
        let message = match problems.as_slice() {
            [] => "the value is refused".to_owned(),
            [only] => only.to_string(),
            [first, _] => format!("{first} (and 1 more problem)"),
            [first, rest @ ..] => format!("{first} (and {} more problems)", rest.len()),
        };
        let mut error = Self::new(kind, message);
        error.0.problems = problems;
        error
    }

    /// This error with one more piece of context, for example a file or an offset.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl fmt::Display) -> Self {
        self.0.context.push((name.to_owned(), value.to_string()));
        self
    }

    /// This error with what the writer missed.
    #[must_use]
    pub fn with_conflict(mut self, conflict: Conflict) -> Self {
        self.0.conflict = Some(conflict);
        self
    }

    /// This error tied to a correlation id.
    #[must_use]
    pub fn correlated(mut self, id: CorrelationId) -> Self {
        self.0.correlation = Some(id);
        self
    }

    /// This error with the error that led to it.
    #[must_use]
    pub fn caused_by(mut self, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.0.cause = Some(Arc::from(cause.into()));
        self
    }

    /// What kind of error this is: the one thing to match on.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The stable code of the kind, for example `config.unknown_key`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.0.kind.row().code
    }

    /// Whether trying again can help, and how.
    #[must_use]
    pub fn retry(&self) -> Retry {
        self.0.kind.row().retry
    }

    /// The message alone.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Named pieces of context in the order in which they were added.
    #[must_use]
    pub fn context(&self) -> &[(String, String)] {
        &self.0.context
    }

    /// Every problem found, where input was refused.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.0.problems
    }

    /// What was expected and what was found, where an expectation failed.
    #[must_use]
    pub fn conflict(&self) -> Option<&Conflict> {
        self.0.conflict.as_ref()
    }

    /// The correlation id of the operation that failed, if it had one.
    #[must_use]
    pub fn correlation(&self) -> Option<&CorrelationId> {
        self.0.correlation.as_ref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0.message)?;
        for (at, (name, value)) in self.0.context.iter().enumerate() {
            write!(out, "{}{name} {value}", if at == 0 { " [" } else { ", " })?;
        }
        if self.0.context.is_empty() { Ok(()) } else { out.write_str("]") }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {self}", self.code())?;
        match &self.0.cause {
            Some(cause) => write!(out, ": {cause}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.cause.as_deref().map(|cause| cause as &(dyn std::error::Error + 'static))
    }
}
