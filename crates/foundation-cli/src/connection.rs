//! The store behind a command: the node that serves the directory, or the directory itself.

use std::ops::AsyncFnMut;
use std::path::Path;
use std::time::Duration;

use foundation::node::{Call, Client, GetStatus};
use foundation::{Error, ErrorKind, Foundation, Result};
use tokio::time::{Instant, sleep, timeout};

use crate::exit::Outcome;
use crate::program::Program;

/// How long to wait before the directory is tried again.
pub(crate) const RETRY: Duration = Duration::from_millis(20);
/// The least time that a node has to answer: one that is there is not given up at once.
pub(crate) const ANSWER_MIN: Duration = Duration::from_secs(5);
/// How long an own store may take to make everything durable.
const CLOSE_DEADLINE: Duration = Duration::from_secs(10);

/// What a command is going to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Intent {
    /// Nothing is changed; where there is no store, none is made.
    Read,
    /// As [`Intent::Read`], where it is no matter whether there is a store.
    Judge,
    /// Something of a store is changed, which makes no sense where there is none: none is made.
    Change,
    /// A store is made if there is none.
    Write,
}

/// A store that answers calls.
pub(crate) enum Connection {
    /// Opened by this process.
    Own(Box<Foundation>),
    /// Served by another one.
    Remote(Client),
}

/// Who has the directory.
pub(crate) enum Owner<T> {
    /// A node that answers.
    Node(Client),
    /// This process, with what it opened.
    Us(T),
}

impl Connection {
    /// Asks, and waits for the answer.
    pub(crate) async fn call<C: Call>(&mut self, call: C) -> Result<C::Answer> {
        match self {
            Self::Own(foundation) => foundation.call(call).await,
            Self::Remote(client) => client.call(call).await,
        }
    }

    /// Lets go of the store. What the command came to counts more than how the store was closed.
    pub(crate) async fn close<T>(self, outcome: Outcome<T>) -> Outcome<T> {
        if let Self::Own(foundation) = self {
            let closed = foundation.shutdown(CLOSE_DEADLINE).await.into_result();
            if outcome.is_ok() {
                closed?;
            }
        }
        outcome
    }
}

impl Program {
    /// Connects to the store, waiting for a short-lived owner until the lock timeout is over.
    pub(crate) async fn connect(&self, intent: Intent) -> Result<Connection> {
        let directory = &self.global.data;
        let opened = self
            .reach_or(async || match intent {
                // What a node has kept of its metrics stays.
                Intent::Write => Foundation::builder(directory).metrics_kept(false).start().await,
                Intent::Change => {
                    Foundation::builder(directory).existing().metrics_kept(false).start().await
                }
                Intent::Read | Intent::Judge => {
                    Foundation::builder(directory).read_only().start().await
                }
            })
            .await;
        match opened {
            Ok(Owner::Node(client)) => Ok(Connection::Remote(client)),
            Ok(Owner::Us(foundation)) => {
                self.say_what_is_lacking(&foundation);
                Ok(Connection::Own(Box::new(foundation)))
            }
            Err(error)
                if error.kind() == ErrorKind::NotFound
                    && matches!(intent, Intent::Read | Intent::Judge) =>
            {
                if intent == Intent::Read {
                    self.say_there_is_no_store();
                }
                let empty = Foundation::in_memory().start().await?;
                Ok(Connection::Own(Box::new(empty)))
            }
            Err(error) => Err(error),
        }
    }

    /// Asks one question.
    pub(crate) async fn ask<C: Call>(&self, intent: Intent, call: C) -> Outcome<C::Answer> {
        let mut connection = self.connect(intent).await?;
        let answer = connection.call(call).await;
        connection.close(answer.map_err(Into::into)).await
    }

    /// The node that serves the directory, otherwise what `open` opens; as long as another
    /// process owns the directory without serving it, both are tried again.
    pub(crate) async fn reach_or<T>(
        &self,
        mut open: impl AsyncFnMut() -> Result<T>,
    ) -> Result<Owner<T>> {
        let end = Instant::now() + self.global.lock_timeout;
        loop {
            let patience = end.saturating_duration_since(Instant::now()).max(ANSWER_MIN);
            if let Some(client) = reach(&self.global.data, patience).await? {
                return Ok(Owner::Node(client));
            }
            match open().await {
                Ok(opened) => return Ok(Owner::Us(opened)),
                Err(error) if error.kind() == ErrorKind::Locked && Instant::now() < end => {
                    sleep(RETRY).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Says that the document of the command had sources which this program does not have.
    fn say_what_is_lacking(&self, foundation: &Foundation) {
        let config = self.document.as_deref().and_then(|name| foundation.config_named(name).ok());
        if let Some(config) = config.filter(|config| config.lacks_sources()) {
            self.say(&format!(
                "note: files or the environment gave document {:?} values, and are not known here: what \
                 they said last is in force, their secrets are not, and a change of them is not seen",
                config.name()
            ));
        }
    }

    /// Says that an answer is that of an empty store.
    pub(crate) fn say_there_is_no_store(&self) {
        self.say(&format!("there is no store in {} yet", self.global.data.display()));
    }
}

/// The node that serves the directory, if one does and answers.
///
/// It is asked something first: a node that is stopping takes a connection and drops it, and a
/// write that is lost with it would be one of which nobody knows whether it was applied.
pub(crate) async fn reach(directory: &Path, patience: Duration) -> Result<Option<Client>> {
    let greet = async {
        let Some(mut client) = Client::connect(directory).await? else { return Ok(None) };
        match client.call(GetStatus {}).await {
            Ok(_) => Ok(Some(client)),
            Err(error) if error.kind() == ErrorKind::Unavailable => Ok(None),
            Err(error) => Err(error),
        }
    };
    timeout(patience, greet).await.unwrap_or_else(|_| {
        let message = format!(
            "the node that serves {} does not answer within {} s",
            directory.display(),
            patience.as_secs()
        );
        Err(Error::new(ErrorKind::Unavailable, message))
    })
}
