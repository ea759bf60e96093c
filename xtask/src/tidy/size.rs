//! A file and a function end before a reader loses the thread.

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Block, Item, Macro, Signature};

use super::Violation;
use super::source::{Source, needs_test};
use super::tables::{FILE_LINES_MAX, FUNCTION_LINES_MAX};
use super::tree::Tree;

pub(crate) fn check(tree: &Tree) -> Vec<Violation> {
    tree.sources.iter().flat_map(check_source).collect()
}

fn check_source(source: &Source) -> Vec<Violation> {
    let mut found = Vec::new();
    let lines = source.text.lines().count().saturating_sub(inline_test_lines(source));
    if lines > FILE_LINES_MAX {
        let problem = format!("the file has {lines} lines without its tests");
        let advice = format!("split it by its nouns; {FILE_LINES_MAX} lines are the limit");
        found.push(Violation::new(&source.path, FILE_LINES_MAX + 1, problem, advice));
    }
    let mut functions = Functions::default();
    functions.visit_file(&source.syntax);
    for Function { name, line, lines } in functions.0 {
        if lines > FUNCTION_LINES_MAX {
            let problem = format!("the function `{name}` has {lines} lines");
            let advice = format!("give its steps names; {FUNCTION_LINES_MAX} lines are the limit");
            found.push(Violation::new(&source.path, line, problem, advice));
        }
    }
    found
}

/// How many lines the test modules inside the file take.
fn inline_test_lines(source: &Source) -> usize {
    let modules = source.syntax.items.iter().filter_map(|item| match item {
        Item::Mod(module) if needs_test(&module.attrs) => {
            let (braces, _) = module.content.as_ref()?;
            let first = module.attrs.first()?.pound_token.span;
            Some(lines(first, braces.span.close()))
        }
        _ => None,
    });
    modules.sum()
}

/// Lines from the beginning of one place to the end of the other, both counted.
fn lines(first: Span, last: Span) -> usize {
    (last.end().line + 1).saturating_sub(first.start().line)
}

struct Function {
    name: String,
    line: usize,
    lines: usize,
}

/// The functions of a file, those in the arguments of macros too.
#[derive(Default)]
struct Functions(Vec<Function>);

impl Functions {
    fn measure(&mut self, signature: &Signature, body: &Block) {
        let first = signature.fn_token.span;
        self.0.push(Function {
            name: signature.ident.to_string(),
            line: first.start().line,
            lines: lines(first, body.brace_token.span.close()),
        });
    }

    fn scan(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        for (index, token) in tokens.iter().enumerate() {
            match token {
                TokenTree::Group(group) => self.scan(group.stream()),
                TokenTree::Ident(word) if word == "fn" => {
                    let Some(TokenTree::Ident(name)) = tokens.get(index + 1) else { continue };
                    let body = tokens[index..].iter().find_map(|token| match token {
                        TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                            Some(group.span_close())
                        }
                        _ => None,
                    });
                    self.0.extend(body.map(|end| Function {
                        name: name.to_string(),
                        line: word.span().start().line,
                        lines: lines(word.span(), end),
                    }));
                }
                _ => {}
            }
        }
    }
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.measure(&function.sig, &function.block);
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.measure(&function.sig, &function.block);
        visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast syn::TraitItemFn) {
        if let Some(body) = &function.default {
            self.measure(&function.sig, body);
        }
        visit::visit_trait_item_fn(self, function);
    }

    fn visit_macro(&mut self, item: &'ast Macro) {
        self.scan(item.tokens.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::super::tree::{places, planted};
    use super::*;

    fn found(text: &str) -> Vec<String> {
        places(&check(&planted(&[("a.rs", text)])))
    }

    /// A function of this many lines with this around its name.
    fn function(before: &str, lines: usize, after: &str) -> String {
        format!("{before}fn long() {{\n{}}}{after}\n", "    step();\n".repeat(lines - 2))
    }

    #[test]
    fn a_function_of_seventy_lines_passes_and_one_more_is_caught() {
        for (before, after) in [
            ("", ""),
            ("#[test]\n/// Words.\npub async ", ""),
            ("struct S; impl S { ", "}"),
            ("trait T { ", "}"),
            ("mod inner { ", "}"),
            ("proptest! { #[test] ", "}"),
        ] {
            assert_eq!(found(&function(before, 70, after)), [""; 0], "{before}");
            let line = before.lines().count().max(1);
            let expected = format!("a.rs:{line}: the function `long` has 71 lines");
            assert_eq!(found(&function(before, 71, after)), [expected], "{before}");
        }
    }

    #[test]
    fn a_file_of_five_hundred_lines_passes_and_one_more_is_caught() {
        assert_eq!(found(&"const A: u8 = 0;\n".repeat(500)), [""; 0]);
        assert_eq!(
            found(&"const A: u8 = 0;\n".repeat(501)),
            ["a.rs:501: the file has 501 lines without its tests"]
        );
    }

    #[test]
    fn tests_inside_a_file_do_not_count_but_other_modules_do() {
        let body = "const A: u8 = 0;\n".repeat(400);
        assert_eq!(found(&format!("{body}#[cfg(test)]\nmod tests {{\n{body}}}\n")), [""; 0]);
        assert_eq!(
            found(&format!("{body}mod more {{\n{body}}}\n")),
            ["a.rs:501: the file has 802 lines without its tests"]
        );
    }
}
