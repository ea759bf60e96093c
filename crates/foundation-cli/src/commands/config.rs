//! `foundation config …`: a document, its changes and its history.

mod conflicts;
mod migrations;
mod watch;

use std::os::unix::fs::MetadataExt;

use foundation::config::{Change, HistoryQuery, OnConflict, Patch, Updated};
use foundation::node::{
    ConfigCheck, ConfigDiff, ConfigExplain, ConfigFields, ConfigGet, ConfigHistory, ConfigRollback,
    ConfigSchema, ConfigTemplate, ConfigUpdate, ConfigVersionAt, Put,
};
use foundation::{
    Error, ErrorKind, ExpectedVersion, Order, Path, Result, Timestamp, Value, Version, parse,
};

use super::{input, secrets};
use crate::args::{
    ChangeArgs, CheckArgs, ConfigVerb, DiffArgs, ExplainArgs, GetArgs, HistoryArgs, Output,
    PatchArgs, ReferenceArgs, RollbackArgs, SetArgs, TakeArgs, Way, WholeArgs, WriteArgs,
};
use crate::connection::{Connection, Intent};
use crate::exit::Outcome;
use crate::program::{Program, Rows};
use crate::render::{self, HistoryRow, Shown};

/// Changes of one answer about the history.
const HISTORY_PAGE: u64 = 1_000;

pub(super) async fn run(program: &mut Program, verb: ConfigVerb) -> Outcome {
    program.document = verb.document().map(str::to_owned);
    match verb {
        ConfigVerb::Get(args) => get(program, args).await,
        ConfigVerb::Explain(args) => explain(program, args).await,
        ConfigVerb::Check(args) => check(program, args).await,
        ConfigVerb::Set(args) => set(program, args).await,
        ConfigVerb::Unset(args) => take(program, args, Put::Nothing).await,
        ConfigVerb::Reset(args) => take(program, args, Put::Default).await,
        ConfigVerb::Patch(args) => patch(program, args).await,
        ConfigVerb::History(args) => history(program, args).await,
        ConfigVerb::Diff(args) => diff(program, args).await,
        ConfigVerb::Rollback(args) => rollback(program, args).await,
        ConfigVerb::Conflicts(args) => conflicts::list(program, args).await,
        ConfigVerb::Resolve(args) => conflicts::resolve(program, args).await,
        ConfigVerb::Watch(args) => watch::run(program, args).await,
        ConfigVerb::Fields(args) => fields(program, args).await,
        ConfigVerb::CheckMigrations => migrations::run(program).await,
        ConfigVerb::Schema(args) => schema(program, args).await,
        ConfigVerb::Template(args) => template(program, args).await,
    }
}

async fn get(program: &mut Program, args: GetArgs) -> Outcome {
    let path: Path = args.path.as_deref().unwrap_or_default().parse()?;
    let mut connection = program.connect(Intent::Read).await?;
    let value = value(&mut connection, args, path.clone()).await;
    let value = connection.close(value).await?;
    if program.is_text() {
        return lines(program, &render::tree(&path, &value));
    }
    program.out.json(&value)
}

async fn explain(program: &mut Program, args: ExplainArgs) -> Outcome {
    let call = ConfigExplain { document: args.document.name, path: args.path.parse()? };
    let explanation = program.ask(Intent::Read, call).await?;
    if program.is_text() {
        return lines(program, &render::explanation(&explanation));
    }
    program.out.json(&explanation)
}

async fn check(program: &mut Program, args: CheckArgs) -> Outcome {
    let file = args.file.display().to_string();
    let text = input::file(&args.file)?;
    let call = ConfigCheck { document: args.document.name, file: file.clone(), text };
    let edits = program.ask(Intent::Judge, call).await?;
    if !program.is_text() {
        return program.out.json(&edits);
    }
    lines(program, &render::edits(&edits, Shown::Both))?;
    let others = render::counted(edits.len() as u64, "value");
    program.out.text(&format!("{file} is right: {others} other than the defaults"))
}

async fn value(connection: &mut Connection, args: GetArgs, path: Path) -> Outcome<Value> {
    let document = args.document.name;
    let at = match args.at_time {
        Some(time) => {
            let call = ConfigVersionAt { document: document.clone(), time: time.parse()? };
            Some(connection.call(call).await?)
        }
        None => args.at.map(Version::new),
    };
    Ok(connection.call(ConfigGet { document, path, at }).await?)
}

async fn set(program: &mut Program, args: SetArgs) -> Outcome {
    let SetArgs { path, value, whole, change } = args;
    let path = meant(&path, &whole)?;
    let given = parse::value_or_text(&input::typed(&value)?)?;
    if value != input::STANDARD {
        secrets::refuse_value(program, &change.document.name, &path, &given).await?;
    }
    let edits = vec![(path, Put::Value(given))];
    update(program, ConfigUpdate { edits, ..change_of(change) }).await
}

async fn take(program: &mut Program, args: TakeArgs, what: Put) -> Outcome {
    let TakeArgs { path, defaults, whole, change } = args;
    let edits = vec![(meant(&path, &whole)?, what)];
    update(program, ConfigUpdate { edits, defaults, ..change_of(change) }).await
}

/// The path; an empty one only if all is meant, for it may be an empty variable of a script.
fn meant(path: &str, whole: &WholeArgs) -> Result<Path> {
    let path: Path = path.parse()?;
    if path.is_root() && !whole.all {
        let message = "the path is empty, which is the whole document: say --all if that is meant";
        return Err(Error::new(ErrorKind::InvalidArgument, message));
    }
    Ok(path)
}

async fn patch(program: &mut Program, args: PatchArgs) -> Outcome {
    let made = Patch::from_value(parse::value(&input::typed(&args.patch)?)?)?;
    if args.patch != input::STANDARD {
        secrets::refuse_patch(program, &args.change.document.name, &made).await?;
    }
    let patches = vec![made];
    update(program, ConfigUpdate { patches, ..change_of(args.change) }).await
}

/// A change that says everything but what is changed.
fn change_of(args: ChangeArgs) -> ConfigUpdate {
    let ChangeArgs { dry_run, lasts, expect, write, document } = args;
    ConfigUpdate {
        document: document.name,
        patches: Vec::new(),
        edits: Vec::new(),
        expected: expected(&write),
        on_conflict: expect.on_conflict.map(|way| match way {
            Way::Refuse => OnConflict::Refuse,
            Way::Overwrite => OnConflict::Overwrite,
            Way::Merge => OnConflict::Merge,
            Way::Park => OnConflict::Park,
        }),
        unchanged: expect.if_unchanged,
        lasts_ms: lasts.map(|lasts| u64::try_from(lasts.as_millis()).unwrap_or(u64::MAX)),
        actor: actor(write.actor),
        reason: write.reason,
        defaults: false,
        dry_run,
    }
}

async fn update(program: &mut Program, call: ConfigUpdate) -> Outcome {
    let dry_run = call.dry_run;
    let intent = if dry_run { Intent::Read } else { Intent::Write };
    let updated = program.ask(intent, call).await?;
    if !dry_run {
        program.applied(format!("the document is at version {}", updated.version));
    }
    if !program.is_text() {
        return program.out.json(&updated);
    }
    if dry_run {
        return lines(program, &would_change(&updated));
    }
    lines(program, &changed(&updated))
}

fn changed(updated: &Updated) -> Vec<String> {
    let version = updated.version;
    if updated.position.is_none() && updated.as_sourced.is_empty() {
        return vec![format!("version {version} says so already: nothing had to change")];
    }
    let edits = render::edits(&updated.changes, Shown::After);
    let secrets = updated.as_sourced.iter().map(|path| {
        format!(
            "{path} is as the files or the environment say now: what they said then is not kept"
        )
    });
    edits.into_iter().map(|line| format!("{line} (version {version})")).chain(secrets).collect()
}

fn would_change(updated: &Updated) -> Vec<String> {
    if updated.changes.is_empty() {
        return vec![format!("version {} says so already", updated.version)];
    }
    let edits = render::edits(&updated.changes, Shown::Both);
    let after = format!("(would change version {})", updated.version);
    edits.into_iter().map(|line| format!("{line} {after}")).collect()
}

async fn history(program: &mut Program, args: HistoryArgs) -> Outcome {
    let mut connection = program.connect(Intent::Read).await?;
    let outcome = write_history(program, &mut connection, args).await;
    connection.close(outcome).await
}

/// Page by page: a history may be longer than one answer.
async fn write_history(
    program: &mut Program,
    connection: &mut Connection,
    args: HistoryArgs,
) -> Outcome {
    let order = if args.newest { Order::Desc } else { Order::Asc };
    let mut rows = Rows::of(program.global.output);
    let mut left = args.limit.unwrap_or(u64::MAX);
    let mut query = HistoryQuery { order, ..HistoryQuery::default() };
    let document = &args.document.name;
    if let Some(since) = &args.since {
        query.from = match version_before(connection, document, since).await {
            // What was recorded by then is not kept: all that is kept came later.
            Err(error) if error.kind() == ErrorKind::Compacted => None,
            version => Some(version?.next()),
        };
    }
    if let Some(until) = &args.until {
        query.to = Some(version_before(connection, document, until).await?);
    }
    while left > 0 {
        query.limit = usize::try_from(left.min(HISTORY_PAGE)).unwrap_or(usize::MAX);
        let document = args.document.name.clone();
        let changes: Vec<Change> =
            connection.call(ConfigHistory { document, query: query.clone() }).await?;
        for change in &changes {
            program.out.row(&mut rows, &HistoryRow::of(change))?;
        }
        program.out.flush()?;
        left = left.saturating_sub(changes.len() as u64);
        // A piece may end early, when its changes are large: only an empty one is the last.
        let Some(last) = changes.last() else { break };
        match order {
            Order::Asc => query.from = Some(last.version.next()),
            Order::Desc => query.to = Some(last.version.previous()),
        }
    }
    program.out.end_rows(&rows)
}

/// The version that was current just before a time.
async fn version_before(
    connection: &mut Connection,
    document: &str,
    time: &str,
) -> Result<Version> {
    let time = time.parse::<Timestamp>()?.as_unix_micros().saturating_sub(1);
    let time = Timestamp::from_unix_micros(time);
    connection.call(ConfigVersionAt { document: document.to_owned(), time }).await
}

async fn diff(program: &mut Program, args: DiffArgs) -> Outcome {
    let (from, to) = (Version::new(args.from), Version::new(args.to));
    let call = ConfigDiff { document: args.document.name, from, to };
    let edits = program.ask(Intent::Read, call).await?;
    match program.global.output {
        Output::Text => lines(program, &render::edits(&edits, Shown::Both)),
        Output::Json => program.out.json(&edits),
        Output::Ndjson => edits.iter().try_for_each(|edit| program.out.json(edit)),
    }
}

async fn rollback(program: &mut Program, args: RollbackArgs) -> Outcome {
    let call = ConfigRollback {
        document: args.document.name,
        version: Version::new(args.version),
        expected: expected(&args.write),
        actor: actor(args.write.actor),
        reason: args.write.reason,
    };
    let updated = program.ask(Intent::Change, call).await?;
    program.applied(format!("the document is at version {}", updated.version));
    if program.is_text() {
        return lines(program, &changed(&updated));
    }
    program.out.json(&updated)
}

async fn fields(program: &mut Program, args: ReferenceArgs) -> Outcome {
    let rows = program.ask(Intent::Read, ConfigFields { document: args.document.name }).await?;
    match program.global.output {
        Output::Text => lines(program, &render::fields(&rows)),
        Output::Json => program.out.json(&rows),
        Output::Ndjson => rows.iter().try_for_each(|row| program.out.json(row)),
    }
}

/// A schema is JSON, whatever the output is.
async fn schema(program: &mut Program, args: ReferenceArgs) -> Outcome {
    let schema = program.ask(Intent::Read, ConfigSchema { document: args.document.name }).await?;
    program.out.json(&schema)
}

async fn template(program: &mut Program, args: ReferenceArgs) -> Outcome {
    let call = ConfigTemplate { document: args.document.name };
    let template = program.ask(Intent::Read, call).await?;
    if program.is_text() {
        return program.out.text(template.trim_end());
    }
    program.out.json(&template)
}

fn lines(program: &mut Program, lines: &[String]) -> Outcome {
    lines.iter().try_for_each(|line| program.out.text(line))
}

fn expected(write: &WriteArgs) -> ExpectedVersion {
    let exactly = |number| ExpectedVersion::Exactly(Version::new(number));
    write.if_version.map_or(ExpectedVersion::Any, exactly)
}

/// Who was named, otherwise the user as the environment says, otherwise as the system numbers it.
fn actor(named: Option<String>) -> Option<String> {
    let of = |name: &str| std::env::var(name).ok().filter(|user| !user.is_empty());
    let number = || std::fs::metadata("/proc/self").ok().map(|us| format!("uid:{}", us.uid()));
    named.or_else(|| of("USER")).or_else(|| of("LOGNAME")).or_else(number)
}
