//! `foundation events check`: whether all of the history can be read.

use foundation::Position;
use foundation::error::Category;
use foundation::events::{HistoryReport, TypePattern};
use foundation::node::EventsCheck;

use crate::args::{CheckHistoryArgs, Output};
use crate::connection::{Connection, Intent};
use crate::exit::{Failure, Outcome};
use crate::program::Program;
use crate::render;

pub(super) async fn run(program: &mut Program, args: CheckHistoryArgs) -> Outcome {
    let mut connection = program.connect(Intent::Read).await?;
    let types = args.types.into_iter().map(TypePattern::from).collect();
    let outcome = read_all(&mut connection, types).await;
    let report = connection.close(outcome).await?;
    match program.global.output {
        Output::Text => {
            render::history_checked(&report).iter().try_for_each(|line| program.out.text(line))?;
        }
        Output::Json => program.out.json(&report)?,
        Output::Ndjson => report.rows.iter().try_for_each(|row| program.out.json(row))?,
    }
    program.say(&format!("{} checked", render::counted(report.events(), "event")));
    if report.failures() == 0 { Ok(()) } else { Err(Failure::Told(Category::Validation)) }
}

/// Each part is a call of its own, so that a history of any length is looked at in turn with others.
async fn read_all(connection: &mut Connection, types: Vec<TypePattern>) -> Outcome<HistoryReport> {
    let (mut report, mut next) = (HistoryReport::default(), Some(Position::START));
    while let Some(after) = next {
        let page = connection.call(EventsCheck { types: types.clone(), after }).await?;
        report.merge(page.found);
        next = page.next;
    }
    Ok(report)
}
