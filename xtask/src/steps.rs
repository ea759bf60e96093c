//! `cargo xtask test`: all that has to be green, step by step, each with the time it took.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use crate::tidy;

/// The workspace of a user who takes values alone, and must not get a runtime with them.
const VALUES: &str = "tests/users/values/Cargo.toml";

/// Packages that run tasks or wait for devices. None may come in with the pure crates.
const RUNTIMES: &[&str] =
    &["async-executor", "async-std", "futures-executor", "mio", "polling", "smol", "tokio"];

/// One thing that has to succeed.
struct Step {
    /// Words after `cargo`; also what a person types to repeat the step.
    words: &'static [&'static str],
    /// An environment variable that the step needs.
    variable: Option<(&'static str, &'static str)>,
    action: Action,
}

enum Action {
    /// The words are a command.
    Command,
    /// The checks of this program, without starting it again.
    Tidy,
    /// The command prints the packages of a tree, and none of them is a runtime.
    NoRuntime,
}

const STEPS: &[Step] = &[
    command(&["fmt", "--all", "--check"]),
    command(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]),
    Step { words: &["xtask", "tidy"], variable: None, action: Action::Tidy },
    command(&["test", "--workspace"]),
    Step {
        words: &["doc", "--workspace", "--no-deps"],
        variable: Some(("RUSTDOCFLAGS", "-D warnings")),
        action: Action::Command,
    },
    Step {
        words: &["tree", "--manifest-path", VALUES, "--edges", "normal,build", "--prefix", "none"],
        variable: None,
        action: Action::NoRuntime,
    },
    command(&["run", "--manifest-path", VALUES]),
    command(&["run", "--manifest-path", "tests/users/service/Cargo.toml"]),
    // Beside the workspace, so that nobody builds them who does not want to; kept building here.
    command(&["test", "--manifest-path", "fuzz/Cargo.toml"]),
    command(&["check", "--manifest-path", "benches/compare/Cargo.toml"]),
];

const fn command(words: &'static [&'static str]) -> Step {
    Step { words, variable: None, action: Action::Command }
}

/// Runs every step in the workspace at `root`, and stops at the first that fails.
///
/// # Errors
/// Which step failed, why, and the command that repeats it.
pub(crate) fn run(root: &Path) -> Result<(), String> {
    let began = Instant::now();
    for (index, step) in STEPS.iter().enumerate() {
        println!("[{}/{}] {}", index + 1, STEPS.len(), step.shown());
        let step_began = Instant::now();
        step.run(root).map_err(|reason| format!("{reason}\nto repeat it: {}", step.shown()))?;
        println!("[{}/{}] ok, {:.1} s", index + 1, STEPS.len(), step_began.elapsed().as_secs_f64());
    }
    println!("all {} steps passed in {:.1} s", STEPS.len(), began.elapsed().as_secs_f64());
    Ok(())
}

impl Step {
    /// The step as a person types it.
    fn shown(&self) -> String {
        let variable =
            self.variable.map(|(name, value)| format!("{name}=\"{value}\" ")).unwrap_or_default();
        format!("{variable}cargo {}", self.words.join(" "))
    }

    fn run(&self, root: &Path) -> Result<(), String> {
        match self.action {
            Action::Command => self.succeed(root),
            Action::Tidy => tidy::run(root),
            Action::NoRuntime => no_runtime(&self.output(root)?),
        }
    }

    fn command(&self, root: &Path) -> Command {
        // Cargo names itself, so that all steps use the toolchain that this one was started with.
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command.args(self.words).current_dir(root).envs(self.variable);
        // The workspaces of users take what this one has built already.
        command.envs(build_folder().map(|folder| ("CARGO_TARGET_DIR", folder)));
        command
    }

    fn succeed(&self, root: &Path) -> Result<(), String> {
        let status = self.command(root).status().map_err(|error| error.to_string())?;
        if status.success() { Ok(()) } else { Err(format!("the step failed: {status}")) }
    }

    fn output(&self, root: &Path) -> Result<String, String> {
        let output = self.command(root).output().map_err(|error| error.to_string())?;
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        } else {
            let reason = String::from_utf8_lossy(&output.stderr);
            Err(format!("the step failed: {}\n{reason}", output.status))
        }
    }
}

/// The folder that this program was built into: it is `FOLDER/debug/xtask`.
fn build_folder() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    program.ancestors().nth(2).map(Path::to_path_buf)
}

/// Whether a tree, one package a line with its name first, is free of runtimes.
fn no_runtime(tree: &str) -> Result<(), String> {
    let packages: Vec<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    let runtime = packages.iter().find(|package| RUNTIMES.contains(package));
    match runtime {
        Some(runtime) => Err(format!("{runtime} came in with the pure crates")),
        None if packages.contains(&"foundation-logic") => Ok(()),
        None => Err("the tree does not contain foundation-logic: nothing was checked".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runtime_in_the_tree_is_caught_and_an_empty_tree_too() {
        assert_eq!(
            no_runtime("values v0.1.0 (/x)\nfoundation-logic v0.1.0\nserde v1.0.0\n"),
            Ok(())
        );
        let with = no_runtime("values v0.1.0\nfoundation-logic v0.1.0\ntokio v1.50.0\n");
        assert_eq!(with, Err("tokio came in with the pure crates".to_owned()));
        assert!(no_runtime("").is_err());
    }

    #[test]
    fn a_step_is_shown_as_it_is_typed() {
        let shown: Vec<String> = STEPS.iter().map(Step::shown).collect();
        assert!(
            shown.contains(&"RUSTDOCFLAGS=\"-D warnings\" cargo doc --workspace --no-deps".into())
        );
    }
}
