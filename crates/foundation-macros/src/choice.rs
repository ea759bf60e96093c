//! The words of an enum without data.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::{DataEnum, Error, Fields, Path, Result, Variant};

use crate::case::Case;
use crate::errors::Errors;
use crate::serde_options::OwnName;

/// `Shape::Choice(&[…])`.
pub(crate) fn shape(data: &DataEnum, case: Option<Case>, root: &Path) -> Result<TokenStream> {
    let mut errors = Errors::default();
    let mut words = Vec::new();
    for variant in &data.variants {
        words.extend(errors.keep(word(variant, case)).flatten());
    }
    errors.settle(quote!(#root::config::Shape::Choice(&[#(#words),*])))
}

fn word(variant: &Variant, case: Option<Case>) -> Result<Option<String>> {
    if !matches!(variant.fields, Fields::Unit) {
        return Err(Error::new_spanned(
            &variant.fields,
            "a choice is one of several words, and this variant has data; mark a field of this \
             type `#[document(opaque)]`",
        ));
    }
    let own = OwnName::of(&variant.attrs)?;
    if own.skipped {
        return Ok(None);
    }
    let in_code = variant.ident.unraw().to_string();
    let name = match own.rename {
        Some(name) => name.value(),
        None => case.map_or(in_code.clone(), |case| case.of_variant(&in_code)),
    };
    Ok(Some(name))
}
