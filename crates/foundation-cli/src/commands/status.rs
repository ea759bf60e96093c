//! `foundation status`: how a store is, without taking its lock.

use foundation::node::GetStatus;
use foundation::{ErrorKind, Foundation};
use serde_json::json;

use crate::connection::{ANSWER_MIN, Connection, reach};
use crate::exit::Outcome;
use crate::program::Program;
use crate::render;

pub(super) async fn run(program: &mut Program) -> Outcome {
    let directory = program.global.data.clone();
    let patience = program.global.lock_timeout.max(ANSWER_MIN);
    let mut connection = match reach(&directory, patience).await? {
        Some(node) => Connection::Remote(node),
        None => match Foundation::builder(&directory).peek().start().await {
            Ok(foundation) => Connection::Own(Box::new(foundation)),
            Err(error) if error.kind() == ErrorKind::NotFound => return no_store(program),
            Err(error) => return Err(error.into()),
        },
    };
    let status = connection.call(GetStatus {}).await;
    let status = connection.close(status.map_err(Into::into)).await?;
    if program.is_text() {
        let lines = render::status(&status, &directory);
        return lines.iter().try_for_each(|line| program.out.text(line));
    }
    program.out.json(&status)
}

fn no_store(program: &mut Program) -> Outcome {
    let directory = program.global.data.clone();
    if program.is_text() {
        return program.out.text(&render::no_store(&directory));
    }
    program.say_there_is_no_store();
    program.out.json(&json!({"serving": false, "store": null}))
}
