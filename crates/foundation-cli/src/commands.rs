//! The commands, one file a noun.

mod append;
mod archive;
mod backup;
mod check;
mod checkpoint;
mod config;
mod consumers;
mod demo;
mod dump;
mod events;
mod export;
mod follow;
mod forget;
mod import;
mod input;
mod lines;
mod metrics;
mod parked;
mod processes;
mod projections;
mod prune;
mod repair;
mod replay;
mod secrets;
mod serve;
mod signals;
mod status;
mod table;
mod verify;
mod watch;

use crate::args::{Command, MetricsVerb};
use crate::exit::Outcome;
use crate::logging;
use crate::program::Program;
use foundation::config::LogLevel;

/// Does what was typed.
pub(crate) async fn run(program: &mut Program, command: Command) -> Outcome {
    if !matches!(command, Command::Serve(_)) {
        let level = if program.global.quiet { LogLevel::Error } else { LogLevel::Warn };
        logging::start(level, None);
    }
    match command {
        Command::Serve(args) => serve::run(program, &args).await,
        Command::Status => status::run(program).await,
        Command::Config(verb) => config::run(program, verb).await,
        Command::Events(verb) => events::run(program, verb).await,
        Command::Table(verb) => table::run(program, verb).await,
        Command::Metrics(MetricsVerb::Show { prefix }) => {
            metrics::show(program, prefix.as_deref().unwrap_or("")).await
        }
        Command::Checkpoint => checkpoint::run(program).await,
        Command::Dump { directory } => dump::run(program, &directory).await,
        Command::Verify(args) => verify::run(program, &args).await,
        Command::Backup { directory } => backup::run(program, &directory).await,
        Command::Restore(args) => backup::restore(program, args).await,
        Command::Repair(args) => repair::run(program, &args).await,
        Command::Replay(args) => replay::run(program, args).await,
    }
}
