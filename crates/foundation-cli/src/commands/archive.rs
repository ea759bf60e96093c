//! `foundation events archive …`: the oldest files of the log, compressed and read as before.

use std::time::Instant;

use foundation::error::Category;
use foundation::node::{ArchiveEvents, ArchiveList, ArchiveRestore, ArchiveVerify};
use foundation::{Error, ErrorKind};

use crate::args::{ArchiveArgs, ArchiveVerb};
use crate::connection::Intent;
use crate::exit::{Failure, Outcome};
use crate::program::Program;
use crate::render;

pub(super) async fn run(program: &mut Program, args: ArchiveArgs) -> Outcome {
    match args.verb {
        None => go(program, &args).await,
        Some(ArchiveVerb::List) => list(program).await,
        Some(ArchiveVerb::Verify) => verify(program).await,
        Some(ArchiveVerb::Restore) => restore(program).await,
    }
}

async fn go(program: &mut Program, args: &ArchiveArgs) -> Outcome {
    if args.older_than.is_none() && args.keep_segments.is_none() {
        let message = "which files go is not said: --older-than 30d, or --keep-segments 4";
        return Err(Error::new(ErrorKind::InvalidArgument, message).into());
    }
    let call = ArchiveEvents {
        older_than_s: args.older_than.map(|age| age.as_secs()),
        keep_segments: args.keep_segments,
        dry_run: args.dry_run,
    };
    let intent = if args.dry_run { Intent::Read } else { Intent::Change };
    let report = program.ask(intent, call).await?;
    if report.applied && !report.segments.is_empty() {
        program.applied(format!("{} went to the archive", render::segments(&report)));
    }
    if program.is_text() {
        return program.out.text(&render::archived(&report));
    }
    program.out.json(&report)
}

async fn list(program: &mut Program) -> Outcome {
    let rows = program.ask(Intent::Read, ArchiveList {}).await?;
    if program.is_text() {
        return render::archive(&rows).iter().try_for_each(|line| program.out.text(line));
    }
    program.out.json(&rows)
}

async fn verify(program: &mut Program) -> Outcome {
    let started = Instant::now();
    let report = program.ask(Intent::Read, ArchiveVerify {}).await?;
    if program.is_text() {
        for line in render::verification(&report, started.elapsed()) {
            program.out.text(&line)?;
        }
    } else {
        program.out.json(&report)?;
    }
    if report.damaged { Err(Failure::Told(Category::Corruption)) } else { Ok(()) }
}

async fn restore(program: &mut Program) -> Outcome {
    let report = program.ask(Intent::Change, ArchiveRestore {}).await?;
    if !report.segments.is_empty() {
        program.applied(format!("{} came back from the archive", render::segments(&report)));
    }
    if program.is_text() {
        return program.out.text(&render::restored(&report));
    }
    program.out.json(&report)
}
