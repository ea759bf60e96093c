//! A document as a Markdown table.

use super::{Entry, Reference};

pub(super) fn of(reference: &Reference) -> String {
    let mut table =
        "| field | values | default | variable | what it does |\n|---|---|---|---|---|\n"
            .to_owned();
    rows(&Entry::all(reference.fields, Some(&reference.defaults)), "", &mut table);
    table
}

/// One row for each entry that is no map of its own. Recursion ends with the types and the tree.
fn rows(entries: &[Entry], around: &str, table: &mut String) {
    for entry in entries {
        let path = format!("{around}{}", entry.name);
        match entry.inside() {
            Some(inside) => rows(&inside, &format!("{path}."), table),
            None => {
                let values = cell(&entry.takes().unwrap_or_default());
                let default =
                    entry.shown_default().map(|value| format!("`{}`", cell(&value.to_json())));
                let (default, doc) = (default.unwrap_or_default(), cell(entry.field.doc));
                let variable = variable(&path);
                let cells = [&format!("`{path}`"), &values, &default, &variable, &doc];
                table.push_str(&format!("| {} |\n", cells.map(String::as_str).join(" | ")));
            }
        }
    }
}

/// The environment variable that stands for a field, behind the prefix of the application.
fn variable(path: &str) -> String {
    format!("`…_{}`", path.to_uppercase().replace('-', "_").replace('.', "__"))
}

/// Text that does not end its cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
