//! `foundation events …`: finding events and following stories.

use foundation::node::{EventGet, EventsQuery, EventsStats, EventsTrace};
use foundation::{EventQuery, Order, Result, Timestamp};

use super::{append, archive, import};
use crate::args::{Direction, EventsVerb, Output, QueryArgs};
use crate::connection::{Connection, Intent};
use crate::exit::Outcome;
use crate::program::{Program, Rows};
use crate::render;

pub(super) async fn run(program: &mut Program, verb: EventsVerb) -> Outcome {
    match verb {
        EventsVerb::Import(args) => import::run(program, &args).await,
        EventsVerb::Append(args) => append::run(program, args).await,
        EventsVerb::Get { id } => get(program, &id).await,
        EventsVerb::Query(args) => query(program, args).await,
        EventsVerb::Trace { correlation } => trace(program, &correlation).await,
        EventsVerb::Stats => stats(program).await,
        EventsVerb::Archive(args) => archive::run(program, args).await,
    }
}

async fn get(program: &mut Program, id: &str) -> Outcome {
    let event = program.ask(Intent::Read, EventGet { id: id.into() }).await?;
    program.out.json(&event)
}

async fn query(program: &mut Program, args: QueryArgs) -> Outcome {
    let query = query_of(args)?;
    let mut connection = program.connect(Intent::Read).await?;
    let outcome = write_pages(program, &mut connection, query).await;
    connection.close(outcome).await
}

fn query_of(args: QueryArgs) -> Result<EventQuery> {
    let time = |text: Option<String>| text.map(|text| text.parse::<Timestamp>()).transpose();
    Ok(EventQuery {
        kind: args.kind.map(Into::into),
        correlation_id: args.correlation.map(Into::into),
        stream: args.stream.map(Into::into),
        since: time(args.since)?,
        until: time(args.until)?,
        order: match args.order {
            Direction::Asc => Order::Asc,
            Direction::Desc => Order::Desc,
        },
        limit: args.limit,
        after: args.after.map(|text| text.parse()).transpose()?,
    })
}

/// Each page is written as it comes, so that an answer of any size needs the memory of one page.
async fn write_pages(
    program: &mut Program,
    connection: &mut Connection,
    query: EventQuery,
) -> Outcome {
    let mut rows = Rows::of(program.global.output);
    let mut next = Some(query);
    while let Some(query) = next {
        let page = connection.call(EventsQuery { query }).await?;
        for event in &page.events {
            program.out.row(&mut rows, event)?;
        }
        program.out.flush()?;
        next = page.next;
    }
    program.out.end_rows(&rows)
}

async fn trace(program: &mut Program, correlation: &str) -> Outcome {
    let call = EventsTrace { correlation_id: correlation.into() };
    let trace = program.ask(Intent::Read, call).await?;
    match program.global.output {
        Output::Text => program.out.text(&trace.to_text()),
        Output::Json => program.out.json(&trace),
        Output::Ndjson => trace.spans.iter().try_for_each(|span| program.out.json(span)),
    }
}

async fn stats(program: &mut Program) -> Outcome {
    let stats = program.ask(Intent::Read, EventsStats {}).await?;
    if program.is_text() {
        return render::stats(&stats).iter().try_for_each(|line| program.out.text(line));
    }
    program.out.json(&stats)
}
