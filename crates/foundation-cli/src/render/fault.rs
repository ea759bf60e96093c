//! An error as it is told to people: what, where, what was expected, what to do.

use foundation::Error;
use foundation::config::Origin;
use foundation::error::{Clash, Conflict, Problem};
use foundation::events::Recorded;

use super::text::{counted, one_line};
use super::tree::{Shown, edits, side};

/// Events that an error names of those that its caller missed.
const MISSED_TOLD: usize = 5;

/// The error with its code, every problem on a line of its own, and what to do next.
pub(crate) fn error(error: &Error) -> String {
    let code = error.code();
    let mut lines = match error.problems() {
        [only] => {
            let mut lines = vec![format!("error[{code}]: {}", finding(only))];
            lines.extend(remarks(only, "  "));
            lines
        }
        [] => vec![format!("error[{code}]: {}", error.message())],
        several => {
            let mut lines = vec![format!("error[{code}]: {} problems", several.len())];
            for problem in several {
                lines.push(format!("  {}", finding(problem)));
                lines.extend(remarks(problem, "    "));
            }
            lines
        }
    };
    // Problems name their places themselves.
    if error.problems().is_empty() {
        lines.extend(
            error.context().iter().map(|(name, value)| format!("  {name} {}", one_line(value))),
        );
    }
    lines.extend(error.conflict().map(missed).unwrap_or_default());
    lines.extend(error.conflict().map(missed_events).unwrap_or_default());
    lines.extend(error.conflict().map(clashing).unwrap_or_default());
    // A problem that says what is right needs no general advice.
    if error.problems().iter().all(|one| one.expected.is_none() && one.hint.is_none()) {
        lines.push(format!("  {}", error.kind().row().advice));
    }
    lines.join("\n")
}

/// Every problem of the error, or its message, in one line.
pub(crate) fn problems(error: &Error) -> String {
    match error.problems() {
        [] => error.message().to_owned(),
        several => several.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
    }
}

fn finding(problem: &Problem) -> String {
    // Messages about keys name the path themselves.
    let names_path = problem.path.is_empty() || problem.message.contains(&problem.path);
    let place = if names_path { String::new() } else { format!("{}: ", problem.path) };
    let value = problem.value.as_ref().map(|value| format!(", got {value}")).unwrap_or_default();
    format!("{place}{}{value}", problem.message)
}

fn remarks(problem: &Problem, indent: &str) -> Vec<String> {
    let expected = problem.expected.iter().map(|what| format!("{indent}expected {what}"));
    let meant = problem.hint.iter().map(|what| format!("{indent}did you mean {what}?"));
    expected.chain(meant).chain(place(problem, indent)).collect()
}

/// Where what is wrong is written, with the line if it may be shown.
fn place(problem: &Problem, indent: &str) -> Vec<String> {
    let Some(origin) = &problem.origin else { return Vec::new() };
    let mut lines = vec![format!("{indent}--> {origin}")];
    if let (Some(text), Origin::File { line, column, .. }) = (&problem.excerpt, origin) {
        let (from, cut) = problem.excerpt_from.map_or((1, ""), |from| (from, "…"));
        let length = text.chars().count();
        let before = (column.saturating_sub(from) as usize).min(length);
        let (blanks, marks) = (" ".repeat(before), "^".repeat((length - before).max(1)));
        let gutter = " ".repeat(line.to_string().len());
        let under = " ".repeat(cut.chars().count());
        lines.push(format!("{indent}{line} | {cut}{text}"));
        lines.push(format!("{indent}{gutter} | {under}{blanks}{marks}"));
    }
    lines
}

/// The changes that the writer has not seen; the versions are in the message.
fn missed(conflict: &Conflict) -> Vec<String> {
    let mut lines = Vec::new();
    for change in &conflict.missed {
        let who = change.actor.as_deref().unwrap_or("somebody");
        let why = change.reason.as_ref().map(|why| format!("  \"{why}\"")).unwrap_or_default();
        lines.push(format!("  version {}  {}  {who}{why}", change.version, change.time));
        lines.extend(edits(&change.changes, Shown::Both).iter().map(|line| format!("    {line}")));
    }
    lines
}

/// The events that the writer has not seen, the first few.
fn missed_events(conflict: &Conflict) -> Vec<String> {
    let row = |one: &Recorded| {
        let id = one.event.id.as_ref().map(|id| format!("  {}", one_line(id.as_str())));
        let (kind, stream) = (&one.event.kind, &one.stream);
        let kind = one_line(kind.as_str());
        format!("  position {}  {kind} in {stream}{}", one.position, id.unwrap_or_default())
    };
    let mut lines: Vec<String> = conflict.events.iter().take(MISSED_TOLD).map(row).collect();
    let more = conflict.events.len().saturating_sub(MISSED_TOLD);
    if more > 0 {
        lines.push(format!("  and {}", counted(more as u64, "further one")));
    }
    lines
}

/// The places that both sides changed, with what each of them wants.
fn clashing(conflict: &Conflict) -> Vec<String> {
    conflict.clashes.iter().map(|at| format!("  {}", clash(at))).collect()
}

pub(super) fn clash(clash: &Clash) -> String {
    let [base, ours, theirs] = [&clash.base, &clash.ours, &clash.theirs].map(side);
    format!("{}: it was {base}, this change says {ours}, others said {theirs}", clash.path)
}

#[cfg(test)]
mod tests {
    use foundation::ErrorKind;

    use super::*;

    #[test]
    fn one_problem_is_told_with_what_was_meant() {
        let problem = Problem::new(
            ErrorKind::UnknownKey,
            "interface.max_resluts",
            "no key \"interface.max_resluts\" in document \"foundation\"",
        );
        let told = error(&Error::of_problems(vec![problem.hint("interface.max_results")]));
        insta::assert_snapshot!(told, @r#"
        error[config.unknown_key]: no key "interface.max_resluts" in document "foundation"
          did you mean interface.max_results?
        "#);
    }

    #[test]
    fn several_problems_stand_under_one_another() {
        let told = error(&Error::of_problems(vec![
            Problem::new(ErrorKind::OutOfRange, "a.b", "out of range").value(7).expected("1 to 5"),
            Problem::new(ErrorKind::WrongType, "a.c", "wrong type").value("\"x\"").expected("text"),
        ]));
        insta::assert_snapshot!(told, @r#"
        error[config.out_of_range]: 2 problems
          a.b: out of range, got 7
            expected 1 to 5
          a.c: wrong type, got "x"
            expected text
        "#);
    }

    #[test]
    fn an_error_without_problems_says_where_and_what_to_do() {
        let told = error(&Error::new(ErrorKind::Malformed, "not JSON").with("line", 3));
        insta::assert_snapshot!(told, @r"
        error[malformed]: not JSON
          line 3
          send well-formed text in UTF-8, without repeated keys; the message names the format
        ");
    }
}
