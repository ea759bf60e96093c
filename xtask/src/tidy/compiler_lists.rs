//! The `clippy.toml` of a pure crate knows all that the check of purity knows.
//!
//! The compiler sees through methods and aliases, the text check needs no build: they are two
//! nets for the same fish, so neither may have a hole of its own. A nearer `clippy.toml` replaces
//! the root's, which is why the three files are whole, and equal.

use toml::de::{DeArray, DeTable};

use super::Violation;
use super::tables::{IMPURE, PURE};
use super::tree::Tree;

/// The file's name, in the folder of a crate and in the root.
pub(crate) const FILE: &str = "clippy.toml";

pub(crate) fn check(tree: &Tree) -> Vec<Violation> {
    let text = |path: &str| tree.lints.get(path).map(String::as_str);
    let Some(first) = PURE.first().map(|folder| format!("{folder}{FILE}")) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for folder in PURE {
        let path = format!("{folder}{FILE}");
        match text(&path) {
            None => {
                let advice = format!("give the crate a {FILE} with the lists of its neighbours");
                found.push(Violation::new(&path, 1, "the pure crate has no lists", advice));
            }
            Some(here) if text(&first).is_some_and(|first| first != here) => {
                let advice = format!("make it equal to {first} again");
                found.push(Violation::new(&path, 1, "the lists of pure crates differ", advice));
            }
            Some(here) => found.extend(check_lists(&path, here, text(FILE).unwrap_or_default())),
        }
    }
    found
}

/// What is missing in one file: names of the table, reasons, and lines of the root's file.
fn check_lists(path: &str, text: &str, root: &str) -> Vec<Violation> {
    let lists = match DeTable::parse(text) {
        Ok(lists) => lists,
        Err(error) => {
            let problem = format!("this is no TOML: {}", error.message());
            return vec![Violation::new(path, 1, problem, "repair it")];
        }
    };
    let mut listed = Vec::new();
    let mut found = Vec::new();
    for key in ["disallowed-types", "disallowed-methods"] {
        let list = lists.get_ref().get(key).and_then(|list| list.get_ref().as_array());
        listed.extend(list.map(|list| entries(list)).unwrap_or_default());
    }
    for (name, has_reason) in &listed {
        if !has_reason {
            let problem = format!("{name} is refused without a reason");
            found.push(Violation::new(path, 1, problem, "add `reason = \"what to do instead\"`"));
        }
    }
    for (name, advice) in IMPURE {
        let covers = |listed: &str| {
            listed.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
        };
        if !listed.iter().any(|(listed, _)| covers(listed)) {
            let problem = format!("nothing of {name} is in the lists");
            found.push(Violation::new(path, 1, problem, format!("add it with: {advice}")));
        }
    }
    for line in root.lines().filter(|line| line.contains('=') && !line.starts_with('#')) {
        if !text.lines().any(|own| own == line) {
            let problem = format!("the root's `{line}` is missing");
            found.push(Violation::new(
                path,
                1,
                problem,
                "repeat it: this file replaces the root's",
            ));
        }
    }
    found
}

/// The path of each entry, and whether it says why.
fn entries(list: &DeArray<'_>) -> Vec<(String, bool)> {
    let entry = |value: &toml::Spanned<toml::de::DeValue<'_>>| {
        if let Some(path) = value.get_ref().as_str() {
            return Some((path.to_owned(), false));
        }
        let table = value.get_ref().as_table()?;
        let word = |key| table.get(key).and_then(|word| word.get_ref().as_str());
        let has_reason = word("reason").is_some_and(|reason| !reason.trim().is_empty());
        Some((word("path")?.to_owned(), has_reason))
    };
    list.iter().filter_map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tree::{places, planted};
    use super::*;

    /// Lists with every name of the table.
    fn complete() -> String {
        let entry = |(path, why): &(&str, &str)| {
            format!("    {{ path = \"{path}\", reason = \"{why}\" }},\n")
        };
        let entries: String = IMPURE.iter().map(entry).collect();
        format!("allow-unwrap-in-tests = true\ndisallowed-types = [\n{entries}]\n")
    }

    fn found(types: &str, logic: &str) -> Vec<String> {
        places(&check(&planted(&[
            ("clippy.toml", "# Words = more words.\nallow-unwrap-in-tests = true\n"),
            ("crates/foundation-types/clippy.toml", types),
            ("crates/foundation-validate/clippy.toml", types),
            ("crates/foundation-logic/clippy.toml", logic),
        ])))
    }

    #[test]
    fn complete_and_equal_lists_pass() {
        assert_eq!(found(&complete(), &complete()), [""; 0]);
    }

    #[test]
    fn lists_that_are_missing_or_differ_are_caught() {
        let logic = "crates/foundation-logic/clippy.toml:1: the lists of pure crates differ";
        assert_eq!(found(&complete(), &format!("{}\n", complete())), [logic]);
        assert_eq!(places(&check(&planted(&[]))).len(), PURE.len());
    }

    #[test]
    fn a_name_a_reason_and_a_line_that_are_missing_are_caught() {
        let without = |what: &str| {
            let text = complete();
            text.lines().filter(|line| !line.contains(what)).collect::<Vec<_>>().join("\n")
        };
        for (text, problem) in [
            (without("std::sync::Mutex"), "nothing of std::sync::Mutex is in the lists"),
            (without("allow-unwrap"), "the root's `allow-unwrap-in-tests = true` is missing"),
            (
                complete().replace("]", "    \"std::fs::write\",\n]"),
                "std::fs::write is refused without a reason",
            ),
        ] {
            let found = found(&text, &text);
            let expected = format!("crates/foundation-types/clippy.toml:1: {problem}");
            assert_eq!(found.len(), PURE.len(), "{found:?}");
            assert_eq!(found[0], expected);
        }
    }
}
