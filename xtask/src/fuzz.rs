//! `cargo xtask fuzz`: everything that reads bytes, read by libFuzzer with bytes that nobody wrote.
//!
//! The targets are in `fuzz/`. What a run finds on its way is kept in the build folder, so that the
//! next one goes on from there; the committed corpus is only read.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// The version of cargo-fuzz that this is tried with.
const VERSION: &str = "0.13.2";
/// Every target, with the bytes of its longest input.
const TARGETS: &[(&str, u32)] = &[
    ("frame", 512),
    ("segment", 4096),
    ("index", 512),
    ("snapshot", 2048),
    ("marks", 1280),
    ("manifest", 2048),
    ("archive", 1024),
    ("query", 4096),
    ("event", 4096),
    ("exported", 4096),
    ("config", 4096),
    ("control", 4096),
];
const SECONDS: u64 = 60;
/// An input that takes longer is a finding.
const INPUT_SECONDS_MAX: u64 = 1;
/// So is one that takes more memory.
const MEMORY_MIB_MAX: u64 = 512;
/// Memory that is given back is held this long, in MiB, so that its use is seen; by default it is
/// half of the limit.
const SANITIZER: &str = "quarantine_size_mb=32";

struct Plan<'a> {
    targets: Vec<&'a (&'a str, u32)>,
    seconds: u64,
    /// Whether it is no failure that cargo-fuzz is missing.
    if_installed: bool,
}

/// Runs the targets that the words name, or all.
///
/// # Errors
/// What was found, that cargo-fuzz is missing, or how the words should be.
pub(crate) fn run(root: &Path, words: &[&str]) -> Result<(), String> {
    let plan = plan(words)?;
    if !is_installed() {
        let missing = format!(
            "cargo-fuzz is not installed: run `cargo install cargo-fuzz --version {VERSION} --locked`"
        );
        if plan.if_installed {
            println!("SKIPPED fuzz: {missing}");
            return Ok(());
        }
        return Err(missing);
    }
    let mut findings = 0;
    for (target, input_bytes_max) in plan.targets {
        let Figure { runs, seconds, findings: found } =
            measure(root, target, *input_bytes_max, plan.seconds)?;
        println!("{target}: {runs} runs in {seconds} s, findings {found}");
        findings += found;
    }
    match findings {
        0 => Ok(()),
        _ => Err(format!(
            "{findings} findings in fuzz/artifacts/; to repeat one, in fuzz/: \
             cargo run --release --bin smash -- TARGET FILE"
        )),
    }
}

fn plan<'a>(words: &[&str]) -> Result<Plan<'a>, String> {
    let names = || TARGETS.iter().map(|(name, _)| *name).collect::<Vec<_>>().join("|");
    let usage = || format!("usage: cargo xtask fuzz [{}] [--seconds N] [--if-installed]", names());
    let mut plan = Plan { targets: Vec::new(), seconds: SECONDS, if_installed: false };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match *word {
            "--if-installed" => plan.if_installed = true,
            "--seconds" => {
                let seconds = words.next().and_then(|number| number.parse().ok());
                plan.seconds = seconds.filter(|seconds| *seconds > 0).ok_or_else(usage)?;
            }
            name => {
                let target = TARGETS.iter().find(|(one, _)| *one == name);
                plan.targets.push(target.ok_or_else(usage)?);
            }
        }
    }
    if plan.targets.is_empty() {
        plan.targets = TARGETS.iter().collect();
    }
    Ok(plan)
}

/// Asked without starting anything that could install it.
fn is_installed() -> bool {
    let asked = Command::new("cargo-fuzz")
        .args(["fuzz", "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    asked.is_ok_and(|status| status.success())
}

struct Figure {
    runs: u64,
    seconds: u64,
    findings: u64,
}

fn measure(root: &Path, target: &str, bytes_max: u32, seconds: u64) -> Result<Figure, String> {
    let folder = build_folder(root);
    let found = folder.join("corpus").join(target);
    std::fs::create_dir_all(&found).map_err(|cause| format!("{}: {cause}", found.display()))?;
    let mut child = Command::new("cargo")
        .args(["fuzz", "run", "--features", "libfuzzer", "--target-dir"])
        .arg(&folder)
        .arg(target)
        .arg(&found)
        .arg(root.join("fuzz/corpus").join(target))
        .arg("--")
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-max_len={bytes_max}"))
        .arg(format!("-timeout={INPUT_SECONDS_MAX}"))
        .arg(format!("-rss_limit_mb={MEMORY_MIB_MAX}"))
        .arg("-print_final_stats=1")
        .current_dir(root)
        // Sanitizers are not stable; the compiler has them all the same.
        .env("RUSTC_BOOTSTRAP", "1")
        .env("ASAN_OPTIONS", sanitizer())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|cause| format!("cannot run cargo fuzz: {cause}"))?;
    let (mut runs, mut began, mut last_lines) = (None, None, Vec::new());
    let output = child.stderr.take().map(BufReader::new);
    for line in output.into_iter().flat_map(BufRead::lines).map_while(Result::ok) {
        runs = runs_in(&line).or(runs);
        began = began.or_else(|| line.starts_with("INFO: Seed:").then(Instant::now));
        last_lines.push(line);
        if last_lines.len() > 40 {
            last_lines.remove(0);
        }
    }
    let status = child.wait().map_err(|cause| cause.to_string())?;
    // Building came before.
    let seconds = began.map_or(0, |began: Instant| began.elapsed().as_secs());
    match (status.success(), runs) {
        (true, Some(runs)) => Ok(Figure { runs, seconds, findings: 0 }),
        (false, Some(runs)) => {
            eprintln!("{}", last_lines.join("\n"));
            Ok(Figure { runs, seconds, findings: 1 })
        }
        _ => Err(format!("{target} was not run: {status}\n{}", last_lines.join("\n"))),
    }
}

/// Whoever calls may have options of their own.
fn sanitizer() -> String {
    match std::env::var("ASAN_OPTIONS") {
        Ok(own) if !own.is_empty() => format!("{SANITIZER}:{own}"),
        _ => SANITIZER.to_owned(),
    }
}

/// The runs that a line of the last figures tells of.
fn runs_in(line: &str) -> Option<u64> {
    line.strip_prefix("stat::number_of_executed_units:")?.trim().parse().ok()
}

/// Apart from all other builds: everything is built with a sanitizer here.
fn build_folder(root: &Path) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or(root.join("target"), PathBuf::from);
    target.join("libfuzzer")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_name_targets_and_seconds() {
        let all = plan(&[]).map(|plan| (plan.targets.len(), plan.seconds, plan.if_installed));
        assert_eq!(all, Ok((TARGETS.len(), SECONDS, false)));
        let one = plan(&["index", "--seconds", "5", "--if-installed"]);
        let one = one.map(|plan| (plan.targets[0].0, plan.seconds, plan.if_installed));
        assert_eq!(one, Ok(("index", 5, true)));
        for wrong in [&["everything"][..], &["--seconds"], &["--seconds", "0"], &["--second", "1"]]
        {
            assert!(plan(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn the_number_of_runs_is_in_the_last_figures() {
        assert_eq!(runs_in("stat::number_of_executed_units: 1234567"), Some(1_234_567));
        assert_eq!(runs_in("#8192 pulse  cov: 1234 ft: 99"), None);
    }

    #[test]
    fn the_targets_are_those_that_there_are() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("has a parent");
        let manifest = std::fs::read_to_string(root.join("fuzz/Cargo.toml")).expect("reads");
        let listed = std::fs::read_to_string(root.join("fuzz/src/targets.rs")).expect("reads");
        assert_eq!(manifest.matches("fuzz_targets/").count(), TARGETS.len());
        // However its lines are broken.
        let listed = listed.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(listed.matches("Target { name: ").count(), TARGETS.len());
        for (name, bytes) in TARGETS {
            assert!(manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")), "{name}");
            let same = format!("input_bytes_max: {bytes}");
            let mut targets = listed.split("Target { ").map(|target| target.split('}').next());
            let target = targets.find_map(|target| {
                target.filter(|target| target.starts_with(&format!("name: \"{name}\"")))
            });
            let said = target.map(|target| target.trim_end_matches([' ', ',']));
            assert!(said.is_some_and(|said| said.ends_with(&same)), "{name}");
        }
    }
}
