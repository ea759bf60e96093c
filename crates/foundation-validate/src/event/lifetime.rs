//! Whether what an event says of how long it lives can be understood.

use foundation_types::config::EventSettings;
use foundation_types::{ErrorKind, Event, Problem, Result};

use crate::pipeline::settle;
use crate::text::quoted;
use crate::validated::Validated;

/// Whether each tag that is to say how long the event lives, by these settings, does so: what nobody can
/// read as a time would let it live for ever, and nobody would know.
///
/// # Errors
/// [`ErrorKind::Invalid`] for each tag that is the name of the setting `events.ttl_tag`, a colon, and no
/// whole number of seconds.
pub fn time_to_live(event: &Event, settings: &EventSettings) -> Result<()> {
    let mut found = Vec::new();
    for (at, tag) in event.tags.as_slice().iter().enumerate() {
        let (kind, text) = (event.kind.as_str(), tag.as_str());
        if settings.is_ttl_tag(kind, text) && settings.seconds_by_tag(kind, text).is_none() {
            let path = format!("tags[{at}]");
            let problem = Problem::new(ErrorKind::Invalid, path, "says no time to live");
            let expected = format!("whole seconds, such as {}:60", settings.ttl_tag);
            found.push(problem.value(quoted(text)).expected(expected));
        }
    }
    settle((), found).map(Validated::into_inner)
}
