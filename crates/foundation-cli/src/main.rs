//! The program `foundation`: the services of a store, operated from a terminal.
//!
//! It knows the facade and nothing below it. A command is written once, against a
//! [`connection::Connection`], and works alike on a directory and against the node that serves it.
//! Data goes to standard output, talk to standard error.

#![forbid(unsafe_code)]

mod args;
mod commands;
mod connection;
mod exit;
mod logging;
mod program;
mod render;

use std::process::ExitCode;

use exit::Failure;
use foundation::{Error, ErrorKind};
use program::Program;

fn main() -> ExitCode {
    let arguments = match args::parse(std::env::args_os().collect()) {
        Ok(arguments) => arguments,
        Err(code) => return code,
    };
    let mut program = Program::new(arguments.global);
    let command = arguments.command;
    let changes = command.changes();
    let outcome = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => {
            let outcome = runtime.block_on(commands::run(&mut program, command));
            // Whatever has to be waited for was waited for.
            runtime.shutdown_background();
            outcome
        }
        Err(cause) => {
            let message = format!("cannot start the runtime: {cause}");
            Err(Failure::from(Error::new(ErrorKind::Unavailable, message)))
        }
    };
    program.finish(outcome, changes)
}
