//! Whether a query over events can mean anything.

use foundation_types::limits::QUERY_NAMES_MAX;
use foundation_types::{ErrorKind, EventQuery, Problem, Result, TypePattern};

use crate::pipeline::settle;
use crate::text::quoted;
use crate::validated::Validated;

/// Whether the query can mean anything; one that can and finds nothing is fine.
///
/// # Errors
/// [`ErrorKind::InvalidArgument`] for a limit of 0, a `since` after `until`, a type as
/// [`type_pattern`] refuses it, an empty correlation id, parent id, stream or tag, or more than 100 types, tags or fields.
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
    let named = [
        ("correlation_id", query.correlation_id.as_ref().map(|id| id.as_str())),
        ("parent_id", query.parent_id.as_ref().map(|id| id.as_str())),
        ("stream", query.stream.as_ref().map(|name| name.as_str())),
        ("tags", query.tags.iter().map(|tag| tag.as_str()).find(|tag| tag.is_empty())),
    ];
    for (path, text) in named {
        if text.is_some_and(str::is_empty) {
            refuse(path, "is empty".to_owned());
        }
    }
    if let Some(problem) = query.types.iter().find_map(meaningless) {
        found.push(problem);
    }
}

/// Whether the pattern can mean anything.
///
/// # Errors
/// [`ErrorKind::InvalidArgument`] for no type at all, and for a `*` that stands before another one.
pub fn type_pattern(pattern: &TypePattern) -> Result<()> {
    settle((), meaningless(pattern).into_iter().collect()).map(Validated::into_inner)
}

fn meaningless(pattern: &TypePattern) -> Option<Problem> {
    let message = match pattern {
        TypePattern::Exact(kind) if kind.as_str().is_empty() => "is empty".to_owned(),
        // All types begin with nothing.
        TypePattern::Prefix(start) if start.contains('*') => format!(
            "{} has a * before the one at its end, which alone stands for any rest",
            quoted(&pattern.to_string())
        ),
        TypePattern::Exact(_) | TypePattern::Prefix(_) => return None,
    };
    let problem = Problem::new(ErrorKind::InvalidArgument, "types", message);
    Some(
        problem.expected(r"a type, or order.* for all that begin so; a type that ends in * is a\*"),
    )
}
