//! `foundation metrics show`: the series of a running node, or the last that one has kept.

use foundation::node::{GetKeptMetrics, GetMetrics};

use crate::args::Output;
use crate::connection::{ANSWER_MIN, Intent, reach};
use crate::exit::Outcome;
use crate::program::Program;
use crate::render;

pub(super) async fn show(program: &mut Program, prefix: &str) -> Outcome {
    let patience = program.global.lock_timeout.max(ANSWER_MIN);
    let mut metrics = match reach(&program.global.data, patience).await? {
        Some(mut node) => node.call(GetMetrics {}).await?,
        None => {
            let kept = program.ask(Intent::Read, GetKeptMetrics {}).await?;
            let directory = program.global.data.display();
            program.say(&match &kept {
                Some(kept) => format!(
                    "no node serves {directory}; this is what one had counted from {} to {}",
                    kept.started, kept.taken
                ),
                None => format!("no node serves {directory}, and none has kept its metrics"),
            });
            kept.map(|kept| kept.metrics).unwrap_or_default()
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
