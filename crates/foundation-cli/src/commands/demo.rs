//! `foundation serve --demo`: what runs on this machine as real events, and what to type next.

use std::collections::HashMap;
use std::env;
use std::path::Path;
use std::time::{Duration, Instant};

use foundation::telemetry::{Metric, MetricValue};
use foundation::{ErrorKind, Event, Foundation, Result};

use super::processes::{Boot, Process, running};
use crate::args::Global;
use crate::program::Program;
use crate::render;

/// The type of the events.
const OBSERVED: &str = "host.process.observed";
/// Events that are handed over together.
const GROUP_EVENTS_MAX: usize = 500;
/// How long the first sample of the host is waited for.
const SAMPLE_WAIT_MAX: Duration = Duration::from_millis(800);
/// Types and metrics that are shown.
const ROWS_MAX: usize = 6;

/// Records the processes, and gives what is worth seeing of it.
pub(super) async fn record(foundation: &Foundation, program: &Program) -> Result<String> {
    let boot = Boot::current();
    let events = observations(&boot, &running())?;
    let (mut stored, mut known) = (0, 0);
    for group in events.chunks(GROUP_EVENTS_MAX) {
        for outcome in foundation.events().append_each(group.to_vec()).await {
            match outcome {
                Ok(receipt) if receipt.repeated => known += 1,
                Ok(_) => stored += 1,
                // A process that has another parent or name by now; an event does not change.
                Err(error) if error.kind() == ErrorKind::IdReused => known += 1,
                Err(error) => return Err(error),
            }
        }
    }
    let [stored, known] = [stored, known].map(render::thousands);
    let mut lines = vec![format!(
        "recorded processes of this machine as events: {stored} new, {known} known before"
    )];
    lines.push("\nevents by type".to_owned());
    lines.extend(indented(render::by_type(&foundation.events().stats(), ROWS_MAX)));
    lines.push("\nmetrics, some of them".to_owned());
    lines.extend(indented(render::metrics(&sampled(foundation).await)));
    lines.push("\nnext, in another terminal".to_owned());
    lines.extend(indented(next_commands(&program.global, &story(&boot))));
    Ok(lines.join("\n") + "\n")
}

fn indented(lines: Vec<String>) -> impl Iterator<Item = String> {
    lines.into_iter().map(|line| format!("  {line}"))
}

/// The correlation id of all that runs since this start of the machine.
fn story(boot: &Boot) -> String {
    format!("host-{}", boot.id)
}

/// One event a process. The ids are the same at every run, so that none is stored twice.
fn observations(boot: &Boot, processes: &[Process]) -> Result<Vec<Event>> {
    let id = |one: &Process| format!("proc-{}-{}-{}", boot.id, one.pid, one.started_ticks);
    let ids: HashMap<u32, String> = processes.iter().map(|one| (one.pid, id(one))).collect();
    let observation = |one: &Process| {
        let mut event = Event::new(OBSERVED)
            .id(id(one))
            .at(boot.start_of(one))
            .subject(&one.command)
            .correlation(story(boot))
            .data(&serde_json::json!({"command": one.command, "pid": one.pid}))?;
        event.source = Some(boot.host.clone()).filter(|host| !host.is_empty());
        event.parent_id = ids.get(&one.parent).map(Into::into);
        Ok(event)
    };
    processes.iter().map(observation).collect()
}

/// Metrics of the host, once it was sampled.
async fn sampled(foundation: &Foundation) -> Vec<Metric> {
    let end = Instant::now() + SAMPLE_WAIT_MAX;
    loop {
        let mut metrics = foundation.telemetry().snapshot();
        let is_sampled = metrics.iter().any(|metric| {
            metric.name.starts_with("foundation.host.")
                && matches!(metric.value, MetricValue::Gauge(value) if value > 0.0)
        });
        if is_sampled || Instant::now() >= end {
            metrics.retain(|metric| match metric.value {
                MetricValue::Counter(sum) => sum > 0,
                MetricValue::Gauge(value) => value > 0.0,
                MetricValue::Histogram(said) => said.count > 0,
            });
            metrics.truncate(ROWS_MAX);
            return metrics;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn next_commands(global: &Global, story: &str) -> Vec<String> {
    let mut program = quoted(&program_path());
    if global.data != Path::new(Global::DATA) {
        program = format!("{program} --data {}", quoted(&global.data.to_string_lossy()));
    }
    vec![
        format!("{program} events trace {story}"),
        format!("{program} metrics show"),
        format!("{program} config set log.level debug --reason 'a first look'"),
    ]
}

/// The path of this program, from the folder that the user is in if it is below it.
fn program_path() -> String {
    let Ok(path) = env::current_exe() else { return "foundation".to_owned() };
    let below = env::current_dir().ok().and_then(|here| path.strip_prefix(here).ok());
    below.unwrap_or(&path).to_string_lossy().into_owned()
}

/// A word as a shell reads it.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use foundation::Timestamp;

    use super::*;

    #[test]
    fn a_process_names_its_parent_where_that_is_seen() {
        let boot = Boot { id: "b".into(), host: "h".into(), time: Timestamp::UNIX_EPOCH };
        let process = |pid, parent| Process {
            pid,
            parent,
            command: "sh".into(),
            started_ticks: u64::from(pid) * 10,
        };
        let events = observations(&boot, &[process(1, 0), process(7, 1)]).expect("are data");
        let told: Vec<_> = events
            .iter()
            .map(|event| (event.id.as_ref(), event.parent_id.as_ref()))
            .map(|(id, parent)| (id.map(|id| id.as_str()), parent.map(|id| id.as_str())))
            .collect();
        assert_eq!(told, [(Some("proc-b-1-10"), None), (Some("proc-b-7-70"), Some("proc-b-1-10"))]);
    }

    #[test]
    fn words_survive_the_shell() {
        assert_eq!(quoted("./data-1"), "./data-1");
        assert_eq!(quoted("it's here"), r"'it'\''s here'");
        assert_eq!(quoted(""), "''");
    }
}
