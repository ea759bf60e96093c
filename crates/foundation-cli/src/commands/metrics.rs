//! `foundation metrics show`: the series of a running node.

use foundation::node::GetMetrics;

use crate::args::Output;
use crate::connection::{ANSWER_MIN, reach};
use crate::exit::Outcome;
use crate::program::Program;
use crate::render;

pub(super) async fn show(program: &mut Program, prefix: &str) -> Outcome {
    let patience = program.global.lock_timeout.max(ANSWER_MIN);
    let mut metrics = match reach(&program.global.data, patience).await? {
        Some(mut node) => node.call(GetMetrics {}).await?,
        None => {
            let directory = program.global.data.display();
            program.say(&format!("no node serves {directory}: metrics live in a running one"));
            Vec::new()
        }
    };
    metrics.retain(|metric| metric.name.starts_with(prefix));
    match program.global.output {
        Output::Text => {
            render::metrics(&metrics).iter().try_for_each(|line| program.out.text(line))
        }
        Output::Json => program.out.json(&metrics),
        Output::Ndjson => metrics.iter().try_for_each(|metric| program.out.json(metric)),
    }
}
