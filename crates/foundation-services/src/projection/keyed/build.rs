//! Which build of a projection by key: its name, its version, and how often that was made anew.
//!
//! What is kept of a build lies together: its place under `name@version#generation`, and the state of
//! each key under that text, a `/` and the key.

use std::ops::Bound;

use foundation_store::table::TableSnapshot;
use foundation_types::event::{KeyedKept, KeyedPlace};

/// One build. A later one is greater.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Build {
    pub(super) name: String,
    pub(super) version: u32,
    pub(super) generation: u32,
}

impl Build {
    pub(super) fn new(name: &str, version: u32, generation: u32) -> Self {
        Self { name: name.to_owned(), version, generation }
    }

    /// What its place is kept under.
    pub(super) fn place(&self) -> String {
        format!("{}@{}#{}", self.name, self.version, self.generation)
    }

    /// What the state of a key is kept under.
    pub(super) fn entry(&self, key: &str) -> String {
        format!("{}/{key}", self.place())
    }

    /// The keys after one, or all of them.
    pub(super) fn range(&self, after: Option<&str>) -> (Bound<String>, Bound<String>) {
        let from = match after {
            Some(key) => Bound::Excluded(self.entry(key)),
            None => Bound::Included(self.entry("")),
        };
        (from, Bound::Excluded(self.end()))
    }

    /// The key that an entry of this build is for.
    pub(super) fn key_of<'a>(&self, kept_under: &'a str) -> Option<&'a str> {
        kept_under.strip_prefix(self.place().as_str())?.strip_prefix('/')
    }

    /// What comes after all of its entries: `0` is the character after `/`.
    fn end(&self) -> String {
        format!("{}0", self.place())
    }

    fn parse(kept_under: &str) -> Option<Self> {
        let (name, rest) = kept_under.split_once('@')?;
        let (version, rest) = rest.split_once('#')?;
        let generation = rest.split('/').next()?;
        Some(Self::new(name, version.parse().ok()?, generation.parse().ok()?))
    }
}

/// The place of a build, if it has one.
pub(super) fn place_of(
    table: &TableSnapshot<String, KeyedKept>,
    build: &Build,
) -> Option<KeyedPlace> {
    match table.get(&build.place()).map(|kept| &**kept) {
        Some(KeyedKept::Place(place)) => Some(*place),
        _ => None,
    }
}

/// All builds of which something is kept, in order; one without a place is a rest that nobody reads.
/// It takes a look for each build, and none for each key.
pub(super) fn builds(
    table: &TableSnapshot<String, KeyedKept>,
    name: Option<&str>,
) -> Vec<(Build, Option<KeyedPlace>)> {
    let mut found = Vec::new();
    let mut from = name.map_or_else(String::new, |name| format!("{name}@"));
    while let Some((key, _)) = table.range(from.clone()..).next() {
        let Some(build) = Build::parse(key) else { break };
        if name.is_some_and(|name| name != build.name) {
            break;
        }
        from = build.end();
        let place = place_of(table, &build);
        found.push((build, place));
    }
    found.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    found
}
