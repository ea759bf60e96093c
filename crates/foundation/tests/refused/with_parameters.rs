//! A type with parameters has many shapes.

use foundation::Document;
use serde::{Deserialize, Serialize};
use validator::Validate;

#[derive(Clone, Default, Serialize, Deserialize, Validate, Document)]
struct Shop<T> {
    payment: T,
}

fn main() {}
