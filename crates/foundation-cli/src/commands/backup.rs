//! `foundation backup` and `foundation restore`: a copy of the store, and back again.

use std::path::Path;

use foundation::node::{BackupReport, RestoreOptions, RestoreReport, TakeBackup};
use foundation::{ErrorKind, Position, Result};
use tokio::time::{Instant, sleep};

use super::dump::absolute;
use crate::args::RestoreArgs;
use crate::connection::{Owner, RETRY};
use crate::exit::Outcome;
use crate::program::Program;
use crate::render;

pub(super) async fn run(program: &mut Program, directory: &Path) -> Outcome {
    let (store, directory) = (program.global.data.clone(), absolute(directory)?);
    let owner =
        program.reach_or(async || foundation::backup_directory(&store, &directory).await).await?;
    let report: BackupReport = match owner {
        Owner::Node(mut node) => node.call(TakeBackup { directory }).await?,
        Owner::Us(report) => report,
    };
    program.applied(format!("the backup is in {}", report.directory.display()));
    if !program.is_text() {
        return program.out.json(&report);
    }
    let (files, bytes) = (render::counted(report.files, "file"), render::bytes(report.bytes));
    let place = report.directory.display();
    program.out.text(&format!("{place}  {files}, {bytes} as of position {}", report.position))
}

pub(super) async fn restore(program: &mut Program, args: RestoreArgs) -> Outcome {
    let report = restored(program, args).await?;
    let kept =
        report.replaced.as_ref().map(|kept| format!(", and what was there {}", kept.display()));
    let kept = kept.unwrap_or_default();
    program.applied(format!("the restored store is {}{kept}", report.directory.display()));
    if !program.is_text() {
        return program.out.json(&report);
    }
    let (place, files) = (report.directory.display(), render::counted(report.files, "file"));
    let bytes = render::bytes(report.bytes);
    program.out.text(&format!(
        "{place}  position {}, epoch {}, of {files}, {bytes}",
        report.position, report.epoch
    ))?;
    match report.replaced {
        Some(kept) => program.out.text(&format!("what was there is kept as {}", kept.display())),
        None => Ok(()),
    }
}

async fn restored(program: &Program, args: RestoreArgs) -> Result<RestoreReport> {
    let RestoreArgs { backup, until, allow_rollback, replace } = args;
    let until = until.map(Position::from_engine);
    let options = RestoreOptions { until, allow_rollback, replace };
    let end = Instant::now() + program.global.lock_timeout;
    loop {
        match foundation::restore(&backup, &program.global.data, options) {
            Err(error) if error.kind() == ErrorKind::Locked && Instant::now() < end => {
                sleep(RETRY).await;
            }
            outcome => return outcome,
        }
    }
}
