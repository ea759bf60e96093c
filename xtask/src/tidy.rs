//! The checks that hold the shape of the repository.
//!
//! Each check is a pure function over a [`Tree`], so that its tests plant a violation in a tree
//! of two lines and see it caught. `cargo xtask tidy` runs all of them over the files on disk, and
//! so does the last test of this module: the checks are tests.

mod attributes;
mod compiler_lists;
mod facade;
mod layers;
mod lints;
mod manifest;
mod names;
mod opening;
mod packages;
mod purity;
mod reading;
mod size;
mod source;
mod tables;
mod tree;

use std::fmt;
use std::path::Path;

use tree::Tree;

/// A place that breaks a rule, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Violation {
    path: String,
    line: usize,
    problem: String,
    advice: String,
}

impl Violation {
    fn new(path: &str, line: usize, problem: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, problem: problem.into(), advice: advice.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, line, problem, advice } = self;
        write!(out, "{path}:{line}: {problem}\n    {advice}")
    }
}

/// One rule of the repository.
type Check = fn(&Tree) -> Vec<Violation>;

const CHECKS: &[Check] = &[
    tree::unreadable,
    layers::check,
    packages::check,
    lints::check,
    purity::check,
    compiler_lists::check,
    size::check,
    opening::check,
    reading::check,
    attributes::check,
    names::check,
    facade::check,
];

/// Runs every check over the workspace in this folder and prints what breaks a rule.
///
/// # Errors
/// A message with the number of violations, or why the files could not be read.
pub(crate) fn run(root: &Path) -> Result<(), String> {
    let tree = Tree::read(root)?;
    let found = violations(&tree);
    for violation in &found {
        println!("{violation}");
    }
    match found.len() {
        0 => {
            println!("tidy: {} checks passed on {} files", CHECKS.len(), tree.len());
            Ok(())
        }
        count => Err(format!("tidy: {count} violation(s)")),
    }
}

/// What breaks a rule, in the order of places.
fn violations(tree: &Tree) -> Vec<Violation> {
    let mut found: Vec<Violation> = CHECKS.iter().flat_map(|check| check(tree)).collect();
    found.sort();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repository_is_tidy() {
        let tree = Tree::read(&crate::root()).expect("the repository can be read");
        assert!(tree.len() > 50, "only {} files were found", tree.len());
        let found: Vec<String> = violations(&tree).iter().map(ToString::to_string).collect();
        assert!(found.is_empty(), "{} violation(s)\n{}", found.len(), found.join("\n"));
    }

    #[test]
    fn a_violation_names_its_place_and_the_way_out() {
        let shown = Violation::new("crates/a/src/b.rs", 7, "it is wrong", "make it right");
        assert_eq!(shown.to_string(), "crates/a/src/b.rs:7: it is wrong\n    make it right");
    }
}
