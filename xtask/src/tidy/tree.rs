//! What the checks look at: the workspace's texts in memory, parsed once.

use std::collections::BTreeMap;
use std::path::Path;

use super::Violation;
use super::compiler_lists;
use super::manifest::{self, Manifest};
use super::source::{self, Source};

/// The list of third-party packages with the reason for each.
pub(crate) const DEPENDENCIES: &str = "docs/dependencies.md";

/// Every file of the workspace that a check reads, in the order of paths.
pub(crate) struct Tree {
    pub(crate) sources: Vec<Source>,
    pub(crate) manifests: Vec<Manifest>,
    /// The text of `docs/dependencies.md`; empty if there is none.
    pub(crate) dependencies: String,
    /// The text of each `clippy.toml`, by its path.
    pub(crate) lints: BTreeMap<String, String>,
    unreadable: Vec<Violation>,
}

impl Tree {
    /// The tree of these paths and texts; paths are relative, with `/` between their parts.
    pub(crate) fn new(files: &[(String, String)]) -> Self {
        let mut tree = Self {
            sources: Vec::new(),
            manifests: Vec::new(),
            dependencies: String::new(),
            lints: BTreeMap::new(),
            unreadable: Vec::new(),
        };
        let named = manifest::named_in_workspace(files);
        for (path, text) in files {
            if path == DEPENDENCIES {
                tree.dependencies.clone_from(text);
            } else if file_name(path) == compiler_lists::FILE {
                tree.lints.insert(path.clone(), text.clone());
            } else if path.ends_with(".rs") {
                match Source::parse(path, text) {
                    Ok(source) => tree.sources.push(source),
                    Err(violation) => tree.unreadable.push(violation),
                }
            } else if file_name(path) == "Cargo.toml" {
                match Manifest::parse(path, text, &named) {
                    Ok(manifest) => tree.manifests.push(manifest),
                    Err(violation) => tree.unreadable.push(violation),
                }
            }
        }
        source::mark_test_files(&mut tree.sources);
        tree
    }

    /// The tree of the workspace in this folder.
    ///
    /// # Errors
    /// A message that names the file or folder that could not be read.
    pub(crate) fn read(root: &Path) -> Result<Self, String> {
        let mut files = Vec::new();
        collect(root, "", &mut files)?;
        files.sort();
        Ok(Self::new(&files))
    }

    /// How many files there are.
    pub(crate) fn len(&self) -> usize {
        self.sources.len() + self.manifests.len() + self.unreadable.len()
    }

    /// The manifests of the workspace's own members: those in no workspace that lies inside it.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Manifest> {
        let workspaces = self.manifests.iter().filter(|manifest| manifest.is_workspace);
        let others: Vec<&str> = workspaces
            .filter_map(|manifest| manifest.path.strip_suffix("Cargo.toml"))
            .filter(|folder| !folder.is_empty())
            .collect();
        self.manifests.iter().filter(move |manifest| {
            manifest.path != "Cargo.toml"
                && !others.iter().any(|folder| manifest.path.starts_with(folder))
        })
    }
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// A file that no check can look into is a violation of its own.
pub(crate) fn unreadable(tree: &Tree) -> Vec<Violation> {
    tree.unreadable.clone()
}

/// Adds the files below `folder` that a check reads; build output and hidden folders are left out.
fn collect(root: &Path, folder: &str, files: &mut Vec<(String, String)>) -> Result<(), String> {
    let here = root.join(folder);
    let failed = |error| format!("{} cannot be read: {error}", here.display());
    for entry in std::fs::read_dir(&here).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        let path = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
        let kind = entry.file_type().map_err(failed)?;
        if kind.is_dir() {
            if name != "target" && !name.starts_with('.') {
                collect(root, &path, files)?;
            }
        } else if kind.is_file()
            && (name.ends_with(".rs")
                || name == "Cargo.toml"
                || name == compiler_lists::FILE
                || path == DEPENDENCIES)
        {
            let text = std::fs::read_to_string(entry.path())
                .map_err(|error| format!("{path} cannot be read: {error}"))?;
            files.push((path, text));
        }
    }
    Ok(())
}

/// A tree of these files, for the tests of the checks.
#[cfg(test)]
pub(crate) fn planted(files: &[(&str, &str)]) -> Tree {
    let own = |&(path, text): &(&str, &str)| (path.to_owned(), text.to_owned());
    let tree = Tree::new(&files.iter().map(own).collect::<Vec<_>>());
    assert!(tree.unreadable.is_empty(), "{:?}", tree.unreadable);
    tree
}

/// Path, line and problem of each violation, for the tests of the checks.
#[cfg(test)]
pub(crate) fn places(found: &[Violation]) -> Vec<String> {
    found.iter().map(|one| format!("{}:{}: {}", one.path, one.line, one.problem)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_no_rust_and_a_manifest_that_is_no_toml_are_caught() {
        let files = [
            ("Cargo.toml".to_owned(), "[workspace".to_owned()),
            ("crates/a/src/lib.rs".to_owned(), "//! A.\nfn broken( {}\n".to_owned()),
        ];
        let found = places(&unreadable(&Tree::new(&files)));
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("Cargo.toml:1: "), "{found:?}");
        assert!(found[1].starts_with("crates/a/src/lib.rs:"), "{found:?}");
    }

    #[test]
    fn packages_of_a_workspace_inside_are_no_members() {
        let tree = planted(&[
            ("Cargo.toml", "[workspace]\n"),
            ("crates/a/Cargo.toml", "[package]\nname = \"a\"\n"),
            ("tests/users/b/Cargo.toml", "[workspace]\n"),
            ("tests/users/b/inner/Cargo.toml", "[package]\nname = \"inner\"\n"),
        ]);
        let members: Vec<&str> = tree.members().map(|member| member.path.as_str()).collect();
        assert_eq!(members, ["crates/a/Cargo.toml"]);
    }
}
