//! How events are sent.

use foundation::Secret;

/// How events are put into messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// A batch is one message: `application/cloudevents-batch+json`.
    #[default]
    Batched,
    /// Each event is a message of its own, one after the other: `application/cloudevents+json`.
    Structured,
}

/// How events are sent.
#[derive(Clone, Debug, Default)]
pub struct HttpRules {
    /// How they are put into messages.
    pub mode: Mode,
    /// Headers of each message, such as `authorization`. Their values are shown nowhere.
    pub headers: Vec<(String, Secret<String>)>,
}
