//! `foundation events consumers`: how they are, and what an operator does about one.

use foundation::events::ConsumerAction;
use foundation::node::{ConsumerChange, ConsumerList};

use crate::args::{ConsumersArgs, Output};
use crate::connection::Intent;
use crate::exit::Outcome;
use crate::program::Program;
use crate::render;

pub(super) async fn run(program: &mut Program, args: ConsumersArgs) -> Outcome {
    let ConsumersArgs { resume, release, delete } = args;
    let change = [
        (resume, ConsumerAction::Resume, "goes on"),
        (release, ConsumerAction::Release, "holds no record of the log"),
        (delete, ConsumerAction::Delete, "is forgotten"),
    ];
    for (consumer, action, done) in change {
        let Some(consumer) = consumer else { continue };
        let done = format!("consumer {consumer} {done}");
        program.ask(Intent::Change, ConsumerChange { consumer, action }).await?;
        program.applied(done.clone());
        program.say(&done);
        return Ok(());
    }
    list(program).await
}

async fn list(program: &mut Program) -> Outcome {
    let all = program.ask(Intent::Read, ConsumerList {}).await?;
    match program.global.output {
        Output::Text => render::consumers(&all).iter().try_for_each(|line| program.out.text(line)),
        Output::Json => program.out.json(&all),
        Output::Ndjson => all.iter().try_for_each(|one| program.out.json(one)),
    }
}
