//! `foundation events parked …`: what consumers could not take.

use foundation::events::{ParkedEvent, ParkedFilter};
use foundation::node::{ParkedDrop, ParkedList, ParkedRetry};

use crate::args::{Output, ParkedArgs, ParkedVerb, WhichParked};
use crate::connection::Intent;
use crate::exit::Outcome;
use crate::program::Program;
use crate::render;

pub(super) async fn run(program: &mut Program, args: ParkedArgs) -> Outcome {
    let Some(verb) = args.verb else {
        let all = program.ask(Intent::Read, ParkedList { filter: filter_of(args.which) }).await?;
        return tell(program, &all);
    };
    let (change, is_retry) = match verb {
        ParkedVerb::Retry(change) => (change, true),
        ParkedVerb::Drop(change) => (change, false),
    };
    let (filter, dry_run) = (filter_of(change.which), change.dry_run);
    let intent = if dry_run { Intent::Read } else { Intent::Change };
    let all = if is_retry {
        program.ask(intent, ParkedRetry { filter, dry_run }).await?
    } else {
        program.ask(intent, ParkedDrop { filter, dry_run }).await?
    };
    let done = match (is_retry, dry_run) {
        (true, true) => "would be handed out once more",
        (true, false) => "handed out once more",
        (false, true) => "would be dropped",
        (false, false) => "dropped",
    };
    let told = format!("{} {done}", render::counted(all.len() as u64, "event"));
    if !dry_run {
        program.applied(told.clone());
    }
    tell(program, &all)?;
    program.say(&told);
    Ok(())
}

fn filter_of(which: WhichParked) -> ParkedFilter {
    let WhichParked { consumer, kind, limit } = which;
    ParkedFilter { consumer, kind: kind.map(Into::into), limit }
}

fn tell(program: &mut Program, all: &[ParkedEvent]) -> Outcome {
    match program.global.output {
        Output::Text => render::parked(all).iter().try_for_each(|line| program.out.text(line)),
        Output::Json => program.out.json(&all),
        Output::Ndjson => all.iter().try_for_each(|one| program.out.json(one)),
    }
}
