//! `foundation config conflicts` and `config resolve`: what waits for somebody to decide.

use foundation::node::{ConfigConflicts, ConfigResolve, Put, Take};
use foundation::{Error, ErrorKind, Path, Result, parse};

use super::{actor, changed, expected, lines};
use crate::args::{ConflictsArgs, Output, ResolveArgs};
use crate::connection::Intent;
use crate::exit::Outcome;
use crate::program::Program;
use crate::render;

pub(super) async fn list(program: &mut Program, args: ConflictsArgs) -> Outcome {
    let call = ConfigConflicts { document: args.document.name };
    let conflicts = program.ask(Intent::Read, call).await?;
    match program.global.output {
        Output::Text => lines(program, &render::conflicts(&conflicts)),
        Output::Json => program.out.json(&conflicts),
        Output::Ndjson => conflicts.iter().try_for_each(|one| program.out.json(one)),
    }
}

pub(super) async fn resolve(program: &mut Program, args: ResolveArgs) -> Outcome {
    let take = take(&args)?;
    let call = ConfigResolve {
        document: args.document.name,
        id: args.id.into(),
        take,
        expected: expected(&args.write),
        actor: actor(args.write.actor),
        reason: args.write.reason,
    };
    let updated = program.ask(Intent::Change, call).await?;
    program.applied(format!("it is decided; the document is at version {}", updated.version));
    if !program.is_text() {
        return program.out.json(&updated);
    }
    if updated.position.is_none() {
        return program
            .out
            .text(&format!("decided: the document stays at version {}", updated.version));
    }
    lines(program, &changed(&updated))
}

fn take(args: &ResolveArgs) -> Result<Take> {
    if args.edit.is_empty() {
        return Ok(if args.ours { Take::Ours } else { Take::Theirs });
    }
    args.edit.iter().map(|text| edit(text)).collect::<Result<_>>().map(Take::Edited)
}

fn edit(text: &str) -> Result<(Path, Put)> {
    let Some((path, value)) = text.split_once('=') else {
        let message = format!("the edit {text:?} has no \"=\": write it as PATH=VALUE");
        return Err(Error::new(ErrorKind::InvalidArgument, message));
    };
    Ok((path.parse()?, Put::Value(parse::value_or_text(value)?)))
}
