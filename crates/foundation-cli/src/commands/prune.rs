//! `foundation events prune`: the oldest files of the log go for good.

use foundation::node::EventsPrune;
use foundation::{Error, ErrorKind};

use crate::args::PruneArgs;
use crate::connection::Intent;
use crate::exit::Outcome;
use crate::program::Program;
use crate::render;

pub(super) async fn run(program: &mut Program, args: &PruneArgs) -> Outcome {
    if args.older_than.is_none() && args.keep.is_none() && !args.expired {
        let message = "what goes is not said: --older-than 30d, --keep 1000000, or --expired";
        return Err(Error::new(ErrorKind::InvalidArgument, message).into());
    }
    let call = EventsPrune {
        older_than_s: args.older_than.map(|age| age.as_secs()),
        keep: args.keep,
        expired: args.expired,
        force: args.force,
        dry_run: args.dry_run,
    };
    let intent = if args.dry_run { Intent::Read } else { Intent::Change };
    let report = program.ask(intent, call).await?;
    if report.applied && report.records > 0 {
        program.applied(format!("{} were let go of", render::counted(report.records, "record")));
    }
    if program.is_text() {
        return render::pruned(&report).iter().try_for_each(|line| program.out.text(line));
    }
    program.out.json(&report)
}
