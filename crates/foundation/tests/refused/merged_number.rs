//! Only what has several items can be appended to.

use foundation::Document;
use serde::{Deserialize, Serialize};
use validator::Validate;

#[derive(Clone, Default, Serialize, Deserialize, Validate, Document)]
struct Shop {
    #[document(merge = "append")]
    rate_limit: u32,
}

fn main() {}
