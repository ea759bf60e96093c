//! What is right passes, and planted defects are caught.

use serde_json::{Value, json};

use super::Changes;
use crate::kill::told::note;

/// What a node said in two lives, the second of which ended between a change and its ack.
const SAID: &str = "begun 10 both
acked 10 2
begun 11 passing fee
acked 11 3
begun 12 tally 1 3
acked 12 4
begun 13 tally 2 3
refused 13
begun 14 pilot
acked 14 6
begun 15 late pilot 4
parked 15 waits-15
begun 16 late pilot 5
parked 16 waits-16
begun 17 decide 15 ours
acked 17 7
begun 18 token
acked 18 8
begun 19 free both
begun 20 berths";

fn row(version: u64, said: &Value, changes: &[(&str, Value, Value)]) -> Value {
    let edit = |(path, before, after): &(&str, Value, Value)| json!({"path": path, "before": before, "after": after});
    let mut row = json!({"time_us": 1_000 * version, "until_us": null, "change": said});
    row["change"]["version"] = version.into();
    row["change"]["changes"] = changes.iter().map(edit).collect();
    row
}

fn op(text: &str) -> Value {
    json!({"reason": text})
}

fn number(path: &str, before: u64, after: u64) -> (&str, Value, Value) {
    (path, before.into(), after.into())
}

fn history() -> Vec<Value> {
    let file = json!({"layer": "sources"});
    let quay = |before, after| {
        ["quay.berths", "quay.left", "quay.right", "quay.tide"]
            .map(|place| number(place, before, after))
    };
    let mut passing = row(3, &op("op 11"), &[number("fee", 0, 11)]);
    passing["until_us"] = 5_000.into();
    let over = json!({"actor": "foundation", "reason": "the time of what version 3 set is over",
        "withdrawn": ["fee"]});
    let sealed = json!({"$secret": {"sealed": "00", "digest": "11"}});
    let free = json!({"reason": "op 19", "withdrawn": ["quay.left", "quay.right"]});
    vec![
        row(1, &file, &quay(0, 1)),
        row(2, &op("op 10"), &[number("quay.left", 1, 10), number("quay.right", 1, 10)]),
        passing,
        row(4, &op("op 12"), &[number("tally", 0, 1)]),
        row(5, &over, &[number("fee", 11, 0)]),
        row(6, &op("op 14"), &[("pilot", "".into(), "pilot 14".into())]),
        row(7, &op("op 17 (waited: op 15)"), &[("pilot", "pilot 14".into(), "pilot 15".into())]),
        row(8, &op("op 18"), &[("token", json!({"$secret": "hidden"}), sealed)]),
        row(9, &free, &[number("quay.left", 10, 1), number("quay.right", 10, 1)]),
        row(10, &file, &quay(1, 2)),
    ]
}

/// What is shown of it; nobody was told of version 9, and change 20 is not there.
fn shown() -> Value {
    let mut explained = json!({
        "fee": {"given": []},
        "pilot": {"given": [{"origin": {"from": "run_time", "version": 7}}]},
        "tally": {"given": [{"origin": {"from": "run_time", "version": 4}}]},
        "token": {"given": [{"origin": {"from": "run_time", "version": 8}}]},
    });
    for place in ["quay.berths", "quay.left", "quay.right", "quay.tide"] {
        explained[place] = json!({"given": [{"origin": {"from": "file"}, "value": 2}]});
    }
    for (_, one) in explained.as_object_mut().expect("a map") {
        let given = one["given"].as_array_mut().expect("a list");
        given.push(json!({"origin": {"from": "default"}}));
    }
    let edits = json!([{"path": "pilot", "after": "pilot 16"}]);
    json!({
        "version": 10,
        "document": {
            "quay": {"left": 2, "right": 2, "tide": 2, "berths": 2},
            "fee": 0, "pilot": "pilot 15", "tally": 1,
        },
        "token": "harbour-token-18",
        "history": history(),
        "waiting": [{"id": "waits-16", "base": 5, "edits": edits, "reason": "op 16"}],
        "explained": explained,
        "looked_us": 20_000,
    })
}

fn changes(said: &str) -> Changes {
    let mut changes = Changes { files: 2, ..Changes::default() };
    for line in said.lines() {
        note(&mut changes.told, line).expect("is understood");
    }
    changes
}

#[test]
fn what_was_acked_is_there_and_what_was_not_may_be() {
    let mut known = changes(SAID);
    assert_eq!(known.check(&shown()), Ok(()));
    assert_eq!(known.check(&shown()), Ok(()), "and once more");
    let seen = known.seen;
    assert_eq!((seen.versions, seen.files, seen.ended, seen.untold), (10, 2, 1, 1));
    assert_eq!((seen.conditional, seen.sealed, seen.parked, seen.decided), (1, 1, 2, 1));
}

#[test]
fn one_ack_more_than_there_was_is_caught() {
    for (line, fault) in [
        ("acked 20 11", "lost"),
        ("begun 21 berths\nacked 21 5", "lost"),
        ("begun 21 late pilot 9\nparked 21 waits-21", "lost"),
        ("begun 21 decide 16 theirs\nsettled 21", "undecided"),
        ("begun 21 decide 15 theirs\nsettled 21", "repeated"),
        ("refused 19", "lost, moved or invented"),
        ("acked 19 8", "lost, moved"),
    ] {
        let found = changes(&format!("{SAID}\n{line}")).check(&shown()).expect_err(line);
        assert!(found.starts_with(fault), "{line}: {found}");
    }
}

#[test]
fn planted_defects_of_what_is_shown_are_caught() {
    let faults: &[(&str, Value, &str)] = &[
        ("/document/quay/left", 10.into(), "mixed"),
        ("/document/fee", 11.into(), "mixed"),
        ("/token", "harbour-token-17".into(), "mixed"),
        ("/version", 9.into(), "lost"),
        ("/waiting", json!([]), "lost"),
        ("/waiting/0/id", "waits-15".into(), "mixed"),
        ("/waiting/0/base", 4.into(), "mixed"),
        ("/waiting/0/edits/0/after", "pilot 15".into(), "mixed"),
        ("/waiting/0/reason", "op 99".into(), "invented"),
        ("/explained/tally/given/0/origin/version", 3.into(), "mixed"),
        ("/explained/quay.left/given/0/origin/from", "run_time".into(), "mixed"),
        ("/explained/quay.tide/given/0/value", 1.into(), "mixed"),
        ("/history/1/change/changes/1/after", 9.into(), "mixed"),
        ("/history/1/change/changes/1/path", "quay.tide".into(), "mixed"),
        ("/history/1/change/reason", "op 20".into(), "mixed"),
        ("/history/1/change/reason", "op 99".into(), "invented"),
        ("/history/1/change/reason", "op 13".into(), "not as it was seen"),
        ("/history/2/until_us", Value::Null, "mixed"),
        ("/history/2/until_us", 5_001.into(), "too early"),
        ("/history/4/change/actor", "somebody".into(), "invented"),
        ("/history/4/change/withdrawn", json!([]), "mixed"),
        ("/history/5/change/version", 5.into(), "lost"),
        ("/history/6/change/reason", "op 14".into(), "mixed"),
        ("/history/7/change/changes/0/after", "harbour-token-18".into(), "mixed"),
        ("/history/9/change/changes/3/after", 3.into(), "invented"),
        ("/history/9/change/layer", "run_time".into(), "invented"),
    ];
    for (place, value, fault) in faults {
        let mut wrong = shown();
        *wrong.pointer_mut(place).unwrap_or_else(|| panic!("{place} is there")) = value.clone();
        let found = changes(SAID).check(&wrong).expect_err(place);
        assert!(found.starts_with(fault), "{place} = {value}: {found}");
    }
}

#[test]
fn what_was_there_stays_as_it_was_and_what_has_its_time_gives_way() {
    let mut shorter = shown();
    let history = shorter["history"].as_array_mut().expect("a list");
    history.pop();
    let mut known = changes(SAID);
    known.check(&shown()).expect("is right");
    let found = known.check(&shorter).expect_err("a version is gone");
    assert!(found.starts_with("changed afterwards"), "{found}");

    let mut stays = shown();
    let history = stays["history"].as_array_mut().expect("a list");
    history.truncate(4);
    stays["version"] = 4.into();
    stays["document"] = json!({"quay": {"left": 10, "right": 10, "tide": 1, "berths": 1},
        "fee": 11, "pilot": "", "tally": 1});
    stays["token"] = "".into();
    stays["waiting"] = json!([]);
    for (place, given) in [
        ("fee", json!([["run_time", 3]])),
        ("pilot", json!([])),
        ("token", json!([])),
        ("quay.left", json!([["run_time", 2], ["file", 1]])),
        ("quay.right", json!([["run_time", 2], ["file", 1]])),
        ("quay.tide", json!([["file", 1]])),
        ("quay.berths", json!([["file", 1]])),
    ] {
        let given = given.as_array().expect("a list").iter();
        let said = given
            .map(|one| json!({"origin": {"from": one[0], "version": one[1]}, "value": one[1]}));
        let all = said.chain([json!({"origin": {"from": "default"}})]);
        stays["explained"][place]["given"] = all.collect();
    }
    let first = SAID.lines().take(6).collect::<Vec<_>>().join("\n");
    let found = changes(&first).check(&stays).expect_err("its time is over");
    assert!(found.starts_with("overstayed"), "{found}");
    stays["looked_us"] = 4_000.into();
    assert_eq!(changes(&first).check(&stays), Ok(()));
}
