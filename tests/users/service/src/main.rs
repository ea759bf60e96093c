//! A user of the facade: for now it links against it, and does nothing with it.

#![forbid(unsafe_code)]

use foundation as _;

fn main() {
    println!("service: built on the facade");
}
