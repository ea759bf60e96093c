//! What every engine has to be able to do here, and how one is opened.

use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;

use foundation::Event;
use tokio::runtime::Runtime;

use crate::Outcome;
use crate::engines::{fjall, journal, redb, sqlite, store};
use crate::sample::{Sample, Seen};

/// The engines, in the order of the table; the rivals come last.
pub(crate) const ENGINES: [&str; 5] =
    [journal::NAME, store::NAME, fjall::NAME, redb::NAME, sqlite::NAME];

/// Waiting until an append is durable.
pub(crate) type Ack<'a> = Pin<Box<dyn Future<Output = Outcome<()>> + Send + 'a>>;

/// Events in the form that an engine takes, made before the clock is started.
pub(crate) enum Input {
    Samples(Vec<Sample>),
    Events(Vec<Event>),
}

impl Input {
    pub(crate) fn samples(self) -> Outcome<Vec<Sample>> {
        match self {
            Self::Samples(samples) => Ok(samples),
            Self::Events(_) => Err("this engine takes samples".into()),
        }
    }

    pub(crate) fn events(self) -> Outcome<Vec<Event>> {
        match self {
            Self::Events(events) => Ok(events),
            Self::Samples(_) => Err("this engine takes events".into()),
        }
    }
}

/// What is asked.
#[derive(Clone, Debug)]
pub(crate) enum Question {
    /// All events of a story, oldest first.
    Correlation(String),
    /// The newest events of a type, newest first.
    Newest(&'static str, usize),
    /// The events that happened at the first time or later, and before the second.
    Between(i64, i64),
    /// Everything, oldest first.
    All,
}

/// Takes one event of an answer.
pub(crate) type Visit<'a> = &'a mut dyn FnMut(Seen<'_>);

/// An engine that is open.
pub(crate) trait Engine: Send + Sync {
    /// Events in its form.
    fn prepare(&self, samples: Vec<Sample>) -> Input {
        Input::Samples(samples)
    }

    /// Appends events, all or none. Polled once, they have their place; they are durable when it is
    /// ready.
    fn append(&self, input: Input) -> Ack<'_>;

    /// As [`Engine::append`] by a thread that nobody competes with and that waits.
    fn append_here(&self, input: Input) -> Outcome<()>;

    /// Answers a question.
    fn ask(&self, question: &Question, visit: Visit<'_>) -> Outcome<()>;

    /// Drops the oldest events, down to so many; false if it cannot.
    fn keep_newest(&self, count: u64) -> Outcome<bool>;

    /// Gives the space of what was dropped back to the system, if that is a step of its own.
    fn give_back(&mut self) -> Outcome<()> {
        Ok(())
    }

    /// How many events it may keep beyond those that it was asked to.
    fn slack(&self) -> u64 {
        0
    }

    /// Stops cleanly.
    fn close(self: Box<Self>) -> Outcome<()>;
}

/// Opens the engine with this name, or makes it.
pub(crate) fn open(name: &str, dir: &Path, runtime: &Arc<Runtime>) -> Outcome<Box<dyn Engine>> {
    Ok(match name {
        journal::NAME => Box::new(journal::Journaled::open(dir, runtime.clone())?),
        store::NAME => Box::new(store::Stored::open(dir, runtime.clone())?),
        fjall::NAME => Box::new(fjall::Fjall::open(dir)?),
        redb::NAME => Box::new(redb::Redb::open(dir)?),
        sqlite::NAME => Box::new(sqlite::Sqlite::open(dir)?),
        other => return Err(format!("there is no engine {other:?}").into()),
    })
}
