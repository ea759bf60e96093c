//! A trace as a Mermaid flowchart: a box for each event, an arrow from what it hangs on.

use std::collections::BTreeSet;
use std::fmt::Write;

use foundation_types::limits::DIAGRAM_EVENTS_MAX;

use super::outline::duration;
use super::trace::{Link, Span, Trace};
use super::walk::walk;

/// Longest text of one line in a box, in characters.
const LABEL_MAX: usize = 60;

/// The flowchart. Thick arrows are the critical path, dotted ones lead from what is not there or
/// only from what came before.
pub(super) fn mermaid(trace: &Trace) -> String {
    let shown: Vec<usize> = walk(trace).map(|visit| visit.at).take(DIAGRAM_EVENTS_MAX).collect();
    let path: BTreeSet<usize> = trace.figures.critical_path.iter().map(|step| step.span).collect();
    let mut text = String::from("flowchart TD\n");
    for at in &shown {
        if let Some(span) = trace.spans.get(*at) {
            push_box(&mut text, *at, span);
        }
    }
    for at in &shown {
        if let Some(span) = trace.spans.get(*at) {
            push_arrow(&mut text, *at, span, path.contains(at));
        }
    }
    let more = trace.spans.len() - shown.len();
    if more > 0 || trace.is_cut {
        let and_more = if trace.is_cut { " and more" } else { "" };
        push(&mut text, format_args!("more[\"{more} events{and_more} are not shown\"]"));
    }
    text
}

fn push_box(text: &mut String, at: usize, span: &Span) {
    let event = &span.event.event;
    let source = label(event.source.as_deref().unwrap_or("-"));
    let kind = label(event.kind.as_str());
    let subject = event.subject.as_deref().map(|subject| format!("<br/>{}", label(subject)));
    let (subject, offset) = (subject.unwrap_or_default(), duration(span.offset_us));
    push(text, format_args!("e{at}[\"{source}<br/>{kind}{subject}<br/>{offset}\"]"));
}

fn push_arrow(text: &mut String, at: usize, span: &Span, is_critical: bool) {
    let parent = span.event.event.parent_id.as_ref().map(|id| label(id.as_str()));
    let parent = parent.unwrap_or_default();
    match span.link {
        Link::Root => {}
        // What is on the path hangs on what is on it.
        Link::Child(above) if is_critical => push(text, format_args!("e{above} ==> e{at}")),
        Link::Child(above) => push(text, format_args!("e{above} --> e{at}")),
        Link::After(before) => push(text, format_args!("e{before} -.-> e{at}")),
        Link::Elsewhere => {
            push(text, format_args!("p{at}([\"{parent}<br/>is elsewhere\"]) -.-> e{at}"));
        }
        Link::Gap => push(text, format_args!("p{at}([\"{parent}<br/>is missing\"]) -.-> e{at}")),
        Link::Cycle => {
            push(text, format_args!("p{at}([\"{parent}<br/>comes back here\"]) -.-> e{at}"));
        }
    }
}

fn push(text: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a string does not fail.
    let _ = writeln!(text, "    {line}");
}

/// Text of others inside of quotes: whatever could mean something to Mermaid or to the page that it
/// stands in is written as its number.
fn label(text: &str) -> String {
    let mut label = String::new();
    for (nth, c) in text.chars().enumerate() {
        if nth == LABEL_MAX {
            label.push('…');
            break;
        }
        match c {
            _ if c.is_alphanumeric() || " _-./:,".contains(c) => label.push(c),
            _ if c.is_control() => label.push(char::REPLACEMENT_CHARACTER),
            _ => {
                let _ = write!(label, "#{};", u32::from(c));
            }
        }
    }
    label
}
