//! What is migrated and what is logged of it say the same, whatever was set and wherever it goes.

use foundation_types::config::Layer;
use foundation_types::{Change, Document, Edit, Path, Timestamp, Value, Version};
use foundation_validate::parse;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use validator::Validate;

use super::{Evolution, Migrated};
use crate::config::{Migration, Migrations};
use crate::overlay::Overlay;
use crate::{diff, lens};

#[derive(Clone, Debug, Default, Serialize, Deserialize, Validate)]
struct Any {}

impl Document for Any {
    const NAME: &'static str = "any";
    const SCHEMA: u32 = 3;
}

/// One step as text and numbers, so that a failing one can be read.
#[derive(Clone, Debug)]
enum Step {
    Moved(&'static str, &'static str),
    Removed(&'static str),
    Transform(&'static str),
    Default(&'static str, u32),
}

const PLACES: [&str; 8] = ["a", "b", "a.x", "a.y", "b.x", "b.x.z", "c", "a.x.z"];

fn step() -> impl Strategy<Value = Step> {
    let place = || prop::sample::select(&PLACES[..]);
    let apart = |(from, to): &(&'static str, &'static str)| !path(from).overlaps(&path(to));
    prop_oneof![
        (place(), place())
            .prop_filter("one in the other", apart)
            .prop_map(|(from, to)| Step::Moved(from, to)),
        place().prop_map(Step::Removed),
        place().prop_map(Step::Transform),
        (place(), 0_u32..9).prop_map(|(path, value)| Step::Default(path, value)),
    ]
}

fn path(text: &str) -> Path {
    text.parse().expect("a path")
}

fn with(migration: Migration, step: &Step) -> Migration {
    match step {
        Step::Moved(from, to) => migration.moved(from, to),
        Step::Removed(path) => migration.removed(path),
        Step::Transform(path) => migration.transform(path, |value: Value| Ok(doubled(&value))),
        Step::Default(path, value) => migration.default(path, *value),
    }
}

fn doubled(value: &Value) -> Value {
    match value {
        Value::Number(number) => Value::from(number.as_u64().unwrap_or(0) * 2),
        Value::Map(map) => {
            Value::Map(map.iter().map(|(key, one)| (key.clone(), doubled(one))).collect())
        }
        other => other.clone(),
    }
}

fn evolution(second: &[Step], third: &[Step]) -> Evolution {
    let all = |steps: &[Step], m: Migration| steps.iter().fold(m, with);
    let migrations = Migrations::<Any>::new();
    let migrations = migrations.to(2, |m| all(second, m)).to(3, |m| all(third, m));
    migrations.evolution().expect("fits together")
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![(0_u32..9).prop_map(Value::from), Just(Value::from("text"))];
    leaf.prop_recursive(2, 6, 2, |inner| {
        let key = prop::sample::select(vec!["x", "y", "z"]);
        prop::collection::btree_map(key, inner, 1..3).prop_map(|map| {
            Value::Map(
                map.into_iter()
                    .map(|(key, value)| (std::sync::Arc::<str>::from(key), value))
                    .collect(),
            )
        })
    })
}

/// Edits of the run time and of sources, as they were logged one after the other.
fn logged() -> impl Strategy<Value = Vec<(Layer, &'static str, Option<Value>)>> {
    let layer = prop_oneof![4 => Just(Layer::RunTime), 1 => Just(Layer::Sources)];
    let one = (layer, prop::sample::select(&PLACES[..]), prop::option::weighted(0.8, value()));
    prop::collection::vec(one, 0..8)
}

fn change(layer: Layer, withdrawn: Vec<Path>, changes: Vec<Edit>) -> Change {
    Change {
        document: "any".to_owned(),
        version: Version::NONE,
        schema: 1,
        time: Timestamp::UNIX_EPOCH,
        actor: None,
        reason: None,
        layer,
        withdrawn,
        until: None,
        changes,
    }
}

/// What the log folds to, and what of it was set at run time.
fn folded(edits: &[(Layer, &'static str, Option<Value>)]) -> (Value, Overlay) {
    let (mut tree, mut overlay) = (Value::empty_map(), Overlay::default());
    for (layer, place, after) in edits {
        // What is set at run time wins over what sources say there.
        if *layer == Layer::Sources && overlay.touches(&path(place)) {
            continue;
        }
        let edit = Edit { path: path(place), before: None, after: after.clone() };
        // Something else may stand on the way: then nobody could have set it.
        let Ok(next) = diff::apply(&tree, std::slice::from_ref(&edit)) else { continue };
        let mut told = overlay.clone();
        told.follow(&change(*layer, Vec::new(), vec![edit]), &next);
        if told.on(&Value::empty_map()).is_ok() {
            (tree, overlay) = (next, told);
        }
    }
    (tree, overlay)
}

/// The tree without maps in which nothing is.
fn bare(value: &Value) -> Value {
    match value {
        Value::Map(map) => {
            let inner = map.iter().map(|(key, value)| (key.clone(), bare(value)));
            Value::Map(inner.filter(|(_, value)| *value != Value::empty_map()).collect())
        }
        other => other.clone(),
    }
}

proptest! {
    /// The log of a migration makes of what was logged what the migration makes of it: at run time,
    /// and as readers see it who know neither type nor migrations.
    #[test]
    fn the_log_of_a_migration_folds_to_what_was_migrated(
        edits in logged(),
        second in prop::collection::vec(step(), 0..4),
        third in prop::collection::vec(step(), 0..4),
    ) {
        let (tree, set) = folded(&edits);
        let made = evolution(&second, &third).migrated(1, &set, &set, &tree);
        // What is moved to where something else stands is refused; then there is no log of it.
        let Ok(Migrated { overlay, edits, withdrawn }) = made else { return Ok(()) };
        let mut followed = set.clone();
        followed.follow_migration(&change(Layer::RunTime, withdrawn, edits.clone()));
        let migrated = overlay.on(&Value::empty_map()).expect("was put together");
        let told = followed.on(&Value::empty_map()).expect("can be read");
        prop_assert_eq!(&told, &migrated, "what is set at run time");
        let untyped = diff::apply(&tree, &edits).expect("can be folded");
        prop_assert_eq!(bare(&untyped), bare(&migrated), "what is read without a type");
        let defaults = parse::value(r#"{"a": {"x": 1, "q": 2}, "d": 3}"#).expect("is JSON");
        if let (Ok(told), Ok(migrated)) = (followed.on(&defaults), overlay.on(&defaults)) {
            prop_assert_eq!(told, migrated, "on defaults");
        }
    }

    /// Where a migration ends does not depend on how often the program was started on the way.
    #[test]
    fn two_schemas_at_once_are_one_after_the_other(
        edits in logged(),
        second in prop::collection::vec(step(), 0..4),
        third in prop::collection::vec(step(), 0..4),
    ) {
        let (_, set) = folded(&edits);
        let at_once = evolution(&second, &third).overlay(1, &set);
        let first = evolution(&[], &second).overlay(1, &set);
        let stepwise = first.and_then(|set| evolution(&[], &third).overlay(2, &set));
        prop_assert_eq!(at_once.ok(), stepwise.ok());
    }

    /// What no migration names stays.
    #[test]
    fn what_is_not_touched_stays(
        edits in logged(),
        second in prop::collection::vec(step(), 0..4),
        third in prop::collection::vec(step(), 0..4),
    ) {
        let evolution = evolution(&second, &third);
        let (_, set) = folded(&edits);
        let Ok(overlay) = evolution.overlay(1, &set) else { return Ok(()) };
        let (before, after) = (set.on(&Value::Null), overlay.on(&Value::Null));
        for place in PLACES.map(path).iter().filter(|place| !evolution.touches(1, place)) {
            let at = |tree: &Result<Value, _>| {
                tree.as_ref().ok().and_then(|tree| lens::get(tree, place)).cloned()
            };
            prop_assert_eq!(at(&before), at(&after), "{}", place);
        }
    }
}

#[test]
fn a_step_does_what_it_says_to_what_was_set() {
    let check = |edits: &[(&str, &str)], steps: &[Step]| {
        let edits: Vec<(Layer, &'static str, Option<Value>)> = edits
            .iter()
            .map(|(place, value)| {
                let place = PLACES.into_iter().find(|one| one == place).expect("is one of them");
                (Layer::RunTime, place, Some(parse::value(value).expect("is JSON")))
            })
            .collect();
        let (_, set) = folded(&edits);
        let made =
            evolution(steps, &[]).overlay(1, &set).and_then(|set| set.on(&Value::empty_map()));
        made.map_or_else(|error| error.to_string(), |tree| tree.to_json())
    };
    use Step::{Default, Moved, Removed, Transform};
    let told = [
        check(&[("a", "1")], &[Moved("a", "b.x")]),
        check(&[("a.x", "1"), ("a.y", "2")], &[Moved("a", "b")]),
        check(&[("a", r#"{"x": 1, "y": 2}"#)], &[Moved("a.x", "c")]),
        check(&[("a", r#"{"x": {"z": 1}}"#)], &[Moved("a.x.z", "c")]),
        check(&[("a", "1"), ("b", "2")], &[Moved("a", "b")]),
        check(&[("a", "1"), ("c", "2")], &[Moved("a", "b"), Moved("c", "a")]),
        check(&[("a", "1"), ("b", "2")], &[Moved("a", "b.x")]),
        check(&[("a.x", "1"), ("a.y", "2")], &[Removed("a.x")]),
        check(&[("a.x", "4")], &[Transform("a")]),
        check(&[("a", r#"{"x": 4}"#)], &[Transform("a.x")]),
        check(&[], &[Transform("a"), Default("c", 3)]),
        check(&[("c", "1")], &[Default("c", 3)]),
    ];
    insta::assert_snapshot!(told.join("\n"), @r#"
    {"b":{"x":1}}
    {"b":{"x":1,"y":2}}
    {"a":{"y":2},"c":1}
    {"c":1}
    {"b":1}
    {"a":2,"b":1}
    b.x: something is in the way: "x" cannot be set: the whole value is of type integer, not a map or a list [schema 2]
    {"a":{"y":2}}
    {"a":{"x":8}}
    {"a":{"x":8}}
    {"c":3}
    {"c":1}
    "#);
}
