//! `foundation replay`: the whole log as it is, each record on a line, or folded and compared.

use foundation::Position;
use foundation::error::Category;
use foundation::node::{Replay, ReplayShape};

use crate::args::ReplayArgs;
use crate::connection::{Connection, Intent};
use crate::exit::{Failure, Outcome};
use crate::program::{Program, Rows};
use crate::render;

pub(super) async fn run(program: &mut Program, args: ReplayArgs) -> Outcome {
    if args.check {
        return check(program).await;
    }
    let mut connection = program.connect(Intent::Read).await?;
    let outcome = write_pages(program, &mut connection, args).await;
    connection.close(outcome).await
}

/// Each page is written as it comes, so that a log of any size needs the memory of one page.
async fn write_pages(
    program: &mut Program,
    connection: &mut Connection,
    args: ReplayArgs,
) -> Outcome {
    let mut rows = Rows::of(program.global.output);
    let until = args.until.map(Position::from_engine);
    let shape = if args.stored { ReplayShape::Stored } else { ReplayShape::Read };
    let mut next = Some(Position::from_engine(args.from.saturating_sub(1)));
    while let Some(after) = next {
        let page = connection.call(Replay { after, until, shape }).await?;
        for record in &page.records {
            program.out.row(&mut rows, record)?;
        }
        program.out.flush()?;
        next = page.next;
    }
    program.out.end_rows(&rows)
}

async fn check(program: &mut Program) -> Outcome {
    let Some(report) = foundation::check_fold(&program.global.data).await? else {
        program.say("there is no snapshot that can be compared with the log");
        return if program.is_text() { Ok(()) } else { program.out.json(&None::<()>) };
    };
    if program.is_text() {
        for line in render::fold(&report) {
            program.out.text(&line)?;
        }
    } else {
        program.out.json(&report)?;
    }
    if report.agrees { Ok(()) } else { Err(Failure::Told(Category::Corruption)) }
}
