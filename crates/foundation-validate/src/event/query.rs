//! Whether a query over events can mean anything.

use foundation_types::limits::QUERY_NAMES_MAX;
use foundation_types::{ErrorKind, EventQuery, Problem, Result, TypePattern};

use crate::pipeline::settle;
use crate::validated::Validated;

/// Whether the query can mean anything; one that can and finds nothing is fine.
///
/// # Errors
/// [`ErrorKind::InvalidArgument`] for a limit of 0, a `since` after `until`, an empty type,
/// correlation id, parent id, stream or tag, or more than 100 types, tags or fields.
pub fn query(query: &EventQuery) -> Result<()> {
    let mut found = Vec::new();
    inspect_query(query, &mut found);
    settle((), found).map(Validated::into_inner)
}

/// Finds what is wrong with a query.
pub(super) fn inspect_query(query: &EventQuery, found: &mut Vec<Problem>) {
    let mut refuse = |path, message: String| {
        found.push(Problem::new(ErrorKind::InvalidArgument, path, message));
    };
    if query.limit == Some(0) {
        refuse("limit", "is 0: leave it out to get all".to_owned());
    }
    if query.since.zip(query.until).is_some_and(|(since, until)| since > until) {
        refuse("since", "is later than until".to_owned());
    }
    for (path, named) in
        [("types", query.types.len()), ("tags", query.tags.len()), ("fields", query.fields.len())]
    {
        if named > QUERY_NAMES_MAX {
            refuse(path, format!("are {named}: at most {QUERY_NAMES_MAX} may be named"));
        }
    }
    let is_empty = |pattern: &TypePattern| match pattern {
        TypePattern::Exact(kind) => kind.as_str().is_empty(),
        // All types begin with nothing.
        TypePattern::Prefix(_) => false,
    };
    let named = [
        ("correlation_id", query.correlation_id.as_ref().map(|id| id.as_str())),
        ("parent_id", query.parent_id.as_ref().map(|id| id.as_str())),
        ("stream", query.stream.as_ref().map(|name| name.as_str())),
        ("types", query.types.iter().any(is_empty).then_some("")),
        ("tags", query.tags.iter().map(|tag| tag.as_str()).find(|tag| tag.is_empty())),
    ];
    for (path, text) in named {
        if text.is_some_and(str::is_empty) {
            refuse(path, "is empty".to_owned());
        }
    }
}
