//! The whole run: every stage of every engine, one process after the other.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use crate::Outcome;
use crate::engine::ENGINES;
use crate::process::peak_bytes;
use crate::sample::ROUND;
use crate::stages::{Stage, append, bulk, drop, query, reopen};
use crate::table::{self, Figure};

/// The word that makes the program a child of itself.
pub(crate) const CHILD: &str = "child";
/// How often everything is measured unless said.
const ROUNDS: u64 = 3;

/// What is run.
#[derive(Debug)]
pub(crate) struct Options {
    events: u64,
    rounds: u64,
    dir: PathBuf,
    only: Option<String>,
}

impl Options {
    pub(crate) fn read(words: &[&str]) -> Outcome<Self> {
        let program = std::env::current_exe()?;
        let beside = program.parent().unwrap_or(Path::new(".")).join("compare-stores");
        let mut options = Self { events: 1_000_000, rounds: ROUNDS, dir: beside, only: None };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let value = words.next().ok_or_else(|| format!("{word} needs a value"))?;
            match *word {
                "--events" => options.events = value.parse()?,
                "--rounds" => options.rounds = value.parse()?,
                "--dir" => options.dir = PathBuf::from(value).join("compare-stores"),
                "--only" if ENGINES.contains(value) => options.only = Some((*value).to_owned()),
                _ => return Err(format!("{word} {value} is not known").into()),
            }
        }
        if options.events == 0 || !options.events.is_multiple_of(ROUND) {
            return Err(format!("the events have to be a multiple of {ROUND}").into());
        }
        if options.rounds == 0 {
            return Err("at least one round is needed".into());
        }
        Ok(options)
    }
}

/// One stage, in the process that was started for it.
///
/// # Errors
/// What failed, or what the engine did wrong.
pub(crate) fn child(stage: &str, engine: &str, dir: &str, events: &str) -> Outcome<()> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build()?;
    let about = Stage {
        engine: engine.to_owned(),
        dir: PathBuf::from(dir),
        events: events.parse()?,
        runtime: Arc::new(runtime),
    };
    match stage {
        "append" => append::run(&about),
        "bulk" => bulk::run(&about),
        "fill" => bulk::fill(&about),
        "reopen" => reopen::run(&about),
        "query" => query::run(&about),
        "drop" => drop::run(&about),
        other => Err(format!("there is no stage {other:?}").into()),
    }
}

/// Everything, in rounds, so that a moment of other load does not fall upon one engine alone.
///
/// # Errors
/// Which stage of which engine failed.
pub(crate) fn all(options: &Options) -> Outcome<()> {
    // Stores of a run that was broken off.
    let _ = std::fs::remove_dir_all(&options.dir);
    std::fs::create_dir_all(&options.dir)?;
    let mut figures = Vec::new();
    for round in 1..=options.rounds {
        eprintln!("round {round} of {}", options.rounds);
        for engine in ENGINES {
            if options.only.as_deref().is_none_or(|only| only == engine) {
                figures.extend(engine_figures(options, engine)?);
            }
        }
    }
    let figures = table::best(&figures);
    std::fs::remove_dir_all(&options.dir)?;
    println!("about\tevents\t{}", options.events);
    println!("about\trounds\t{}", options.rounds);
    figures.iter().for_each(|figure| println!("{}", figure.line()));
    println!("{}", table::of(&figures));
    Ok(())
}

fn engine_figures(options: &Options, engine: &'static str) -> Outcome<Vec<Figure>> {
    let run = Run { options, engine };
    let mut figures = run.stage("append", "append")?;
    run.forget("append")?;

    let (killed, peak) = run.fill_and_kill()?;
    figures.push(run.figure("write_peak_mib", peak));
    figures.push(run.figure("reopen_kill_ms", killed));
    run.forget("killed")?;

    figures.extend(run.stage("bulk", "large")?);
    figures.push(run.figure("reopen_clean_ms", run.one("reopen", "large")?));
    figures.extend(run.stage("query", "large")?);
    figures.extend(run.stage("drop", "large")?);
    run.forget("large")?;
    Ok(figures)
}

/// The stages of one engine.
struct Run<'a> {
    options: &'a Options,
    engine: &'static str,
}

impl Run<'_> {
    fn figure(&self, metric: &str, value: f64) -> Figure {
        Figure { metric: metric.to_owned(), engine: self.engine.to_owned(), value }
    }

    fn dir(&self, store: &str) -> PathBuf {
        self.options.dir.join(format!("{}-{store}", self.engine))
    }

    fn forget(&self, store: &str) -> Outcome<()> {
        Ok(std::fs::remove_dir_all(self.dir(store))?)
    }

    fn start(&self, stage: &str, store: &str) -> Outcome<Child> {
        eprintln!("{} {stage}", self.engine);
        let child = Command::new(std::env::current_exe()?)
            .args([CHILD, stage, self.engine])
            .arg(self.dir(store))
            .arg(self.options.events.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        Ok(child)
    }

    /// Runs a stage and gives its figures.
    fn stage(&self, stage: &str, store: &str) -> Outcome<Vec<Figure>> {
        let output = self.start(stage, store)?.wait_with_output()?;
        if !output.status.success() {
            return Err(format!("{} {stage}: {}", self.engine, output.status).into());
        }
        let mut figures = Vec::new();
        for line in String::from_utf8(output.stdout)?.lines() {
            let (metric, value) = line.split_once(' ').ok_or("a line without a figure")?;
            eprintln!("    {metric} {value}");
            figures.push(self.figure(metric, value.parse()?));
        }
        Ok(figures)
    }

    /// Runs a stage that has one figure.
    fn one(&self, stage: &str, store: &str) -> Outcome<f64> {
        let figures = self.stage(stage, store)?;
        Ok(figures.first().ok_or("a stage without a figure")?.value)
    }

    /// Has a child fill a store, kills it, and opens that store; tells how long the opening took,
    /// and the memory that the child had.
    fn fill_and_kill(&self) -> Outcome<(f64, f64)> {
        let mut child = self.start("fill", "killed")?;
        let mut line = String::new();
        let output = child.stdout.take().ok_or("no output")?;
        BufReader::new(output).read_line(&mut line)?;
        let peak = peak_bytes(child.id());
        child.kill()?;
        child.wait()?;
        if line != "filled\n" {
            return Err(format!("{} fill ended by itself", self.engine).into());
        }
        Ok((self.one("reopen", "killed")?, peak? as f64 / f64::from(1 << 20)))
    }
}
