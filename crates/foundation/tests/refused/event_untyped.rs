//! An event has a type, and a personal value is sealed as a whole.

use foundation::EventData;
use foundation::events::Personal;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, EventData)]
struct Moved {
    phones: Vec<Personal<String>>,
}

fn main() {}
