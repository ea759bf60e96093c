//! A trace as an outline for people: one line a span, indented under its parent.

use std::fmt::{Formatter, Result};

use super::figures::{Share, Step};
use super::trace::{Basis, Link, Span, Trace};
use super::walk::{Visit, walk};

/// Levels that are drawn; what is deeper stands at the last of them with its depth as a number,
/// so that the outline of a long chain does not grow with the square of its length.
const LEVELS_MAX: usize = 32;

/// Widest column of sources or types, in characters; longer text pushes its own line only.
const COLUMN_MAX: usize = 60;

/// Sources or types whose share of the time is told; of the others only how many there are.
const SHARES_MAX: usize = 5;

/// Writes the header, the lines and what they come to.
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
    write_figures(trace, out)
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
    for (count, noun) in [
        (trace.figures.orphans.saturating_sub(trace.gaps), "parent"),
        (trace.figures.holes.len(), "hole"),
        (trace.figures.cycles, "cycle"),
    ] {
        match noun {
            _ if count == 0 => {}
            "parent" => write!(out, ", {} elsewhere", counted(count, noun))?,
            _ => write!(out, ", {}", counted(count, noun))?,
        }
    }
    if trace.basis == Basis::Times {
        out.write_str(", no causes told: in the order of time")?;
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

fn lines(trace: &Trace) -> Vec<Line> {
    let mut lines = Vec::with_capacity(trace.spans.len());
    let mut open = Vec::new();
    let path = &trace.figures.critical_path;
    let end = path.last().filter(|_| path.len() > 1).map(|step| step.span);
    for Visit { at, depth, is_last } in walk(trace) {
        let Some(span) = trace.spans.get(at) else { continue };
        let mut line = line(span, &open, depth, is_last);
        if end == Some(at) {
            line.note.push_str("  ◀ critical path");
        }
        lines.push(line);
        if depth < LEVELS_MAX {
            open.truncate(depth);
            open.push(!is_last);
        }
    }
    lines
}

/// What the tree comes to, a line each, where there is more to say than the tree shows.
fn write_figures(trace: &Trace, out: &mut Formatter<'_>) -> Result {
    let figures = &trace.figures;
    let path = &figures.critical_path;
    if path.len() > 2 {
        let steps: Vec<String> = path.iter().skip(1).map(|step| step_text(trace, step)).collect();
        let (shown, more) = cut(&steps);
        write!(out, "\ncritical path   {}: {shown}{more}", duration(figures.critical_us))?;
    }
    for (name, shares) in [("source", &figures.by_source), ("type", &figures.by_type)] {
        if shares.len() > 1 && trace.duration_us > 0 {
            let texts: Vec<String> =
                shares.iter().filter_map(|share| share_text(share, trace.duration_us)).collect();
            let (shown, more) = cut(&texts);
            write!(out, "\ntime by {name:<6}  {shown}{more}")?;
        }
    }
    match &figures.longest_pause {
        Some(pause) if trace.spans.len() > 2 && pause.pause_us > 0 => {
            let what = |at: usize| {
                trace.spans.get(at).map(|span| printable(span.event.event.kind.as_str()))
            };
            let (after, before) = (what(pause.after), what(pause.before));
            let (after, before) = (after.unwrap_or_default(), before.unwrap_or_default());
            write!(
                out,
                "\nlongest pause   {} between {after} and {before}",
                duration(pause.pause_us)
            )
        }
        _ => Ok(()),
    }
}

/// The first of the texts, and how many there are beside them.
fn cut(texts: &[String]) -> (String, String) {
    let shown = texts.get(..SHARES_MAX).unwrap_or(texts);
    let more = match texts.len() - shown.len() {
        0 => String::new(),
        more => format!(", and {} more", thousands(more as u64)),
    };
    (shown.join(", "), more)
}

fn step_text(trace: &Trace, step: &Step) -> String {
    let kind = trace.spans.get(step.span).map(|span| span.event.event.kind.as_str());
    let sign = if step.step_us < 0 { "-" } else { "" };
    let took = duration(step.step_us.unsigned_abs());
    format!("{} {sign}{took}", printable(kind.unwrap_or("-")))
}

/// Nothing for a share of less than half a percent.
fn share_text(share: &Share, whole_us: u64) -> Option<String> {
    let percent = (share.time_us as f64 / whole_us as f64 * 100.0).round();
    let name = printable(share.name.as_deref().unwrap_or("-"));
    (percent > 0.0).then(|| format!("{name} {percent} %"))
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
        (Link::Elsewhere, Some(id)) => {
            format!("  ◀ parent {} is elsewhere", printable(id.as_str()))
        }
        (Link::Cycle, Some(id)) => format!("  ◀ parent {} comes back here", printable(id.as_str())),
        _ => String::new(),
    }
}

/// Text of others must not steer the terminal that shows it.
pub(super) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", thousands(u64::try_from(count).unwrap_or(u64::MAX)))
}

pub(super) fn duration(micros: u64) -> String {
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
