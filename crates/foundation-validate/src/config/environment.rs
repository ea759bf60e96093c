//! What the environment says of a document: variables whose exact names follow from its fields.

use std::collections::BTreeMap;
use std::ffi::OsString;

use foundation_types::config::{Leaf, Origin, Shape};
use foundation_types::value::{Map, Number};
use foundation_types::{Document, ErrorKind, Path, Problem, Value};

use super::items::{Listed, item_of};
use super::place::put;
use super::said::Said;
use crate::nearest::nearest;
use crate::parse;

/// What the environment says, and what of it cannot be used.
#[derive(Clone, Debug)]
pub struct Environment {
    /// What it says.
    pub said: Said,
    /// Variables whose value their field does not take.
    pub wrong: Vec<Problem>,
    /// Variables that begin as those of the document do and belong to no field.
    pub unknown: Vec<Problem>,
}

/// What these variables say of a document, whose own begin with `prefix` and `_`.
///
/// The name of a variable is the path of its field in upper case, with `__` between levels and `_`
/// for `-`: `SHOP_PAYMENT__API_KEY` is `payment.api_key` behind the prefix `SHOP`. Text is taken as
/// it is; numbers and flags as they are in JSON; lists and maps are JSON. An empty variable is no
/// value where a field may have none and takes no text. What a container is told of the services
/// around it, as in `SHOP_SERVICE_HOST`, is passed over.
///
/// A list of simple values or of structs can also be said item by item, from 0 on without a gap:
/// `SHOP_HOSTS__0`, or `SHOP_SERVERS__0__PORT` for a field of a struct. That is the whole list then.
#[must_use]
pub fn environment<T: Document>(
    prefix: &str,
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) -> Environment {
    let begin = format!("{prefix}_");
    let known: BTreeMap<String, Leaf> = Leaf::all(T::FIELDS)
        .into_iter()
        .map(|leaf| (format!("{begin}{}", leaf.variable()), leaf))
        .collect();
    let (mut tree, mut names) = (Value::Map(Map::new()), BTreeMap::new());
    let (mut wrong, mut unknown) = (Vec::new(), Vec::new());
    let mut listed = Listed::default();
    for (name, value) in variables {
        let Some(name) = name.to_str().filter(|name| name.starts_with(&begin)) else { continue };
        let read = match known.get(name) {
            Some(leaf) => read(Asked::of(leaf), &value).map(|value| {
                tree = put(&tree, leaf.path.segments(), value);
                names.insert(leaf.path.clone(), name.to_owned());
            }),
            None => match item_of(name, &known) {
                Some(item) => read(item.asked(), &value).map(|value| listed.put(item, name, value)),
                None => {
                    if !is_of_a_container(&name[begin.len()..], &value) {
                        unknown.push(no_such_variable::<T>(name, known.keys()));
                    }
                    Ok(())
                }
            },
        };
        if let Err(problem) = read {
            wrong.push(problem.at(Origin::Environment { variable: name.to_owned() }));
        }
    }
    for (path, list) in listed.lists(&mut names, &mut wrong) {
        tree = put(&tree, path.segments(), list);
    }
    unknown.sort_by(|one, other| one.message.cmp(&other.message));
    Environment { said: Said::by_environment(tree, names), wrong, unknown }
}

fn no_such_variable<'a, T: Document>(
    name: &str,
    known: impl Iterator<Item = &'a String> + Clone,
) -> Problem {
    let shown: String = name.chars().take(256).collect();
    let message = format!("no field of document \"{}\" has the variable {shown}", T::NAME);
    let problem = Problem::new(ErrorKind::UnknownKey, "", message)
        .at(Origin::Environment { variable: shown.clone() });
    match nearest(&shown, known.map(String::as_str)) {
        Some(meant) => problem.hint(meant),
        None => problem,
    }
}

/// What a variable is to say: the value of a field, or of an item of a list.
pub(super) struct Asked {
    pub(super) path: Path,
    pub(super) shape: Shape,
    pub(super) optional: bool,
    pub(super) secret: bool,
    pub(super) takes: String,
}

impl Asked {
    fn of(leaf: &Leaf) -> Self {
        let Leaf { path, field, secret } = leaf;
        let (shape, optional, takes) = (field.shape, field.optional, field.takes());
        Self { path: path.clone(), shape, optional, secret: *secret, takes }
    }
}

/// The value of a field. What is refused is shown, unless it is secret.
fn read(asked: Asked, text: &OsString) -> Result<Value, Box<Problem>> {
    let Asked { path, shape, optional, secret, takes } = asked;
    let refused = |shown: Option<&str>, what: &str| {
        let problem = Problem::new(ErrorKind::WrongType, &path, what);
        let problem = problem.expected(takes.clone());
        Box::new(match shown.filter(|_| !secret) {
            Some(text) => problem.value(Value::from(text)),
            None => problem,
        })
    };
    let Some(text) = text.to_str() else {
        return Err(refused(None, "the variable is not UTF-8"));
    };
    let shape = match shape {
        Shape::Secret(inner) => *inner,
        shape => shape,
    };
    let value = match shape {
        Shape::Text | Shape::Choice(_) => return Ok(Value::from(text)),
        _ if text.is_empty() && optional => return Ok(Value::Null),
        Shape::Flag => text.parse().ok().map(|flag: bool| Value::from(flag)),
        Shape::Integer { .. } => {
            let signed = text.parse::<i64>().ok().map(Value::from);
            signed.or_else(|| text.parse::<u64>().ok().map(Value::from))
        }
        Shape::Float { .. } => text.parse().ok().and_then(Number::from_f64).map(Value::Number),
        Shape::Any | Shape::Secret(_) => parse::value_or_text(text).ok(),
        Shape::List(_) | Shape::Map(_) | Shape::Fields(_) => {
            let read = parse::value(text).ok();
            return read.ok_or_else(|| refused(Some(text), "the variable is not JSON"));
        }
    };
    value.ok_or_else(|| refused(Some(text), "the variable is no value of this field"))
}

/// Whether a container is told so of a service whose name begins as our variables do.
fn is_of_a_container(rest: &str, value: &OsString) -> bool {
    let is_port_of_a_protocol = || {
        rest.split("PORT_")
            .skip(1)
            .any(|after| after.starts_with(|first: char| first.is_ascii_digit()))
    };
    let is_link = || {
        let link = value.to_str().is_some_and(|value| value.contains("://"));
        (rest == "PORT" || rest.ends_with("_PORT")) && link
    };
    rest.ends_with("SERVICE_HOST")
        || rest.ends_with("SERVICE_PORT")
        || rest.contains("SERVICE_PORT_")
        || is_port_of_a_protocol()
        || is_link()
}

/// Two fields that would have the same variable.
#[must_use]
pub fn variable_of_two<T: Document>() -> Option<(Path, Path)> {
    let mut seen: BTreeMap<String, Path> = BTreeMap::new();
    let leaves = Leaf::all(T::FIELDS);
    let known = leaves.iter().map(|leaf| (leaf.variable(), leaf.clone())).collect();
    for leaf in leaves {
        if let Some(item) = item_of(&leaf.variable(), &known) {
            return Some((item.list, leaf.path));
        }
        if let Some(first) = seen.insert(leaf.variable(), leaf.path.clone()) {
            return Some((first, leaf.path));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use foundation_types::Settings;

    use super::*;

    fn told(name: &str, value: &str) -> Environment {
        environment::<Settings>("APP", [(OsString::from(name), OsString::from(value))])
    }

    #[test]
    fn a_variable_has_the_name_and_the_type_of_its_field() {
        let table = [
            ("APP_INTERFACE__MAX_RESULTS", "500", r#"{"interface":{"max_results":500}}"#),
            ("APP_LOG__LEVEL", "debug", r#"{"log":{"level":"debug"}}"#),
            ("APPLE_LOG__LEVEL", "debug", "{}"),
            ("APP_SERVICE_HOST", "10.0.0.1", "{}"),
            ("APP_PORT_80_TCP_ADDR", "10.0.0.1", "{}"),
            ("APP_PORT", "tcp://10.0.0.1:80", "{}"),
        ];
        for (name, value, expected) in table {
            let environment = told(name, value);
            assert_eq!(environment.said.tree().to_json(), expected, "{name}");
            assert!(environment.wrong.is_empty() && environment.unknown.is_empty(), "{name}");
        }
    }

    #[test]
    fn what_is_no_value_and_what_is_no_variable_are_told_by_name() {
        for value in ["", "5 ", "five", "1e3", "0x10", "1_000", "18446744073709551616"] {
            let wrong = told("APP_INTERFACE__MAX_RESULTS", value).wrong;
            let text = wrong.first().map(ToString::to_string).unwrap_or_default();
            assert!(text.contains("APP_INTERFACE__MAX_RESULTS"), "{value:?}: {text}");
            assert!(text.contains("integer, 1 to 100000"), "{value:?}: {text}");
        }
        let unknown = told("APP_INTERFACE_MAX_RESULTS", "5").unknown;
        assert_eq!(unknown[0].hint.as_deref(), Some("APP_INTERFACE__MAX_RESULTS"));
    }

    #[test]
    fn no_two_settings_share_a_variable() {
        assert_eq!(variable_of_two::<Settings>(), None);
    }
}
