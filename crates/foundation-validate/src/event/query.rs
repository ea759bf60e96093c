//! Whether a query over events can mean anything.

use foundation_types::{ErrorKind, EventQuery, Problem, Result};

use crate::pipeline::settle;
use crate::validated::Validated;

/// Whether the query can mean anything; one that can and finds nothing is fine.
///
/// # Errors
/// [`ErrorKind::InvalidArgument`] for a limit of 0, a `since` after `until`, or an empty type,
/// correlation id or stream.
pub fn query(query: &EventQuery) -> Result<()> {
    let mut found = Vec::new();
    inspect_query(query, &mut found);
    settle((), found).map(Validated::into_inner)
}

/// Finds what is wrong with a query.
pub(super) fn inspect_query(query: &EventQuery, found: &mut Vec<Problem>) {
    let mut refuse = |path, message| {
        found.push(Problem::new(ErrorKind::InvalidArgument, path, message));
    };
    if query.limit == Some(0) {
        refuse("limit", "is 0: leave it out to get all");
    }
    if query.since.zip(query.until).is_some_and(|(since, until)| since > until) {
        refuse("since", "is later than until");
    }
    if query.kind.as_ref().is_some_and(|kind| kind.as_str().is_empty()) {
        refuse("type", "is empty");
    }
    if query.correlation_id.as_ref().is_some_and(|id| id.as_str().is_empty()) {
        refuse("correlation_id", "is empty");
    }
    if query.stream.as_ref().is_some_and(|name| name.as_str().is_empty()) {
        refuse("stream", "is empty");
    }
}
