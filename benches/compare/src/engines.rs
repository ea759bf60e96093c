//! The engines: Foundation at two heights, and three rivals.

pub(crate) mod fjall;
pub(crate) mod journal;
pub(crate) mod redb;
pub(crate) mod sqlite;
pub(crate) mod store;
