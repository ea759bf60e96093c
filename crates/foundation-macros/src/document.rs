//! What the derives write.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Error, Fields, Path, Result};

use crate::errors::Errors;
use crate::options::TypeOptions;
use crate::serde_options::TypeNames;
use crate::{bounds, case, choice, fields, sentence};

/// Longest name of a document.
const NAME_BYTES_MAX: usize = 64;

/// `impl Shaped` and `impl Document`.
pub(crate) fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let mut errors = Errors::default();
    let options = TypeOptions::of(&input.attrs, &mut errors);
    let name = errors.keep(name(input, &options));
    let schema = errors.keep(schema(&options));
    if !has_named_fields(input) {
        let message = "a document is a struct with named fields";
        errors.push(Error::new(input.ident.span(), message));
        return errors.settle(TokenStream::new());
    }
    let shaped = errors.keep(shaped(input, &options.root));
    let (root, ident) = (&options.root, &input.ident);
    let doc = sentence::first(&input.attrs);
    errors.settle(quote! {
        #shaped

        #[automatically_derived]
        impl #root::config::Document for #ident {
            const NAME: &'static str = #name;
            const SCHEMA: u32 = #schema;
            const DOC: &'static str = #doc;
            const FIELDS: &'static [#root::config::Field] =
                <Self as #root::config::Shaped>::SHAPE.fields();
        }

        const _: () = ::core::assert!(
            <#ident as #root::config::Shaped>::SHAPE.is_within_paths(),
            "a field lies deeper than 64 levels, or its path is longer than 512 bytes"
        );
    })
}

/// `impl Shaped`.
pub(crate) fn expand_shaped(input: &DeriveInput) -> Result<TokenStream> {
    let mut errors = Errors::default();
    let options = TypeOptions::of(&input.attrs, &mut errors);
    if let Some(name) = &options.name {
        errors.push(Error::new(name.span(), "only a document has a name: derive `Document`"));
    }
    if let Some(schema) = &options.schema {
        let message = "only a document has a schema with a version: derive `Document`";
        errors.push(Error::new(schema.span(), message));
    }
    let shaped = errors.keep(shaped(input, &options.root));
    errors.settle(quote!(#shaped))
}

fn shaped(input: &DeriveInput, root: &Path) -> Result<TokenStream> {
    let mut errors = Errors::default();
    let names = TypeNames::of(&input.attrs, &mut errors);
    if !input.generics.params.is_empty() {
        errors.push(Error::new_spanned(
            &input.generics,
            "a document has one shape, and the shape of a type with parameters is not known; put \
             the type that is meant in their place, or mark the field `#[document(opaque)]`",
        ));
    }
    let shape = match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(own) => fields::shape(own, names.case, root),
            Fields::Unnamed(own) if own.unnamed.len() == 1 => {
                Ok(inner_shape(&own.unnamed[0], root))
            }
            Fields::Unnamed(own) => Err(Error::new_spanned(
                own,
                "the parts of a tuple have no names: name them, or mark the field \
                 `#[document(opaque)]`",
            )),
            Fields::Unit => {
                Err(Error::new(input.ident.span(), "a struct without values has no shape"))
            }
        },
        Data::Enum(data) => choice::shape(data, names.case, root),
        Data::Union(data) => Err(Error::new(data.union_token.span, "a union has no shape")),
    };
    let shape = errors.keep(shape);
    let ident = &input.ident;
    errors.settle(quote! {
        #[automatically_derived]
        impl #root::config::Shaped for #ident {
            const SHAPE: #root::config::Shape = #shape;
        }
    })
}

/// The shape of what a struct is around.
fn inner_shape(inner: &syn::Field, root: &Path) -> TokenStream {
    let of = &inner.ty;
    let narrowing = bounds::narrowing(&inner.attrs, of, root);
    quote_spanned!(of.span()=> <#of as #root::config::Shaped>::SHAPE #narrowing)
}

fn has_named_fields(input: &DeriveInput) -> bool {
    matches!(&input.data, Data::Struct(data) if matches!(data.fields, Fields::Named(_)))
}

/// The name of the document, if it may have it.
fn name(input: &DeriveInput, options: &TypeOptions) -> Result<String> {
    let (name, span) = match &options.name {
        Some(name) => (name.value(), name.span()),
        None => (case::snake(&input.ident.unraw().to_string()), input.ident.span()),
    };
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if (1..=NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(allowed) {
        return Ok(name);
    }
    let message = format!(
        "{name:?} is no name of a document: it has 1 to {NAME_BYTES_MAX} bytes of A-Z a-z 0-9 _ -"
    );
    Err(Error::new(span, message))
}

/// The version of its schema: 1 unless it says another one.
fn schema(options: &TypeOptions) -> Result<u32> {
    let Some(schema) = &options.schema else { return Ok(1) };
    match schema.base10_parse::<u32>() {
        Ok(version) if version > 0 => Ok(version),
        _ => Err(Error::new(schema.span(), "the version of a schema is a number from 1")),
    }
}
