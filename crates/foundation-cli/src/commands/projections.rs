//! `foundation events projections`: how far each of them is.

use foundation::node::ProjectionList;

use crate::args::Output;
use crate::connection::Intent;
use crate::exit::Outcome;
use crate::program::Program;
use crate::render;

pub(super) async fn run(program: &mut Program) -> Outcome {
    let all = program.ask(Intent::Read, ProjectionList {}).await?;
    match program.global.output {
        Output::Text => {
            render::projections(&all).iter().try_for_each(|line| program.out.text(line))
        }
        Output::Json => program.out.json(&all),
        Output::Ndjson => all.iter().try_for_each(|one| program.out.json(one)),
    }
}
