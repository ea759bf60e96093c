//! `foundation table …`: the tables of a store, and what is in them.

use foundation::events::Data;
use foundation::node::{IfMissing, TableGet, TableList, TablePut, TableRemove, TableRows};
use foundation::{Error, ErrorKind, Result, parse};

use super::input;
use crate::args::{Output, PutArgs, TableVerb};
use crate::connection::{Connection, Intent};
use crate::exit::Outcome;
use crate::program::{Program, Rows};
use crate::render;

/// Entries of one answer.
const PAGE: usize = 1_000;

pub(super) async fn run(program: &mut Program, verb: TableVerb) -> Outcome {
    match verb {
        TableVerb::List => list(program).await,
        TableVerb::Get { name, key: Some(key) } => get(program, name, &key).await,
        TableVerb::Get { name, key: None } => all(program, name).await,
        TableVerb::Put(args) => put(program, args).await,
        TableVerb::Remove { name, key } => remove(program, name, &key).await,
    }
}

async fn list(program: &mut Program) -> Outcome {
    let tables = program.ask(Intent::Read, TableList {}).await?;
    match program.global.output {
        Output::Text => render::tables(&tables).iter().try_for_each(|line| program.out.text(line)),
        Output::Json => program.out.json(&tables),
        Output::Ndjson => tables.iter().try_for_each(|table| program.out.json(table)),
    }
}

async fn get(program: &mut Program, table: String, key: &str) -> Outcome {
    let call = TableGet { table: table.clone(), key: parse::value_or_text(key)? };
    match program.ask(Intent::Read, call).await? {
        Some(value) => program.out.json(&value),
        None => Err(absent(&table, key).into()),
    }
}

async fn all(program: &mut Program, table: String) -> Outcome {
    let mut connection = program.connect(Intent::Read).await?;
    let outcome = write_rows(program, &mut connection, table).await;
    connection.close(outcome).await
}

/// Page by page: a table may be longer than one answer.
async fn write_rows(program: &mut Program, connection: &mut Connection, table: String) -> Outcome {
    let mut rows = Rows::of(program.global.output);
    let mut after = None;
    loop {
        let call = TableRows { table: table.clone(), after, limit: PAGE };
        let page = connection.call(call).await?;
        for row in &page {
            program.out.row(&mut rows, row)?;
        }
        program.out.flush()?;
        let Some(last) = page.last() else { break };
        after = Some(parse::value(last.key.as_json())?);
    }
    program.out.end_rows(&rows)
}

async fn put(program: &mut Program, args: PutArgs) -> Outcome {
    let call = TablePut {
        table: args.name.clone(),
        key: parse::value_or_text(&args.key)?,
        value: data_of(&input::typed(&args.value)?)?,
        missing: if args.create { IfMissing::Make } else { IfMissing::Refuse },
    };
    let intent = if args.create { Intent::Write } else { Intent::Change };
    let before = program.ask(intent, call).await?;
    program.applied("the value was put".to_owned());
    tell(program, before, "put, there was nothing before", "put, instead of ")
}

async fn remove(program: &mut Program, table: String, key: &str) -> Outcome {
    let call = TableRemove { table: table.clone(), key: parse::value_or_text(key)? };
    let before = program.ask(Intent::Change, call).await?;
    if before.is_none() {
        return Err(absent(&table, key).into());
    }
    program.applied("the value was removed".to_owned());
    tell(program, before, "", "removed ")
}

/// Says what was there before: in a sentence, or as JSON.
fn tell(program: &mut Program, before: Option<Data>, nothing: &str, instead: &str) -> Outcome {
    if !program.is_text() {
        return program.out.json(&before);
    }
    match before {
        None => program.out.text(nothing),
        Some(before) => program.out.text(&format!("{instead}{}", before.as_json())),
    }
}

/// JSON as it was typed, otherwise the text.
fn data_of(text: &str) -> Result<Data> {
    let value = parse::value_or_text(text)?;
    // A number stays as it was typed, even if it is larger than a value can say.
    Data::from_json(text).or_else(|_| Data::of(&value))
}

fn absent(table: &str, key: &str) -> Error {
    let shown: String = key.chars().take(128).collect();
    Error::new(ErrorKind::NotFound, format!("table {table:?} has nothing under {shown}"))
}
