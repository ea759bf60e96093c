//! `foundation events forget` and `forgotten`: a person is forgotten, and what tells of it.

use foundation::events::{Cut, Forgetting, Forgotten, Touched};
use foundation::node::{EventsForget, EventsForgotten};
use foundation::{Error, ErrorKind, Foundation, SealingKey};

use crate::args::{ForgetArgs, Output};
use crate::connection::{Connection, Intent, Owner};
use crate::exit::Outcome;
use crate::program::Program;
use crate::render;

pub(super) async fn run(program: &mut Program, args: ForgetArgs) -> Outcome {
    let done = forget(program, args).await?;
    if !program.is_text() {
        return program.out.json(&done);
    }
    match (done.key, done.position) {
        (Some(key), Some(position)) => {
            let line = format!("forgotten: key {key} is destroyed, event at position {position}");
            program.out.text(&line)
        }
        _ => program.out.text("nothing to forget: the subject has no key"),
    }
}

/// Asks the node that has the keys; without one, whoever has the sealing key forgets by themselves.
async fn forget(program: &mut Program, args: ForgetArgs) -> Outcome<Forgetting> {
    let ForgetArgs { subject, actor, reason, sealing_key, former_sealing_keys, personal_keys } =
        args;
    let call = EventsForget { subject, actor, reason };
    let Some(key) = &sealing_key else { return program.ask(Intent::Change, call).await };
    let directory = program.global.data.clone();
    let owner = program.reach_or(async || {
        let builder = Foundation::builder(&directory).existing().metrics_kept(false);
        let builder = builder.sealing_key(SealingKey::from_file(key)?);
        let builder = former_sealing_keys.iter().try_fold(builder, |builder, file| {
            Ok::<_, Error>(builder.former_sealing_key(SealingKey::from_file(file)?))
        })?;
        match &personal_keys {
            Some(place) => builder.personal_keys(place).start().await,
            None => builder.start().await,
        }
    });
    let mut connection = match owner.await? {
        Owner::Node(client) => Connection::Remote(client),
        Owner::Us(foundation) => Connection::Own(Box::new(foundation)),
    };
    let is_own = matches!(connection, Connection::Own(_));
    let done = connection.call(call).await.map_err(|error| match error.kind() {
        ErrorKind::NoSealingKey if is_own => no_keys(),
        _ => error,
    });
    connection.close(done.map_err(Into::into)).await
}

fn no_keys() -> Error {
    let message = "there are no keys of persons beside this store: if they are elsewhere, say where \
                   with --personal-keys DIR";
    Error::new(ErrorKind::NotFound, message)
}

pub(super) async fn list(program: &mut Program) -> Outcome {
    let all = program.ask(Intent::Read, EventsForgotten {}).await?;
    match program.global.output {
        Output::Text => all.iter().try_for_each(|one| program.out.text(&line(one))),
        Output::Json => program.out.json(&all),
        Output::Ndjson => all.iter().try_for_each(|one| program.out.json(one)),
    }
}

fn line(one: &Forgotten) -> String {
    let actor = one.actor.as_deref().map(|actor| format!(" by {}", render::one_line(actor)));
    let (actor, reason) = (actor.unwrap_or_default(), render::one_line(&one.reason));
    let touched = one.touched.as_ref().map(|touched| format!(" ({})", counted(touched)));
    format!("{}  key {}{actor}: {reason}{}", one.at, one.key, touched.unwrap_or_default())
}

/// How many events of which types had something of the person, and whether that is all.
fn counted(touched: &Touched) -> String {
    let by_type = |(kind, count): (&String, &u64)| format!("{} {count}", render::one_line(kind));
    let mut said: Vec<String> = touched.types.iter().map(by_type).collect();
    let listed: u64 = touched.types.values().sum();
    if touched.events > listed {
        said.push(format!("others {}", touched.events - listed));
    }
    let types = if said.is_empty() { String::new() } else { format!(": {}", said.join(", ")) };
    let cut = touched.cut.map_or_else(String::new, |cut| {
        let why = match cut {
            Cut::Limit => "the log has more records than are counted",
            Cut::Unreadable => "the next record could not be read",
        };
        format!("; counted up to position {}: {why}", touched.up_to)
    });
    format!("{}{types}{cut}", render::counted(touched.events, "event"))
}
