//! `EventData` and `PersonalFields`: the type of an event, and which fields of its data are personal.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{
    Data, DeriveInput, Error, Field, Fields, GenericArgument, LitInt, LitStr, Path, PathArguments,
    Result, Type,
};

use crate::case::Case;
use crate::errors::Errors;
use crate::fields;
use crate::options::each;
use crate::serde_options::{OwnName, TypeNames};

/// Longest type of an event, in bytes.
const TYPE_BYTES_MAX: usize = 128;
/// What the types of Foundation's own events begin with.
const RESERVED_PREFIX: &str = "foundation.";

/// What stands before the type.
struct Options {
    root: Path,
    kind: Option<LitStr>,
    schema: Option<LitInt>,
    subject: Option<LitStr>,
}

/// What of a field is personal.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    /// Nothing.
    Nothing,
    /// All of its value.
    Value,
    /// What its type says.
    Nested,
}

/// `impl PersonalFields` and `impl EventData`.
pub(crate) fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let mut errors = Errors::default();
    let options = errors.keep(Options::of(input));
    let Some(Options { root, kind, schema, subject }) = options else {
        return errors.settle(TokenStream::new());
    };
    let kind = errors.keep(type_of(input, kind));
    let schema = errors.keep(schema.map(schema_of).transpose()).flatten();
    let schema = schema.map(|schema| quote!(const SCHEMA: u16 = #schema;));
    let fields = errors.keep(personal(input, &root));
    let names = fields.as_ref().map(|fields| fields.names.as_slice()).unwrap_or_default();
    let subject = match subject {
        Some(subject) => {
            errors.keep(check_subject(&subject, names, fields.is_some()));
            quote!(::core::option::Option::Some(#subject))
        }
        None => quote!(::core::option::Option::None),
    };
    let (ident, written) = (&input.ident, fields.map(|fields| fields.written));
    errors.settle(quote! {
        #written

        #[automatically_derived]
        impl #root::events::EventData for #ident {
            const TYPE: &'static str = #kind;
            #schema
            const PERSONAL: &'static [#root::events::PersonalField] =
                <Self as #root::events::PersonalFields>::PERSONAL;
            const SUBJECT: ::core::option::Option<&'static str> = #subject;
        }
    })
}

/// `impl PersonalFields`.
pub(crate) fn expand_fields(input: &DeriveInput) -> Result<TokenStream> {
    let Options { root, kind, schema, subject } = Options::of(input)?;
    let mut errors = Errors::default();
    let spans = [kind.map(|it| it.span()), schema.map(|it| it.span()), subject.map(|it| it.span())];
    for span in spans.into_iter().flatten() {
        let message = "only an event has a type, a schema and a subject: derive `EventData`";
        errors.push(Error::new(span, message));
    }
    let fields = errors.keep(personal(input, &root));
    errors.settle(fields.map(|fields| fields.written).unwrap_or_default())
}

impl Options {
    fn of(input: &DeriveInput) -> Result<Self> {
        let root = syn::parse_quote!(::foundation);
        let mut options = Self { root, kind: None, schema: None, subject: None };
        each(&input.attrs, "event", |meta| {
            if meta.path.is_ident("type") {
                options.kind = Some(meta.value()?.parse()?);
            } else if meta.path.is_ident("schema") {
                options.schema = Some(meta.value()?.parse()?);
            } else if meta.path.is_ident("subject") {
                options.subject = Some(meta.value()?.parse()?);
            } else if meta.path.is_ident("crate") {
                options.root = meta.value()?.parse::<LitStr>()?.parse()?;
            } else {
                let known = "before a type there are `type`, `schema`, `subject` and `crate`";
                return Err(meta.error(format!("unknown attribute: {known}")));
            }
            Ok(())
        })?;
        Ok(options)
    }
}

/// What the fields of a type come to.
struct Written {
    names: Vec<String>,
    written: TokenStream,
}

fn personal(input: &DeriveInput, root: &Path) -> Result<Written> {
    let mut errors = Errors::default();
    let serde = TypeNames::of(&input.attrs, &mut errors);
    if !input.generics.params.is_empty() {
        let message = "which fields of a type with parameters are personal is not known: put the \
                       type that is meant in their place";
        errors.push(Error::new_spanned(&input.generics, message));
    }
    let own = match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(own) => Some(own),
            Fields::Unnamed(_) | Fields::Unit => None,
        },
        Data::Enum(_) | Data::Union(_) => None,
    };
    let Some(own) = own else {
        let message = "personal fields have names: this derive is for structs with named fields";
        errors.push(Error::new(input.ident.span(), message));
        return errors.settle(Written { names: Vec::new(), written: TokenStream::new() });
    };
    let (mut names, mut rows) = (Vec::new(), Vec::new());
    for field in &own.named {
        let Some((name, row)) = errors.keep(row(field, serde.case, root)).flatten() else {
            continue;
        };
        names.push(name);
        rows.extend(row);
    }
    let ident = &input.ident;
    let written = quote! {
        #[automatically_derived]
        impl #root::events::PersonalFields for #ident {
            const PERSONAL: &'static [#root::events::PersonalField] = &[#(#rows),*];
        }
    };
    errors.settle(Written { names, written })
}

/// The key of a field, and its row if something of it is personal; nothing if serde skips it.
fn row(
    field: &Field,
    case: Option<Case>,
    root: &Path,
) -> Result<Option<(String, Option<TokenStream>)>> {
    let own = OwnName::of(&field.attrs)?;
    let part = part_of(field)?;
    let Some(ident) = &field.ident else { return Ok(None) };
    if own.skipped {
        return Ok(None);
    }
    let of = &field.ty;
    let part = match part {
        Part::Nothing => {
            // Any key will do where no path leads to it.
            let name = own.rename.as_ref().map(LitStr::value);
            let in_code = ident.unraw().to_string();
            let name =
                name.unwrap_or_else(|| case.map_or(in_code.clone(), |it| it.of_field(&in_code)));
            return Ok(Some((name, None)));
        }
        Part::Value => quote!(#root::events::PersonalPart::Value),
        Part::Nested => quote_spanned! {of.span()=>
            #root::events::PersonalPart::Fields(<#of as #root::events::PersonalFields>::PERSONAL)
        },
    };
    let name = fields::name(ident, &own, case)?;
    let row = quote!(#root::events::PersonalField { name: #name, part: #part });
    Ok(Some((name, Some(row))))
}

fn part_of(field: &Field) -> Result<Part> {
    let mut part = Part::Nothing;
    each(&field.attrs, "event", |meta| {
        part = if meta.path.is_ident("personal") {
            Part::Value
        } else if meta.path.is_ident("nested") {
            Part::Nested
        } else {
            let known = "before a field there are `personal` and `nested`";
            return Err(meta.error(format!("unknown attribute: {known}")));
        };
        Ok(())
    })?;
    match (holds_personal(&field.ty), part) {
        (Holds::Itself, Part::Nested) => Err(Error::new_spanned(
            &field.ty,
            "a `Personal` is sealed as a whole: leave out `#[event(nested)]`",
        )),
        (Holds::Itself, _) => Ok(Part::Value),
        (Holds::Inside, Part::Nothing | Part::Value) => Err(Error::new_spanned(
            &field.ty,
            "a value is sealed as a whole, and would not read back as this type: put `Personal` \
             around all of it, as in `Personal<Vec<String>>`",
        )),
        (_, part) => Ok(part),
    }
}

enum Holds {
    /// It is a `Personal`, or none at all.
    Itself,
    /// Somewhere in it there is one.
    Inside,
    Nothing,
}

/// Where in a type, as it is written, there is a `Personal`.
fn holds_personal(of: &Type) -> Holds {
    let Type::Path(path) = of else { return Holds::Nothing };
    let Some(last) = path.path.segments.last() else { return Holds::Nothing };
    if last.ident == "Personal" {
        return Holds::Itself;
    }
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return Holds::Nothing };
    for argument in &arguments.args {
        let GenericArgument::Type(inner) = argument else { continue };
        match holds_personal(inner) {
            // `null` is not sealed, so that an optional one reads back.
            Holds::Itself if last.ident == "Option" => return Holds::Itself,
            Holds::Itself | Holds::Inside => return Holds::Inside,
            Holds::Nothing => {}
        }
    }
    Holds::Nothing
}

fn type_of(input: &DeriveInput, kind: Option<LitStr>) -> Result<LitStr> {
    let Some(kind) = kind else {
        let message = "an event has a type: say which with `#[event(type = \"order.placed\")]`";
        return Err(Error::new(input.ident.span(), message));
    };
    let text = kind.value();
    if text.is_empty() || text.len() > TYPE_BYTES_MAX {
        let message = format!("the type of an event has 1 to {TYPE_BYTES_MAX} bytes");
        return Err(Error::new(kind.span(), message));
    }
    if text.starts_with(RESERVED_PREFIX) {
        let message = format!("types that begin with `{RESERVED_PREFIX}` are Foundation's own");
        return Err(Error::new(kind.span(), message));
    }
    Ok(kind)
}

fn schema_of(schema: LitInt) -> Result<u16> {
    match schema.base10_parse::<u16>() {
        Ok(version) if version > 0 => Ok(version),
        _ => Err(Error::new(schema.span(), "the schema of an event is a number from 1 to 65535")),
    }
}

/// The first step of the path is a field as it is written.
fn check_subject(subject: &LitStr, names: &[String], are_known: bool) -> Result<()> {
    let text = subject.value();
    let first = text.split('.').next().unwrap_or_default();
    if !are_known || names.iter().any(|name| name == first) {
        return Ok(());
    }
    let message = format!(
        "the subject is looked for in a field of the data, and none is written as `{first}`"
    );
    Err(Error::new(subject.span(), message))
}
