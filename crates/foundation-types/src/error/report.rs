//! An error as data: what the control socket carries and `--output json` prints.

use serde::{Deserialize, Serialize};

use super::Error;
use super::kind::{Category, ErrorKind, Retry, Severity};
use super::problem::{Conflict, Problem};
use crate::id::CorrelationId;

/// Everything about an error that survives leaving the process; causes become text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ErrorReport {
    /// The stable code, for example `config.unknown_key`.
    pub code: ErrorKind,
    /// The family of the code.
    pub category: Category,
    /// How bad it is.
    pub severity: Severity,
    /// Whether trying again can help.
    pub retry: Retry,
    /// What was attempted and what stood in the way.
    pub message: String,
    /// What to do next.
    pub advice: String,
    /// Named pieces of context.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub context: Vec<(String, String)>,
    /// Every problem found in the input.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Problem>,
    /// What the writer missed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conflict: Option<Conflict>,
    /// The correlation id of the operation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<CorrelationId>,
    /// The chain of causes, nearest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<String>,
}

impl From<&Error> for ErrorReport {
    fn from(error: &Error) -> Self {
        let row = error.kind().row();
        let first = std::error::Error::source(error);
        let chain = std::iter::successors(first, |cause| cause.source());
        Self {
            code: row.kind,
            category: row.category,
            severity: row.severity,
            retry: row.retry,
            message: error.message().to_owned(),
            advice: row.advice.to_owned(),
            context: error.0.context.clone(),
            problems: error.0.problems.clone(),
            conflict: error.0.conflict.clone(),
            correlation_id: error.0.correlation.clone(),
            causes: chain.map(ToString::to_string).collect(),
        }
    }
}

impl From<ErrorReport> for Error {
    fn from(report: ErrorReport) -> Self {
        let mut error = Self::new(report.code, report.message);
        error.0.context = report.context;
        error.0.problems = report.problems;
        error.0.conflict = report.conflict;
        error.0.correlation = report.correlation_id;
        if report.causes.is_empty() { error } else { error.caused_by(report.causes.join(": ")) }
    }
}
