//! Tests of the configuration service, over a journal in memory.

mod cancelled;
mod conflicts;
mod delayed;
mod earlier;
mod figures;
mod followed;
mod lensed;
mod merged;
mod parked;
mod passing;
mod patched;
mod recorded;
mod recovered;
mod refused;
mod reloaded;
mod sample;
mod untyped;
mod updated;
mod vetoed;
mod watched;
