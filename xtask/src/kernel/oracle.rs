//! What has to be in a store behind a fault, and what must not.

use super::ledger::Said;

/// Appends of which nobody knows how they ended: those of the waves that a fault interrupts.
const UNKNOWN_MAX: usize = 16;

/// Everything known of a store from outside.
#[derive(Debug, Default)]
pub(super) struct Oracle {
    /// What there was when it was read last; from then on it is held for acked.
    known: Vec<String>,
    pub(super) acked: u64,
}

impl Oracle {
    /// This oracle before a store of which nothing is known yet; its count goes on.
    pub(super) fn of_a_new_store(self) -> Self {
        Self { known: Vec::new(), acked: self.acked }
    }

    /// Compares what the writer of this name said with what is found.
    ///
    /// # Errors
    /// What is lost, invented or moved.
    pub(super) fn check(
        &mut self,
        name: &str,
        said: &Said,
        found: &[(String, u64)],
    ) -> Result<(), String> {
        let ids: Vec<&str> = found.iter().map(|(id, _)| id.as_str()).collect();
        if let Some((id, position)) =
            (1..).zip(found).find(|(at, (_, there))| at != there).map(|x| x.1)
        {
            return Err(format!("moved: {id} is at {position}, and one before it is missing"));
        }
        if ids.len() < self.known.len() || ids.iter().zip(&self.known).any(|(a, b)| a != b) {
            return Err(format!("lost: of {} that were there, not all are", self.known.len()));
        }
        let mut last = None;
        let (mut kept, mut unknown) = (0, 0);
        let newer = found.get(self.known.len()..).unwrap_or_default();
        for (id, position) in newer {
            let number =
                number_of(name, id).filter(|number| last.is_none_or(|last| last < *number));
            let Some(number) = number else {
                return Err(format!(
                    "invented: {id} was not sent by {name}, or stands out of order"
                ));
            };
            last = Some(number);
            if said.refused.contains(id) {
                return Err(format!("invented: {id} is there, and was said not to be applied"));
            }
            let acked = said.acked.get(id);
            let at = acked.or(said.late.get(id));
            if at.is_some_and(|at| at != position) {
                return Err(format!("moved: {id} was acked elsewhere and is at {position}"));
            }
            kept += usize::from(acked.is_some());
            unknown += usize::from(at.is_none());
        }
        if kept < said.acked.len() {
            return Err(format!("lost: {} were acked, {kept} are there", said.acked.len()));
        }
        if unknown > UNKNOWN_MAX {
            return Err(format!("invented: {unknown} are there that were never acked"));
        }
        self.acked += said.acked.len() as u64;
        self.known = ids.into_iter().map(str::to_owned).collect();
        Ok(())
    }
}

fn number_of(name: &str, id: &str) -> Option<u64> {
    id.strip_prefix(name)?.strip_prefix('-')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(ids: &[&str]) -> Vec<(String, u64)> {
        ids.iter().map(|id| (*id).to_owned()).zip(1..).collect()
    }

    fn said(acked: &[(&str, u64)], refused: &[&str]) -> Said {
        Said {
            acked: acked.iter().map(|(id, position)| ((*id).to_owned(), *position)).collect(),
            refused: refused.iter().map(|id| (*id).to_owned()).collect(),
            ..Said::default()
        }
    }

    #[test]
    fn what_was_acked_and_what_is_unknown_may_be_there() {
        let mut oracle = Oracle::default();
        let one = said(&[("a-0", 1), ("a-1", 2)], &["a-3"]);
        assert_eq!(oracle.check("a", &one, &found(&["a-0", "a-1", "a-2"])), Ok(()));
        let mut two = said(&[("b-4", 4)], &["b-0"]);
        two.late.insert("b-5".to_owned(), 5);
        assert_eq!(oracle.check("b", &two, &found(&["a-0", "a-1", "a-2", "b-4"])), Ok(()));
        assert_eq!(oracle.acked, 3);
    }

    #[test]
    fn planted_losses_inventions_and_moves_are_caught() {
        let one = said(&[("a-0", 1), ("a-1", 2)], &["a-3"]);
        let many: Vec<String> = (0..40).map(|number| format!("a-{number}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).filter(|id| *id != "a-3").collect();
        for (there, fault) in [
            (found(&["a-0"]), "lost"),
            (found(&[]), "lost"),
            (found(&["a-0", "a-1", "a-3"]), "invented"),
            (found(&["a-0", "a-1", "c-2"]), "invented"),
            (found(&["a-0", "a-1", "a-1"]), "invented"),
            (found(&many), "invented"),
            (found(&["a-1", "a-0"]), "moved"),
            (vec![("a-0".to_owned(), 2), ("a-1".to_owned(), 3)], "moved"),
        ] {
            let caught = Oracle::default().check("a", &one, &there).expect_err("is caught");
            assert!(caught.starts_with(fault), "{fault}: {caught}");
        }
        let mut oracle = Oracle::default();
        oracle.check("a", &one, &found(&["a-0", "a-1"])).expect("all there");
        let none = said(&[], &[]);
        let caught = oracle.check("b", &none, &found(&["a-0"])).expect_err("is caught");
        assert!(caught.starts_with("lost"), "{caught}");
    }
}
