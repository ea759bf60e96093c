//! The facade names each thing that it offers.
//!
//! With a glob, whatever a lower crate makes public becomes a promise to applications by itself.

use syn::visit::Visit;
use syn::{ItemUse, UseTree, Visibility};

use super::Violation;
use super::source::Source;
use super::tree::Tree;

/// Where the facade's sources are.
const FOLDER: &str = "crates/foundation/src/";

pub(crate) fn check(tree: &Tree) -> Vec<Violation> {
    let facade = tree.sources.iter().filter(|source| source.path.starts_with(FOLDER));
    facade.flat_map(check_source).collect()
}

fn check_source(source: &Source) -> Vec<Violation> {
    let mut globs = Globs::default();
    globs.visit_file(&source.syntax);
    let violation = |line| {
        let advice = "list the names, so that a new one is a decision";
        Violation::new(&source.path, line, "the facade exports a glob", advice)
    };
    globs.0.into_iter().map(violation).collect()
}

/// The lines of globs that are exported.
#[derive(Default)]
struct Globs(Vec<usize>);

impl Globs {
    fn look(&mut self, tree: &UseTree) {
        match tree {
            UseTree::Path(path) => self.look(&path.tree),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.look(tree)),
            UseTree::Glob(glob) => self.0.push(glob.star_token.span.start().line),
            UseTree::Name(_) | UseTree::Rename(_) => {}
        }
    }
}

impl<'ast> Visit<'ast> for Globs {
    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        if !matches!(item.vis, Visibility::Inherited) {
            self.look(&item.tree);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tree::{places, planted};
    use super::*;

    #[test]
    fn names_and_private_globs_pass() {
        let text = "//! F.\npub use a::{B, c::D};\nmod tests { use super::*; }\n";
        assert_eq!(check(&planted(&[("crates/foundation/src/lib.rs", text)])), []);
        let glob = "//! F.\npub use a::*;\n";
        assert_eq!(check(&planted(&[("crates/foundation-store/src/lib.rs", glob)])), []);
    }

    #[test]
    fn globs_that_are_exported_are_caught() {
        let text = "//! F.\npub use a::*;\npub mod b {\n    pub use c::{D,\n        e::*};\n}\n";
        assert_eq!(
            places(&check(&planted(&[("crates/foundation/src/lib.rs", text)]))),
            [
                "crates/foundation/src/lib.rs:2: the facade exports a glob",
                "crates/foundation/src/lib.rs:5: the facade exports a glob",
            ]
        );
    }
}
