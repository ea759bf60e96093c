//! The first sentence of a doc comment.

use syn::{Attribute, Expr, ExprLit, Lit, Meta};

/// The first sentence of the first paragraph, on one line; empty without a comment.
pub(crate) fn first(attributes: &[Attribute]) -> String {
    let lines: Vec<String> = attributes.iter().filter_map(line).collect();
    let text = lines.join("\n");
    let paragraph = text.trim().split("\n\n").next().unwrap_or_default();
    let words: Vec<&str> = paragraph.split_whitespace().collect();
    let ends = |(at, word): (usize, &&str)| {
        let next = words.get(at + 1).and_then(|word| word.chars().next());
        word.ends_with(['.', '!', '?']) && next.is_none_or(char::is_uppercase)
    };
    let end = words.iter().enumerate().position(|word| ends((word.0, word.1)));
    words[..end.map_or(words.len(), |end| end + 1)].join(" ")
}

/// One line of a doc comment, without the blank behind `///`.
fn line(attribute: &Attribute) -> Option<String> {
    let Meta::NameValue(pair) = &attribute.meta else { return None };
    let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = &pair.value else { return None };
    // A block comment has several lines in one attribute.
    let text = text.value();
    let lines: Vec<&str> =
        text.lines().map(|line| line.trim().trim_start_matches("* ").trim()).collect();
    pair.path.is_ident("doc").then(|| lines.join("\n"))
}
