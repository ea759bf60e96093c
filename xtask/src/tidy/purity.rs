//! The pure crates name no clock, file, thread, lock or environment outside their tests.
//!
//! Names are followed through `use`, also when they are renamed, and into the arguments of
//! macros. What a method hides (`path.exists()`) is for the `clippy.toml` of these crates, whose
//! lists say the same.

use std::collections::BTreeMap;

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{ImplItem, Item, ItemUse, Macro, Stmt, UseTree};

use super::Violation;
use super::source::{Source, attributes_of, needs_test};
use super::tables::{IMPURE, PURE};
use super::tree::Tree;

pub(crate) fn check(tree: &Tree) -> Vec<Violation> {
    let pure = |source: &&Source| PURE.iter().any(|folder| source.path.starts_with(folder));
    let sources = tree.sources.iter().filter(pure).filter(|source| !source.only_tests);
    sources.flat_map(check_source).collect()
}

fn check_source(source: &Source) -> Vec<Violation> {
    let mut names = Names::default();
    names.visit_file(&source.syntax);
    let mut found = Vec::new();
    for import in &names.imports {
        found.extend(import_of_impure(source, import, &names));
    }
    for (line, parts) in &names.paths {
        // Its import has been reported; once is enough.
        let imported = parts.first().and_then(|first| names.import(first));
        if imported.is_some_and(|import| impure(&names.resolve(&import.parts)).is_some()) {
            continue;
        }
        let full = names.resolve(parts);
        found.extend(impure(&full).map(|advice| {
            Violation::new(&source.path, *line, format!("a pure crate names {full}"), advice)
        }));
    }
    found
}

fn import_of_impure(source: &Source, import: &Import, names: &Names) -> Option<Violation> {
    let full = names.resolve(&import.parts);
    if let Some(advice) = impure(&full) {
        let problem = format!("a pure crate names {full}");
        return Some(Violation::new(&source.path, import.line, problem, advice));
    }
    // Only the root of a package can bring in a module; a glob deeper down brings in its types.
    let hides = IMPURE.iter().any(|(path, _)| path.starts_with(&format!("{full}::")));
    (import.name.is_none() && hides).then(|| {
        let problem = format!("a pure crate takes everything from {full}");
        Violation::new(&source.path, import.line, problem, "name what is needed, one by one")
    })
}

/// What to do instead, if this path is in the table or lies below one that is.
fn impure(path: &str) -> Option<&'static str> {
    let entry = IMPURE.iter().find(|(listed, _)| {
        path.strip_prefix(listed).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    });
    entry.map(|(_, advice)| *advice)
}

/// One name that a `use` brings in; without a name if it is a glob.
struct Import {
    line: usize,
    parts: Vec<String>,
    name: Option<String>,
}

/// The paths that a file names outside its tests.
#[derive(Default)]
struct Names {
    imports: Vec<Import>,
    by_name: BTreeMap<String, usize>,
    paths: Vec<(usize, Vec<String>)>,
}

impl Names {
    fn import(&self, name: &str) -> Option<&Import> {
        self.imports.get(*self.by_name.get(name)?)
    }

    /// The path from the root of its package, as far as this file's imports tell.
    fn resolve(&self, parts: &[String]) -> String {
        let mut parts = parts.to_vec();
        // An alias of an alias is followed; eight of them are more than anybody writes.
        for _ in 0..8 {
            let import = parts.first().and_then(|first| self.import(first));
            let Some(import) = import.filter(|import| import.parts.first() != parts.first()) else {
                break;
            };
            parts.splice(..1, import.parts.iter().cloned());
        }
        parts.join("::")
    }

    fn import_tree(&mut self, before: &[String], tree: &UseTree) {
        let below = |ident: &syn::Ident| {
            // `use std::fs::{self}` brings in `std::fs`.
            let own = (ident != "self").then(|| ident.to_string());
            before.iter().cloned().chain(own).collect::<Vec<_>>()
        };
        match tree {
            UseTree::Path(path) => self.import_tree(&below(&path.ident), &path.tree),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.import_tree(before, tree);
                }
            }
            UseTree::Name(name) => {
                let line = name.ident.span().start().line;
                let parts = below(&name.ident);
                let name = parts.last().cloned();
                self.add(Import { line, parts, name });
            }
            UseTree::Rename(rename) => {
                let line = rename.ident.span().start().line;
                let name = Some(rename.rename.to_string());
                self.add(Import { line, parts: below(&rename.ident), name });
            }
            UseTree::Glob(glob) => {
                let line = glob.star_token.span.start().line;
                self.add(Import { line, parts: before.to_vec(), name: None });
            }
        }
    }

    fn add(&mut self, import: Import) {
        if let Some(name) = &import.name {
            self.by_name.insert(name.clone(), self.imports.len());
        }
        self.imports.push(import);
    }

    /// The paths in the arguments of a macro, which are no syntax yet.
    fn scan(&mut self, tokens: TokenStream) {
        let mut parts: Vec<String> = Vec::new();
        let mut line = 0;
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    if colons != 2 || parts.is_empty() {
                        self.found(line, &mut parts);
                        line = ident.span().start().line;
                    }
                    parts.push(ident.to_string());
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                other => {
                    self.found(line, &mut parts);
                    colons = 0;
                    if let TokenTree::Group(group) = other {
                        self.scan(group.stream());
                    }
                }
            }
        }
        self.found(line, &mut parts);
    }

    fn found(&mut self, line: usize, parts: &mut Vec<String>) {
        if !parts.is_empty() {
            self.paths.push((line, std::mem::take(parts)));
        }
    }
}

impl<'ast> Visit<'ast> for Names {
    fn visit_item(&mut self, item: &'ast Item) {
        if !needs_test(attributes_of(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item(&mut self, item: &'ast ImplItem) {
        if !matches!(item, ImplItem::Fn(function) if needs_test(&function.attrs)) {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_stmt(&mut self, statement: &'ast Stmt) {
        if !matches!(statement, Stmt::Local(local) if needs_test(&local.attrs)) {
            visit::visit_stmt(self, statement);
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.import_tree(&[], &item.tree);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let line = path.segments.first().map_or(0, |first| first.ident.span().start().line);
        let parts = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.paths.push((line, parts));
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, item: &'ast Macro) {
        self.scan(item.tokens.clone());
        visit::visit_macro(self, item);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tree::{places, planted};
    use super::*;

    fn found(path: &str, text: &str) -> Vec<String> {
        let text = format!("//! It.\n{text}\n");
        places(&check(&planted(&[(path, text.as_str())])))
    }

    #[test]
    fn what_computes_from_arguments_passes() {
        for text in [
            "use std::sync::Arc;\nuse std::time::Duration;\nuse std::{fmt, io::Write};",
            "use std::io;\nfn f() -> io::Result<()> { Ok(()) }",
            "use jiff::Timestamp;\nfn f(now: Timestamp) -> Timestamp { now }",
            "use std::sync::atomic::AtomicU64;",
            "mod fs { pub(super) fn read() {} }\nfn f() { fs::read() }",
            "fn f() { println!(\"std::fs is a word here\") }",
            "#[cfg(test)]\nmod tests { use std::fs; fn f() { std::thread::yield_now() } }",
            "#[cfg(all(test, unix))]\nuse std::env;",
            "struct S;\nimpl S { #[cfg(test)]\nfn f() { std::thread::yield_now() } }",
        ] {
            assert_eq!(found("crates/foundation-logic/src/it.rs", text), [""; 0], "{text}");
        }
    }

    #[test]
    fn what_is_not_pure_is_caught_under_every_name() {
        for (text, name) in [
            ("use std::time::SystemTime;", "std::time::SystemTime"),
            ("use std::{fmt, time::{Duration, Instant}};", "std::time::Instant"),
            ("use std::fs::{self, File as Paper};", "std::fs"),
            ("use std::sync as shared;\ntype T = shared::Mutex<u8>;", "std::sync::Mutex"),
            ("use std::sync;\nuse sync::RwLock as Gate;", "std::sync::RwLock"),
            ("fn f() { ::std::thread::spawn(|| ()); }", "std::thread::spawn"),
            ("fn f() -> String { std::env::var(\"A\").unwrap_or_default() }", "std::env::var"),
            ("use std::io;\nfn f() { io::stdin(); }", "std::io::stdin"),
            ("fn f(c: &std::sync::Condvar) {}", "std::sync::Condvar"),
            ("fn f() { <std::time::Instant>::now(); }", "std::time::Instant"),
            ("fn f() { assert!(g(1, std::process::id())) }", "std::process::id"),
            ("use jiff::Timestamp as T;\nfn f() { T::now(); }", "jiff::Timestamp::now"),
            ("#[cfg(not(test))]\nuse std::net::TcpStream;", "std::net::TcpStream"),
        ] {
            let found = found("crates/foundation-logic/src/it.rs", text);
            let named = format!("a pure crate names {name}");
            assert!(found.iter().any(|one| one.ends_with(&named)), "{text} {found:?}");
        }
    }

    #[test]
    fn a_glob_that_hides_what_is_not_pure_is_caught() {
        assert_eq!(
            found("crates/foundation-types/src/it.rs", "use std::sync::*;"),
            ["crates/foundation-types/src/it.rs:2: a pure crate takes everything from std::sync"]
        );
        assert_eq!(found("crates/foundation-types/src/it.rs", "use std::fmt::*;"), [""; 0]);
    }

    #[test]
    fn layers_that_act_and_tests_may_name_all_of_it() {
        let text = "use std::fs;\nuse std::sync::Mutex;";
        assert_eq!(found("crates/foundation-store/src/it.rs", text), [""; 0]);
        assert_eq!(found("crates/foundation-logic/tests/all.rs", text), [""; 0]);
    }

    #[test]
    fn an_import_is_reported_once_and_with_its_line() {
        let text = "use std::sync::Mutex;\nfn f(a: Mutex<u8>) -> Mutex<u8> { a }";
        assert_eq!(
            found("crates/foundation-validate/src/it.rs", text),
            ["crates/foundation-validate/src/it.rs:2: a pure crate names std::sync::Mutex"]
        );
    }
}
