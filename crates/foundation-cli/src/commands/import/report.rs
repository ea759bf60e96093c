//! What an import came to: counts, and why lines were refused.

use std::time::Duration;

use foundation::events::Receipt;
use foundation::{Error, ErrorKind};
use serde::Serialize;

use super::Acks;
use crate::exit::Outcome;
use crate::program::{Program, tell};
use crate::render;

/// Refusals that are kept for the report; all of them are counted, and the first are told as they come.
const REFUSALS_MAX: usize = 1_000;

/// What an import came to.
#[derive(Debug, Default, Serialize)]
pub(super) struct Report {
    accepted: u64,
    repeated: u64,
    pub(super) refused: u64,
    /// Of the lines that are events: those that would be stored again.
    pub(super) without_id: u64,
    refusals: Vec<Refusal>,
    /// Refusals beyond those listed.
    refusals_left_out: u64,
}

/// A line that was refused, and why.
#[derive(Debug, Serialize)]
struct Refusal {
    line: u64,
    code: ErrorKind,
    message: String,
}

impl Report {
    pub(super) fn accept(&mut self, receipt: &Receipt) {
        if receipt.repeated {
            self.repeated += 1;
        } else {
            self.accepted += 1;
        }
    }

    /// Events of the file that are stored, by this import or before.
    pub(super) fn stored(&self) -> u64 {
        self.accepted + self.repeated
    }

    pub(super) fn refuse(&mut self, line: u64, error: &Error) {
        self.refused += 1;
        if self.refusals.len() < REFUSALS_MAX {
            let (code, message) = (error.kind(), render::problems(error));
            self.refusals.push(Refusal { line, code, message });
        } else {
            self.refusals_left_out += 1;
        }
    }

    /// Writes it to standard output; to standard error if that has the acks.
    pub(super) fn write(&self, program: &mut Program, acks: Acks, took: Duration) -> Outcome {
        let counts = [self.accepted, self.repeated, self.refused];
        let summary = render::import_summary(counts, took);
        match (program.is_text(), acks) {
            (true, Acks::Counted) => program.out.text(&summary)?,
            (false, Acks::Counted) => program.out.json(self)?,
            (true, Acks::Printed | Acks::Unread) => program.say(&summary),
            (false, Acks::Printed | Acks::Unread) => tell(&render::json(self)?),
        }
        // First the report, then what there is to say of it.
        if acks != Acks::Unread {
            program.out.flush()?;
        }
        if self.without_id > 0 && program.is_text() {
            let lines = render::counted(self.without_id, "line");
            program.say(&format!("{lines} without id: importing them again stores them again"));
        }
        Ok(())
    }
}
