//! What has to be known of a document whose node was killed while it was changed in every way.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::document::{Document, OF_FILE, Row, TOKEN};
use super::told::{End, How, Told, Wanted};

/// Places whose values are held against the document, beside those of the file and the secret.
const PLACES: [&str; 3] = ["fee", "pilot", "tally"];

/// Everything known from outside of one store.
#[derive(Default)]
pub(super) struct Changes {
    pub(super) told: Told,
    /// The number of the newest file that was written as a whole.
    pub(super) files: u64,
    /// The history as it was after the kill before.
    history: Vec<Value>,
    pub(super) seen: Seen,
}

/// How much was seen of what is of interest.
#[derive(Clone, Copy, Default)]
pub(super) struct Seen {
    pub(super) versions: u64,
    pub(super) files: u64,
    pub(super) ended: u64,
    pub(super) conditional: u64,
    pub(super) sealed: u64,
    pub(super) parked: u64,
    pub(super) decided: u64,
    /// Changes of which nobody was told, and that are there.
    pub(super) untold: u64,
}

impl Seen {
    pub(super) fn add(&mut self, other: Self) {
        self.versions += other.versions;
        self.files += other.files;
        self.ended += other.ended;
        self.conditional += other.conditional;
        self.sealed += other.sealed;
        self.parked += other.parked;
        self.decided += other.decided;
        self.untold += other.untold;
    }
}

impl Changes {
    /// Compares what a node shows after a kill with what was said before it.
    pub(super) fn check(&mut self, shown: &Value) -> Result<(), String> {
        let history = shown["history"].as_array().ok_or("no history")?;
        if !history.starts_with(&self.history) {
            return Err("changed afterwards: the history is not what it was".to_owned());
        }
        let mut document = Document::default();
        let places = self.fold(&mut document, history)?;
        self.compare_acks(&places)?;
        let waiting = self.compare_waiting(shown, &places)?;
        compare_values(&document, shown)?;
        if document.passes_at_us().is_some_and(|us| Some(us) < shown["looked_us"].as_i64()) {
            return Err("overstayed: what was set for a time is in force after it".to_owned());
        }
        self.count(&document, history, &places, waiting);
        self.history.clone_from(history);
        Ok(())
    }

    /// Follows each version; gives the version of each change that is there.
    fn fold(
        &self,
        document: &mut Document,
        history: &[Value],
    ) -> Result<BTreeMap<u64, u64>, String> {
        let mut places = BTreeMap::new();
        for row in history.iter().map(Row) {
            let Some(number) = row.number() else {
                document.follow_own(&row, self.files)?;
                continue;
            };
            let made = self.told.get(&number);
            let made = made.ok_or_else(|| format!("invented: {} was not begun", row.0))?;
            document.follow(&row, number, made.wanted)?;
            if let Some(before) = places.insert(number, row.version()) {
                let after = row.version();
                return Err(format!("repeated: {number} made versions {before} and {after}"));
            }
        }
        Ok(places)
    }

    fn compare_acks(&self, places: &BTreeMap<u64, u64>) -> Result<(), String> {
        for (number, made) in &self.told {
            let there = places.get(number).copied();
            let is_right = match made.end {
                End::Acked(version) => there == Some(version),
                End::Settled | End::Refused | End::Waits(_) => there.is_none(),
                End::Unknown => true,
            };
            if !is_right {
                return Err(format!("lost, moved or invented: {number}, {made:?}, is {there:?}"));
            }
        }
        Ok(())
    }

    /// What was parked waits, or was decided about, and not both; gives how many wait.
    fn compare_waiting(
        &mut self,
        shown: &Value,
        places: &BTreeMap<u64, u64>,
    ) -> Result<BTreeSet<u64>, String> {
        let mut waiting = BTreeSet::new();
        for parked in shown["waiting"].as_array().ok_or("nothing is said of what waits")? {
            let number = self.compare_parked(parked)?;
            if !waiting.insert(number) {
                return Err(format!("repeated: {number} waits twice"));
            }
        }
        let mut decisions: BTreeMap<u64, Vec<(u64, How, End)>> = BTreeMap::new();
        for (number, made) in &self.told {
            if let Wanted::Decide { late, how } = made.wanted {
                decisions.entry(late).or_default().push((*number, how, made.end.clone()));
            }
        }
        for (number, made) in &self.told {
            let Wanted::LatePilot { .. } = made.wanted else { continue };
            let all = decisions.get(number).map_or(&[][..], Vec::as_slice);
            let is_there = |(decision, ..): &&(u64, How, End)| places.contains_key(decision);
            let is_made = all.iter().any(|one| is_there(&one));
            let is_given_up = all.iter().any(|(_, _, end)| *end == End::Settled);
            let may_be_given_up =
                all.iter().any(|(_, how, end)| (*how, end) == (How::Theirs, &End::Unknown));
            let waits = waiting.contains(number);
            if waits && (is_made || is_given_up) {
                return Err(format!("undecided: {number} waits, after {all:?}"));
            }
            let was_acked = matches!(made.end, End::Waits(_));
            if was_acked && !(waits || is_made || is_given_up || may_be_given_up) {
                return Err(format!("lost: {number} does not wait, after {all:?}"));
            }
            if all.iter().filter(is_there).count() + usize::from(is_given_up) > 1 {
                return Err(format!("repeated: {number} was decided by {all:?}"));
            }
        }
        Ok(waiting)
    }

    /// Whether what waits is a change that was begun; from now on it is known to wait. Gives its number.
    fn compare_parked(&mut self, parked: &Value) -> Result<u64, String> {
        let number = parked["reason"].as_str().and_then(|reason| reason.strip_prefix("op "));
        let number = number.and_then(|number| number.parse().ok()).unwrap_or(0);
        let made = self.told.get_mut(&number);
        let made = made.ok_or_else(|| format!("invented: {parked} waits"))?;
        let wanted = serde_json::json!([{"path": "pilot", "after": format!("pilot {number}")}]);
        let is_late = matches!(made.wanted, Wanted::LatePilot { seen } if parked["base"] == seen);
        let id = parked["id"].as_str().unwrap_or("").to_owned();
        let is_known = match &made.end {
            End::Unknown => true,
            End::Waits(known) => *known == id,
            _ => false,
        };
        if !is_late || !is_known || parked["edits"] != wanted {
            return Err(format!("mixed: {parked} waits, and {made:?} was wanted"));
        }
        made.end = End::Waits(id);
        Ok(number)
    }

    fn count(
        &mut self,
        document: &Document,
        history: &[Value],
        places: &BTreeMap<u64, u64>,
        waiting: BTreeSet<u64>,
    ) {
        let there = |is_one: fn(&Wanted) -> bool| {
            let made = places.keys().filter_map(|number| self.told.get(number));
            made.filter(|made| is_one(&made.wanted)).count() as u64
        };
        let own = history.iter().filter(|row| Row(row).number().is_none()).count() as u64;
        let ends = |end: fn(&End) -> bool| self.told.values().filter(|made| end(&made.end)).count();
        let late = self.told.values().filter(|made| matches!(made.end, End::Waits(_))).count();
        let is_untold = |number: &&u64| self.told[*number].end == End::Unknown;
        self.seen = Seen {
            versions: document.version,
            files: own - document.ended,
            ended: document.ended,
            conditional: there(|wanted| matches!(wanted, Wanted::Tally { .. })),
            sealed: there(|wanted| *wanted == Wanted::Token),
            parked: ends(|end| matches!(end, End::Waits(_))) as u64,
            decided: (late - waiting.len()) as u64,
            untold: places.keys().filter(is_untold).count() as u64,
        };
    }
}

/// Whether the document is what its history makes of it, and is explained by it.
fn compare_values(document: &Document, shown: &Value) -> Result<(), String> {
    if shown["version"] != document.version {
        return Err(format!("lost: version {}, not {}", shown["version"], document.version));
    }
    for place in OF_FILE.into_iter().chain(PLACES).chain([TOKEN]) {
        let there = match place.split_once('.') {
            _ if place == TOKEN => &shown["token"],
            Some((outer, inner)) => &shown["document"][outer][inner],
            None => &shown["document"][place],
        };
        let wanted = document.value(place);
        if *there != wanted {
            return Err(format!("mixed: {place} is {there}, and not {wanted}"));
        }
        let given = shown["explained"][place]["given"].as_array().map_or(&[][..], Vec::as_slice);
        let said: Vec<Value> = given.iter().map(origin).collect();
        if said != document.origins(place) {
            let wanted = document.origins(place);
            return Err(format!("mixed: {place} is said to be of {said:?}, and not of {wanted:?}"));
        }
    }
    Ok(())
}

/// Who says something, with what tells one from another: the version, or the number of the file.
fn origin(given: &Value) -> Value {
    let from = &given["origin"]["from"];
    let which = match from.as_str() {
        Some("run_time") => &given["origin"]["version"],
        Some("file") => &given["value"],
        _ => &Value::Null,
    };
    serde_json::json!([from, which])
}

#[cfg(test)]
mod tests;
