//! What the benches share: a store to measure, an event of the usual size, and the bare disk.

#![forbid(unsafe_code)]

mod naive;

pub use naive::Naive;

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

use criterion::Criterion;
use foundation::{Document, Event, Foundation, Sources};
use serde::{Deserialize, Serialize};
use tokio::runtime::Runtime;
use validator::Validate;

/// A document of 60 leaves: 4 groups of 15 numbers.
#[derive(Clone, Debug, Default, Serialize, Deserialize, Validate)]
#[serde(default)]
pub struct Sixty {
    /// The group that is changed.
    #[validate(nested)]
    pub first: Fifteen,
    /// A group that stays.
    #[validate(nested)]
    pub second: Fifteen,
    /// A group that stays.
    #[validate(nested)]
    pub third: Fifteen,
    /// A group that stays.
    #[validate(nested)]
    pub fourth: Fifteen,
}

macro_rules! fifteen {
    ($($name:ident)*) => {
        /// Fifteen numbers.
        #[derive(Clone, Debug, Default, Serialize, Deserialize, Validate)]
        #[serde(default)]
        pub struct Fifteen {
            $(
                /// A number.
                #[validate(range(max = 1_000_000_000))]
                pub $name: u64,
            )*
        }
    };
}

fifteen! { a b c d e f g h i j k l m n o }

impl Document for Sixty {
    const NAME: &'static str = "sixty";
}

/// A document of 10,000 leaves: 100 groups of 100 numbers.
#[derive(Clone, Debug, Serialize, Deserialize, Validate)]
#[serde(default)]
pub struct Wide {
    /// The groups, `g0` to `g99`, each with `l0` to `l99`.
    pub groups: BTreeMap<String, BTreeMap<String, u64>>,
}

impl Default for Wide {
    fn default() -> Self {
        let leaves = || (0..100).map(|leaf| (format!("l{leaf}"), 0)).collect();
        Self { groups: (0..100).map(|group| (format!("g{group}"), leaves())).collect() }
    }
}

impl Document for Wide {
    const NAME: &'static str = "wide";
}

/// A runtime, and a store with the documents of 60 and of 10,000 leaves.
pub struct Bench {
    /// The runtime that the store runs on.
    pub runtime: Runtime,
    /// The store.
    pub foundation: Foundation,
    _directory: Option<tempfile::TempDir>,
}

impl Bench {
    /// A store in memory.
    #[must_use]
    pub fn in_memory() -> Self {
        Self::with(Foundation::in_memory(), None)
    }

    /// A store in a new directory of the system's place for temporary files.
    #[must_use]
    pub fn durable() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let builder = Foundation::builder(directory.path().join("store"));
        Self::with(builder, Some(directory))
    }

    /// A store that this makes.
    #[must_use]
    pub fn of(builder: foundation::Builder) -> Self {
        Self::with(builder, None)
    }

    fn with(builder: foundation::Builder, directory: Option<tempfile::TempDir>) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let builder =
            builder.document::<Sixty>(Sources::defaults()).document::<Wide>(Sources::defaults());
        let foundation = runtime.block_on(builder.start()).expect("the store starts");
        Self { runtime, foundation, _directory: directory }
    }

    /// Time that `count` runs of an operation take by so many tasks at once, each of which waits for
    /// one run before it begins the next.
    pub fn time_at_once<F: Future<Output = ()> + Send>(
        &self,
        tasks: u64,
        count: u64,
        operation: impl Fn(u64, u64) -> F + Clone + Send + 'static,
    ) -> Duration {
        let each = count.div_ceil(tasks);
        let start = Instant::now();
        let running: Vec<_> = (0..tasks)
            .map(|task| {
                let operation = operation.clone();
                self.runtime.spawn(async move {
                    for number in 0..each {
                        operation(task, number).await;
                    }
                })
            })
            .collect();
        for task in running {
            self.runtime.block_on(task).expect("a task ends well");
        }
        start.elapsed().mul_f64(count as f64 / (each * tasks) as f64)
    }

    /// Time that `count` runs of an asynchronous operation take, one after the other.
    pub fn time<F: Future<Output = ()>>(
        &self,
        count: u64,
        mut operation: impl FnMut(u64) -> F,
    ) -> Duration {
        self.runtime.block_on(async {
            let start = Instant::now();
            for number in 0..count {
                operation(number).await;
            }
            start.elapsed()
        })
    }
}

/// An event of about 190 bytes as JSON: ten to a correlation, one of eight types.
#[must_use]
pub fn event(number: u64) -> Event {
    const KINDS: [&str; 8] = [
        "order.placed",
        "order.packed",
        "order.sent",
        "order.billed",
        "order.paid",
        "order.opened",
        "order.closed",
        "order.viewed",
    ];
    let kind = KINDS[(number % 8) as usize];
    Event::new(kind)
        .correlation(format!("req-{:07}", number / 10))
        .source("bench")
        .data(&(number, "abcdefghijklmnopqrstuvwxyz", 12_345))
        .expect("plain data")
}

/// Appends `count` times 216 bytes to a file that was written with zeros before, each with a sync:
/// what a durable write costs on this disk at least.
#[must_use]
pub fn bare_appends(count: u64) -> Duration {
    let file: File = tempfile::tempfile().expect("a file");
    let bytes = [7_u8; 216];
    let zeros = vec![0_u8; 216 * usize::try_from(count).expect("few") + 4_096];
    file.write_all_at(&zeros, 0).expect("writes");
    file.sync_all().expect("syncs");
    let start = Instant::now();
    for number in 0..count {
        file.write_all_at(&bytes, number * 216).expect("writes");
        file.sync_data().expect("syncs");
    }
    start.elapsed()
}

/// Measurements short enough to run all of them in a few minutes.
#[must_use]
pub fn criterion() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .sample_size(20)
        .configure_from_args()
}
