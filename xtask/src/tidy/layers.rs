//! Dependencies point downward: no crate of the stack knows one above it.
//!
//! Tests and build scripts count, or a cycle comes in through them. So do renamed packages and
//! those of a single target.

use super::Violation;
use super::manifest::{Dependency, Kind, Manifest};
use super::tables::{FACADE, HERE, LAYERS, Layer, Reach, TOOLS};
use super::tree::Tree;

pub(crate) fn check(tree: &Tree) -> Vec<Violation> {
    tree.members().flat_map(check_member).collect()
}

fn check_member(member: &Manifest) -> Vec<Violation> {
    let Some(rank) = rank(&member.package) else {
        return if is_tool(&member.package) { Vec::new() } else { vec![unplaced(member)] };
    };
    let ours = member.dependencies.iter().filter_map(|it| wrong(rank, &LAYERS[rank], it));
    ours.map(|(line, problem, advice)| Violation::new(&member.path, line, problem, advice))
        .collect()
}

/// What is wrong with one dependency of the layer with this rank, if anything is.
fn wrong(own: usize, layer: &Layer, dependency: &Dependency) -> Option<(usize, String, String)> {
    let Dependency { package, kind, line, .. } = dependency;
    if is_tool(package) {
        let problem = format!("{} has {package} as a {kind}, which is a tool", layer.package);
        return Some((*line, problem, "what both need belongs into a crate of the stack".into()));
    }
    let other = rank(package)?;
    let allowed = match kind {
        Kind::Dev => other <= own,
        Kind::Normal | Kind::Build => other < own,
    };
    if !allowed {
        let problem = format!("{} has {package} as a {kind}, which is not below", layer.package);
        let order: Vec<&str> = LAYERS.iter().map(|layer| layer.package).collect();
        let advice = format!("move what is needed down; the order is {}", order.join(" < "));
        return Some((*line, problem, advice));
    }
    if layer.reach == Reach::Facade && *kind != Kind::Dev && package != FACADE {
        let problem = format!("{} has {package} as a {kind}, past the facade", layer.package);
        return Some((*line, problem, format!("let `{FACADE}` export what is missing")));
    }
    None
}

fn unplaced(member: &Manifest) -> Violation {
    let problem = format!("the crate {:?} has no place in the stack", member.package);
    Violation::new(&member.path, 1, problem, format!("give it one in {HERE}"))
}

/// The place in the stack, lowest first.
fn rank(package: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.package == package)
}

fn is_tool(package: &str) -> bool {
    TOOLS.iter().any(|(tool, _)| *tool == package)
}

#[cfg(test)]
mod tests {
    use super::super::tree::{places, planted};
    use super::*;

    fn found(package: &str, tables: &str) -> Vec<String> {
        let root = "[workspace.dependencies]\n\
            foundation-store.path = \"crates/foundation-store\"\n\
            state = { package = \"foundation-store\", path = \"crates/foundation-store\" }\n";
        let member = format!("[package]\nname = \"{package}\"\n{tables}\n");
        places(&check(&planted(&[("Cargo.toml", root), ("crates/it/Cargo.toml", &member)])))
    }

    #[test]
    fn what_points_downward_passes() {
        let below = "[dependencies]\nfoundation-types.path = \"../foundation-types\"\n";
        assert_eq!(found("foundation-validate", below), [""; 0]);
        let own = "[dev-dependencies]\nfoundation-logic.path = \".\"\n";
        assert_eq!(found("foundation-logic", own), [""; 0]);
        let facade = "[dependencies]\nfoundation.path = \"../foundation\"\nclap = \"4\"\n";
        assert_eq!(found("foundation-cli", facade), [""; 0]);
        assert_eq!(found("foundation-benches", facade), [""; 0]);
    }

    #[test]
    fn what_points_upward_is_caught_in_every_table_and_under_every_name() {
        for (table, kind) in [
            ("[dependencies]\nfoundation-store.workspace = true", "dependency"),
            ("[dependencies]\nstate.workspace = true", "dependency"),
            ("[dependencies]\nx = { package = \"foundation-store\", path = \"y\" }", "dependency"),
            ("[dev-dependencies]\nfoundation-store.workspace = true", "dev-dependency"),
            ("[build-dependencies]\nfoundation-store.workspace = true", "build-dependency"),
            ("[target.'cfg(unix)'.dependencies]\nfoundation-store.workspace = true", "dependency"),
            ("[target.x.dev-dependencies]\nstate.workspace = true", "dev-dependency"),
        ] {
            let expected = format!(
                "crates/it/Cargo.toml:4: foundation-logic has foundation-store as a {kind}, \
                 which is not below"
            );
            assert_eq!(found("foundation-logic", table), [expected], "{table}");
        }
    }

    #[test]
    fn the_program_reaches_the_stack_through_the_facade_only() {
        let past = "[dependencies]\nfoundation-store.workspace = true\n";
        assert_eq!(
            found("foundation-cli", past),
            ["crates/it/Cargo.toml:4: foundation-cli has foundation-store as a dependency, past \
              the facade"]
        );
        let tests = "[dev-dependencies]\nfoundation-store.workspace = true\n";
        assert_eq!(found("foundation-cli", tests), [""; 0]);
    }

    #[test]
    fn a_tool_below_and_a_crate_without_a_place_are_caught() {
        let tool = "[dev-dependencies]\nxtask.path = \"../../xtask\"\n";
        assert_eq!(found("foundation-store", tool).len(), 1);
        assert_eq!(
            found("foundation-extra", ""),
            ["crates/it/Cargo.toml:1: the crate \"foundation-extra\" has no place in the stack"]
        );
    }
}
