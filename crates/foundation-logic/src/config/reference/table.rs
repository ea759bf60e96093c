//! A document as a Markdown table.

use foundation_types::config::Shape;

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
                let variable = variable(&path, entry.field.shape);
                let cells = [&format!("`{path}`"), &values, &default, &variable, &doc];
                table.push_str(&format!("| {} |\n", cells.map(String::as_str).join(" | ")));
            }
        }
    }
}

/// The environment variable that stands for a field, behind the prefix of the application; of a list
/// also that of its first item.
fn variable(path: &str, shape: Shape) -> String {
    let name = path.to_uppercase().replace('-', "_").replace('.', "__");
    match shape {
        Shape::List(Shape::List(_) | Shape::Map(_)) => format!("`…_{name}`"),
        Shape::List(Shape::Fields(_)) => format!("`…_{name}` or `…_{name}__0__…`"),
        Shape::List(_) => format!("`…_{name}` or `…_{name}__0`"),
        _ => format!("`…_{name}`"),
    }
}

/// Text that does not end its cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
