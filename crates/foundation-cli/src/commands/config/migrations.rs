//! `foundation config check-migrations`: what schemas lead to, before anything is logged.

use foundation::node::ConfigMigrations;

use crate::connection::Intent;
use crate::exit::Outcome;
use crate::program::Program;
use crate::render;

pub(super) async fn run(program: &mut Program) -> Outcome {
    let found = program.ask(Intent::Read, ConfigMigrations {}).await?;
    if program.is_text() {
        return program.out.text(&render::migrations(&found).join("\n"));
    }
    program.out.json(&found)
}
