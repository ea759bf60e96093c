//! `foundation checkpoint`: what is derived from the log is kept as of now.

use foundation::node::TakeCheckpoint;

use crate::connection::Intent;
use crate::exit::Outcome;
use crate::program::Program;

pub(super) async fn run(program: &mut Program) -> Outcome {
    let position = program.ask(Intent::Change, TakeCheckpoint {}).await?;
    if program.is_text() {
        return program.out.text(&format!("everything up to position {position} is in a snapshot"));
    }
    program.out.json(&position)
}
