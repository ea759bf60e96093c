//! Whatever parents events name, every one of them hangs on one root.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::super::{Basis, Link, Trace, trace_beside};
use super::recorded;
use crate::event::missing_parents;

/// Ids, parents (of those that are there, missing, kept elsewhere, or none), times and sources.
fn some_story() -> impl Strategy<Value = Vec<(u8, Option<u8>, u16, u8)>> {
    let parent = prop_oneof![Just(None), (0..40_u8).prop_map(Some)];
    prop::collection::vec((0..30_u8, parent, 0..1_000_u16, 0..3_u8), 0..60)
}

fn told(story: &[(u8, Option<u8>, u16, u8)]) -> Trace {
    let line = |(id, parent, millis, source): &(u8, Option<u8>, u16, u8)| {
        let parent = parent.map_or("-".to_owned(), |parent| parent.to_string());
        format!("{id} {parent} {millis} s{source}")
    };
    let events: Vec<_> =
        (1..).zip(story).map(|(position, one)| recorded(position, &line(one))).collect();
    let missing = missing_parents(&events);
    let kept: BTreeSet<_> = missing.into_iter().filter(|id| id.as_str() >= "35").collect();
    trace_beside(events, &kept)
}

/// The root above a span, by as many steps as there are spans at most.
fn root_above(trace: &Trace, at: usize) -> Option<usize> {
    let mut at = at;
    for _ in 0..=trace.spans.len() {
        match trace.spans[at].link {
            Link::Child(above) | Link::After(above) => at = above,
            _ => return Some(at),
        }
    }
    None
}

proptest! {
    #[test]
    fn every_span_hangs_on_a_root_and_is_shown_once(story in some_story()) {
        let trace = told(&story);
        for at in 0..trace.spans.len() {
            let root = root_above(&trace, at).expect("no cycle is left");
            prop_assert!(trace.roots.contains(&root));
        }
        let children = trace.spans.iter().map(|span| span.children.len()).sum::<usize>();
        prop_assert_eq!(children + trace.roots.len(), trace.spans.len());
        let lines = trace.to_text().lines().filter(|line| line.contains("─ ")).count();
        prop_assert_eq!(lines, trace.spans.len());
        let boxes = trace.to_mermaid();
        let boxes = boxes.lines().filter(|line| line.trim_start().starts_with('e') && line.contains('['));
        prop_assert_eq!(boxes.count(), trace.spans.len());
    }

    #[test]
    fn figures_agree_with_a_plain_count(story in some_story()) {
        let trace = told(&story);
        let figures = &trace.figures;
        let ids: BTreeSet<u8> = story.iter().map(|one| one.0).collect();
        let orphans = story.iter().filter(|one| one.1.is_some_and(|parent| !ids.contains(&parent)));
        prop_assert_eq!(figures.orphans, orphans.count());
        let gaps = story.iter().filter(|one| {
            one.1.is_some_and(|parent| !ids.contains(&parent) && parent.to_string().as_str() < "35")
        });
        prop_assert_eq!(trace.gaps, gaps.count());
        for shares in [&figures.by_source, &figures.by_type] {
            prop_assert_eq!(shares.iter().map(|one| one.time_us).sum::<u64>(), trace.duration_us);
            prop_assert_eq!(shares.iter().map(|one| one.events).sum::<usize>(), story.len());
        }
        let depth_of = |mut at: usize| {
            let mut depth = 1;
            while let Link::Child(above) = trace.spans[at].link {
                (at, depth) = (above, depth + 1);
            }
            depth
        };
        if trace.basis == Basis::Causes {
            let deepest = (0..trace.spans.len()).map(depth_of).max().unwrap_or(0);
            prop_assert_eq!(figures.depth, deepest);
        }
        let steps: i64 = figures.critical_path.iter().map(|step| step.step_us).sum();
        prop_assert!(steps <= trace.duration_us as i64);
        if let Some(last) = figures.critical_path.last() {
            prop_assert_eq!(trace.spans[last.span].offset_us, trace.duration_us);
        }
    }

    #[test]
    fn no_text_means_anything_to_mermaid(text in "\\PC{0,80}|[\"#;&<>`\\[\\](){}|\n-]{0,20}|end|.{0,20}") {
        let mut event = recorded(1, "a x 0 s");
        event.event = event.event.source(&*text).subject(&*text).parent(&*text);
        event.event.kind = (&*text).into();
        let diagram = trace_beside(vec![event], &BTreeSet::new()).to_mermaid();
        let lines: Vec<&str> = diagram.split('\n').collect();
        prop_assert_eq!((lines.len(), lines[0], lines[3]), (4, "flowchart TD", ""));
        prop_assert_eq!(lines[1].matches('"').count(), 2, "{}", lines[1]);
        prop_assert_eq!(lines[2].matches('"').count(), 2, "{}", lines[2]);
        let inside = lines[1].split('"').nth(1).expect("a label").replace("<br/>", "");
        prop_assert!(inside.chars().all(|c| !"<>&`\"[](){}|".contains(c) && !c.is_control()), "{inside}");
    }
}
