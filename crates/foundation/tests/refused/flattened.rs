//! The keys of a flattened field stand among those of the struct.

use foundation::{Document, Shaped};
use serde::{Deserialize, Serialize};
use validator::Validate;

#[derive(Clone, Default, Serialize, Deserialize, Validate, Document)]
struct Shop {
    #[serde(flatten)]
    payment: Payment,
}

#[derive(Clone, Default, Serialize, Deserialize, Validate, Shaped)]
struct Payment {
    retry_limit: u32,
}

fn main() {}
