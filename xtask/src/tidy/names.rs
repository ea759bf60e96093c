//! A file, a folder or a module is named after what is inside.

use syn::visit::{self, Visit};

use super::Violation;
use super::source::Source;
use super::tables::EMPTY_NAMES;
use super::tree::Tree;

pub(crate) fn check(tree: &Tree) -> Vec<Violation> {
    tree.sources.iter().flat_map(check_source).collect()
}

fn check_source(source: &Source) -> Vec<Violation> {
    let parts = source.path.split('/').map(|part| part.strip_suffix(".rs").unwrap_or(part));
    let mut places: Vec<(usize, String)> =
        parts.filter(|part| is_empty(part)).map(|part| (1, part.to_owned())).collect();
    let mut modules = Modules::default();
    modules.visit_file(&source.syntax);
    places.extend(modules.0.into_iter().filter(|(_, name)| is_empty(name)));
    let violation = |(line, name): (usize, String)| {
        let problem = format!("the name `{name}` does not say what is inside");
        Violation::new(&source.path, line, problem, "name it after the noun or the operation")
    };
    places.into_iter().map(violation).collect()
}

/// Whether the name, or the last word of it, says nothing.
fn is_empty(name: &str) -> bool {
    name.rsplit(['_', '-']).next().is_some_and(|word| EMPTY_NAMES.contains(&word))
}

/// The modules whose bodies stand in the file.
#[derive(Default)]
struct Modules(Vec<(usize, String)>);

impl<'ast> Visit<'ast> for Modules {
    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        // A module in a file of its own is judged by the name of that file.
        if module.content.is_some() {
            self.0.push((module.ident.span().start().line, module.ident.to_string()));
        }
        visit::visit_item_mod(self, module);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tree::{places, planted};
    use super::*;

    #[test]
    fn names_of_nouns_and_operations_pass() {
        let tree = planted(&[
            ("crates/a/src/common_prefix.rs", "//! P.\nmod tests {}\n"),
            ("crates/a/src/utility_bill.rs", "//! B.\nmod append { mod batch {} }\n"),
        ]);
        assert_eq!(places(&check(&tree)), [""; 0]);
    }

    #[test]
    fn names_that_say_nothing_are_caught() {
        for path in [
            "crates/a/src/utils.rs",
            "crates/a/src/helpers/text.rs",
            "crates/foundation-common/src/lib.rs",
            "crates/a/src/string_util.rs",
            "crates/a/src/misc/mod.rs",
            "crates/a/src/event_manager.rs",
        ] {
            assert_eq!(check(&planted(&[(path, "//! A.\n")])).len(), 1, "{path}");
        }
        let inner = planted(&[("a.rs", "//! A.\nmod outer {\nmod helpers {}\n}\n")]);
        assert_eq!(
            places(&check(&inner)),
            ["a.rs:3: the name `helpers` does not say what is inside"]
        );
    }
}
