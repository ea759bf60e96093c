//! Every package is under the workspace's lints, and no unsafe code is possible anywhere.

use super::Violation;
use super::tree::Tree;

pub(crate) fn check(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for manifest in &tree.manifests {
        // A workspace, the root's or that of a user, stands for itself; a member inherits.
        let (problem, advice) = if manifest.is_workspace {
            if manifest.forbids_unsafe {
                continue;
            }
            (
                "this workspace allows unsafe code",
                "set `unsafe_code = \"forbid\"` in its rust lints",
            )
        } else {
            if manifest.inherits_lints {
                continue;
            }
            (
                "this package is outside the workspace's lints",
                "add `[lints]` with `workspace = true`",
            )
        };
        found.push(Violation::new(&manifest.path, 1, problem, advice));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::tree::{places, planted};
    use super::*;

    #[test]
    fn packages_under_the_lints_pass() {
        let tree = planted(&[
            ("Cargo.toml", "[workspace.lints.rust]\nunsafe_code = \"forbid\"\n"),
            ("crates/a/Cargo.toml", "[package]\nname = \"a\"\n[lints]\nworkspace = true\n"),
            (
                "tests/users/b/Cargo.toml",
                "[package]\nname = \"b\"\n[workspace]\n[lints.rust]\nunsafe_code = \"forbid\"\n",
            ),
        ]);
        assert_eq!(places(&check(&tree)), [""; 0]);
    }

    #[test]
    fn packages_that_escape_the_lints_are_caught() {
        let tree = planted(&[
            ("Cargo.toml", "[workspace.lints.rust]\nunsafe_code = \"deny\"\n"),
            ("crates/a/Cargo.toml", "[package]\nname = \"a\"\n"),
            (
                "crates/b/Cargo.toml",
                "[package]\nname = \"b\"\n[lints.rust]\nunsafe_code = \"forbid\"\n",
            ),
            ("tests/users/c/Cargo.toml", "[package]\nname = \"c\"\n[workspace]\n"),
        ]);
        assert_eq!(
            places(&check(&tree)),
            [
                "Cargo.toml:1: this workspace allows unsafe code",
                "crates/a/Cargo.toml:1: this package is outside the workspace's lints",
                "crates/b/Cargo.toml:1: this package is outside the workspace's lints",
                "tests/users/c/Cargo.toml:1: this workspace allows unsafe code",
            ]
        );
    }
}
