//! What a document promises, as a model, and whether a recorded history keeps it.
//!
//! The model is a version and one register a path. A history is linearizable if its operations
//! can be put in one order that the model allows, in which no operation stands before one that
//! had ended when it began. The search is the one of Wing and Gong with the memory of Lowe: a set
//! of done operations is tried once with the same state.

use std::collections::HashSet;

/// How many paths of the document are looked at.
pub(crate) const REGISTERS: usize = 3;
/// Operations that one history may have: they are bits of a set.
pub(crate) const OPERATIONS_MAX: usize = 128;

pub(crate) type Registers = [u64; REGISTERS];

/// What a writer wants.
#[derive(Clone, Debug)]
pub(crate) enum Wish {
    /// Values at registers, all or nothing.
    Put(Vec<(usize, u64)>),
    /// One more at a register than there was.
    Add(usize),
}

/// What a writer expects of what is there.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Expects {
    Anything,
    Version(usize),
    /// That a register was not changed after a version.
    Unchanged(usize, usize),
}

/// What an operation was answered.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    Read(usize, Registers),
    /// Done, with this version; whether it was made for it.
    Wrote(Wish, Expects, usize, bool),
    /// Refused since it was otherwise than expected; the version that was there, if told.
    Conflict(Expects, Option<usize>),
    /// Nobody knows whether it was done or will be.
    Unknown(Wish, Expects),
    /// A subscriber was told that this version changed a register from one value to another.
    Told(usize, Vec<(usize, u64, u64)>),
}

/// An operation with the moments at which it began and ended.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    #[expect(dead_code, reason = "it is told when a history is refused")]
    pub(crate) client: usize,
    pub(crate) began: u64,
    pub(crate) ended: u64,
    pub(crate) answer: Answer,
}

impl Operation {
    fn is_unknown(&self) -> bool {
        matches!(self.answer, Answer::Unknown(..))
    }

    /// The moment before which it took effect.
    fn deadline(&self) -> u64 {
        if self.is_unknown() { u64::MAX } else { self.ended }
    }
}

/// Registers of version 0, 1, 2, …
type Versions = Vec<Registers>;

/// Whether the answer is right now; what it changes is done.
fn admits(versions: &mut Versions, answer: &Answer) -> bool {
    let current = versions.len() - 1;
    match answer {
        Answer::Read(version, registers) => *version == current && versions[current] == *registers,
        Answer::Told(version, changes) => {
            let right = |&(register, before, after): &(usize, u64, u64)| {
                versions[*version - 1][register] == before && versions[*version][register] == after
            };
            (1..=current).contains(version) && changes.iter().all(right)
        }
        Answer::Conflict(expects, actual) => {
            !is_met(versions, *expects) && actual.is_none_or(|actual| actual == current)
        }
        Answer::Wrote(wish, expects, version, is_new) => {
            let wanted = wanted(versions[current], wish);
            if !is_met(versions, *expects) || *is_new == (wanted == versions[current]) {
                return false;
            }
            if *is_new {
                versions.push(wanted);
            }
            versions.len() - 1 == *version
        }
        Answer::Unknown(wish, expects) => {
            let wanted = wanted(versions[current], wish);
            let is_done = is_met(versions, *expects) && wanted != versions[current];
            if is_done {
                versions.push(wanted);
            }
            is_done
        }
    }
}

pub(crate) fn wanted(mut registers: Registers, wish: &Wish) -> Registers {
    match wish {
        Wish::Put(values) => values.iter().for_each(|&(at, value)| registers[at] = value),
        Wish::Add(at) => registers[*at] += 1,
    }
    registers
}

fn is_met(versions: &Versions, expects: Expects) -> bool {
    match expects {
        Expects::Anything => true,
        Expects::Version(version) => version == versions.len() - 1,
        Expects::Unchanged(register, since) => {
            let later = versions.get(since..).unwrap_or_default();
            later.windows(2).all(|pair| pair[0][register] == pair[1][register])
        }
    }
}

struct Search<'a> {
    history: &'a [Operation],
    tried: HashSet<(u128, Versions)>,
    /// The most operations that could be put in order, as a set.
    furthest: u128,
}

impl Search<'_> {
    fn is_done(done: u128, at: usize) -> bool {
        done & (1 << at) != 0
    }

    fn ends(&mut self, done: u128, versions: &mut Versions) -> bool {
        let history = self.history;
        let open = || (0..history.len()).filter(|&at| !Self::is_done(done, at));
        let Some(first_end) = open().map(|at| history[at].deadline()).min() else { return true };
        if first_end == u64::MAX {
            // What is left may as well never have happened.
            return true;
        }
        if !self.tried.insert((done, versions.clone())) {
            return false;
        }
        if done.count_ones() > self.furthest.count_ones() {
            self.furthest = done;
        }
        for at in open().filter(|&at| history[at].began < first_end) {
            let before = versions.len();
            let next = admits(versions, &history[at].answer) && self.ends(done | 1 << at, versions);
            if next {
                return true;
            }
            versions.truncate(before);
        }
        false
    }
}

/// Whether the history has an order that the model allows.
///
/// # Errors
/// The operations that no order has a place for after the most others.
pub(crate) fn linearizable(start: Registers, history: &[Operation]) -> Result<(), String> {
    assert!(history.len() <= OPERATIONS_MAX, "{} operations are too many", history.len());
    let mut search = Search { history, tried: HashSet::new(), furthest: 0 };
    if search.ends(0, &mut vec![start]) {
        return Ok(());
    }
    let furthest = search.furthest;
    let left = history.iter().enumerate().filter(|(at, _)| !Search::is_done(furthest, *at));
    let lines: Vec<String> = left.map(|(_, operation)| format!("  {operation:?}")).collect();
    Err(format!("no order has a place for\n{}", lines.join("\n")))
}
