//! What `#[serde(…)]` says of names, and what it says that leaves names unknown.

use syn::meta::ParseNestedMeta;
use syn::{Attribute, Error, LitStr, Result};

use crate::case::Case;
use crate::errors::Errors;
use crate::options::{each, skip};

/// What stands before the type.
#[derive(Default)]
pub(crate) struct TypeNames {
    /// How its fields or variants are called.
    pub(crate) case: Option<Case>,
}

/// What stands before a field or a variant.
#[derive(Default)]
pub(crate) struct OwnName {
    /// Its name, if it has one of its own.
    pub(crate) rename: Option<LitStr>,
    /// Whether it is no part of what is written and read.
    pub(crate) skipped: bool,
    /// The attribute by which a function writes or reads it.
    pub(crate) function: Option<syn::Path>,
}

impl TypeNames {
    pub(crate) fn of(attributes: &[Attribute], errors: &mut Errors) -> Self {
        let mut names = Self::default();
        let outcome = each(attributes, "serde", |meta| {
            match word(&meta).as_str() {
                "rename_all" => {
                    names.case = one_name(&meta)?.and_then(|case| Case::of(&case.value()));
                    return Ok(());
                }
                name @ ("tag" | "content" | "untagged" | "from" | "try_from" | "into"
                | "transparent" | "remote") => {
                    errors.push(meta.error(format!(
                        "with `{name}` the type is written otherwise than its fields say, so no \
                         path into it is known; mark a field of this type \
                         `#[document(opaque)]`, and implement `Document` by hand"
                    )));
                }
                _ => {}
            }
            skip(&meta)
        });
        errors.keep(outcome);
        names
    }
}

impl OwnName {
    pub(crate) fn of(attributes: &[Attribute]) -> Result<Self> {
        let mut own = Self::default();
        let mut halves: Vec<syn::Path> = Vec::new();
        each(attributes, "serde", |meta| {
            match word(&meta).as_str() {
                "rename" => {
                    own.rename = one_name(&meta)?;
                    return Ok(());
                }
                "flatten" => {
                    return Err(meta.error(
                        "the keys of a flattened field stand among those of the struct, so no \
                         path to it is known; give it a key of its own",
                    ));
                }
                "skip" => own.skipped = true,
                "skip_serializing" | "skip_deserializing" => halves.push(meta.path.clone()),
                "with" | "serialize_with" | "deserialize_with" | "getter" => {
                    own.function = Some(meta.path.clone());
                }
                _ => {}
            }
            skip(&meta)
        })?;
        match halves.as_slice() {
            [] => Ok(own),
            [half] => Err(Error::new_spanned(
                half,
                "a document reads back what it wrote: skip the field both ways with `skip`",
            )),
            _ => Ok(Self { skipped: true, ..own }),
        }
    }
}

fn word(meta: &ParseNestedMeta) -> String {
    meta.path.get_ident().map(ToString::to_string).unwrap_or_default()
}

/// The name behind `= "…"`, or the one that `(serialize = "…", deserialize = "…")` agree on.
fn one_name(meta: &ParseNestedMeta) -> Result<Option<LitStr>> {
    if meta.input.peek(syn::Token![=]) {
        return meta.value()?.parse().map(Some);
    }
    let (mut written, mut read) = (None::<LitStr>, None::<LitStr>);
    meta.parse_nested_meta(|half| {
        match word(&half).as_str() {
            "serialize" => written = Some(half.value()?.parse()?),
            "deserialize" => read = Some(half.value()?.parse()?),
            _ => skip(&half)?,
        }
        Ok(())
    })?;
    if written.as_ref().map(LitStr::value) == read.as_ref().map(LitStr::value) {
        return Ok(written);
    }
    Err(meta.error("a document is read by the names that it is written with: give both the same"))
}
