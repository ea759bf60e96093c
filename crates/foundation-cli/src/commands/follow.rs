//! `foundation events follow`: the events as the node that serves the store records them.

use foundation::node::{Client, EventsFollow};
use foundation::{Error, ErrorKind, EventQuery, Position};

use super::events::{Own, filter_of};
use crate::args::FollowArgs;
use crate::commands::signals::Signals;
use crate::connection::{ANSWER_MIN, reach};
use crate::exit::{Failure, Outcome};
use crate::program::{Program, reader_is_gone};
use crate::render;

/// How long one call waits for an event. A node has no more than so many calls at a time: one that
/// waits forever would be one less.
const WAIT_MS: u64 = 10_000;

pub(super) async fn run(program: &mut Program, args: FollowArgs) -> Outcome {
    let filter = filter_of(args.filter)?;
    let own = Own::of(&filter, args.all);
    let mut after = match (args.after, args.beginning) {
        (Some(position), _) => Some(position.parse::<Position>()?),
        (None, true) => Some(Position::START),
        (None, false) => None,
    };
    let mut signals = Signals::listen()?;
    let gone = reader_is_gone();
    tokio::pin!(gone);
    let Some(mut client) = reach(&program.global.data, ANSWER_MIN).await? else {
        let shown = program.global.data.display();
        let message = format!("no node serves {shown}: there are no events to follow");
        return Err(Error::new(ErrorKind::Unavailable, message).into());
    };
    let mut dropped = None;
    loop {
        tokio::select! {
            () = signals.next() => return Ok(()),
            () = &mut gone => return Err(Failure::Closed),
            next = step(program, &mut client, (&filter, own), after, &mut dropped) => after = Some(next?),
        }
    }
}

/// Writes what comes next; gives where to go on.
async fn step(
    program: &mut Program,
    client: &mut Client,
    (filter, own): (&EventQuery, Own),
    after: Option<Position>,
    dropped: &mut Option<u64>,
) -> Outcome<Position> {
    let call = EventsFollow { filter: filter.clone(), after, wait_ms: WAIT_MS };
    let followed = match client.call(call).await {
        Err(error) if error.kind() == ErrorKind::Compacted => {
            let resumes = error.context().iter().find(|(name, _)| name == "resumes_after");
            let Some(Ok(resumes)) = resumes.map(|(_, at)| at.parse::<Position>()) else {
                return Err(error.into());
            };
            program.say(&format!("gap: {}", error.message()));
            return Ok(resumes);
        }
        followed => followed?,
    };
    let more = followed.dropped.saturating_sub(dropped.unwrap_or(followed.dropped));
    if more > 0 {
        let events = render::counted(more, "event");
        program.say(&format!("gap: {events} dropped and never stored"));
    }
    *dropped = Some(followed.dropped);
    for event in followed.events.iter().filter(|event| own.shows(event)) {
        program.out.json(event)?;
    }
    program.out.flush()?;
    Ok(followed.after)
}
