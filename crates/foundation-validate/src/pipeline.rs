//! The four stages of validation, in the one order they have: type, schema, business, integrity.
//!
//! A stage may rely on what the stages before it made sure of. So all problems of one stage are
//! reported together, and a stage that found an error is the last that is run.

use std::fmt;

use foundation_types::error::Severity;
use foundation_types::{Error, Problem, Result};

use crate::validated::Validated;

/// Most problems that one refusal reports.
pub const PROBLEMS_MAX: usize = 100;

/// One stage of validation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Has it the shape of the type: no unknown key, no value of a wrong type?
    Type,
    /// Is each field by itself in its range?
    Schema,
    /// Do the fields make sense together, by the rules of the application?
    Business,
    /// Can it be stored and read back as it is?
    Integrity,
}

impl Stage {
    /// Every stage, in order.
    pub const ALL: [Self; 4] = [Self::Type, Self::Schema, Self::Business, Self::Integrity];

    /// The name that errors carry in their context.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Type => "type",
            Self::Schema => "schema",
            Self::Business => "business",
            Self::Integrity => "integrity",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

/// Looks at a value and adds what is wrong with it.
pub(crate) type Check<'a, T> = &'a dyn Fn(&T, &mut Vec<Problem>);

/// What each stage after the first one checks.
pub(crate) struct Pipeline<'a, T> {
    pub(crate) schema: Check<'a, T>,
    pub(crate) business: Check<'a, T>,
    pub(crate) integrity: Check<'a, T>,
}

impl<T> Pipeline<'_, T> {
    /// Takes what the type stage said through the other stages.
    pub(crate) fn run(&self, typed: Result<T, Vec<Problem>>) -> Result<Validated<T>> {
        let value = typed.map_err(|found| refusal(found).with("stage", Stage::Type))?;
        let mut found = Vec::new();
        for (stage, check) in self.stages() {
            check(&value, &mut found);
            if found.iter().any(refuses) {
                return Err(refusal(found).with("stage", stage));
            }
        }
        Ok(Validated::new(value, found))
    }

    fn stages(&self) -> [(Stage, Check<'_, T>); 3] {
        [
            (Stage::Schema, self.schema),
            (Stage::Business, self.business),
            (Stage::Integrity, self.integrity),
        ]
    }
}

/// The value as valid if nothing refuses it: for values whose checks do not need one another.
pub(crate) fn settle<T>(value: T, found: Vec<Problem>) -> Result<Validated<T>> {
    if found.iter().any(refuses) {
        return Err(refusal(found));
    }
    Ok(Validated::new(value, found))
}

fn refuses(problem: &Problem) -> bool {
    problem.severity >= Severity::Error
}

/// The error of these problems, the worst first.
fn refusal(mut found: Vec<Problem>) -> Error {
    found.sort_by_key(|problem| std::cmp::Reverse(problem.severity));
    found.truncate(PROBLEMS_MAX);
    Error::of_problems(found)
}

#[cfg(test)]
mod tests {
    use foundation_types::ErrorKind;

    use super::*;

    fn problem(severity: Severity, path: &str) -> Problem {
        Problem { severity, ..Problem::new(ErrorKind::Invalid, path, "is odd") }
    }

    #[test]
    fn a_stage_that_found_an_error_is_the_last() {
        let pipeline = Pipeline {
            schema: &|_: &u8, found| found.push(problem(Severity::Warning, "a")),
            business: &|_, found| {
                found.push(problem(Severity::Error, "b"));
                found.push(problem(Severity::Error, "c"));
            },
            integrity: &|_, found| found.push(problem(Severity::Error, "d")),
        };
        let error = pipeline.run(Ok(1)).expect_err("refused");
        let places: Vec<_> = error.problems().iter().map(|problem| &*problem.path).collect();
        assert_eq!(places, ["b", "c", "a"]);
        assert_eq!(error.context(), [("stage".to_owned(), "business".to_owned())]);
    }

    #[test]
    fn a_warning_refuses_nothing_and_is_kept() {
        let found = vec![problem(Severity::Warning, "a")];
        let valid = settle(1, found).expect("a warning only");
        assert_eq!(valid.warnings().len(), 1);
        assert_eq!(valid.into_inner(), 1);
    }
}
