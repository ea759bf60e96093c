//! Exports of Foundation to whoever takes `CloudEvents` 1.0 over HTTP/1.1.
//!
//! It has the client alone: what is passed on, when, and how often, is said by the rules of the
//! export. There is no TLS here: what leaves the host goes through a proxy that has it.
//!
//! In reading order: [`HttpRules`], [`HttpSink`], and what an answer means (`answer`).

#![forbid(unsafe_code)]

mod answer;
mod rules;
mod sink;

pub use rules::{HttpRules, Mode};
pub use sink::HttpSink;
