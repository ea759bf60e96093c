//! `foundation dump DIR`: the whole state as one file of JSON.

use std::path::Path;

use foundation::node::TakeDump;
use foundation::{Error, ErrorKind, Result};

use crate::connection::Intent;
use crate::exit::Outcome;
use crate::program::Program;
use crate::render;

pub(super) async fn run(program: &mut Program, directory: &Path) -> Outcome {
    let call = TakeDump { directory: absolute(directory)? };
    let report = program.ask(Intent::Read, call).await?;
    if program.is_text() {
        let (path, size) = (report.path.display(), render::bytes(report.bytes));
        return program.out.text(&format!("{path}  {size} as of position {}", report.position));
    }
    program.out.json(&report)
}

/// The directory as a node finds it that runs elsewhere.
pub(super) fn absolute(directory: &Path) -> Result<std::path::PathBuf> {
    std::path::absolute(directory).map_err(|cause| {
        let message = format!("{:?} is no directory: {cause}", directory.display());
        Error::new(ErrorKind::InvalidArgument, message).caused_by(cause)
    })
}
