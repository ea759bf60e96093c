//! `foundation serve`: a node on the directory, in the foreground, until it is told to stop.

use std::time::Duration;

use foundation::config::LogLevel;
use foundation::error::Category;
use foundation::node::CheckState;
use foundation::{Foundation, Sources};
use tokio::time::{MissedTickBehavior, interval};

use super::demo;
use super::signals::Signals;
use super::watch::{INTERVAL, StatusLine};
use crate::args::ServeArgs;
use crate::exit::{Failure, Outcome};
use crate::logging::{self, Level};
use crate::program::{Program, tell};

/// How long stopping may take.
const SHUTDOWN_DEADLINE: Duration = Duration::from_secs(10);

pub(super) async fn run(program: &mut Program, args: &ServeArgs) -> Outcome {
    let mut signals = Signals::listen()?;
    let mut line = StatusLine::new(program);
    let level = logging::start(LogLevel::Info, line.bar());
    let files = args.settings.iter().fold(Sources::defaults(), Sources::file);
    let builder = Foundation::builder(&program.global.data)
        .settings(files.env("FOUNDATION"))
        .control_socket()
        .host_metrics()
        .life_events()
        .lock_timeout(program.global.lock_timeout);
    let foundation = tokio::select! {
        started = builder.start() => started?,
        // Nothing was begun that has to be ended.
        () = signals.next() => return Ok(()),
    };
    level.set(foundation.settings().get().log.level);
    line.above(|| {
        let directory = program.global.data.display();
        program.say(&format!("serving {directory} (process {})", std::process::id()));
    });
    if args.demo {
        let shown = demo::record(&foundation, program).await?;
        line.above(|| program.say(&shown));
    }
    let followed = follow(&foundation, &level, &mut line, &mut signals).await;
    line.clear();
    let stopped = stop(program, foundation, &mut signals).await;
    followed.and(stopped)
}

/// Follows the log level and draws the status line until a signal comes.
async fn follow(
    foundation: &Foundation,
    level: &Level,
    line: &mut StatusLine,
    signals: &mut Signals,
) -> Outcome {
    let settings = foundation.settings();
    let mut levels = settings.subscribe("log.level")?;
    level.set(settings.get().log.level);
    let mut seconds = interval(INTERVAL);
    seconds.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut health = CheckState::Ok;
    loop {
        tokio::select! {
            () = signals.next() => return Ok(()),
            _ = seconds.tick() => {
                health = tell_health(foundation, health);
                line.draw(foundation);
            }
            notice = levels.next() => {
                // The settings end with the node, which does not end before a signal.
                if notice?.is_none() {
                    return Ok(());
                }
                let now = settings.get().log.level;
                level.set(now);
                tracing::info!(level = ?now, "the log level was changed");
            }
        }
    }
}

/// Logs what has become of the health of the node since it was in this state.
fn tell_health(foundation: &Foundation, before: CheckState) -> CheckState {
    let health = foundation.health();
    if health.state == before {
        return before;
    }
    for check in health.checks.iter().filter(|check| check.state != CheckState::Ok) {
        tracing::error!("{} {}: {}", check.name, check.state, check.message);
    }
    if health.state == CheckState::Ok {
        tracing::info!("the node is well again");
    }
    health.state
}

/// Stops the node and says what could not be drained. Whoever signals again does not wait.
async fn stop(program: &Program, foundation: Foundation, signals: &mut Signals) -> Outcome {
    program.say("stopping");
    tokio::select! {
        report = foundation.shutdown(SHUTDOWN_DEADLINE) => {
            report.into_result()?;
            program.say("stopped, everything is durable");
            Ok(())
        }
        () = signals.insisted() => {
            tell("ended before everything was drained; what was acked is durable");
            Err(Failure::Told(Category::Internal))
        }
    }
}
