//! `foundation repair`: what can be mended of a stopped store, told first or done.

use foundation::error::Category;
use foundation::node::{MissingArchived, RepairMode, RepairOptions};
use foundation::{Error, ErrorKind};

use crate::args::RepairArgs;
use crate::connection::Owner;
use crate::exit::{Failure, Outcome};
use crate::program::Program;
use crate::render;

pub(super) async fn run(program: &mut Program, args: &RepairArgs) -> Outcome {
    let options = RepairOptions {
        mode: if args.dry_run { RepairMode::DryRun } else { RepairMode::Apply },
        missing: match args.give_up_archived {
            true => MissingArchived::GiveUp,
            false => MissingArchived::Refuse,
        },
    };
    let directory = program.global.data.clone();
    let owner = program.reach_or(async || foundation::repair(&directory, options).await).await?;
    let report = match owner {
        Owner::Us(report) => report,
        Owner::Node(_) => {
            let message =
                format!("a node serves {}: a repair needs it stopped", directory.display());
            return Err(Error::new(ErrorKind::Locked, message).into());
        }
    };
    if program.is_text() {
        for line in render::repair(&report) {
            program.out.text(&line)?;
        }
    } else {
        program.out.json(&report)?;
    }
    if report.left.is_empty() { Ok(()) } else { Err(Failure::Told(Category::Corruption)) }
}
