//! One `Cargo.toml`, reduced to what the checks ask of it.

use std::collections::BTreeMap;
use std::fmt;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Violation;

/// When a dependency is compiled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Normal,
    Build,
    Dev,
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Normal => "dependency",
            Self::Build => "build-dependency",
            Self::Dev => "dev-dependency",
        })
    }
}

/// One entry of a dependency table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Dependency {
    /// The name that the package has where it is published, whatever it is called here.
    pub(crate) package: String,
    pub(crate) kind: Kind,
    /// Features that are switched on here or by the workspace's entry.
    pub(crate) features: Vec<String>,
    pub(crate) line: usize,
}

/// A `Cargo.toml`.
pub(crate) struct Manifest {
    pub(crate) path: String,
    /// The package's name; empty for a manifest that has no package.
    pub(crate) package: String,
    /// It has a `[workspace]` of its own.
    pub(crate) is_workspace: bool,
    /// It takes its lints from its workspace.
    pub(crate) inherits_lints: bool,
    /// It forbids unsafe code for itself, or as a workspace for its members.
    pub(crate) forbids_unsafe: bool,
    /// Its dependencies of all kinds, those of single targets too.
    pub(crate) dependencies: Vec<Dependency>,
}

/// What the root manifest says of the packages that members take from it by name.
#[derive(Default)]
pub(crate) struct Named(BTreeMap<String, (String, Vec<String>)>);

/// The packages that the root manifest among these files names for its members.
pub(crate) fn named_in_workspace(files: &[(String, String)]) -> Named {
    let root = files.iter().find(|(path, _)| path == "Cargo.toml");
    // A root that is no TOML is reported by `Manifest::parse`.
    let Some(root) = root.and_then(|(_, text)| DeTable::parse(text).ok()) else {
        return Named::default();
    };
    let entries = table(root.get_ref(), "workspace").and_then(|it| table(it, "dependencies"));
    let entries = entries.into_iter().flatten().map(|(key, value)| {
        let key = key.get_ref().to_string();
        (key.clone(), (package_of(&key, value), features_of(value)))
    });
    Named(entries.collect())
}

impl Manifest {
    /// # Errors
    /// The violation that the text is no TOML.
    pub(crate) fn parse(path: &str, text: &str, named: &Named) -> Result<Self, Violation> {
        let root = DeTable::parse(text).map_err(|error| {
            let line = line_of(text, error.span().map_or(0, |span| span.start));
            let problem = format!("this is no TOML: {}", error.message());
            Violation::new(path, line, problem, "make `cargo metadata` accept it first")
        })?;
        let root = root.get_ref();
        let workspace = table(root, "workspace");
        let lints = table(root, "lints");
        let forbids = |lints| table(lints, "rust").and_then(|it| word(it, "unsafe_code"));
        let of_members = workspace.and_then(|it| table(it, "lints")).and_then(forbids);
        Ok(Self {
            path: path.to_owned(),
            package: table(root, "package").and_then(|it| word(it, "name")).unwrap_or_default(),
            is_workspace: workspace.is_some(),
            inherits_lints: lints.is_some_and(|it| is_true(it, "workspace")),
            forbids_unsafe: of_members.or_else(|| lints.and_then(forbids)).as_deref()
                == Some("forbid"),
            dependencies: dependencies(root, text, named),
        })
    }
}

/// The dependencies of the package and of each of its targets.
fn dependencies(root: &DeTable<'_>, text: &str, named: &Named) -> Vec<Dependency> {
    let targets = table(root, "target").into_iter().flatten();
    let targets = targets.filter_map(|(_, target)| target.get_ref().as_table());
    let mut found = Vec::new();
    for place in std::iter::once(root).chain(targets) {
        for (name, kind) in [
            ("dependencies", Kind::Normal),
            ("build-dependencies", Kind::Build),
            ("build_dependencies", Kind::Build),
            ("dev-dependencies", Kind::Dev),
            ("dev_dependencies", Kind::Dev),
        ] {
            for (key, value) in table(place, name).into_iter().flatten() {
                let line = line_of(text, key.span().start);
                found.push(dependency(key.get_ref(), value, named, kind, line));
            }
        }
    }
    found.sort_by_key(|dependency| dependency.line);
    found
}

fn dependency(
    key: &str,
    value: &Spanned<DeValue<'_>>,
    named: &Named,
    kind: Kind,
    line: usize,
) -> Dependency {
    let mut features = features_of(value);
    let inherits = value.get_ref().as_table().is_some_and(|it| is_true(it, "workspace"));
    let package = match named.0.get(key).filter(|_| inherits) {
        Some((package, more)) => {
            features.extend(more.iter().cloned());
            package.clone()
        }
        None => package_of(key, value),
    };
    Dependency { package, kind, features, line }
}

fn package_of(key: &str, value: &Spanned<DeValue<'_>>) -> String {
    let renamed = value.get_ref().as_table().and_then(|it| word(it, "package"));
    renamed.unwrap_or_else(|| key.to_owned())
}

fn features_of(value: &Spanned<DeValue<'_>>) -> Vec<String> {
    let list = value.get_ref().as_table().and_then(|it| it.get("features"));
    let list = list.and_then(|list| list.get_ref().as_array());
    let words = list.into_iter().flat_map(|list| list.iter());
    words.filter_map(|word| word.get_ref().as_str()).map(str::to_owned).collect()
}

fn table<'a, 'i>(place: &'a DeTable<'i>, key: &str) -> Option<&'a DeTable<'i>> {
    place.get(key)?.get_ref().as_table()
}

fn word(place: &DeTable<'_>, key: &str) -> Option<String> {
    let value = place.get(key)?.get_ref();
    // A lint is a word, or a table with the word as its level.
    value.as_str().map(str::to_owned).or_else(|| word(value.as_table()?, "level"))
}

fn is_true(place: &DeTable<'_>, key: &str) -> bool {
    place.get(key).and_then(|value| value.get_ref().as_bool()) == Some(true)
}

/// The line, from 1, of a byte of the text.
fn line_of(text: &str, byte: usize) -> usize {
    text.bytes().take(byte).filter(|byte| *byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_kinds_features_and_lines_are_read_from_every_table() {
        let root = "[workspace.dependencies]\n\
            im = { package = \"imbl\", version = \"7\" }\n\
            tokio = { version = \"1\", features = [\"sync\"] }\n";
        let text = "[package]\nname = \"a\"\n[dependencies]\n\
            im.workspace = true\n\
            tokio = { workspace = true, features = [\"rt\"] }\n\
            [target.'cfg(unix)'.dev-dependencies.other]\npackage = \"real\"\nversion = \"1\"\n\
            [build-dependencies]\ncc = \"1\"\n[lints]\nworkspace = true\n";
        let named = named_in_workspace(&[("Cargo.toml".to_owned(), root.to_owned())]);
        let manifest = Manifest::parse("crates/a/Cargo.toml", text, &named).expect("parses");
        assert!(manifest.inherits_lints && !manifest.is_workspace);
        assert_eq!(manifest.package, "a");
        let entry = |package: &str, kind, features: &[&str], line| Dependency {
            package: package.to_owned(),
            kind,
            features: features.iter().map(|&it| it.to_owned()).collect(),
            line,
        };
        assert_eq!(
            manifest.dependencies,
            [
                entry("imbl", Kind::Normal, &[], 4),
                entry("tokio", Kind::Normal, &["rt", "sync"], 5),
                entry("real", Kind::Dev, &[], 6),
                entry("cc", Kind::Build, &[], 10),
            ]
        );
    }

    #[test]
    fn a_lint_is_read_as_a_word_and_as_a_table() {
        for text in [
            "[workspace.lints.rust]\nunsafe_code = \"forbid\"\n",
            "[workspace]\n[lints.rust]\nunsafe_code = { level = \"forbid\", priority = 1 }\n",
        ] {
            let manifest = Manifest::parse("Cargo.toml", text, &Named::default()).expect("parses");
            assert!(manifest.is_workspace && manifest.forbids_unsafe, "{text}");
        }
    }
}
