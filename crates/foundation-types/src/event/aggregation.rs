//! What is asked of many events at once: measures, by groups, in windows of their time.

mod text;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::path::Path;

/// What to compute of the events that answer a query.
///
/// ```
/// use std::time::Duration;
/// use foundation_types::event::{Aggregation, By, Window};
/// let slowest = Aggregation::count()
///     .measure("p95:data.took_ms".parse()?)
///     .by(By::Type)
///     .window(Window::tumbling(Duration::from_secs(60)));
/// assert_eq!(slowest.measures[1].to_string(), "p95:data.took_ms");
/// # Ok::<(), foundation_types::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Aggregation {
    /// What is computed for each row.
    pub measures: Vec<Measure>,
    /// What the events of a row have in common; one row for all of them if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by: Vec<By>,
    /// How their time is cut.
    #[serde(default)]
    pub window: Window,
    /// What becomes of events that come long after younger ones; absent if that makes no
    /// difference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lateness: Option<Lateness>,
}

/// What is computed of the events of a row; written as `count`, `rate`, `sum:data.PATH` or
/// `p95:data.PATH`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Measure {
    /// How many there are.
    Count,
    /// How many there are in a second.
    Rate,
    /// What the numbers at a place of their data come to.
    Of(Fold, Path),
}

/// What numbers come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fold {
    /// Their sum.
    Sum,
    /// The smallest.
    Min,
    /// The largest.
    Max,
    /// Their true mean.
    Mean,
    /// The smallest of them that has at least this share at or below it.
    Percentile(Percent),
}

/// A share in thousandths of a percent, from 0 to 100 percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percent(u32);

/// What the events of a row have in common; written as `type`, `source`, `stream`, `subject`,
/// `correlation` or `data.PATH`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum By {
    /// What happened.
    Type,
    /// Who says so.
    Source,
    /// Where it was appended.
    Stream,
    /// What it is about.
    Subject,
    /// The story that it belongs to.
    Correlation,
    /// The value at a place of the data; lists and maps count as none.
    Data(Path),
}

/// How the time of events is cut. Windows that do not follow the events begin at whole multiples
/// of their step since 1970 and do not include their end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Window {
    /// Not at all.
    #[default]
    None,
    /// Into pieces of one length, each event in one of them.
    Tumbling {
        /// Length in milliseconds.
        size_ms: u64,
    },
    /// Into pieces that overlap, each event in all that it falls into.
    Sliding {
        /// Length in milliseconds.
        size_ms: u64,
        /// From the beginning of one to the next, in milliseconds.
        step_ms: u64,
    },
    /// Where, within a group, nothing happens for so long.
    Session {
        /// The shortest pause that ends a session, in milliseconds.
        gap_ms: u64,
    },
}

/// When an event comes too late, and what becomes of it then.
///
/// Events come in the order of positions. One is late if one that came before it is younger by
/// more than what is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lateness {
    /// How much older than the youngest before it an event may be, in milliseconds.
    pub allowed_ms: u64,
    /// What becomes of one that is older.
    #[serde(default)]
    pub late: Late,
}

/// What becomes of an event that comes too late.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Late {
    /// It is counted as late, and that is all.
    #[default]
    Drop,
    /// It is measured in a row that all late ones share.
    Row,
}

impl Aggregation {
    /// One that counts.
    #[must_use]
    pub fn count() -> Self {
        Self::of(Measure::Count)
    }

    /// One with this measure.
    #[must_use]
    pub fn of(measure: Measure) -> Self {
        Self { measures: vec![measure], by: Vec::new(), window: Window::None, lateness: None }
    }

    /// This aggregation with one more measure.
    #[must_use]
    pub fn measure(mut self, measure: Measure) -> Self {
        self.measures.push(measure);
        self
    }

    /// This aggregation with rows by one thing more.
    #[must_use]
    pub fn by(mut self, by: By) -> Self {
        self.by.push(by);
        self
    }

    /// This aggregation with its time cut so.
    #[must_use]
    pub fn window(mut self, window: Window) -> Self {
        self.window = window;
        self
    }

    /// This aggregation with events that come too late set apart.
    #[must_use]
    pub fn lateness(mut self, allowed: Duration, late: Late) -> Self {
        self.lateness = Some(Lateness { allowed_ms: millis(allowed), late });
        self
    }
}

impl Window {
    /// Pieces of this length.
    #[must_use]
    pub fn tumbling(size: Duration) -> Self {
        Self::Tumbling { size_ms: millis(size) }
    }

    /// Pieces of this length, one beginning each `step`.
    #[must_use]
    pub fn sliding(size: Duration, step: Duration) -> Self {
        Self::Sliding { size_ms: millis(size), step_ms: millis(step) }
    }

    /// Sessions that a pause of this length ends.
    #[must_use]
    pub fn session(gap: Duration) -> Self {
        Self::Session { gap_ms: millis(gap) }
    }
}

impl Percent {
    /// The median.
    pub const MEDIAN: Self = Self(50_000);
    /// All of them, in thousandths of a percent.
    const WHOLE: u32 = 100_000;

    /// The share of so many thousandths of a percent, `None` beyond 100 percent.
    #[must_use]
    pub const fn from_thousandths(thousandths: u32) -> Option<Self> {
        if thousandths <= Self::WHOLE { Some(Self(thousandths)) } else { None }
    }

    /// The rank, counted from 1, that this share has among so many.
    #[must_use]
    pub fn rank_of(self, count: u64) -> u64 {
        let rank = (u128::from(count) * u128::from(self.0)).div_ceil(u128::from(Self::WHOLE));
        u64::try_from(rank).unwrap_or(count).max(1)
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
