//! `foundation events projections`: how far each of them is, what one has, and what is done about it.

use foundation::events::{ProjectionAction, ProjectionChanged, ProjectionShown};
use foundation::node::{ProjectionChange, ProjectionList, ProjectionShow};

use crate::args::{Output, ProjectionsArgs, ProjectionsVerb, ShowProjectionArgs};
use crate::connection::Intent;
use crate::exit::Outcome;
use crate::program::Program;
use crate::render;

pub(super) async fn run(program: &mut Program, args: ProjectionsArgs) -> Outcome {
    match args.verb {
        None => list(program).await,
        Some(ProjectionsVerb::Show(args)) => show(program, args).await,
        Some(ProjectionsVerb::Rebuild { projection }) => {
            let done = change(program, &projection, ProjectionAction::Rebuild).await?;
            for ProjectionChanged { version, running } in done {
                let when = match running {
                    true => "is being made anew",
                    false => "is made anew when an application that has it starts",
                };
                program.say(&format!("projection {projection} version {version} {when}"));
            }
            Ok(())
        }
        Some(ProjectionsVerb::Delete { projection }) => {
            change(program, &projection, ProjectionAction::Delete).await?;
            program.say(&format!("nothing is kept of projection {projection} any more"));
            Ok(())
        }
    }
}

async fn change(
    program: &mut Program,
    projection: &str,
    action: ProjectionAction,
) -> Outcome<Vec<ProjectionChanged>> {
    let call = ProjectionChange { projection: projection.to_owned(), action };
    let done = program.ask(Intent::Change, call).await?;
    program.applied(format!("projection {projection} is changed"));
    Ok(done)
}

async fn show(program: &mut Program, args: ShowProjectionArgs) -> Outcome {
    let ShowProjectionArgs { projection, key, after, limit } = args;
    let call = ProjectionShow { projection, key, after, limit };
    let shown = program.ask(Intent::Read, call).await?;
    match (shown, program.global.output) {
        (ProjectionShown::State(served), Output::Text) => program.out.text(served.state.as_json()),
        (ProjectionShown::Key(state), Output::Text) => program.out.text(state.as_json()),
        (ProjectionShown::Keys(page), Output::Text) => {
            for (key, state) in &page.entries {
                program.out.text(&format!("{}  {}", render::one_line(key), state.as_json()))?;
            }
            if let Some(next) = &page.next {
                program.say(&format!("more: --after {}", render::one_line(next)));
            }
            Ok(())
        }
        (ProjectionShown::Keys(page), Output::Ndjson) => {
            page.entries.iter().try_for_each(|entry| program.out.json(entry))
        }
        (ProjectionShown::Keys(page), Output::Json) => program.out.json(&page),
        (ProjectionShown::State(served), _) => program.out.json(&served),
        (ProjectionShown::Key(state), _) => program.out.json(&state),
    }
}

async fn list(program: &mut Program) -> Outcome {
    let all = program.ask(Intent::Read, ProjectionList {}).await?;
    match program.global.output {
        Output::Text => {
            render::projections(&all).iter().try_for_each(|line| program.out.text(line))
        }
        Output::Json => program.out.json(&all),
        Output::Ndjson => all.iter().try_for_each(|one| program.out.json(one)),
    }
}
