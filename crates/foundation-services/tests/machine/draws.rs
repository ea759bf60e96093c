//! What can happen to an event store, drawn by dice.

use foundation_types::{Durability, EventQuery, Order};

use crate::simulated::Dice;

pub(super) const KINDS: [&str; 4] = ["order.placed", "order.paid", "tick", "tock"];
pub(super) const STREAMS: [&str; 3] = ["events", "s/1", "s/2"];
const PATTERNS: [&str; 6] = ["order.*", "*", "tick", "order.paid", "none", "t*"];
const TAGS: [&str; 3] = ["blue", "c:1", "c:2"];

/// One event to be.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    /// Repeated now and then; drawn by the store if absent.
    pub(super) id: Option<u64>,
    pub(super) kind: &'static str,
    pub(super) correlation: Option<u64>,
    pub(super) parent: Option<u64>,
    pub(super) tags: Vec<&'static str>,
    pub(super) time: i64,
    pub(super) number: u64,
}

/// Under which condition events are appended.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "a few of them are drawn, one after the other")]
pub(super) enum If {
    Anyhow,
    /// The stream is at its version plus this much less.
    AtVersion {
        behind: u64,
    },
    /// Nothing answers that comes behind so many of the newest events.
    Unless {
        query: EventQuery,
        newest: u64,
    },
}

/// One thing that happens.
#[derive(Clone, Debug)]
pub(super) enum Act {
    Append {
        drafts: Vec<Draft>,
        stream: &'static str,
        on: If,
        level: Durability,
    },
    /// The cursor is how many of the newest events it lies behind.
    Query {
        query: EventQuery,
        after: Option<u64>,
    },
    Get {
        id: u64,
    },
    /// Bounds of the buffer.
    Evict {
        events: u64,
    },
    Checkpoint,
    /// The durable consumer takes so many and acks them.
    Consume {
        events: u64,
    },
    /// The store is closed and opened.
    Reopen,
    /// The power is cut now.
    Crash,
    /// The power is cut after so many more calls to the disk.
    CrashSoon {
        calls: u64,
    },
}

pub(super) fn draw(dice: &mut Dice) -> Act {
    match dice.below(100) {
        0..45 => append(dice),
        45..70 => Act::Query { after: dice.coin().then(|| dice.below(20)), query: query(dice) },
        70..75 => Act::Get { id: dice.below(40) },
        75..80 => Act::Evict { events: 1 + dice.below(30) },
        80..83 => Act::Checkpoint,
        83..90 => Act::Consume { events: 1 + dice.below(6) },
        90..93 => Act::Reopen,
        93..96 => Act::Crash,
        _ => Act::CrashSoon { calls: 1 + dice.below(30) },
    }
}

fn append(dice: &mut Dice) -> Act {
    let count = if dice.below(4) == 0 { 1 + dice.below(5) } else { 1 };
    let drafts = (0..count).map(|_| draft(dice)).collect();
    let on = match dice.below(6) {
        0 => If::AtVersion { behind: dice.below(3) },
        // Of the kinds here alone: changes of Foundation's own tables are events too.
        1 => If::Unless { query: of_kinds(condition(dice)), newest: dice.below(12) },
        _ => If::Anyhow,
    };
    let level = if dice.below(4) == 0 { Durability::Os } else { Durability::Disk };
    Act::Append { drafts, stream: pick(dice, &STREAMS), on, level }
}

fn draft(dice: &mut Dice) -> Draft {
    Draft {
        id: (dice.below(3) > 0).then(|| dice.below(40)),
        kind: pick(dice, &KINDS),
        correlation: dice.coin().then(|| dice.below(4)),
        parent: (dice.below(3) == 0).then(|| dice.below(40)),
        tags: TAGS.into_iter().filter(|_| dice.below(4) == 0).collect(),
        time: dice.below(200) as i64,
        number: dice.below(10),
    }
}

/// A query without an order or a limit.
fn condition(dice: &mut Dice) -> EventQuery {
    let mut query = EventQuery::all();
    for _ in 0..dice.below(3) {
        query = query.kind(pick(dice, &PATTERNS));
    }
    if dice.below(3) == 0 {
        query = query.tag(pick(dice, &TAGS));
    }
    if dice.below(4) == 0 {
        query = query.correlation(format!("r{}", dice.below(5)));
    }
    if dice.below(6) == 0 {
        query = query.parent(format!("i{}", dice.below(40)));
    }
    if dice.below(5) == 0 {
        query = query.stream(pick(dice, &STREAMS));
    }
    if dice.below(5) == 0 {
        query = query.field(format!("n>={}", dice.below(10)).parse().expect("a condition"));
    }
    query
}

fn of_kinds(mut query: EventQuery) -> EventQuery {
    query.types.retain(|pattern| !pattern.admits("foundation."));
    if query.types.is_empty() {
        query.types.extend(KINDS.map(Into::into));
    }
    query
}

fn query(dice: &mut Dice) -> EventQuery {
    let mut query = condition(dice);
    if dice.below(4) == 0 {
        query = query.since(super::world::time(dice.below(200) as i64));
    }
    if dice.below(4) == 0 {
        let latest = dice.below(200) as i64;
        let until = super::world::time(latest);
        query =
            if query.since.is_some_and(|since| since > until) { query } else { query.until(until) };
    }
    query.order = if dice.coin() { Order::Desc } else { Order::Asc };
    if dice.below(3) == 0 {
        query = query.limit(1 + dice.below(12));
    }
    query
}

fn pick(dice: &mut Dice, among: &[&'static str]) -> &'static str {
    among[dice.below(among.len() as u64) as usize]
}
