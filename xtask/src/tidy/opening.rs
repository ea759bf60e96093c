//! Every file says first what it is for.

use super::Violation;
use super::tree::Tree;

pub(crate) fn check(tree: &Tree) -> Vec<Violation> {
    let silent = tree.sources.iter().filter(|source| {
        let words = source.text.lines().next().and_then(|line| line.strip_prefix("//!"));
        words.is_none_or(|words| words.trim().is_empty())
    });
    silent
        .map(|source| {
            let advice = "begin with one `//!` sentence on what the file is for";
            Violation::new(&source.path, 1, "the file does not say what it is for", advice)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::tree::{places, planted};
    use super::*;

    #[test]
    fn a_file_that_opens_with_a_sentence_passes() {
        assert_eq!(check(&planted(&[("a.rs", "//! What a is.\nfn f() {}\n")])), []);
    }

    #[test]
    fn a_file_that_opens_with_anything_else_is_caught() {
        for text in ["", "fn f() {}\n", "// A.\n", "/// A.\nfn f() {}\n", "\n//! A.\n", "//!\n"] {
            let found = places(&check(&planted(&[("a.rs", text)])));
            assert_eq!(found, ["a.rs:1: the file does not say what it is for"], "{text:?}");
        }
    }
}
