//! `foundation verify`: reads everything, writes nothing.

use std::time::Instant;

use foundation::error::Category;
use foundation::node::{Verify, VerifyOptions};

use crate::args::VerifyArgs;
use crate::connection::Owner;
use crate::exit::{Failure, Outcome};
use crate::program::Program;
use crate::render;

pub(super) async fn run(program: &mut Program, args: &VerifyArgs) -> Outcome {
    let directory = program.global.data.clone();
    let bytes_per_second = args.rate;
    let options = VerifyOptions { bytes_per_second };
    let started = Instant::now();
    let owner =
        program.reach_or(async || foundation::verify_directory(&directory, options)).await?;
    let report = match owner {
        Owner::Node(mut node) => node.call(Verify { bytes_per_second }).await?,
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
