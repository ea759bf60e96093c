//! Metrics in memory: series that many threads record into at once without waiting.
//!
//! Every thread that records owns a slot number (the module `slot`). A series keeps one cell for each
//! number, so the owner of a number adds with a plain load and store on memory that no other
//! thread writes; a snapshot sums the cells. Nothing on the recording path waits, fails or
//! allocates, but for one thing: the first recording of a slot into a series makes its cell.
//!
//! Memory is bounded by the number of series, not of recordings. A series takes about 0.6 KiB;
//! each slot that recorded into it adds 128 B for a counter and 9.2 KiB for a histogram, twice that
//! if it has both negative and positive values. Slot numbers are taken again by later threads, so that
//! a process with many short threads needs no more than one with as many at a time.
//!
//! Metrics live as long as the process. They are durable only as their last snapshot
//! ([`KeptMetrics`]), which the next process finds.

mod cells;
mod counter;
mod directory;
mod gauge;
mod histogram;
mod kept;
mod metric;
mod registry;
mod slot;
mod word;

#[cfg(test)]
mod handover_model;
#[cfg(test)]
mod tests;

pub use counter::Counter;
pub use gauge::Gauge;
pub use histogram::Histogram;
pub use kept::KeptMetrics;
pub(crate) use kept::METRICS_FILE;
pub use registry::{MetricRegistry, Offender, RegistryStatus};
