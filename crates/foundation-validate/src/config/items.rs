//! Lists that the environment says item by item: `SHOP_HOSTS__0`, `SHOP_SERVERS__0__PORT`.

use std::collections::BTreeMap;

use foundation_types::config::{Leaf, Origin, Shape};
use foundation_types::limits::ENVIRONMENT_ITEMS_MAX;
use foundation_types::path::Segment;
use foundation_types::value::Map;
use foundation_types::{ErrorKind, Path, Problem, Value};

use super::environment::Asked;
use super::place::put;

/// A variable that is about an item of a list.
pub(super) struct Item {
    /// The list.
    pub(super) list: Path,
    index: u32,
    /// The field of it; nothing if the item is no struct.
    field: Option<Leaf>,
    shape: Shape,
    secret: bool,
    /// The variable of the list as a whole.
    whole: String,
}

impl Item {
    pub(super) fn asked(&self) -> Asked {
        let secret = self.secret || self.field.as_ref().is_some_and(|field| field.secret);
        let (optional, takes) = match &self.field {
            Some(leaf) => (leaf.field.optional, leaf.field.takes()),
            None => (false, self.shape.to_string()),
        };
        Asked { path: self.path(), shape: self.shape, optional, secret, takes }
    }

    fn path(&self) -> Path {
        let inside = self.field.iter().flat_map(|field| field.path.segments());
        let steps = self.list.segments().iter().cloned();
        let steps = steps.chain([Segment::Index(self.index)]).chain(inside.cloned());
        Path::from_segments(steps).unwrap_or_else(|_| self.list.clone())
    }
}

/// The item that a variable of this name is about, if there is one.
pub(super) fn item_of(name: &str, known: &BTreeMap<String, Leaf>) -> Option<Item> {
    // The name of a list begins that of its items: it is at most one for each level.
    let mut cuts = name.match_indices("__").map(|(at, _)| at);
    cuts.find_map(|at| {
        let (whole, rest) = (name.get(..at)?, name.get(at + 2..)?);
        let leaf = known.get(whole)?;
        let Shape::List(inner) = leaf.field.shape else { return None };
        let (digits, field) = match rest.split_once("__") {
            Some((digits, field)) => (digits, Some(field)),
            None => (rest, None),
        };
        let index = index(digits)?;
        let (field, shape) = match (inner, field) {
            (Shape::Fields(fields), Some(field)) => {
                let mut leaves = Leaf::all(fields).into_iter();
                let leaf = leaves.find(|leaf| leaf.variable() == field)?;
                let shape = leaf.field.shape;
                (Some(leaf), shape)
            }
            (Shape::Fields(_) | Shape::List(_) | Shape::Map(_), _) | (_, Some(_)) => return None,
            (shape, None) => (None, *shape),
        };
        let (list, secret, whole) = (leaf.path.clone(), leaf.secret, whole.to_owned());
        Some(Item { list, index, field, shape, secret, whole })
    })
}

/// A number as an index is written: without a sign and without zeros before it.
fn index(digits: &str) -> Option<u32> {
    let index: u32 = digits.parse().ok()?;
    (index.to_string() == digits && index < ENVIRONMENT_ITEMS_MAX).then_some(index)
}

/// What was said item by item.
#[derive(Default)]
pub(super) struct Listed(BTreeMap<Path, List>);

struct List {
    whole: String,
    items: BTreeMap<u32, Value>,
    names: BTreeMap<Path, String>,
}

impl Listed {
    /// Keeps what a variable of this name says of an item.
    pub(super) fn put(&mut self, item: Item, name: &str, value: Value) {
        let empty =
            || List { whole: item.whole.clone(), items: BTreeMap::new(), names: BTreeMap::new() };
        let list = self.0.entry(item.list.clone()).or_insert_with(empty);
        let path = item.path();
        let value = match &item.field {
            Some(field) => {
                let there =
                    list.items.remove(&item.index).unwrap_or_else(|| Value::Map(Map::new()));
                put(&there, field.path.segments(), value)
            }
            None => value,
        };
        list.items.insert(item.index, value);
        list.names.insert(path, name.to_owned());
    }

    /// The lists; one with a gap, or that is said as a whole too, is a problem instead.
    pub(super) fn lists(
        self,
        names: &mut BTreeMap<Path, String>,
        wrong: &mut Vec<Problem>,
    ) -> Vec<(Path, Value)> {
        let mut lists = Vec::new();
        for (path, List { whole, items, names: of_items }) in self.0 {
            let missing = (0..).zip(items.keys()).find(|(at, index)| at != *index);
            let what = match (names.contains_key(&path), missing) {
                (true, _) => format!("{whole} says the whole list, and its items are said too"),
                (false, Some((at, _))) => {
                    format!("{whole}__{at} is missing: the items of a list are said without a gap")
                }
                (false, None) => {
                    names.extend(of_items);
                    lists.push((path, Value::List(items.into_values().collect())));
                    continue;
                }
            };
            let problem = Problem::new(ErrorKind::Invalid, &path, what);
            wrong.push(problem.at(Origin::Environment { variable: whole }));
        }
        lists
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use foundation_types::{Document, Shaped};
    use serde::{Deserialize, Serialize};
    use validator::Validate;

    use crate::config::{Environment, environment, variable_of_two};

    #[derive(Clone, Debug, Default, Serialize, Deserialize, Validate, Document)]
    #[document(crate = "foundation_types")]
    #[serde(default)]
    struct Fleet {
        /// Who is asked.
        hosts: Vec<String>,
        /// What they are.
        #[validate(nested)]
        ships: Vec<Ship>,
        /// How the decks are.
        decks: Vec<Vec<u8>>,
    }

    #[derive(Clone, Debug, Default, Serialize, Deserialize, Validate, Shaped)]
    #[document(crate = "foundation_types")]
    #[serde(default)]
    struct Ship {
        /// What is painted on it.
        name: String,
        #[validate(nested)]
        crew: Crew,
    }

    #[derive(Clone, Debug, Default, Serialize, Deserialize, Validate, Shaped)]
    #[document(crate = "foundation_types")]
    #[serde(default)]
    struct Crew {
        /// People on it.
        hands: u8,
    }

    fn told(variables: &[(&str, &str)]) -> Environment {
        let own = |text: &str| OsString::from(text);
        environment::<Fleet>("F", variables.iter().map(|(name, value)| (own(name), own(value))))
    }

    #[test]
    fn a_list_is_said_item_by_item_in_any_order() {
        let told = told(&[
            ("F_HOSTS__1", "b"),
            ("F_SHIPS__0__CREW__HANDS", "7"),
            ("F_HOSTS__0", "a"),
            ("F_SHIPS__0__NAME", "12"),
            ("F_DECKS", "[[1]]"),
        ]);
        assert!(told.wrong.is_empty() && told.unknown.is_empty(), "{told:?}");
        let expected =
            r#"{"decks":[[1]],"hosts":["a","b"],"ships":[{"crew":{"hands":7},"name":"12"}]}"#;
        assert_eq!(told.said.tree().to_json(), expected);
        let origin = told.said.origin(&"ships[0].crew.hands".parse().expect("a path"));
        assert_eq!(origin.to_string(), "environment variable F_SHIPS__0__CREW__HANDS");
    }

    #[test]
    fn gaps_two_ways_and_wrong_items_are_told_by_name() {
        let wrong: [(&[(&str, &str)], &str); 4] = [
            (&[("F_HOSTS__0", "a"), ("F_HOSTS__2", "c")], "F_HOSTS__1 is missing"),
            (&[("F_HOSTS__1", "b")], "F_HOSTS__0 is missing"),
            (&[("F_HOSTS__0", "a"), ("F_HOSTS", "[]")], "F_HOSTS says the whole list"),
            (
                &[("F_SHIPS__0__CREW__HANDS", "many")],
                "environment variable F_SHIPS__0__CREW__HANDS",
            ),
        ];
        for (variables, expected) in wrong {
            let told = told(variables);
            let problem = told.wrong.first().map(ToString::to_string).unwrap_or_default();
            assert!(problem.contains(expected), "{variables:?}: {problem}");
        }
    }

    #[test]
    fn no_other_name_is_an_item() {
        let names = [
            "F_HOSTS__00",
            "F_HOSTS__+1",
            "F_HOSTS__1000",
            "F_HOSTS__0__NAME",
            "F_SHIPS__0",
            "F_SHIPS__0__NAMES",
            "F_DECKS__0",
            "F_HOSTS__",
        ];
        for name in names {
            assert_eq!(told(&[(name, "1")]).unknown.len(), 1, "{name}");
        }
        assert_eq!(variable_of_two::<Fleet>(), None);
    }
}
