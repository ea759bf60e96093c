//! `foundation events export`: events into files or to standard output, and what is done about
//! exports.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use foundation::events::{EventQuery, Recorded};
use foundation::exports::{
    Delivered, ExportAction, ExportBatch, Exported, FileRules, FileSink, Layout, Sink, StoreId,
    line_of,
};
use foundation::node::{ExportChange, ExportCursor, ExportList, ExportRead};
use foundation::{Error, ErrorKind, Result};

use super::events::filter_of;
use crate::args::{EventFormat, ExportArgs, ExportVerb, ExportWrite, Output};
use crate::connection::{Connection, Intent};
use crate::exit::{Failure, Outcome};
use crate::program::Program;
use crate::render;

/// How long one question waits for events that come.
const FOLLOW_MS: u64 = 10_000;
/// Records without an event for it after which the place of an export is kept anew.
const IDLE_RECORDS: u64 = 4_096;

pub(super) async fn run(program: &mut Program, args: ExportArgs) -> Outcome {
    match args.verb {
        None => write(program, args.write).await,
        Some(ExportVerb::List) => list(program).await,
        Some(ExportVerb::Pause { export }) => {
            change(program, export, ExportAction::Pause, "rests").await
        }
        Some(ExportVerb::Resume { export }) => {
            change(program, export, ExportAction::Resume, "goes on").await
        }
        Some(ExportVerb::Reset { export, position }) => {
            let done = format!("begins anew after position {position}");
            change(program, export, ExportAction::Reset(position.parse()?), &done).await
        }
        Some(ExportVerb::Delete { export }) => {
            change(program, export, ExportAction::Delete, "is forgotten").await
        }
    }
}

async fn change(
    program: &mut Program,
    export: String,
    action: ExportAction,
    done: &str,
) -> Outcome {
    let done = format!("export {export} {done}");
    program.ask(Intent::Change, ExportChange { export, action }).await?;
    program.applied(done.clone());
    program.say(&done);
    Ok(())
}

async fn list(program: &mut Program) -> Outcome {
    let all = program.ask(Intent::Read, ExportList {}).await?;
    match program.global.output {
        Output::Text => render::exports(&all).iter().try_for_each(|line| program.out.text(line)),
        Output::Json => program.out.json(&all),
        Output::Ndjson => all.iter().try_for_each(|one| program.out.json(one)),
    }
}

async fn write(program: &mut Program, args: ExportWrite) -> Outcome {
    let ExportWrite { filter, to, format, follow, name } = args;
    let query = filter_of(filter)?;
    let layout = match format {
        EventFormat::Ndjson => Layout::Ndjson,
        EventFormat::CloudEvents => Layout::CloudEvents,
    };
    let intent = if name.is_some() { Intent::Change } else { Intent::Read };
    let mut connection = program.connect(intent).await?;
    let outcome = match (&connection, follow) {
        (Connection::Own(_), true) => {
            let message =
                "nothing comes where no node is: start `foundation serve`, or leave out --follow";
            Err(Error::new(ErrorKind::InvalidArgument, message).into())
        }
        _ => match Target::open(to, layout, name.is_some()) {
            Ok(to) => {
                let export = Export { name, to, layout, follow, written: 0 };
                export.run(program, &mut connection, query).await
            }
            Err(error) => Err(error.into()),
        },
    };
    connection.close(outcome).await
}

/// Where lines go.
enum Target {
    Out,
    Files(FileSink, PathBuf),
}

impl Target {
    /// Without a cursor, what is there already would be there twice.
    fn open(to: Option<PathBuf>, layout: Layout, goes_on: bool) -> Result<Self> {
        let Some(path) = to.filter(|path| path != Path::new("-")) else { return Ok(Self::Out) };
        let is_directory =
            path.is_dir() || path.as_os_str().as_encoded_bytes().last() == Some(&b'/');
        let is_empty =
            is_directory || std::fs::metadata(&path).map_or(true, |file| file.len() == 0);
        let sink = if is_directory {
            FileSink::open(&path, FileRules { layout, ..FileRules::default() })?
        } else if is_empty || goes_on {
            FileSink::file(&path, layout)?
        } else {
            return Err(taken(&path));
        };
        if !goes_on && sink.last().is_some() {
            return Err(taken(&path));
        }
        Ok(Self::Files(sink, path))
    }
}

fn taken(path: &Path) -> Error {
    let message = format!(
        "{} is not empty: choose another path, or --name the export to go on with it",
        path.display()
    );
    Error::new(ErrorKind::InvalidArgument, message)
}

/// An export on its way.
struct Export {
    name: Option<String>,
    to: Target,
    layout: Layout,
    follow: bool,
    written: u64,
}

impl Export {
    async fn run(
        mut self,
        program: &mut Program,
        connection: &mut Connection,
        mut query: EventQuery,
    ) -> Outcome {
        let mut settled = None;
        if let Some(export) = self.name.clone() {
            let call = ExportCursor { export, settled: None, filter: Some(query.clone()) };
            let position = connection.call(call).await?;
            (settled, query.after) = (Some(position), Some(position));
        }
        let wait_ms = if self.follow { FOLLOW_MS } else { 0 };
        loop {
            let page = connection
                .call(ExportRead { export: self.name.clone(), query: query.clone(), wait_ms })
                .await?;
            let count = page.events.len();
            self.pass_on(program, page.store, page.events).await?;
            if let (Some(export), Some(before)) = (self.name.clone(), settled) {
                let idle = page.seen.to_engine().saturating_sub(before.to_engine());
                if page.seen > before && (count > 0 || idle >= IDLE_RECORDS) {
                    let settled_now = Some(page.seen);
                    let call = ExportCursor { export, settled: settled_now, filter: None };
                    settled = Some(connection.call(call).await?);
                }
            }
            match page.next {
                Some(next) => query = next,
                None if self.follow => query.after = Some(page.seen),
                None => break,
            }
        }
        let written = render::counted(self.written, "event");
        let place = match &self.to {
            Target::Out => String::new(),
            Target::Files(_, path) => format!(" to {}", path.display()),
        };
        program.say(&format!("{written} exported{place}"));
        Ok(())
    }

    /// Has the events be where they go, before anybody is told so.
    async fn pass_on(
        &mut self,
        program: &mut Program,
        store: StoreId,
        events: Vec<Recorded>,
    ) -> Outcome {
        if events.is_empty() {
            return Ok(());
        }
        self.written += events.len() as u64;
        let events: Vec<Exported> =
            events.into_iter().map(|event| Exported::of(store, Arc::new(event))).collect();
        match &mut self.to {
            Target::Out => {
                for one in &events {
                    program.out.raw(&line_of(self.layout, store, one)?)?;
                }
                program.out.flush()
            }
            Target::Files(sink, path) => {
                let export = self.name.clone().unwrap_or_default();
                let batch = ExportBatch { export, store, attempt: 1, events };
                match sink.deliver(&batch).await {
                    Ok(Delivered::All) => Ok(()),
                    Ok(_) => {
                        Err(unwritten(path, ErrorKind::Disk, "a part of the batch is missing"))
                    }
                    Err(cause) => Err(unwritten(path, cause.kind(), &cause.to_string())),
                }
            }
        }
    }
}

fn unwritten(path: &Path, kind: ErrorKind, cause: &str) -> Failure {
    let message = format!("cannot export to {}: {cause}", path.display());
    Failure::from(Error::new(kind, message))
}
