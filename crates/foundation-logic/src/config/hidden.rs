//! Secrets of a tree of which nothing was written down.

use foundation_types::Value;
use foundation_types::path::Segment;

/// The places of secrets that have neither content nor seal: what files, the environment or the
/// defaults said, which is not logged.
#[must_use]
pub fn hidden_secrets(tree: &Value) -> Vec<Vec<Segment>> {
    let mut found = Vec::new();
    if tree.has_secret() {
        collect(tree, &mut Vec::new(), &mut found);
    }
    found
}

/// Recursion ends with the tree, after 64 levels.
fn collect(value: &Value, steps: &mut Vec<Segment>, found: &mut Vec<Vec<Segment>>) {
    match value {
        Value::Secret(secret) if secret.expose().is_none() && secret.seal().is_none() => {
            found.push(steps.clone());
        }
        Value::Map(map) => {
            for (key, inner) in map {
                steps.push(Segment::Key(key.clone()));
                collect(inner, steps, found);
                steps.pop();
            }
        }
        Value::List(list) => {
            for (index, inner) in (0..).zip(list) {
                steps.push(Segment::Index(index));
                collect(inner, steps, found);
                steps.pop();
            }
        }
        _ => {}
    }
}
