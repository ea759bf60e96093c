//! A document as its history makes it, by rules of its own: defaults, under what the file says, under
//! what was set, with what is set for a time only.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::told::{How, Wanted};

/// What the file says, each the number of the file.
pub(super) const OF_FILE: [&str; 4] = ["quay.berths", "quay.left", "quay.right", "quay.tide"];
/// The place of the secret.
pub(super) const TOKEN: &str = "token";
const FEE: &str = "fee";
/// Who takes back what had its time.
const NODE: &str = "foundation";

/// The document at a version.
#[derive(Debug, Default)]
pub(super) struct Document {
    pub(super) version: u64,
    /// The number of the file that is in force; 0 if none is.
    pub(super) file: u64,
    /// What is set at run time, with the version that set it.
    set: BTreeMap<&'static str, (Value, u64)>,
    passing: Option<Passing>,
    /// How often what was set for a time gave way.
    pub(super) ended: u64,
}

/// A fee that is set for a time.
#[derive(Debug)]
struct Passing {
    version: u64,
    until_us: i64,
    /// What was set before; nothing if nothing was.
    before: Option<Value>,
}

/// One version of the history.
pub(super) struct Row<'a>(pub(super) &'a Value);

impl<'a> Row<'a> {
    pub(super) fn version(&self) -> u64 {
        self.0["change"]["version"].as_u64().unwrap_or(0)
    }

    fn is_of_the_file(&self) -> bool {
        self.0["change"]["layer"] == "sources"
    }

    fn is_of_the_node(&self) -> bool {
        self.0["change"]["actor"] == NODE
    }

    fn reason(&self) -> &'a str {
        self.0["change"]["reason"].as_str().unwrap_or("")
    }

    /// The number of the change that made it; nothing if the node made it by itself.
    pub(super) fn number(&self) -> Option<u64> {
        let is_own = self.is_of_the_file() || self.is_of_the_node();
        let number = self.reason().strip_prefix("op ").filter(|_| !is_own)?;
        number.split(' ').next()?.parse().ok()
    }

    fn edits(&self) -> BTreeMap<&'a str, (&'a Value, &'a Value)> {
        let edits = self.0["change"]["changes"].as_array().into_iter().flatten();
        edits
            .map(|edit| (edit["path"].as_str().unwrap_or(""), (&edit["before"], &edit["after"])))
            .collect()
    }

    fn withdrawn(&self) -> BTreeSet<&'a str> {
        let paths = self.0["change"]["withdrawn"].as_array().into_iter().flatten();
        paths.filter_map(Value::as_str).collect()
    }
}

impl Document {
    /// The value at a place.
    pub(super) fn value(&self, place: &str) -> Value {
        match self.set.get(place) {
            Some((value, _)) => value.clone(),
            None if OF_FILE.contains(&place) => self.file.into(),
            None if ["pilot", TOKEN].contains(&place) => "".into(),
            None => 0.into(),
        }
    }

    /// Who says something of a place, the one that counts first.
    pub(super) fn origins(&self, place: &str) -> Vec<Value> {
        let set = self.set.get(place).map(|(_, version)| json!(["run_time", version]));
        let file = OF_FILE.contains(&place).then(|| json!(["file", self.file]));
        set.into_iter().chain(file).chain([json!(["default", null])]).collect()
    }

    /// Until when what is in force for a time is, in microseconds.
    pub(super) fn passes_at_us(&self) -> Option<i64> {
        self.passing.as_ref().map(|passing| passing.until_us)
    }

    /// Makes the next version, which is one that the file or the node itself made.
    pub(super) fn follow_own(&mut self, row: &Row<'_>, files: u64) -> Result<(), String> {
        if row.is_of_the_file() {
            return self.follow_file(row, files);
        }
        let passing = self.passing.take().filter(|_| row.is_of_the_node());
        let passing = passing.ok_or_else(|| format!("invented: {} by nobody", row.0))?;
        let reason = format!("the time of what version {} set is over", passing.version);
        let is_over = row.0["time_us"].as_i64().is_some_and(|time| time >= passing.until_us);
        if row.reason() != reason || !is_over {
            return Err(format!("too early, or another's: {} ends {passing:?}", row.0));
        }
        self.ended += 1;
        self.apply(row, &[(FEE, passing.before)])
    }

    fn follow_file(&mut self, row: &Row<'_>, files: u64) -> Result<(), String> {
        let tide = row.edits().get("quay.tide").and_then(|(_, after)| after.as_u64());
        let newer = tide.filter(|file| (self.file + 1..=files).contains(file));
        let Some(newer) = newer else {
            return Err(format!("invented: {} after file {} of {files}", row.0, self.file));
        };
        let before: BTreeMap<_, _> = OF_FILE.map(|place| (place, self.value(place))).into();
        self.file = newer;
        self.compare(row, &before, &OF_FILE, &BTreeSet::new())
    }

    /// Makes the next version, which is what the change with this number wanted.
    pub(super) fn follow(
        &mut self,
        row: &Row<'_>,
        number: u64,
        wanted: Wanted,
    ) -> Result<(), String> {
        let some = |value: u64| Some(Value::from(value));
        let pilot = |number: u64| Some(Value::from(format!("pilot {number}")));
        let puts: Vec<(&'static str, Option<Value>)> = match wanted {
            Wanted::Both => vec![("quay.left", some(number)), ("quay.right", some(number))],
            Wanted::FreeBoth => vec![("quay.left", None), ("quay.right", None)],
            Wanted::Berths => vec![("quay.berths", some(number))],
            Wanted::FreeBerths => vec![("quay.berths", None)],
            Wanted::Fee | Wanted::PassingFee => vec![(FEE, some(number))],
            Wanted::Tally { count, seen } => {
                if self.version != seen || self.value("tally") != count - 1 {
                    return Err(format!("not as it was seen: {}, expected {wanted:?}", row.0));
                }
                vec![("tally", some(count))]
            }
            Wanted::Pilot | Wanted::Decide { how: How::Edited, .. } => {
                vec![("pilot", pilot(number))]
            }
            Wanted::Decide { how: How::Ours, late } => vec![("pilot", pilot(late))],
            Wanted::Token => vec![(TOKEN, Some(format!("harbour-token-{number}").into()))],
            Wanted::LatePilot { .. } | Wanted::Decide { how: How::Theirs, .. } => {
                return Err(format!("invented: {} was not to make a version", row.0));
            }
        };
        if puts.iter().any(|(place, _)| *place == FEE) {
            self.pass(row, wanted)?;
        }
        self.apply(row, &puts)
    }

    /// Notes until when a fee is set. One that takes the place of another has the same before it.
    fn pass(&mut self, row: &Row<'_>, wanted: Wanted) -> Result<(), String> {
        let earlier = self.passing.take();
        let until_us = row.0["until_us"].as_i64();
        if until_us.is_some() != (wanted == Wanted::PassingFee) {
            return Err(format!("mixed: {} is not for the time of {wanted:?}", row.0));
        }
        let before = match earlier {
            Some(earlier) => earlier.before,
            None => self.set.get(FEE).map(|(value, _)| value.clone()),
        };
        let version = row.version();
        self.passing = until_us.map(|until_us| Passing { version, until_us, before });
        Ok(())
    }

    /// Puts and takes away, and compares what the version says of it.
    fn apply(
        &mut self,
        row: &Row<'_>,
        puts: &[(&'static str, Option<Value>)],
    ) -> Result<(), String> {
        let before = puts.iter().map(|(place, _)| (*place, self.value(place))).collect();
        for (place, value) in puts {
            match value {
                Some(value) => drop(self.set.insert(place, (value.clone(), row.version()))),
                None => drop(self.set.remove(place)),
            }
        }
        let places: Vec<&str> = puts.iter().map(|(place, _)| *place).collect();
        let taken = puts.iter().filter(|(_, value)| value.is_none()).map(|(place, _)| *place);
        self.compare(row, &before, &places, &taken.collect())
    }

    /// Whether a version says that these places, and no others, moved as they did here.
    fn compare(
        &mut self,
        row: &Row<'_>,
        before: &BTreeMap<&'static str, Value>,
        places: &[&str],
        taken: &BTreeSet<&str>,
    ) -> Result<(), String> {
        let mut edits = row.edits();
        for place in places {
            let (was, is) = (&before[place], self.value(place));
            let said = edits.remove(place);
            let is_said = match said {
                None => *was == is,
                Some((_, after)) if *place == TOKEN => after["$secret"]["sealed"].is_string(),
                Some((said_was, said_is)) => said_was == was && *said_is == is,
            };
            if !is_said {
                return Err(format!("mixed: {} and not {place} from {was} to {is}", row.0));
            }
        }
        if !edits.is_empty() || row.withdrawn() != *taken {
            return Err(format!("mixed: {} and not {places:?} without {taken:?}", row.0));
        }
        if row.version() != self.version + 1 {
            return Err(format!("lost: version {} comes after {}", row.version(), self.version));
        }
        self.version = row.version();
        Ok(())
    }
}
