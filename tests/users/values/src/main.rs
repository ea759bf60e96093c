//! A user who takes values, paths and changes, and no runtime: an editor of settings in memory.

#![forbid(unsafe_code)]

use std::error::Error;

use foundation_logic::diff::{apply, diff, invert};
use foundation_logic::lens;
use foundation_types::value::{from_value, to_value};
use foundation_types::{ErrorKind, Path, Value};
use serde::{Deserialize, Serialize};

/// Settings as an application declares them.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Shop {
    name: String,
    servers: Vec<Server>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Server {
    host: String,
    port: u16,
}

fn main() -> Result<(), Box<dyn Error>> {
    let before: Value = serde_json::from_str(
        r#"{"name": "corner", "servers": [{"host": "a.example", "port": 80}], "open": null}"#,
    )?;
    let port: Path = "servers[0].port".parse()?;

    // A place is read and set; the tree it was set in stays as it was.
    assert_eq!(lens::get(&before, &port), Some(&Value::from(80)));
    let after = lens::set(&before, &port, Value::from(443))?;
    let after = lens::remove(&after, &"open".parse()?)?;
    assert_eq!(lens::get(&after, &port), Some(&Value::from(443)));
    assert_eq!(lens::get(&before, &port), Some(&Value::from(80)));

    // What differs leads there and back.
    let edits = diff(&before, &after);
    let places: Vec<String> = edits.iter().map(|edit| edit.path.to_string()).collect();
    assert_eq!(places, ["open", "servers"]);
    assert_eq!(apply(&before, &edits)?, after);
    assert_eq!(apply(&after, &invert(&edits))?, before);

    // The tree is the application's struct, and the struct is the tree.
    let shop: Shop = from_value(&after)?;
    assert_eq!(shop.servers, [Server { host: "a.example".to_owned(), port: 443 }]);
    assert_eq!(to_value(&shop)?, after);

    // What cannot be is refused with its kind, and nothing has changed.
    let refused = lens::set(&after, &"name.first".parse()?, Value::from("Ann"));
    assert_eq!(refused.map_err(|error| error.kind()), Err(ErrorKind::WrongType));

    println!("values: {} edits lead from {before} to {after}", edits.len());
    Ok(())
}
