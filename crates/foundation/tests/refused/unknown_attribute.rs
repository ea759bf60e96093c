//! An attribute that is mistyped is not passed over.

use foundation::Document;
use serde::{Deserialize, Serialize};
use validator::Validate;

#[derive(Clone, Default, Serialize, Deserialize, Validate, Document)]
#[document(nam = "shop")]
struct Shop {
    #[document(secrte)]
    password: String,
}

fn main() {}
