//! A fuzzer that needs nothing but cargo: a loop that changes what is in the corpus and runs it.
//!
//! It is blind where libFuzzer sees which branches were taken; what the targets know of the format
//! makes up for a part of that.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it talks to people at a terminal")]

use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use fuzz::{TARGETS, Target};

const USAGE: &str = "usage: smash TARGET [--seconds N] [--seed N]
       smash TARGET FILE    runs one input
       smash seeds          writes the inputs that the targets begin with into the corpus";

/// Findings after which there is enough to look at.
const FINDINGS_MAX: u64 = 5;
/// An input that takes longer is a finding.
const SLOW: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["seeds"] => TARGETS.iter().try_for_each(write_seeds).map(|()| 0),
        [name, file] if !file.starts_with("--") => target(name).and_then(|target| {
            (target.run)(&std::fs::read(file).map_err(|cause| format!("{file}: {cause}"))?);
            Ok(0)
        }),
        [name, rest @ ..] => target(name).and_then(|target| smash(target, rest)),
        [] => Err(USAGE.to_owned()),
    };
    match outcome {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::from(2)
        }
    }
}

fn target(name: &str) -> Result<&'static Target, String> {
    let names = || TARGETS.iter().map(|one| one.name).collect::<Vec<_>>().join(", ");
    let found = TARGETS.iter().find(|one| one.name == name);
    found.ok_or_else(|| format!("no target {name:?}; there are {}\n{USAGE}", names()))
}

fn corpus(target: &Target) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target.name)
}

fn write_seeds(target: &Target) -> Result<(), String> {
    let folder = corpus(target);
    let write = || {
        std::fs::create_dir_all(&folder)?;
        (target.seeds)().iter().enumerate().try_for_each(|(number, seed)| {
            std::fs::write(folder.join(format!("seed-{number:03}")), seed)
        })
    };
    write().map_err(|cause: std::io::Error| format!("{}: {cause}", folder.display()))
}

/// Runs changed inputs for as long as the words say; gives the number of findings.
fn smash(target: &'static Target, words: &[&str]) -> Result<u64, String> {
    let (mut seconds, mut seed) = (60, u64::from(std::process::id()));
    for pair in words.chunks(2) {
        match pair {
            ["--seconds", number] => seconds = number.parse().map_err(|_| USAGE)?,
            ["--seed", number] => seed = number.parse().map_err(|_| USAGE)?,
            _ => return Err(USAGE.to_owned()),
        }
    }
    let inputs = read_corpus(target)?;
    let mut dice = Dice(seed | 1);
    let (began, mut runs, mut findings) = (Instant::now(), 0_u64, 0);
    while began.elapsed() < Duration::from_secs(seconds) && findings < FINDINGS_MAX {
        let input = mutated(&inputs, target.input_bytes_max, &mut dice);
        let run_began = Instant::now();
        let panicked = catch_unwind(|| (target.run)(&input)).is_err();
        runs += 1;
        if panicked || run_began.elapsed() > SLOW {
            findings += 1;
            let what = if panicked { "panic" } else { "slow" };
            println!("{}: {what}, kept in {}", target.name, keep(target, &input, runs)?.display());
        }
    }
    let took = began.elapsed().as_secs();
    println!("{}: {runs} runs in {took} s, findings {findings} (seed {seed})", target.name);
    Ok(findings)
}

fn read_corpus(target: &Target) -> Result<Vec<Vec<u8>>, String> {
    let mut inputs = (target.seeds)();
    if let Ok(files) = std::fs::read_dir(corpus(target)) {
        let mut paths: Vec<PathBuf> = files.flatten().map(|file| file.path()).collect();
        paths.sort();
        for path in paths {
            inputs.push(std::fs::read(&path).map_err(|cause| cause.to_string())?);
        }
    }
    Ok(inputs)
}

fn keep(target: &Target, input: &[u8], run: u64) -> Result<PathBuf, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("artifacts").join(target.name);
    let path = folder.join(format!("smash-{run}"));
    let write = || std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(&path, input));
    write().map_err(|cause| format!("{}: {cause}", path.display()))?;
    Ok(path)
}

/// An input of the corpus with a few changes, perhaps with the end of another one.
fn mutated(inputs: &[Vec<u8>], bytes_max: usize, dice: &mut Dice) -> Vec<u8> {
    let mut input = dice.of(inputs).cloned().unwrap_or_default();
    for _ in 0..=dice.below(4) {
        let at = dice.below(input.len() as u64 + 1) as usize;
        match dice.below(8) {
            0 => input.truncate(at),
            1 => input.insert(at, dice.byte()),
            2 => {
                let bytes: Vec<u8> = (0..dice.below(16)).map(|_| dice.byte()).collect();
                input.splice(at..at, bytes);
            }
            3 => {
                let other = dice.of(inputs).cloned().unwrap_or_default();
                let from = dice.below(other.len() as u64 + 1) as usize;
                input.truncate(at);
                input.extend_from_slice(&other[from..]);
            }
            4 => {
                let end = (at + dice.below(16) as usize).min(input.len());
                input.drain(at..end);
            }
            5 => {
                let from = dice.below(input.len() as u64 + 1) as usize;
                let end = (from + dice.below(32) as usize).min(input.len());
                let stretch = input[from..end].to_vec();
                input.splice(at..at, stretch);
            }
            6 => input.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << dice.below(8)),
            _ => input.iter_mut().skip(at).take(1).for_each(|byte| *byte = dice.byte()),
        }
    }
    input.truncate(bytes_max);
    input
}

/// Pseudo-random numbers (xorshift) that a seed repeats.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    /// Bytes that mean something more often than others.
    fn byte(&mut self) -> u8 {
        match self.below(4) {
            0 => [0, 1, 2, 3, 0x7f, 0x80, 0xfe, 0xff][self.below(8) as usize],
            _ => self.next() as u8,
        }
    }

    fn of<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        all.get(self.below(all.len() as u64) as usize)
    }
}
