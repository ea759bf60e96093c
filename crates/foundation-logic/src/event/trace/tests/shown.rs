//! What people see of a trace.

use std::collections::BTreeSet;

use super::super::trace_beside;
use super::{story, told};

#[test]
fn a_story_is_told_with_its_critical_path() {
    let trace = told(&[
        "placed - 0 nova.api",
        "claimed placed 812 nova.compute",
        "image claimed 1044 nova.libvirt",
        "audit placed 20 nova.api",
        "lost gone 30 nova.api",
    ]);
    insta::assert_snapshot!(trace.to_text(), @r"
    r  5 events, 3 sources, 1.0 s, 1 gap
    ├─ nova.api            did.placed       0 ms
    │  ├─ nova.compute     did.claimed    812 ms
    │  │  └─ nova.libvirt  did.image    1,044 ms  ◀ critical path
    │  └─ nova.api         did.audit       20 ms
    └─ nova.api            did.lost        30 ms  ◀ parent gone is missing
    critical path   1.0 s: did.claimed 812 ms, did.image 232 ms
    time by source  nova.compute 75 %, nova.libvirt 22 %, nova.api 3 %
    time by type    did.claimed 75 %, did.image 22 %, did.audit 2 %, did.lost 1 %
    longest pause   782 ms between did.lost and did.claimed
    ");
    insta::assert_snapshot!(trace.to_mermaid(), @r#"
    flowchart TD
        e0["nova.api<br/>did.placed<br/>0 ms"]
        e1["nova.compute<br/>did.claimed<br/>812 ms"]
        e2["nova.libvirt<br/>did.image<br/>1.0 s"]
        e3["nova.api<br/>did.audit<br/>20 ms"]
        e4["nova.api<br/>did.lost<br/>30 ms"]
        e0 ==> e1
        e1 ==> e2
        e0 --> e3
        p4(["gone<br/>is missing"]) -.-> e4
    "#);
}

#[test]
fn chains_in_time_are_shown_side_by_side_and_called_so() {
    let trace = told(&["a - 0 web", "b - 10 shop", "c - 20 web", "d - 40 web"]);
    insta::assert_snapshot!(trace.to_text(), @r"
    r  4 events, 2 sources, 40 ms, no causes told: in the order of time
    ├─ web     did.a   0 ms
    │  ├─ web  did.c  20 ms
    │  └─ web  did.d  40 ms
    └─ shop    did.b  10 ms
    time by source  web 75 %, shop 25 %
    time by type    did.d 50 %, did.b 25 %, did.c 25 %
    longest pause   20 ms between did.c and did.d
    ");
    insta::assert_snapshot!(trace.to_mermaid(), @r#"
    flowchart TD
        e0["web<br/>did.a<br/>0 ms"]
        e2["web<br/>did.c<br/>20 ms"]
        e3["web<br/>did.d<br/>40 ms"]
        e1["shop<br/>did.b<br/>10 ms"]
        e0 -.-> e2
        e2 -.-> e3
    "#);
}

#[test]
fn parents_elsewhere_and_cycles_are_told_in_words() {
    let events = story(&["a x 0 s", "b c 10 s", "c b 20 s"]);
    let trace = trace_beside(events, &BTreeSet::from(["x".into()]));
    insta::assert_snapshot!(trace.to_text(), @r"
    r  3 events, 1 source, 20 ms, 1 parent elsewhere, 1 cycle
    ├─ s     did.a   0 ms  ◀ parent x is elsewhere
    └─ s     did.b  10 ms  ◀ parent c comes back here
       └─ s  did.c  20 ms  ◀ critical path
    time by type    did.b 50 %, did.c 50 %
    longest pause   10 ms between did.a and did.b
    ");
    insta::assert_snapshot!(trace.to_mermaid(), @r#"
    flowchart TD
        e0["s<br/>did.a<br/>0 ms"]
        e1["s<br/>did.b<br/>10 ms"]
        e2["s<br/>did.c<br/>20 ms"]
        p0(["x<br/>is elsewhere"]) -.-> e0
        p1(["c<br/>comes back here"]) -.-> e1
        e1 ==> e2
    "#);
}

#[test]
fn a_diagram_ends_and_says_so() {
    let lines: Vec<String> = (0..250).map(|at| format!("{at} - {at} s")).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let diagram = told(&lines).shortened().to_mermaid();
    assert_eq!(diagram.lines().filter(|line| line.contains("did.")).count(), 200);
    assert!(diagram.ends_with("more[\"50 events and more are not shown\"]\n"), "{diagram}");
}
