//! From where to where a number goes: the ends of its `#[validate(range(…))]`.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::meta::ParseNestedMeta;
use syn::{Attribute, Expr, Path, Type, UnOp};

use crate::options::skip;

/// An end of a range, as the code writes it.
struct End {
    /// What it makes of a shape.
    method: Ident,
    value: Expr,
    /// From an end that is not included to the last number that is.
    shift: i128,
}

/// What narrows the shape of a field: `.at_least(…)` and `.at_most(…)`.
///
/// What is no rule of `validator` is for `validator` to refuse, and an end that a function gives is
/// passed over.
pub(crate) fn narrowing(attributes: &[Attribute], of: &Type, root: &Path) -> TokenStream {
    let is_float = is_float(of);
    let narrow = |End { method, value, shift }: End| {
        let bound = match (is_float, shift) {
            // Of floats the next one is not named: the end itself is near enough for a person.
            (true, _) => quote!(Float((#value) as f64)),
            (false, 0) => quote!(Integer((#value) as i128)),
            (false, _) => quote!(Integer((#value) as i128 + #shift)),
        };
        quote!(.#method(#root::config::Bound::#bound))
    };
    ends(attributes).into_iter().map(narrow).collect()
}

fn ends(attributes: &[Attribute]) -> Vec<End> {
    let mut ends = Vec::new();
    for attribute in attributes.iter().filter(|it| it.path().is_ident("validate")) {
        let _ = attribute.parse_nested_meta(|rule| match rule.path.is_ident("range") {
            true => rule.parse_nested_meta(|end| read(&end, &mut ends)),
            false => skip(&rule),
        });
    }
    ends
}

fn read(end: &ParseNestedMeta, ends: &mut Vec<End>) -> syn::Result<()> {
    let name = end.path.get_ident().map(ToString::to_string).unwrap_or_default();
    let (method, shift) = match name.as_str() {
        "min" => ("at_least", 0),
        "exclusive_min" => ("at_least", 1),
        "max" => ("at_most", 0),
        "exclusive_max" => ("at_most", -1),
        _ => return skip(end),
    };
    let value: Expr = end.value()?.parse()?;
    if is_constant(&value) {
        ends.push(End { method: Ident::new(method, Span::call_site()), value, shift });
    }
    Ok(())
}

/// Numbers, names of numbers, and what is computed from them.
fn is_constant(value: &Expr) -> bool {
    match value {
        Expr::Lit(literal) => matches!(literal.lit, syn::Lit::Int(_) | syn::Lit::Float(_)),
        Expr::Path(_) => true,
        Expr::Unary(unary) => matches!(unary.op, UnOp::Neg(_)) && is_constant(&unary.expr),
        Expr::Binary(binary) => is_constant(&binary.left) && is_constant(&binary.right),
        Expr::Paren(inner) => is_constant(&inner.expr),
        _ => false,
    }
}

/// Whether the type, or what an option of it is of, is a float. A macro sees names only: a float
/// under another name keeps the range of its type.
fn is_float(of: &Type) -> bool {
    let Type::Path(path) = of else { return false };
    let Some(last) = path.path.segments.last() else { return false };
    if last.ident == "f32" || last.ident == "f64" {
        return true;
    }
    let syn::PathArguments::AngleBracketed(inner) = &last.arguments else { return false };
    last.ident == "Option"
        && inner
            .args
            .iter()
            .any(|inner| matches!(inner, syn::GenericArgument::Type(inner) if is_float(inner)))
}
