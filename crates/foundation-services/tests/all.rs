//! Live configuration from outside: what it promises to many clients at once, attacked.

mod consumer_crashes;
mod crashes;
mod expiry_crashes;
mod exports;
mod forget_crashes;
mod histories;
mod keyed_crashes;
mod keyed_laws;
mod machine;
mod migration_crashes;
mod projection_crashes;
#[path = "../../foundation-store/tests/simulated.rs"]
#[expect(dead_code, reason = "the tests of the journal use all of it")]
mod simulated;
mod stored;
mod subscribers;
