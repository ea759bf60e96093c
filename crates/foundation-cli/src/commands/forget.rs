//! `foundation events forget` and `forgotten`: a person is forgotten, and what tells of it.

use foundation::events::Forgotten;
use foundation::node::{EventsForget, EventsForgotten};

use crate::args::{ForgetArgs, Output};
use crate::connection::Intent;
use crate::exit::Outcome;
use crate::program::Program;
use crate::render;

pub(super) async fn run(program: &mut Program, args: ForgetArgs) -> Outcome {
    let ForgetArgs { subject, actor, reason } = args;
    let done = program.ask(Intent::Change, EventsForget { subject, actor, reason }).await?;
    if !program.is_text() {
        return program.out.json(&done);
    }
    match (done.key, done.position) {
        (Some(key), Some(position)) => {
            let line = format!("forgotten: key {key} is destroyed, event at position {position}");
            program.out.text(&line)
        }
        _ => program.out.text("nothing to forget: the subject has no key"),
    }
}

pub(super) async fn list(program: &mut Program) -> Outcome {
    let all = program.ask(Intent::Read, EventsForgotten {}).await?;
    match program.global.output {
        Output::Text => all.iter().try_for_each(|one| program.out.text(&line(one))),
        Output::Json => program.out.json(&all),
        Output::Ndjson => all.iter().try_for_each(|one| program.out.json(one)),
    }
}

fn line(one: &Forgotten) -> String {
    let actor = one.actor.as_deref().map(|actor| format!(" by {}", render::one_line(actor)));
    let (actor, reason) = (actor.unwrap_or_default(), render::one_line(&one.reason));
    format!("{}  key {}{actor}: {reason}", one.at, one.key)
}
