//! The level of the application's log as a setting: changed while it runs, for good or for a time.

use foundation_services::config::Place;
use foundation_types::config::LogLevel;
use foundation_types::value::from_value;
use foundation_types::{Document, Error, ErrorKind, Path, Result, Settings};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::reload::Handle;

use crate::running::Foundation;

impl Foundation {
    /// Has a filter of `tracing` follow the setting `log.level` until the node stops:
    /// `foundation config set log.level debug --for 10m` then is a level that goes by itself.
    ///
    /// ```
    /// use foundation::Foundation;
    /// use foundation::config::LogLevel;
    /// use tracing_subscriber::filter::LevelFilter;
    /// use tracing_subscriber::layer::SubscriberExt as _;
    /// use tracing_subscriber::{Registry, fmt, reload};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> foundation::Result<()> {
    /// let (filter, handle) = reload::Layer::<LevelFilter, Registry>::new(LevelFilter::WARN);
    /// let log = tracing_subscriber::registry().with(filter).with(fmt::layer());
    /// // An application installs it: tracing::subscriber::set_global_default(log).
    /// # let _log = log;
    ///
    /// let foundation = Foundation::in_memory().start().await?;
    /// foundation.follow_log_level(handle.clone())?;
    /// assert_eq!(handle.clone_current(), Some(LevelFilter::INFO));
    ///
    /// foundation.settings().set("log.level", LogLevel::Debug).await?;
    /// # while handle.clone_current() != Some(LevelFilter::DEBUG) { tokio::task::yield_now().await; }
    /// // The filter lets through lines of `debug` from here on.
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Foundation::follow_level`].
    pub fn follow_log_level<S: 'static>(&self, handle: Handle<LevelFilter, S>) -> Result<()> {
        self.follow_level::<Settings, S>("log.level", handle)
    }

    /// As [`Foundation::follow_log_level`], with a place in a document of the application's. Its field is
    /// best a [`LogLevel`], which takes no other word; of another text that is no level the filter takes
    /// no notice.
    ///
    /// # Errors
    /// `NotFound` if there is no such document or place, `InvalidArgument` if what is there is no level,
    /// `Unavailable` if the log that the filter belongs to is gone.
    pub fn follow_level<T: Document, S: 'static>(
        &self,
        place: impl Place<T>,
        handle: Handle<LevelFilter, S>,
    ) -> Result<()> {
        let config = self.config::<T>()?;
        let path = place.into_path()?;
        let mut changes = config.subscribe(&path)?;
        let now = config.value(&path)?;
        let level = from_value(&now).map_err(|cause| no_level::<T>(&path).caused_by(cause))?;
        handle.reload(filter(level)).map_err(|cause| {
            let message = "the log that is to follow a setting is gone";
            Error::new(ErrorKind::Unavailable, message).caused_by(cause)
        })?;
        self.node().tasks.spawn_until_stopped("level of the log", async move {
            // A lag is told as well: what counts is what is there then.
            while let Ok(Some(_)) = changes.next().await {
                let level = config.value(&path).and_then(|now| from_value(&now));
                let Ok(level) = level else { continue };
                if handle.reload(filter(level)).is_err() {
                    return;
                }
            }
        });
        Ok(())
    }
}

fn no_level<T: Document>(path: &Path) -> Error {
    let message = format!(
        "\"{path}\" of document {:?} is no level of a log: expected off, error, warn, info, debug or trace",
        T::NAME
    );
    Error::new(ErrorKind::InvalidArgument, message)
}

fn filter(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Off => LevelFilter::OFF,
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    }
}
