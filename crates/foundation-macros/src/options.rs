//! What `#[document(…)]` says before a type and before a field.

use proc_macro2::Span;
use syn::meta::ParseNestedMeta;
use syn::parse::Parse;
use syn::{Attribute, Error, LitInt, LitStr, Path, Result, Token};

use crate::errors::Errors;

/// What stands before the type.
pub(crate) struct TypeOptions {
    /// Where Foundation is.
    pub(crate) root: Path,
    /// The name of the document.
    pub(crate) name: Option<LitStr>,
    /// The version of its schema.
    pub(crate) schema: Option<LitInt>,
}

/// What stands before a field.
#[derive(Default)]
pub(crate) struct FieldOptions {
    pub(crate) opaque: bool,
    pub(crate) merge: Option<(Merge, Span)>,
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Merge {
    Replace,
    Append,
    Union,
}

impl TypeOptions {
    pub(crate) fn of(attributes: &[Attribute], errors: &mut Errors) -> Self {
        let mut options = Self { root: syn::parse_quote!(::foundation), name: None, schema: None };
        let outcome = each(attributes, "document", |meta| {
            if meta.path.is_ident("name") {
                options.name = Some(meta.value()?.parse()?);
            } else if meta.path.is_ident("schema") {
                options.schema = Some(meta.value()?.parse()?);
            } else if meta.path.is_ident("crate") {
                options.root = meta.value()?.parse::<LitStr>()?.parse()?;
            } else {
                return Err(unknown(&meta, "before a type there are `name`, `schema` and `crate`"));
            }
            Ok(())
        });
        errors.keep(outcome);
        options
    }
}

impl FieldOptions {
    pub(crate) fn of(attributes: &[Attribute]) -> Result<Self> {
        let mut options = Self::default();
        each(attributes, "document", |meta| {
            if meta.path.is_ident("opaque") {
                options.opaque = true;
            } else if meta.path.is_ident("merge") {
                let word: LitStr = meta.value()?.parse()?;
                options.merge = Some((merge(&word)?, word.span()));
            } else {
                let known = "before a field there are `opaque` and `merge`";
                return Err(unknown(&meta, known));
            }
            Ok(())
        })?;
        Ok(options)
    }
}

fn merge(word: &LitStr) -> Result<Merge> {
    match word.value().as_str() {
        "replace" => Ok(Merge::Replace),
        "append" => Ok(Merge::Append),
        "union" => Ok(Merge::Union),
        _ => Err(Error::new(word.span(), "a merge is \"replace\", \"append\" or \"union\"")),
    }
}

fn unknown(meta: &ParseNestedMeta, known: &str) -> Error {
    let name = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
    meta.error(format!("unknown attribute `{name}`: {known}"))
}

/// Reads every part of the attributes of this name.
pub(crate) fn each(
    attributes: &[Attribute],
    name: &str,
    mut read: impl FnMut(ParseNestedMeta) -> Result<()>,
) -> Result<()> {
    let own = attributes.iter().filter(|attribute| attribute.path().is_ident(name));
    own.map(|attribute| attribute.parse_nested_meta(&mut read)).try_for_each(|read| read)
}

/// Passes over what a part of an attribute has behind its name.
pub(crate) fn skip(meta: &ParseNestedMeta) -> Result<()> {
    if meta.input.peek(Token![=]) {
        meta.value()?.call(syn::Expr::parse)?;
    } else if meta.input.peek(syn::token::Paren) {
        meta.input.parse::<proc_macro2::Group>()?;
    }
    Ok(())
}
