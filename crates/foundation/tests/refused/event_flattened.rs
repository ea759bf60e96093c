//! No path leads to a personal field whose keys stand among those of the struct.

use foundation::EventData;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, EventData)]
#[event(type = "customer.moved")]
struct Moved {
    #[serde(flatten)]
    customer: Customer,
}

#[derive(Serialize, Deserialize)]
struct Customer {
    id: u64,
}

fn main() {}
