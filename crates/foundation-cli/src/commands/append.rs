//! `foundation events append`: one event, from flags or from JSON.

use foundation::events::Data;
use foundation::node::Append;
use foundation::{Error, ErrorKind, Event, ExpectedVersion, Result, StreamName, Version, parse};

use super::input;
use crate::args::{AppendArgs, FieldArgs};
use crate::connection::Intent;
use crate::exit::Outcome;
use crate::program::Program;
use crate::render;

pub(super) async fn run(program: &mut Program, args: AppendArgs) -> Outcome {
    let exactly = |number| ExpectedVersion::Exactly(Version::new(number));
    let call = Append {
        event: match args.event.as_deref() {
            Some("-") => parse::event_line(&input::standard_bytes()?)?,
            Some(text) => parse::event_line(text.as_bytes())?,
            None => event_of(args.fields)?,
        },
        stream: args.stream.map(StreamName::from),
        expected: args.if_version.map_or(ExpectedVersion::Any, exactly),
    };
    let receipt = program.ask(Intent::Write, call).await?;
    program.applied(format!("the event is at position {}", receipt.position));
    if program.is_text() {
        return program.out.text(&render::receipt(&receipt));
    }
    program.out.json(&receipt)
}

fn event_of(fields: FieldArgs) -> Result<Event> {
    let kind = fields.kind.ok_or_else(|| {
        Error::new(ErrorKind::InvalidArgument, "an event needs a type: --type TYPE")
    })?;
    let mut event = Event::new(kind);
    event.id = fields.id.map(Into::into);
    event.time = fields.time.map(|time| time.parse()).transpose()?;
    event.source = fields.source;
    event.subject = fields.subject;
    event.correlation_id = fields.correlation.map(Into::into);
    event.parent_id = fields.parent.map(Into::into);
    event.tags = fields.tags.into_iter().map(Into::into).collect();
    event.schema = fields.schema.unwrap_or(event.schema);
    if let Some(payload) = fields.payload {
        event.data = Data::from_json(&payload)?;
    }
    Ok(event)
}
