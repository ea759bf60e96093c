//! A lens leads to what is stored.

use foundation::config::ConfigServer;
use foundation::{Document, Shaped, lens};
use serde::{Deserialize, Serialize};
use validator::Validate;

#[derive(Clone, Default, Serialize, Deserialize, Validate, Document)]
#[serde(default)]
struct Shop {
    rate_limit: u32,
    payment: Payment,
    #[serde(skip)]
    cache: u32,
}

#[derive(Clone, Default, Serialize, Deserialize, Validate, Shaped)]
#[serde(default)]
struct Payment {
    retry_limit: u32,
}

fn change(shop: &ConfigServer<Shop>) {
    let _ = shop.subscribe(lens!(Shop, cache));
}

fn main() {}
