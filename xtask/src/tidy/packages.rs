//! A layer has the third-party packages that its table lists, and each has a written reason.

use super::Violation;
use super::manifest::{Dependency, Kind, Manifest};
use super::tables::{FEATURES, FOR_TESTS, HERE, LAYERS, TOOLS};
use super::tree::{DEPENDENCIES, Tree};

pub(crate) fn check(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for member in tree.members() {
        // A crate that is in no table is reported by the check of the layers.
        let Some(allowed) = allowed(&member.package) else { continue };
        for dependency in third_party(member) {
            found.extend(unlisted(member, dependency, allowed));
            found.extend(too_much(member, dependency));
            found.extend(unexplained(member, dependency, &tree.dependencies));
        }
    }
    found
}

/// Third-party packages that the crate may use outside its tests.
fn allowed(package: &str) -> Option<&'static [&'static str]> {
    let layer = LAYERS.iter().find(|layer| layer.package == package);
    let tool = TOOLS.iter().find(|(tool, _)| *tool == package);
    layer.map(|layer| layer.third_party).or(tool.map(|(_, packages)| *packages))
}

fn third_party(member: &Manifest) -> impl Iterator<Item = &Dependency> {
    let own = |package: &str| {
        LAYERS.iter().any(|layer| layer.package == package)
            || TOOLS.iter().any(|(tool, _)| *tool == package)
    };
    member.dependencies.iter().filter(move |dependency| !own(&dependency.package))
}

fn unlisted(member: &Manifest, dependency: &Dependency, allowed: &[&str]) -> Option<Violation> {
    let Dependency { package, kind, line, .. } = dependency;
    let listed = allowed.contains(&package.as_str())
        || (*kind == Kind::Dev && FOR_TESTS.contains(&package.as_str()));
    let problem = format!("{} may not have {package} as a {kind}", member.package);
    let advice = format!(
        "do without it, or add it to the table in {HERE} with a reason, and to {DEPENDENCIES}"
    );
    (!listed).then(|| Violation::new(&member.path, *line, problem, advice))
}

fn too_much(member: &Manifest, dependency: &Dependency) -> Option<Violation> {
    let Dependency { package, kind, features, line } = dependency;
    let (_, _, allowed) = FEATURES
        .iter()
        .find(|(layer, it, _)| *layer == member.package && it == package && *kind != Kind::Dev)?;
    let extra: Vec<&str> =
        features.iter().map(String::as_str).filter(|it| !allowed.contains(it)).collect();
    let problem = format!("{} may not switch on {package}'s {}", member.package, extra.join(", "));
    let advice = format!("only {} is allowed here; see {HERE}", allowed.join(", "));
    (!extra.is_empty()).then(|| Violation::new(&member.path, *line, problem, advice))
}

fn unexplained(member: &Manifest, dependency: &Dependency, reasons: &str) -> Option<Violation> {
    let Dependency { package, line, .. } = dependency;
    let row = format!("| `{package}` |");
    let has_reason = |line: &str| {
        let rest = line.trim().strip_prefix(&row);
        rest.and_then(|rest| rest.split('|').next()).is_some_and(|reason| !reason.trim().is_empty())
    };
    let problem = format!("{package} has no row with a reason in {DEPENDENCIES}");
    let advice = format!("add a line to {DEPENDENCIES} that begins with \"{row}\"");
    (!reasons.lines().any(has_reason)).then(|| Violation::new(&member.path, *line, problem, advice))
}

#[cfg(test)]
mod tests {
    use super::super::tree::{places, planted};
    use super::*;

    const ROOT: &str = "[workspace.dependencies]\n\
        im = { package = \"imbl\", version = \"7\" }\n\
        tokio = { version = \"1\", default-features = false }\n";
    const REASONS: &str = "| package | reason |\n|---|---|\n| `imbl` | It shares. |\n\
        | `im` | No. |\n| `serde` | |\n| `tokio` | It waits. |\n| `insta` | Tests. |\n";

    fn found(package: &str, tables: &str) -> Vec<String> {
        let member = format!("[package]\nname = \"{package}\"\n{tables}\n");
        places(&check(&planted(&[
            ("Cargo.toml", ROOT),
            ("crates/it/Cargo.toml", &member),
            (DEPENDENCIES, REASONS),
        ])))
    }

    #[test]
    fn what_the_table_lists_passes() {
        let tables = "[dependencies]\nim.workspace = true\n[dev-dependencies]\ninsta = \"1\"\n\
            tokio = { version = \"1\", features = [\"full\"] }\n";
        assert_eq!(found("foundation-logic", tables), [""; 0]);
        let sync = "[dependencies]\ntokio = { workspace = true, features = [\"sync\"] }\n";
        assert_eq!(found("foundation-store", sync), [""; 0]);
        let all = "[dependencies]\ntokio = { workspace = true, features = [\"full\"] }\n";
        assert_eq!(found("foundation-services", all), [""; 0]);
    }

    #[test]
    fn what_the_table_does_not_list_is_caught() {
        for (package, tables) in [
            ("foundation-logic", "[dependencies]\ntokio.workspace = true\n"),
            ("foundation-logic", "[build-dependencies]\ninsta = \"1\"\n"),
            ("foundation-logic", "[target.'cfg(unix)'.dependencies]\nx.package = \"tokio\"\n"),
            ("foundation-logic", "[dependencies]\nim = \"15\"\n"),
            ("foundation", "[dependencies]\nim.workspace = true\n"),
            ("xtask", "[dependencies]\nim.workspace = true\n"),
        ] {
            let found = found(package, tables);
            assert_eq!(found.len(), 1, "{tables} {found:?}");
            assert!(found[0].contains(&format!(":4: {package} may not have ")), "{found:?}");
        }
    }

    #[test]
    fn a_runtime_in_the_store_is_caught() {
        let runtime =
            "[dependencies]\ntokio = { workspace = true, features = [\"sync\", \"rt\"] }\n";
        assert_eq!(
            found("foundation-store", runtime),
            ["crates/it/Cargo.toml:4: foundation-store may not switch on tokio's rt"]
        );
    }

    #[test]
    fn a_package_without_a_row_or_without_a_reason_is_caught() {
        let tables = "[dependencies]\nserde = \"1\"\n[dev-dependencies]\nproptest = \"1\"\n";
        assert_eq!(
            found("foundation-logic", tables),
            [
                "crates/it/Cargo.toml:4: serde has no row with a reason in docs/dependencies.md",
                "crates/it/Cargo.toml:6: proptest has no row with a reason in docs/dependencies.md",
            ]
        );
    }
}
