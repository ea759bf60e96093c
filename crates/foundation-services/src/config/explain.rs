//! Why a value is what it is: who says so, and whom it overrules.

use foundation_logic::config::Layers;
use foundation_logic::lens;
use foundation_logic::overlay::Overlay;
use foundation_types::config::{Layer, Origin, Shape};
use foundation_types::limits::EXPLAINED_KEYS_MAX;
use foundation_types::{Change, Document, Error, ErrorKind, Path, Result, Value};
use foundation_validate::config::{is_secret, no_such_key};
use serde::{Deserialize, Serialize};

use super::fields::leaves;
use super::place::Place;
use super::server::ConfigServer;

/// Why the value at a path is what it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// Where.
    pub path: Path,
    /// The value now; absent if it, or something in it, is secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// Whether it, or something in it, is secret.
    #[serde(default)]
    pub secret: bool,
    /// Which values it takes, as said to a person; empty if nothing is known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub shape: String,
    /// One sentence on what it does; empty if nothing is known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub doc: String,
    /// Whoever says something of it, the one that counts first. Of a map they may say different keys:
    /// then [`Explanation::keys`] has who counts.
    pub given: Vec<Given>,
    /// Of a map the first values in it, each with the one who says it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<KeyGiven>,
    /// Of how many further values in it nothing is said here.
    #[serde(default, skip_serializing_if = "is_none")]
    pub further_keys: usize,
    /// Whether the document once had files or an environment that are not known here: what they say
    /// of it is not in the list, and a secret of theirs is not in force.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lacks_sources: bool,
    /// What was logged of it, if the document is parked: it does not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parked: Option<Aside>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_none(count: &usize) -> bool {
    *count == 0
}

/// A value in a map, with the one of the sources that counts for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeyGiven {
    /// Where, from the root of the document.
    pub path: Path,
    /// The value now; absent if it is secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// Who says it.
    pub origin: Origin,
}

/// What was logged at a path of a document that is parked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Aside {
    /// What was logged; absent if it is secret, or nothing was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// What is wrong at, in or around the path; empty if it is parked for other places only.
    pub problems: Vec<String>,
}

/// What one of the sources says of a path.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Given {
    /// Who says it.
    pub origin: Origin,
    /// What it says; absent if it is secret, or if it was removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
}

impl<T: Document> ConfigServer<T> {
    /// Why the value at a place is what it is: the value, who says so, and everybody whom that one
    /// overrules, down to line and column of a file.
    ///
    /// A list that is put together from several sources has all of them in its list, and so has a map,
    /// with who counts for each of the first 200 values in it.
    ///
    /// # Errors
    /// `InvalidPath` for text that is no path; `NotFound`, with the nearest known key.
    pub async fn explain(&self, place: impl Place<T>) -> Result<Explanation> {
        let path = place.into_path()?;
        let (current, layers, overlay) = self.state.in_force();
        let Some(value) = lens::get(&current.tree, &path) else {
            return Err(Error::of_problems(vec![no_such_key::<T>(&path)]));
        };
        let fields = Shape::Fields(T::FIELDS);
        let secret = is_secret(fields, &path);
        let shown = |value: &Value| (!secret).then(|| value.clone());
        let mut given = Vec::new();
        let parked = self.state.parked_document();
        let parked = parked.map(|parked| Aside {
            value: lens::get(&parked.tree, &path).and_then(shown),
            problems: problems_at(&path, &parked.error),
        });
        if parked.is_none() && overlay.touches(&path) {
            let origin = self.set_by(&path).await?;
            // Of a map perhaps a part only.
            let set = overlay.on(&Value::empty_map()).ok();
            let set = set.as_ref().and_then(|tree| lens::get(tree, &path));
            given.push(Given { origin, value: set.and_then(shown) });
        }
        given.extend(
            layers
                .given(&path)
                .into_iter()
                .map(|one| Given { value: shown(&one.value), origin: one.origin }),
        );
        // Opened without the sources that it had: what they said is in the log alone.
        let is_explained = |one: &Given| secret || one.value.as_ref() == Some(value);
        if layers.said().is_empty() && !given.first().is_some_and(is_explained) {
            let change = self.last_change_of(Layer::Sources, &path).await.ok().flatten();
            let origin = Origin::Earlier { version: change.map(|change| change.version) };
            given.insert(0, Given { origin, value: shown(value) });
        }
        let (shape, doc) = known(T::FIELDS, &path);
        let lacks_sources = self.lacks_sources();
        let (mut keys, mut further_keys) = (Vec::new(), 0);
        if matches!(value, Value::Map(_)) && parked.is_none() {
            for inner in leaves(&current.tree).into_iter().filter(|inner| inner.is_in(&path)) {
                match keys.len() < EXPLAINED_KEYS_MAX && inner != path {
                    true => {
                        keys.push(self.key_given(inner, &current.tree, &layers, &overlay).await?)
                    }
                    false => further_keys += usize::from(inner != path),
                }
            }
        }
        let value = shown(value);
        Ok(Explanation {
            path,
            value,
            secret,
            shape,
            doc,
            given,
            keys,
            further_keys,
            lacks_sources,
            parked,
        })
    }

    /// Who counts for one value of a map.
    async fn key_given(
        &self,
        path: Path,
        tree: &Value,
        layers: &Layers,
        overlay: &Overlay,
    ) -> Result<KeyGiven> {
        let there = lens::get(tree, &path);
        let first = layers.given(&path).into_iter().next();
        let origin = match first {
            _ if overlay.touches(&path) => self.set_by(&path).await?,
            Some(first) if first.value.has_secret() || Some(&first.value) == there => first.origin,
            Some(first) if !layers.said().is_empty() => first.origin,
            _ => Origin::Earlier { version: None },
        };
        let is_shown = !is_secret(Shape::Fields(T::FIELDS), &path);
        Ok(KeyGiven { value: there.filter(|_| is_shown).cloned(), path, origin })
    }

    /// The newest change that set something at run time at, in or around a path.
    async fn set_by(&self, path: &Path) -> Result<Origin> {
        match self.last_change_of(Layer::RunTime, path).await {
            Ok(change) => Ok(of_change(change)),
            Err(error) if error.kind() == ErrorKind::Compacted => Ok(of_change(None)),
            Err(error) => Err(error),
        }
    }
}

fn of_change(change: Option<Change>) -> Origin {
    let (version, time) =
        (change.as_ref().map(|one| one.version), change.as_ref().map(|one| one.time));
    let until = change.as_ref().and_then(|one| one.until);
    let (actor, reason) = change.map(|one| (one.actor, one.reason)).unwrap_or_default();
    Origin::RunTime { version, time, actor, reason, until }
}

fn problems_at(path: &Path, error: &Error) -> Vec<String> {
    let is_at = |place: &str| place.parse::<Path>().is_ok_and(|place| place.overlaps(path));
    let found = error.problems().iter().filter(|problem| is_at(&problem.path));
    found.map(ToString::to_string).collect()
}

/// What the struct says of a path: which values it takes, and what it is for.
fn known(fields: &'static [foundation_types::config::Field], path: &Path) -> (String, String) {
    let Some((last, outer)) = path.segments().split_last() else {
        return Default::default();
    };
    let shape = Shape::Fields(fields);
    let around = shape.at(outer).map_or(&[][..], Shape::fields);
    let field = around.iter().find(
        |field| matches!(last, foundation_types::path::Segment::Key(key) if **key == *field.name),
    );
    match field {
        Some(field) => (field.takes(), field.doc.to_owned()),
        None => {
            (shape.at(path.segments()).map(Shape::to_string).unwrap_or_default(), String::new())
        }
    }
}
