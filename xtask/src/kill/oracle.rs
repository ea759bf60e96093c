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
    /// This oracle before a store of which nothing is known yet; its counts go on.
    pub(crate) fn of_a_new_store(self) -> Self {
        let Self { acked_events, acked_updates, .. } = self;
        Self { acked_events, acked_updates, ..Self::default() }
    }

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
        let after = self.checked.to_string();
        let query = ["events", "query", "--type", "kill.event", "--after", &after];
        self.compare_events(&ask(program, directory, &query)?)?;
        self.compare_updates(&ask(program, directory, &["config", "history"])?)?;
        ask(program, directory, &["verify"]).map(drop)
    }

    /// Compares the events that are there, one a line, with those that were acked.
    fn compare_events(&mut self, rows: &str) -> Result<(), String> {
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
            if !self.seen.insert(id.clone()) {
                return Err(format!("repeated: {id} is there twice"));
            }
            if self.events.remove(&id).is_some_and(|acked| acked != position) {
                return Err(format!("moved: {id} was acked at another position than {position}"));
            }
            self.checked = self.checked.max(position);
        }
        match self.events.keys().next() {
            Some(id) => Err(format!("lost: {} acked events, {id} among them", self.events.len())),
            None => Ok(()),
        }
    }

    /// Compares the versions that are there, one a line, with those that were acked.
    fn compare_updates(&mut self, rows: &str) -> Result<(), String> {
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
            return Err(format!("lost: versions went from {} to {newest}", self.version));
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

#[cfg(test)]
mod tests {
    use super::*;

    /// An oracle that saw two events and one update acked in cycle 3.
    fn oracle() -> Oracle {
        let mut oracle = Oracle::default();
        oracle.learn(Sent { cycle: 3, acked: vec![10, 11], updates: vec![(1, 500)] });
        oracle
    }

    fn row(id: &str, position: u64) -> String {
        format!("{{\"position\":{position},\"id\":\"{id}\"}}\n")
    }

    #[test]
    fn what_was_acked_and_what_was_only_sent_may_be_there() {
        let rows = row("kill-3-0", 10) + &row("kill-3-1", 11) + &row("kill-3-2", 12);
        assert_eq!(oracle().compare_events(&rows), Ok(()));
        assert_eq!(oracle().compare_updates("{\"version\":1,\"after\":500}\n"), Ok(()));
    }

    #[test]
    fn planted_losses_inventions_and_repeats_are_caught() {
        let both = row("kill-3-0", 10) + &row("kill-3-1", 11);
        for (rows, fault) in [
            (row("kill-3-0", 10), "lost"),
            (String::new(), "lost"),
            (both.clone() + &row("kill-2-7", 12), "invented"),
            (both.clone() + &row("kill-3-1", 12), "repeated"),
            (row("kill-3-0", 10) + &row("kill-3-1", 12), "moved"),
        ] {
            let found = oracle().compare_events(&rows).expect_err("is caught");
            assert!(found.starts_with(fault), "{fault}: {found}");
        }
        for (rows, fault) in [
            ("", "lost"),
            ("{\"version\":1,\"after\":499}", "lost"),
            ("{\"version\":1,\"after\":500}\n{\"version\":1,\"after\":500}", "repeated"),
            ("{\"version\":1,\"after\":500}\n{\"version\":3,\"after\":1}", "lost"),
        ] {
            let found = oracle().compare_updates(rows).expect_err("is caught");
            assert!(found.starts_with(fault), "{fault}: {found}");
        }
    }
}
