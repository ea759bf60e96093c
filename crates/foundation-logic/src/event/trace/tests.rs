//! Trees, chains, gaps and cycles, and what they come to.

mod figures;
mod laws;
mod shown;

use foundation_types::{Event, Position, Recorded, StreamName, Timestamp, Version};

use super::Trace;

/// Events with ids, parents, milliseconds and sources: `id parent ms source`, `-` for none.
fn story(lines: &[&str]) -> Vec<Recorded> {
    (1..).zip(lines).map(|(position, line)| recorded(position, line)).collect()
}

fn recorded(position: u64, line: &str) -> Recorded {
    let words: Vec<&str> = line.split(' ').collect();
    let [id, parent, millis, source] = words[..] else { panic!("{line} has four words") };
    let time = Timestamp::from_unix_micros(millis.parse::<i64>().expect("milliseconds") * 1_000);
    let mut event = Event::new(format!("did.{id}")).id(id).at(time).correlation("r");
    if parent != "-" {
        event = event.parent(parent);
    }
    if source != "-" {
        event = event.source(source);
    }
    Recorded {
        position: Position::from_engine(position),
        stream: StreamName::from(StreamName::EVENTS),
        version: Version::new(position),
        recorded: time,
        event,
    }
}

fn told(lines: &[&str]) -> Trace {
    super::trace(story(lines))
}
