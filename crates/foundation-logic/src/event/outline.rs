//! A trace as an outline for people: one line a span, indented under its parent.

use std::fmt::{Formatter, Result};

use super::trace::{Link, Span, Trace};

/// Levels that are drawn; what is deeper stands at the last of them with its depth as a number,
/// so that the outline of a long chain does not grow with the square of its length.
const LEVELS_MAX: usize = 32;

/// Widest column of sources or types, in characters; longer text pushes its own line only.
const COLUMN_MAX: usize = 60;

/// Writes the header and the lines.
pub(super) fn write(trace: &Trace, out: &mut Formatter<'_>) -> Result {
    write_header(trace, out)?;
    let lines = lines(trace);
    let widest = |column: fn(&Line) -> &str| {
        let widths = lines.iter().map(|line| column(line).chars().count());
        widths.filter(|width| *width <= COLUMN_MAX).max().unwrap_or(0)
    };
    let (source, what) = (widest(|line| &line.source), widest(|line| &line.what));
    let offset = widest(|line| &line.offset);
    for line in &lines {
        write!(out, "\n{:source$}  {:what$}  {:>offset$}", line.source, line.what, line.offset)?;
        out.write_str(&line.note)?;
    }
    Ok(())
}

fn write_header(trace: &Trace, out: &mut Formatter<'_>) -> Result {
    match &trace.correlation_id {
        Some(id) => out.write_str(&printable(id.as_str()))?,
        None => out.write_str("trace")?,
    }
    let (events, sources) = (trace.spans.len(), trace.sources.len());
    write!(out, "  {}, {}", counted(events, "event"), counted(sources, "source"))?;
    write!(out, ", {}", duration(trace.duration_us))?;
    if trace.gaps > 0 {
        write!(out, ", {}", counted(trace.gaps, "gap"))?;
    }
    if trace.is_cut { out.write_str(", and more that are not shown") } else { Ok(()) }
}

/// One span as it is written.
struct Line {
    /// Branches and the source.
    source: String,
    /// The type, and the subject if there is one.
    what: String,
    offset: String,
    note: String,
}

/// The spans in the order of the tree. The walk has a stack of its own: a chain of parents may
/// be longer than the stack of a thread is deep.
fn lines(trace: &Trace) -> Vec<Line> {
    let mut lines = Vec::with_capacity(trace.spans.len());
    let mut open = Vec::new();
    let mut waiting = Vec::new();
    push(&mut waiting, &trace.roots, 0);
    while let Some(Visit { at, depth, is_last }) = waiting.pop() {
        let Some(span) = trace.spans.get(at) else { continue };
        lines.push(line(span, &open, depth, is_last));
        if depth < LEVELS_MAX {
            open.truncate(depth);
            open.push(!is_last);
        }
        push(&mut waiting, &span.children, depth + 1);
    }
    lines
}

/// A span that waits for its turn.
struct Visit {
    at: usize,
    depth: usize,
    is_last: bool,
}

fn push(waiting: &mut Vec<Visit>, spans: &[usize], depth: usize) {
    let last = spans.len().saturating_sub(1);
    let visit = |(nth, at): (usize, &usize)| Visit { at: *at, depth, is_last: nth == last };
    waiting.extend(spans.iter().enumerate().map(visit).rev());
}

fn line(span: &Span, open: &[bool], depth: usize, is_last: bool) -> Line {
    let event = &span.event.event;
    let subject = event.subject.iter().map(|subject| format!(" {}", printable(subject)));
    Line {
        source: format!(
            "{}{}",
            branches(open, depth, is_last),
            printable(event.source.as_deref().unwrap_or("-"))
        ),
        what: printable(event.kind.as_str()) + &subject.collect::<String>(),
        offset: format!("{} ms", thousands(span.offset_us / 1_000)),
        note: note(span),
    }
}

fn branches(open: &[bool], depth: usize, is_last: bool) -> String {
    let above = open.iter().take(depth.min(LEVELS_MAX));
    let mut text: String = above.map(|open| if *open { "│  " } else { "   " }).collect();
    text.push_str(if is_last { "└─ " } else { "├─ " });
    if depth >= LEVELS_MAX {
        text.push_str(&format!("({}) ", depth + 1));
    }
    text
}

fn note(span: &Span) -> String {
    let parent = span.event.event.parent_id.as_ref();
    match (span.link, parent) {
        (Link::Gap, Some(id)) => format!("  ◀ parent {} is missing", printable(id.as_str())),
        (Link::Cycle, Some(id)) => format!("  ◀ parent {} comes back here", printable(id.as_str())),
        _ => String::new(),
    }
}

/// Text of others must not steer the terminal that shows it.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", thousands(u64::try_from(count).unwrap_or(u64::MAX)))
}

fn duration(micros: u64) -> String {
    match micros / 1_000 {
        millis @ ..1_000 => format!("{millis} ms"),
        millis => format!("{}.{} s", thousands(millis / 1_000), millis % 1_000 / 100),
    }
}

fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
