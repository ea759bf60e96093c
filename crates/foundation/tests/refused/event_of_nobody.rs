//! The field that says of whom is one of the data, as it is written.

use foundation::EventData;
use foundation::events::Personal;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, EventData)]
#[event(type = "customer.moved", subject = "customer_id")]
#[serde(rename_all = "camelCase")]
struct Moved {
    customer_id: u64,
    name: Personal<String>,
}

fn main() {}
