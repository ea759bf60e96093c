//! What has to be in a store that was killed, and what must not.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::load::{Sent, foundation, id, oracle_number};

/// Everything known from outside.
#[derive(Default)]
pub(crate) struct Oracle {
    pub(crate) acked_events: u64,
    pub(crate) acked_updates: u64,
    /// What was acked since the last check: id to position.
    events: HashMap<String, u64>,
    updates: Vec<(u64, u64)>,
    cycle: u64,
    /// Ids seen in the store so far.
    seen: HashSet<String>,
    /// The last position that was checked.
    checked: u64,
    /// The last version that was checked.
    version: u64,
}

impl Oracle {
    pub(crate) fn learn(&mut self, sent: Sent) {
        self.cycle = sent.cycle;
        self.acked_events += sent.acked.len() as u64;
        self.acked_updates += sent.updates.len() as u64;
        let numbered = sent.acked.into_iter().zip(0..);
        self.events =
            numbered.map(|(position, number)| (id(sent.cycle, number), position)).collect();
        self.updates = sent.updates;
    }

    /// Opens the store and compares.
    pub(crate) fn check(&mut self, program: &Path, directory: &Path) -> Result<(), String> {
        self.check_events(program, directory)?;
        self.check_updates(program, directory)?;
        ask(program, directory, &["verify"]).map(drop)
    }

    fn check_events(&mut self, program: &Path, directory: &Path) -> Result<(), String> {
        let after = self.checked.to_string();
        let words = ["events", "query", "--type", "kill.event", "--after", &after];
        let rows = ask(program, directory, &words)?;
        for row in rows.lines() {
            let id = row
                .split_once("\"id\":\"")
                .and_then(|(_, rest)| rest.split_once('"'))
                .map(|(id, _)| id.to_owned())
                .ok_or_else(|| format!("no id in {row}"))?;
            let position = oracle_number(row, "\"position\":")
                .ok_or_else(|| format!("no position in {row}"))?;
            if !id.starts_with(&format!("kill-{}-", self.cycle)) {
                return Err(format!("invented: {id} was not sent in cycle {}", self.cycle));
            }
            if self.events.remove(&id).is_some_and(|acked| acked != position) {
                return Err(format!("{id} was acked at another position than {position}"));
            }
            self.checked = self.checked.max(position);
            if !self.seen.insert(id.clone()) {
                return Err(format!("repeated: {id} is there twice"));
            }
        }
        match self.events.keys().next() {
            Some(id) => Err(format!("lost: {} acked events, {id} among them", self.events.len())),
            None => Ok(()),
        }
    }

    fn check_updates(&mut self, program: &Path, directory: &Path) -> Result<(), String> {
        let rows = ask(program, directory, &["config", "history"])?;
        let mut made: HashMap<u64, &str> = HashMap::new();
        for row in rows.lines() {
            let version =
                oracle_number(row, "\"version\":").ok_or_else(|| format!("no version in {row}"))?;
            if made.insert(version, row).is_some() {
                return Err(format!("repeated: version {version} is there twice"));
            }
        }
        for (version, value) in &self.updates {
            let after = made.get(version).and_then(|row| oracle_number(row, "\"after\":"));
            if after != Some(*value) {
                return Err(format!("lost: version {version} set {value}, there is {after:?}"));
            }
        }
        let newest = made.keys().copied().max().unwrap_or(0);
        let dense = (self.version + 1..=newest).all(|version| made.contains_key(&version));
        if newest < self.version || !dense {
            return Err(format!("versions went from {} to {newest} with gaps", self.version));
        }
        self.version = newest;
        Ok(())
    }
}

fn ask(program: &Path, directory: &Path, words: &[&str]) -> Result<String, String> {
    let output = foundation(program, directory)
        .args(["--output", "ndjson"])
        .args(words)
        .output()
        .map_err(|cause| format!("cannot run the program: {cause}"))?;
    if !output.status.success() {
        let talk = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{words:?} ended with {}: {talk}", output.status));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
