//! The table of a struct's fields.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Error, Field, FieldsNamed, Path, Result};

use crate::bounds;
use crate::case::Case;
use crate::errors::Errors;
use crate::options::{FieldOptions, Merge};
use crate::sentence;
use crate::serde_options::OwnName;

/// Longest key that a path can name.
const KEY_BYTES_MAX: usize = 128;

/// `Shape::Fields(&[…])`.
pub(crate) fn shape(fields: &FieldsNamed, case: Option<Case>, root: &Path) -> Result<TokenStream> {
    let mut errors = Errors::default();
    let mut rows = Vec::new();
    for field in &fields.named {
        rows.extend(errors.keep(row(field, case, root)).flatten());
    }
    errors.settle(quote!(#root::config::Shape::Fields(&[#(#rows),*])))
}

/// One row of the table; none for a field that serde skips.
fn row(field: &Field, case: Option<Case>, root: &Path) -> Result<Option<TokenStream>> {
    let own = OwnName::of(&field.attrs)?;
    let options = FieldOptions::of(&field.attrs)?;
    if own.skipped {
        return Ok(None);
    }
    let Some(ident) = &field.ident else { return Ok(None) };
    let name = name(ident, &own, case)?;
    let doc = sentence::first(&field.attrs);
    let in_code = match &own.function {
        Some(function) if !options.opaque => {
            return Err(Error::new_spanned(
                function,
                "a function writes this field, so its values are not known: say so with \
                 `#[document(opaque)]`",
            ));
        }
        Some(_) => quote!(::core::option::Option::None),
        None => {
            let ident = ident.to_string();
            quote!(::core::option::Option::Some(#ident))
        }
    };
    let (shape, optional, secret) = shape_of(field, &options, root);
    let merge = merge(field, &options, root);
    Ok(Some(quote! {
        #root::config::Field {
            name: #name,
            ident: #in_code,
            doc: #doc,
            shape: #shape,
            optional: #optional,
            secret: #secret,
            merge: #merge,
        }
    }))
}

/// The shape of a field, whether it may have no value, and whether it is a secret. Errors of the
/// type point at the type.
fn shape_of(
    field: &Field,
    options: &FieldOptions,
    root: &Path,
) -> (TokenStream, TokenStream, TokenStream) {
    let of = &field.ty;
    if options.opaque {
        return (quote!(#root::config::Shape::Any), quote!(false), quote!(false));
    }
    let shaped = quote_spanned!(of.span()=> <#of as #root::config::Shaped>);
    let narrowing = bounds::narrowing(&field.attrs, of, root);
    (
        quote!(#shaped::SHAPE #narrowing),
        quote!(#shaped::OPTIONAL),
        quote!(#shaped::SHAPE.is_secret()),
    )
}

/// The merge of a field. Whether it fits the shape is known once the types are, so it is asserted.
fn merge(field: &Field, options: &FieldOptions, root: &Path) -> TokenStream {
    let Some((merge, span)) = options.merge else {
        return quote!(#root::config::Merge::Replace);
    };
    let (merge, fitting, message) = match merge {
        Merge::Replace => return quote!(#root::config::Merge::Replace),
        Merge::Append => {
            let fitting = quote!(#root::config::Shape::List(_));
            (quote!(Append), fitting, "only a list can be appended to")
        }
        Merge::Union => {
            let fitting = quote!(#root::config::Shape::List(_) | #root::config::Shape::Map(_));
            (quote!(Union), fitting, "only lists and maps can be united")
        }
    };
    if options.opaque {
        return quote!(#root::config::Merge::#merge);
    }
    let of = &field.ty;
    quote_spanned! {span=> {
        ::core::assert!(
            ::core::matches!(<#of as #root::config::Shaped>::SHAPE, #fitting),
            #message
        );
        #root::config::Merge::#merge
    }}
}

/// The key of a field as serde writes it, if a path can name it.
pub(crate) fn name(ident: &syn::Ident, own: &OwnName, case: Option<Case>) -> Result<String> {
    let in_code = ident.unraw().to_string();
    let (name, span) = match &own.rename {
        Some(name) => (name.value(), name.span()),
        None => (case.map_or(in_code.clone(), |case| case.of_field(&in_code)), ident.span()),
    };
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if (1..=KEY_BYTES_MAX).contains(&name.len()) && name.bytes().all(allowed) {
        return Ok(name);
    }
    let message = format!(
        "no path can name the key {name:?}: a key has 1 to {KEY_BYTES_MAX} bytes of A-Z a-z 0-9 _ -"
    );
    Err(Error::new(span, message))
}
