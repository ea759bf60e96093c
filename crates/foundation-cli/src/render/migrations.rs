//! The schemas of documents, and what their migrations would log, as text.

use foundation::node::DocumentMigration;

use super::text::counted;
use super::tree::{Shown, edits};

pub(crate) fn migrations(all: &[DocumentMigration]) -> Vec<String> {
    all.iter().flat_map(migration).collect()
}

fn migration(one: &DocumentMigration) -> Vec<String> {
    let DocumentMigration { document, version, logged, present, .. } = one;
    let what = match (logged, present) {
        (None, _) => "nothing was logged of it".to_owned(),
        (Some(logged), None) => format!(
            "schema {logged}; its type is not in this program: its application tells what comes of it"
        ),
        (Some(logged), Some(present)) if logged == present && one.problems.is_empty() => {
            format!("schema {logged}, nothing to migrate")
        }
        (Some(logged), Some(present)) => {
            let changes = counted(one.edits.len() as u64, "change");
            let problems = counted(one.problems.len() as u64, "problem");
            format!("schema {logged} to {present}: {changes}, {problems}")
        }
    };
    let mut lines = vec![format!("{document}  version {version}  {what}")];
    lines.extend(edits(&one.edits, Shown::Both).iter().map(|edit| format!("  {edit}")));
    lines.extend(one.problems.iter().map(|problem| format!("  {problem}")));
    lines
}
