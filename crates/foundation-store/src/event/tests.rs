//! The event log against a model that keeps everything and looks at everything.

mod exact;
mod figures;
mod indices;
mod laws;
mod lookups;
mod sample;
mod shelf;
mod threads;
