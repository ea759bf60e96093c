//! One Rust file, parsed; and which part of it is compiled for tests only.

use std::collections::BTreeSet;
use std::str::FromStr;

use proc_macro2::TokenStream;
use syn::punctuated::Punctuated;
use syn::{Attribute, Item, Meta, Token};

use super::Violation;

/// A Rust file.
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) text: String,
    pub(crate) tokens: TokenStream,
    pub(crate) syntax: syn::File,
    /// The whole file is compiled for tests or benches only.
    pub(crate) only_tests: bool,
}

impl Source {
    /// # Errors
    /// The violation that the text is no Rust.
    pub(crate) fn parse(path: &str, text: &str) -> Result<Self, Violation> {
        let tokens = TokenStream::from_str(text)
            .map_err(|error| unreadable(path, error.span(), &error.to_string()))?;
        let syntax = syn::parse2(tokens.clone())
            .map_err(|error| unreadable(path, error.span(), &error.to_string()))?;
        let only_tests = path.split('/').any(|part| matches!(part, "tests" | "benches"));
        Ok(Self { path: path.to_owned(), text: text.to_owned(), tokens, syntax, only_tests })
    }
}

fn unreadable(path: &str, place: proc_macro2::Span, reason: &str) -> Violation {
    let problem = format!("this is no Rust that the checks can read: {reason}");
    Violation::new(path, place.start().line, problem, "make it compile first")
}

/// Marks the files of modules that are declared under `#[cfg(test)]`, and all files below those.
pub(crate) fn mark_test_files(sources: &mut [Source]) {
    let mut modules = BTreeSet::new();
    for source in sources.iter() {
        let folder = folder_of_modules(&source.path);
        for item in &source.syntax.items {
            if let Item::Mod(module) = item
                && module.content.is_none()
                && needs_test(&module.attrs)
            {
                modules.insert(format!("{folder}/{}", module.ident));
            }
        }
    }
    for source in sources {
        let inside = |module: &String| {
            source
                .path
                .strip_prefix(module)
                .is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
        };
        source.only_tests |= modules.iter().any(inside);
    }
}

/// The folder in which the modules that a file declares lie.
fn folder_of_modules(path: &str) -> &str {
    let stem = path.strip_suffix(".rs").unwrap_or(path);
    match stem.rsplit_once('/') {
        Some((folder, "lib" | "main" | "mod")) => folder,
        _ => stem,
    }
}

/// Whether these attributes keep an item out of every build that is no test.
pub(crate) fn needs_test(attributes: &[Attribute]) -> bool {
    attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("cfg"))
        .filter_map(|attribute| attribute.parse_args::<Meta>().ok())
        .any(|predicate| holds_in_tests_only(&predicate))
}

fn holds_in_tests_only(predicate: &Meta) -> bool {
    let Meta::List(list) = predicate else { return predicate.path().is_ident("test") };
    let inner = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
    let Ok(inner) = inner else { return false };
    if list.path.is_ident("all") {
        inner.iter().any(holds_in_tests_only)
    } else if list.path.is_ident("any") {
        !inner.is_empty() && inner.iter().all(holds_in_tests_only)
    } else {
        false
    }
}

/// Attributes of an item of any kind.
pub(crate) fn attributes_of(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::ExternCrate(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::TraitAlias(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::super::tree::planted;
    use super::*;

    #[test]
    fn only_what_cannot_be_built_without_tests_counts_as_test() {
        for (attribute, expected) in [
            ("#[cfg(test)]", true),
            ("#[cfg(all(test, unix))]", true),
            ("#[cfg(any(test, all(test, loom)))]", true),
            ("#[cfg(any(test, feature = \"fake\"))]", false),
            ("#[cfg(not(test))]", false),
            ("#[cfg(unix)]", false),
            ("#[cfg_attr(test, derive(Debug))]", false),
            ("#[test]", false),
        ] {
            let item: Item = syn::parse_str(&format!("{attribute} fn f() {{}}")).expect("parses");
            assert_eq!(needs_test(attributes_of(&item)), expected, "{attribute}");
        }
    }

    #[test]
    fn files_of_a_test_module_are_tests_and_their_neighbours_are_not() {
        let tree = planted(&[
            ("crates/a/benches/all.rs", "//! B.\n"),
            ("crates/a/src/lib.rs", "//! A.\n#[cfg(test)]\nmod model;\nmod event;\n"),
            ("crates/a/src/event.rs", "//! E.\n#[cfg(test)]\nmod laws;\n"),
            ("crates/a/src/event/laws.rs", "//! L.\n"),
            ("crates/a/src/event/laws/inner.rs", "//! I.\n"),
            ("crates/a/src/event/laws_of_use.rs", "//! U.\n"),
            ("crates/a/src/model.rs", "//! M.\n"),
        ]);
        let tests = tree.sources.iter().filter(|source| source.only_tests);
        assert_eq!(
            tests.map(|source| source.path.as_str()).collect::<Vec<_>>(),
            [
                "crates/a/benches/all.rs",
                "crates/a/src/event/laws.rs",
                "crates/a/src/event/laws/inner.rs",
                "crates/a/src/model.rs",
            ]
        );
    }
}
