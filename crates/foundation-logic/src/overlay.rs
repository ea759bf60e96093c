//! What edits come to, whatever tree they are applied to.
//!
//! Replaying every change of a document on newer defaults and putting an overlay on them give the
//! same tree: it has each place that was ever set or removed, with what was put there last. The
//! law, which is tested: `overlay(e1, …, en).on(base) == apply(… apply(base, e1) …, en)`.

use foundation_types::config::Layer;
use foundation_types::path::Segment;
use foundation_types::{Change, Edit, Path, Result, Value};
use im::OrdMap;

use crate::lens;

#[cfg(test)]
mod tests;

/// Places with what was put there last; nothing where it was removed. Cloning is O(1).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Overlay(OrdMap<Path, Option<Value>>);

impl Overlay {
    /// Adds what a change put and takes away what it withdrew; it led to the tree `after`.
    pub fn follow(&mut self, change: &Change, after: &Value) {
        if change.layer == Layer::Sources {
            return;
        }
        let gone: Vec<&Path> =
            change.withdrawn.iter().filter(|place| self.withdraw(place)).collect();
        let is_put = |edit: &&Edit| !gone.iter().any(|place| edit.path.is_in(place));
        self.add(change.changes.iter().filter(is_put), after);
    }

    /// Follows what is logged of a migration: takes away what it withdrew, and then puts what it puts.
    pub fn follow_migration(&mut self, change: &Change) {
        for place in &change.withdrawn {
            self.clear(place);
        }
        let is_put = |edit: &&Edit| edit.after.is_some() || !change.withdrawn.contains(&edit.path);
        for edit in change.changes.iter().filter(is_put) {
            self.put(edit.path.clone(), edit.after.clone());
        }
    }

    /// Adds edits that were applied and led to the tree `after`.
    pub fn add<'a>(&mut self, edits: impl IntoIterator<Item = &'a Edit>, after: &Value) {
        for edit in edits {
            let place = outside_of_lists(&edit.path);
            let value = match &edit.after {
                Some(value) if place == edit.path => Some(value.clone()),
                _ => lens::get(after, &place).cloned(),
            };
            self.put(place, value);
        }
    }

    /// Puts a value at a place, or removes what is there.
    pub fn put(&mut self, place: Path, value: Option<Value>) {
        self.clear(&place);
        self.0.insert(place, value);
    }

    /// Takes away what was put at or in a place: there the tree counts again. Not if something was
    /// put around it, which says what is there; gives whether it was done.
    fn withdraw(&mut self, place: &Path) -> bool {
        let is_around = |path: &Path| place.is_in(path) && path != place;
        if self.0.keys().any(is_around) {
            return false;
        }
        self.clear(place);
        true
    }

    /// Whether anything was put at or in a place.
    #[must_use]
    pub fn has_in(&self, place: &Path) -> bool {
        self.0.keys().any(|path| path.is_in(place))
    }

    /// Whether anything was put at, in or around a place.
    #[must_use]
    pub fn touches(&self, place: &Path) -> bool {
        self.0.keys().any(|path| path.overlaps(place))
    }

    fn clear(&mut self, place: &Path) {
        let inside: Vec<Path> = self
            .0
            .range(place.clone()..)
            .map(|(path, _)| path)
            .take_while(|path| path.is_in(place))
            .cloned()
            .collect();
        for path in inside {
            self.0.remove(&path);
        }
    }

    /// The tree with everything put where it belongs. Outer places come first.
    ///
    /// # Errors
    /// As [`lens::set`], where the tree has something else on the way to a place.
    pub fn on(&self, base: &Value) -> Result<Value> {
        self.0.iter().try_fold(base.clone(), |value, (path, put)| match put {
            Some(put) => lens::set(&value, path, put.clone()),
            None if lens::get(&value, path).is_none() => Ok(value),
            None => lens::remove(&value, path),
        })
    }

    /// What is put at just this place: nothing if nothing is, `Some(None)` if it is removed there.
    #[must_use]
    pub fn at(&self, place: &Path) -> Option<Option<&Value>> {
        self.0.get(place).map(Option::as_ref)
    }

    /// What is put around a place, with its own place, the nearest first.
    #[must_use]
    pub fn around(&self, place: &Path) -> Option<(&Path, Option<&Value>)> {
        let is_around = |path: &&Path| place.is_in(path) && *path != place;
        let (path, value) =
            self.0.range(..place.clone()).rev().find(|(path, _)| is_around(path))?;
        Some((path, value.as_ref()))
    }

    /// Whether anything is put inside of a place.
    #[must_use]
    pub fn has_inside(&self, place: &Path) -> bool {
        self.0.keys().any(|path| path.is_in(place) && path != place)
    }

    /// Puts another value at a place, and leaves what is put inside of it.
    pub fn replace(&mut self, place: Path, value: Option<Value>) {
        self.0.insert(place, value);
    }

    /// Takes out what is put at and in a place, each with its own place. What is put around it stays.
    pub fn take(&mut self, place: &Path) -> Vec<(Path, Option<Value>)> {
        let is_in = |path: &&Path| path.is_in(place);
        let inside: Vec<Path> = self
            .0
            .range(place.clone()..)
            .map(|(path, _)| path)
            .take_while(is_in)
            .cloned()
            .collect();
        inside.into_iter().filter_map(|path| self.0.remove(&path).map(|put| (path, put))).collect()
    }

    /// Every place with what is put there, outer places first.
    pub fn iter(&self) -> impl Iterator<Item = (&Path, Option<&Value>)> {
        self.0.iter().map(|(path, value)| (path, value.as_ref()))
    }
}

/// The path as far as it leads through maps: an item of a list has no name of its own, and where it
/// stands changes with the others.
fn outside_of_lists(path: &Path) -> Path {
    let is_key = |segment: &&Segment| matches!(segment, Segment::Key(_));
    let keys = path.segments().iter().take_while(is_key).count();
    if keys == path.segments().len() {
        return path.clone();
    }
    let segments = path.segments().iter().take(keys).cloned();
    // A part of a path breaks no limit that the path keeps.
    Path::from_segments(segments).unwrap_or_default()
}
