//! A document has a name that files and command lines can have.

use foundation::Document;
use serde::{Deserialize, Serialize};
use validator::Validate;

#[derive(Clone, Default, Serialize, Deserialize, Validate, Document)]
#[document(name = "the shop")]
struct Shop {
    rate_limit: u32,
}

fn main() {}
