//! What a type takes is known, or said to be unknown.

use std::time::Duration;

use foundation::Document;
use serde::{Deserialize, Serialize};
use validator::Validate;

#[derive(Clone, Default, Serialize, Deserialize, Validate, Document)]
struct Shop {
    pause: Duration,
}

fn main() {}
