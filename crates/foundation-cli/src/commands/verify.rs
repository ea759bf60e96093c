//! `foundation verify`: reads everything, writes nothing.

use std::time::Instant;

use foundation::error::Category;
use foundation::node::Verify;

use crate::connection::Owner;
use crate::exit::{Failure, Outcome};
use crate::program::Program;
use crate::render;

pub(super) async fn run(program: &mut Program) -> Outcome {
    let directory = program.global.data.clone();
    let started = Instant::now();
    let owner = program.reach_or(async || foundation::verify_directory(&directory)).await?;
    let report = match owner {
        Owner::Node(mut node) => node.call(Verify {}).await?,
        Owner::Us(report) => report,
    };
    if program.is_text() {
        for line in render::verification(&report, started.elapsed()) {
            program.out.text(&line)?;
        }
    } else {
        program.out.json(&report)?;
    }
    if report.damaged { Err(Failure::Told(Category::Corruption)) } else { Ok(()) }
}
