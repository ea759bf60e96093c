//! The targets: each reads bytes as one part of Foundation does.

pub mod archive;
pub mod config;
pub mod control;
pub mod event;
pub mod exported;
pub mod frame;
pub mod index;
pub mod manifest;
pub mod marks;
pub mod query;
pub mod segment;
pub mod snapshot;

/// One target.
#[derive(Clone, Copy)]
pub struct Target {
    /// What it is called.
    pub name: &'static str,
    /// Reads an input; a panic is a finding.
    pub run: fn(&[u8]),
    /// Inputs to begin with.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Bytes of the longest input.
    pub input_bytes_max: usize,
}

impl std::fmt::Debug for Target {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Target").field("name", &self.name).finish_non_exhaustive()
    }
}

/// All of them.
pub const TARGETS: &[Target] = &[
    Target { name: "frame", run: frame::run, seeds: frame::seeds, input_bytes_max: 512 },
    Target { name: "segment", run: segment::run, seeds: segment::seeds, input_bytes_max: 4096 },
    Target { name: "index", run: index::run, seeds: index::seeds, input_bytes_max: 512 },
    Target { name: "snapshot", run: snapshot::run, seeds: snapshot::seeds, input_bytes_max: 2048 },
    Target { name: "marks", run: marks::run, seeds: marks::seeds, input_bytes_max: 1280 },
    Target { name: "manifest", run: manifest::run, seeds: manifest::seeds, input_bytes_max: 2048 },
    Target { name: "archive", run: archive::run, seeds: archive::seeds, input_bytes_max: 1024 },
    Target { name: "query", run: query::run, seeds: query::seeds, input_bytes_max: 4096 },
    Target { name: "event", run: event::run, seeds: event::seeds, input_bytes_max: 4096 },
    Target { name: "exported", run: exported::run, seeds: exported::seeds, input_bytes_max: 4096 },
    Target { name: "config", run: config::run, seeds: config::seeds, input_bytes_max: 4096 },
    Target { name: "control", run: control::run, seeds: control::seeds, input_bytes_max: 4096 },
];
