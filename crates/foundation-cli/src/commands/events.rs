//! `foundation events …`: finding events, following stories, and what events come to.

use foundation::events::{Aggregation, Late, Recorded, TypePattern, Window};
use foundation::node::{
    EventGet, EventStage, EventsAggregate, EventsExplain, EventsQuery, EventsStats, EventsTrace,
};
use foundation::tables::is_own_table;
use foundation::{Error, ErrorKind, EventQuery, EventType, Order, Result, StreamName, Timestamp};

use super::{
    append, archive, check, consumers, export, follow, forget, import, parked, projections, prune,
};
use crate::args::{
    AggregateArgs, Direction, EventsVerb, FilterArgs, FindArgs, Output, QueryArgs, TraceArgs,
    TraceFormat, WhenLate,
};
use crate::connection::{Connection, Intent};
use crate::exit::Outcome;
use crate::program::{Program, Rows};
use crate::render;

pub(super) async fn run(program: &mut Program, verb: EventsVerb) -> Outcome {
    match verb {
        EventsVerb::Import(args) => import::run(program, &args).await,
        EventsVerb::Append(args) => append::run(program, args).await,
        EventsVerb::Get { id } => get(program, &id).await,
        EventsVerb::Stage { id } => stage(program, &id).await,
        EventsVerb::Query(args) => query(program, args).await,
        EventsVerb::Follow(args) => follow::run(program, args).await,
        EventsVerb::Aggregate(args) => aggregate(program, args).await,
        EventsVerb::Trace(args) => trace(program, args).await,
        EventsVerb::Check(args) => check::run(program, args).await,
        EventsVerb::Forget(args) => forget::run(program, args).await,
        EventsVerb::Forgotten => forget::list(program).await,
        EventsVerb::Stats => stats(program).await,
        EventsVerb::Archive(args) => archive::run(program, args).await,
        EventsVerb::Prune(args) => prune::run(program, &args).await,
        EventsVerb::Export(args) => export::run(program, args).await,
        EventsVerb::Consumers(args) => consumers::run(program, args).await,
        EventsVerb::Parked(args) => parked::run(program, args).await,
        EventsVerb::Projections(args) => projections::run(program, args).await,
    }
}

async fn get(program: &mut Program, id: &str) -> Outcome {
    let event = program.ask(Intent::Read, EventGet { id: id.into() }).await?;
    program.out.json(&event)
}

async fn stage(program: &mut Program, id: &str) -> Outcome {
    let stage = program.ask(Intent::Read, EventStage { id: id.into() }).await?;
    match program.is_text() {
        true => program.out.text(stage.name()),
        false => program.out.json(&stage),
    }
}

async fn query(program: &mut Program, args: FindArgs) -> Outcome {
    let query = query_of(args.query)?;
    if args.explain {
        let explained = program.ask(Intent::Read, EventsExplain { query }).await?;
        return match program.is_text() {
            true => program.out.text(&render::explained_query(&explained)),
            false => program.out.json(&explained),
        };
    }
    let mut connection = program.connect(Intent::Read).await?;
    let own = Own::of(&query, args.all);
    let outcome = write_pages(program, &mut connection, query, own).await;
    connection.close(outcome).await
}

fn query_of(args: QueryArgs) -> Result<EventQuery> {
    Ok(EventQuery {
        order: match args.order {
            Direction::Asc => Order::Asc,
            Direction::Desc => Order::Desc,
        },
        limit: args.limit,
        after: args.after.map(|text| text.parse()).transpose()?,
        ..filter_of(args.filter)?
    })
}

/// The query for all events that a command is about, oldest first.
pub(super) fn filter_of(args: FilterArgs) -> Result<EventQuery> {
    let time = |text: Option<String>| text.map(|text| text.parse::<Timestamp>()).transpose();
    Ok(EventQuery {
        types: args.types.into_iter().map(Into::into).collect(),
        correlation_id: args.correlation.map(Into::into),
        parent_id: args.parent.map(Into::into),
        stream: args.stream.map(Into::into),
        tags: args.tags.into_iter().map(Into::into).collect(),
        source: args.source,
        subject: args.subject,
        fields: args.fields.iter().map(|text| text.parse()).collect::<Result<_>>()?,
        since: time(args.since)?,
        until: time(args.until)?,
        ..EventQuery::all()
    })
}

/// Whether the changes of Foundation's own tables, such as the places of consumers, are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Own {
    Shown,
    Hidden,
}

impl Own {
    /// They are not what people look for, unless they ask for all, or for them by type or stream.
    pub(super) fn of(filter: &EventQuery, all: bool) -> Self {
        let by_type = |pattern: &TypePattern| match pattern {
            TypePattern::Exact(kind) => kind.is_reserved(),
            TypePattern::Prefix(start) => start.starts_with(EventType::RESERVED_PREFIX),
        };
        let by_stream = filter.stream.as_ref().and_then(StreamName::table).is_some();
        let is_asked = all || by_stream || filter.types.iter().any(by_type);
        if is_asked { Self::Shown } else { Self::Hidden }
    }

    pub(super) fn shows(self, event: &Recorded) -> bool {
        self == Self::Shown || !event.stream.table().is_some_and(is_own_table)
    }
}

/// Each page is written as it comes, so that an answer of any size needs the memory of one page.
async fn write_pages(
    program: &mut Program,
    connection: &mut Connection,
    query: EventQuery,
    own: Own,
) -> Outcome {
    let mut rows = Rows::of(program.global.output);
    let after = query.after;
    let mut next = Some(query);
    while let Some(query) = next {
        let (is_first, limit) = (query.after == after, query.limit);
        let mut page = connection.call(EventsQuery { query: query.clone() }).await?;
        if let Some(missing) = page.missing_up_to.filter(|_| is_first) {
            program.say(&format!("gap: events up to position {missing} are no longer kept"));
        }
        // What is not shown is not what the limit counts.
        let behind = match page.next {
            Some(next) => next.after,
            None if limit == Some(page.events.len() as u64) => {
                page.events.last().map(|last| last.position)
            }
            None => None,
        };
        page.events.retain(|event| own.shows(event));
        for event in &page.events {
            program.out.row(&mut rows, event)?;
        }
        program.out.flush()?;
        let left = limit.map(|limit| limit.saturating_sub(page.events.len() as u64));
        let goes_on = behind.is_some() && left != Some(0);
        next = goes_on.then_some(EventQuery { after: behind, limit: left, ..query });
    }
    program.out.end_rows(&rows)
}

async fn aggregate(program: &mut Program, args: AggregateArgs) -> Outcome {
    let (query, aggregation) = aggregation_of(args)?;
    let counted = program.ask(Intent::Read, EventsAggregate { query, aggregation }).await?;
    match program.global.output {
        Output::Text => {
            render::aggregated(&counted).iter().try_for_each(|line| program.out.text(line))
        }
        Output::Json => program.out.json(&counted),
        Output::Ndjson => {
            let rows = counted.rows.iter().map(|row| render::NamedRow { of: &counted, row });
            rows.into_iter().try_for_each(|row| program.out.json(&row))
        }
    }
}

fn aggregation_of(args: AggregateArgs) -> Result<(EventQuery, Aggregation)> {
    let AggregateArgs { query, measures, by, window, slide, session_gap, lateness, late } = args;
    let window = match (window, slide, session_gap) {
        (Some(size), None, _) => Window::tumbling(size),
        (Some(size), Some(step), _) => Window::sliding(size, step),
        (None, _, Some(gap)) => Window::session(gap),
        (None, _, None) => Window::None,
    };
    let mut asked = Aggregation {
        measures: measures.iter().map(|text| text.parse()).collect::<Result<_>>()?,
        by: by.iter().map(|text| text.parse()).collect::<Result<_>>()?,
        window,
        lateness: None,
    };
    if let Some(allowed) = lateness {
        let late = match late {
            WhenLate::Drop => Late::Drop,
            WhenLate::Row => Late::Row,
        };
        asked = asked.lateness(allowed, late);
    }
    Ok((query_of(query)?, asked))
}

async fn trace(program: &mut Program, args: TraceArgs) -> Outcome {
    let format = format_of(args.format, program.global.output)?;
    let call = EventsTrace { correlation_id: args.correlation.as_str().into() };
    let trace = program.ask(Intent::Read, call).await?;
    match format {
        Some(TraceFormat::Text) => program.out.text(&trace.to_text()),
        Some(TraceFormat::Mermaid) => program.out.text(trace.to_mermaid().trim_end()),
        Some(TraceFormat::Json) => program.out.json(&trace),
        None => trace.spans.iter().try_for_each(|span| program.out.json(span)),
    }
}

/// How a story is written; nothing for span by span.
fn format_of(format: Option<TraceFormat>, output: Output) -> Result<Option<TraceFormat>> {
    match (format, output) {
        (None, Output::Text) => Ok(Some(TraceFormat::Text)),
        (None, Output::Json) => Ok(Some(TraceFormat::Json)),
        (None, Output::Ndjson) => Ok(None),
        (Some(format), Output::Text) => Ok(Some(format)),
        (Some(TraceFormat::Json), Output::Json) => Ok(Some(TraceFormat::Json)),
        (Some(_), Output::Json | Output::Ndjson) => {
            let message = "--format and --output ask for different things: leave out one of them";
            Err(Error::new(ErrorKind::InvalidArgument, message))
        }
    }
}

async fn stats(program: &mut Program) -> Outcome {
    let mut connection = program.connect(Intent::Read).await?;
    let by = match connection {
        Connection::Own(_) => render::Counted::Here,
        Connection::Remote(_) => render::Counted::ByNode,
    };
    let stats = connection.call(EventsStats {}).await;
    let stats = connection.close(stats.map_err(Into::into)).await?;
    if program.is_text() {
        return render::stats(&stats, by).iter().try_for_each(|line| program.out.text(line));
    }
    program.out.json(&stats)
}
