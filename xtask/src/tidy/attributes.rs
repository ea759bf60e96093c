//! No lint is switched off without a reason, no test sleeps without one, and nothing is unsafe.
//!
//! Attributes are looked for among the tokens, so that those in the arguments of macros count.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use super::Violation;
use super::source::Source;
use super::tree::Tree;

pub(crate) fn check(tree: &Tree) -> Vec<Violation> {
    tree.sources.iter().flat_map(check_source).collect()
}

fn check_source(source: &Source) -> Vec<Violation> {
    let mut finder = Finder { path: &source.path, found: Vec::new() };
    finder.scan(source.tokens.clone());
    finder.found
}

struct Finder<'a> {
    path: &'a str,
    found: Vec<Violation>,
}

impl Finder<'_> {
    fn scan(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        for (index, token) in tokens.iter().enumerate() {
            match token {
                TokenTree::Ident(word) if word == "unsafe" => {
                    let advice = "write it in safe Rust; it is forbidden here without exception";
                    self.report(word.span().start().line, "unsafe code", advice);
                }
                TokenTree::Group(group) => {
                    if group.delimiter() == Delimiter::Bracket && opens(&tokens[..index]) {
                        self.attribute(&group.stream().into_iter().collect::<Vec<_>>());
                    }
                    self.scan(group.stream());
                }
                _ => {}
            }
        }
    }

    /// Looks at what stands between the brackets of an attribute.
    fn attribute(&mut self, tokens: &[TokenTree]) {
        let Some((TokenTree::Ident(name), rest)) = tokens.split_first() else { return };
        let line = name.span().start().line;
        let names_unsafe = rest.iter().any(|token| has_word(token, "unsafe_code"));
        match name.to_string().as_str() {
            "ignore" if !has_reason(rest) => {
                let advice = "write `#[ignore = \"why\"]`, or let the test run";
                self.report(line, "an ignored test without a reason", advice);
            }
            "allow" => {
                let advice = "write `#[expect(lint, reason = \"why\")]`, or follow the lint";
                self.report(line, "a lint is allowed for good", advice);
            }
            "expect" if names_unsafe => {
                self.report(line, "unsafe code is let in", "it is forbidden without exception");
            }
            "warn" | "deny" if names_unsafe => {
                self.report(line, "unsafe code is not forbidden", "forbid it");
            }
            "expect" if !rest.iter().any(|token| has_word(token, "reason")) => {
                let advice = "write `#[expect(lint, reason = \"why\")]`";
                self.report(line, "a lint exception without a reason", advice);
            }
            "cfg_attr" => {
                let inner = rest.first().and_then(|token| match token {
                    TokenTree::Group(group) => Some(group.stream().into_iter().collect::<Vec<_>>()),
                    _ => None,
                });
                // What comes before the first comma is the condition.
                for part in inner.unwrap_or_default().split(is_comma).skip(1) {
                    self.attribute(part);
                }
            }
            _ => {}
        }
    }

    fn report(&mut self, line: usize, problem: &str, advice: &str) {
        self.found.push(Violation::new(self.path, line, problem, advice));
    }
}

/// Whether brackets after these tokens are an attribute: `#` or `#!` stands before them.
fn opens(before: &[TokenTree]) -> bool {
    let is =
        |token: &TokenTree, sign| matches!(token, TokenTree::Punct(it) if it.as_char() == sign);
    match before {
        [.., hash, bang] if is(bang, '!') => is(hash, '#'),
        [.., hash] => is(hash, '#'),
        [] => false,
    }
}

/// Whether `= "text"` follows, with more than blanks in it.
fn has_reason(rest: &[TokenTree]) -> bool {
    match rest {
        [TokenTree::Punct(equals), TokenTree::Literal(text)] if equals.as_char() == '=' => {
            !text.to_string().trim_matches('"').trim().is_empty()
        }
        _ => false,
    }
}

fn has_word(token: &TokenTree, word: &str) -> bool {
    match token {
        TokenTree::Ident(ident) => ident == word,
        TokenTree::Group(group) => group.stream().into_iter().any(|inner| has_word(&inner, word)),
        _ => false,
    }
}

fn is_comma(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == ',')
}

#[cfg(test)]
mod tests {
    use super::super::tree::{places, planted};
    use super::*;

    fn found(text: &str) -> Vec<String> {
        places(&check(&planted(&[("a.rs", text)])))
    }

    #[test]
    fn exceptions_with_a_reason_pass() {
        for text in [
            "#[test]\n#[ignore = \"measures; run it alone\"]\nfn f() {}",
            "#![expect(dead_code, reason = \"only its size is looked at\")]",
            "#![forbid(unsafe_code)]",
            "#[cfg_attr(loom, ignore = \"the model is elsewhere\")]\nfn f() {}",
            "//! Words on `#[allow(dead_code)]`, and on unsafe ones.",
            "const WORDS: &str = \"#[allow(x)] unsafe\";",
            "fn allow() -> [u8; 1] { let ignore = [1]; ignore }",
        ] {
            assert_eq!(found(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn tests_that_are_ignored_without_a_reason_are_caught() {
        for text in [
            "\n#[ignore]\nfn f() {}",
            "mod a {\n#[ignore = \" \"]\nfn f() {} }",
            "proptest! {\n#[ignore]\nfn f() {} }",
            "\n#[cfg_attr(unix, test, ignore)]\nfn f() {}",
        ] {
            assert_eq!(found(text), ["a.rs:2: an ignored test without a reason"], "{text}");
        }
    }

    #[test]
    fn lints_that_are_switched_off_are_caught() {
        for text in [
            "#![allow(dead_code)]",
            "#[allow(dead_code, reason = \"it is not used\")]\nfn f() {}",
            "fn f() { #[allow(dead_code)] let a = 1; }",
            "make! { #[allow(dead_code)] fn f() {} }",
            "#[cfg_attr(not(unix), inline, allow(dead_code))]\nfn f() {}",
        ] {
            assert_eq!(found(text), ["a.rs:1: a lint is allowed for good"], "{text}");
        }
        let bare = "#[expect(dead_code)]\nfn f() {}";
        assert_eq!(found(bare), ["a.rs:1: a lint exception without a reason"]);
    }

    #[test]
    fn unsafe_code_is_caught_as_code_and_as_a_lint_level() {
        for text in [
            "fn f() { unsafe { g() } }",
            "unsafe fn f() {}",
            "unsafe impl Send for S {}",
            "make! { unsafe { g() } }",
            "#[unsafe(no_mangle)]\nfn f() {}",
        ] {
            assert_eq!(found(text), ["a.rs:1: unsafe code"], "{text}");
        }
        assert_eq!(
            found("#![expect(unsafe_code, reason = \"fast\")]"),
            ["a.rs:1: unsafe code is let in"]
        );
        assert_eq!(found("#![warn(unsafe_code)]"), ["a.rs:1: unsafe code is not forbidden"]);
    }
}
