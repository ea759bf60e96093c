//! The log of an application follows a setting.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use foundation::config::LogLevel;
use foundation::seams::Clock;
use foundation::{Document, ErrorKind, Foundation, Sources, Timestamp};
use serde::{Deserialize, Serialize};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::{Registry, reload};
use validator::Validate;

/// A document with a level of its own, once as a level and once as text.
#[derive(Clone, Debug, Serialize, Deserialize, Validate, Document)]
#[serde(default, deny_unknown_fields)]
struct Loud {
    level: LogLevel,
    verbosity: String,
    name: String,
}

impl Default for Loud {
    fn default() -> Self {
        let (verbosity, name) = ("error".to_owned(), "loud".to_owned());
        Self { level: LogLevel::Warn, verbosity, name }
    }
}

/// A clock that goes when it is turned.
#[derive(Debug, Default)]
struct Hands(Mutex<Duration>);

impl Hands {
    fn turn(&self, time: Duration) {
        *self.0.lock().expect("nobody panicked") += time;
    }
}

impl Clock for Hands {
    fn wall(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH.plus(self.monotonic())
    }

    fn monotonic(&self) -> Duration {
        *self.0.lock().expect("nobody panicked")
    }
}

async fn until(handle: &reload::Handle<LevelFilter, Registry>, level: LevelFilter) {
    for _ in 0..100_000 {
        if handle.clone_current() == Some(level) {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("the level stays {:?}", handle.clone_current());
}

#[tokio::test]
async fn any_field_that_is_a_level_is_followed_and_no_other() {
    let (_filter, handle) = reload::Layer::<_, Registry>::new(LevelFilter::OFF);
    let foundation = Foundation::in_memory().document::<Loud>(Sources::defaults());
    let foundation = foundation.start().await.expect("starts");
    let loud = foundation.config::<Loud>().expect("is declared");
    let refused = foundation.follow_level::<Loud, _>("name", handle.clone());
    assert_eq!(refused.expect_err("is no level").kind(), ErrorKind::InvalidArgument);
    let refused = foundation.follow_level::<Loud, _>("nothing", handle.clone());
    assert_eq!(refused.expect_err("is not there").kind(), ErrorKind::NotFound);
    assert_eq!(handle.clone_current(), Some(LevelFilter::OFF));
    foundation.follow_level::<Loud, _>("verbosity", handle.clone()).expect("is a level");
    until(&handle, LevelFilter::ERROR).await;
    loud.set("verbosity", "deafening").await.expect("is text");
    loud.set("verbosity", "trace").await.expect("is text");
    until(&handle, LevelFilter::TRACE).await;
    let error = loud.set("level", "deafening").await.expect_err("is no level");
    assert_eq!(error.problems()[0].path, "level");
}

#[tokio::test]
async fn a_level_for_a_time_goes_by_itself() {
    let (_filter, handle) = reload::Layer::<_, Registry>::new(LevelFilter::OFF);
    let clock = Arc::new(Hands::default());
    let foundation = Foundation::in_memory().clock(clock.clone()).start().await.expect("starts");
    foundation.follow_log_level(handle.clone()).expect("is a level");
    until(&handle, LevelFilter::INFO).await;
    let minutes = Duration::from_secs(600);
    let settings = foundation.settings();
    settings.set("log.level", LogLevel::Debug).lasting(minutes).await.expect("fits");
    until(&handle, LevelFilter::DEBUG).await;
    settings.end_passing().await.expect("is not over yet");
    assert_eq!(settings.get().log.level, LogLevel::Debug);
    clock.turn(minutes);
    settings.end_passing().await.expect("is over");
    until(&handle, LevelFilter::INFO).await;
}
