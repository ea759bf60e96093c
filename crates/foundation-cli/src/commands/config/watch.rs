//! `foundation config watch`: the changes of a document as the node that serves it makes them.

use foundation::config::{Change, HistoryQuery};
use foundation::node::{Client, ConfigFollow, ConfigHistory};
use foundation::{Error, ErrorKind, Path, Version};

use crate::args::WatchArgs;
use crate::commands::signals::Signals;
use crate::connection::{ANSWER_MIN, reach};
use crate::exit::{Failure, Outcome};
use crate::program::{Program, reader_is_gone};
use crate::render::{self, HistoryRow};

/// How long one call waits for a change. A node has no more than so many calls at a time: one that
/// waits forever would be one less.
const WAIT_MS: u64 = 10_000;

pub(super) async fn run(program: &mut Program, args: WatchArgs) -> Outcome {
    let path: Path = args.path.as_deref().unwrap_or_default().parse()?;
    let mut signals = Signals::listen()?;
    let Some(mut client) = reach(&program.global.data, ANSWER_MIN).await? else {
        let shown = program.global.data.display();
        let message = format!("no node serves {shown}: there are no changes to follow");
        return Err(Error::new(ErrorKind::Unavailable, message).into());
    };
    let document = args.document.name;
    let mut after = match args.from {
        Some(version) => Version::new(version),
        None => newest(&mut client, &document).await?,
    };
    program.say(&format!("following the changes after version {after}"));
    let gone = reader_is_gone();
    tokio::pin!(gone);
    loop {
        let call = ConfigFollow { document: document.clone(), after, wait_ms: WAIT_MS };
        let changes = tokio::select! {
            () = signals.next() => return Ok(()),
            () = &mut gone => return Err(Failure::Closed),
            changes = client.call(call) => changes?,
        };
        for mut change in changes {
            after = change.version;
            change.changes.retain(|edit| edit.path.overlaps(&path));
            if !change.changes.is_empty() {
                tell(program, &change)?;
            }
        }
        program.out.flush()?;
    }
}

async fn newest(client: &mut Client, document: &str) -> Outcome<Version> {
    let query = HistoryQuery::newest(1);
    let changes = client.call(ConfigHistory { document: document.to_owned(), query }).await?;
    Ok(changes.last().map_or(Version::NONE, |change| change.version))
}

fn tell(program: &mut Program, change: &Change) -> Outcome {
    if program.is_text() {
        return program.out.text(&render::change(change));
    }
    program.out.json(&HistoryRow::of(change))
}
