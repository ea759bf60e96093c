//! What subscribers have to be told: each difference at their place, in order, without a gap, once.

use super::model::{REGISTERS, Registers};

/// Where a subscription begins.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Start {
    /// After this version.
    After(usize),
    /// After some version between these two: it was made while writers went on.
    Between(usize, usize),
}

/// What one subscriber was told until its subscription ended.
#[derive(Clone, Debug)]
pub(crate) struct Watched {
    /// The register that it looks at; all of them if there is none.
    pub(crate) register: Option<usize>,
    pub(crate) start: Start,
    pub(crate) versions: Vec<usize>,
}

/// Whether it was told all that it had to be, out of these versions, and nothing else.
///
/// # Errors
/// What it was told, and what it should have been.
pub(crate) fn complete(watched: &Watched, published: &[Registers]) -> Result<(), String> {
    let expected = |start: usize| -> Vec<usize> {
        let differs = |version: &usize| {
            let (before, after) = (published[*version - 1], published[*version]);
            let looked_at = |at: &usize| watched.register.is_none_or(|register| register == *at);
            (0..REGISTERS).filter(looked_at).any(|at| before[at] != after[at])
        };
        (start + 1..published.len()).filter(differs).collect()
    };
    let (first, last) = match watched.start {
        Start::After(version) => (version, version),
        Start::Between(first, last) => (first, last),
    };
    if (first..=last).any(|start| expected(start) == watched.versions) {
        return Ok(());
    }
    Err(format!("{watched:?} should have been told of {:?}", expected(last)))
}
