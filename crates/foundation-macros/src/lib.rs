//! The derives of configuration documents: `Document` for the struct that an application
//! configures itself with, `Shaped` for what stands inside of it.
//!
//! Both write down as constants what is known of a type already: the names that serde gives its
//! fields, their doc comments, the ranges of their `validator` rules. They generate no type, no
//! function and no control flow. What they cannot know (`flatten`, `tag`, conversions) does not
//! compile, with the reason and the way out at the attribute that is in the way.
//!
//! For
//!
//! ```text
//! #[derive(Clone, Default, Serialize, Deserialize, Validate, Document)]
//! struct Shop {
//!     /// Requests that one client may send each second.
//!     #[validate(range(max = 10_000))]
//!     rate_limit: u32,
//! }
//! ```
//!
//! `Document` writes
//!
//! ```text
//! impl Shaped for Shop {
//!     const SHAPE: Shape = Shape::Fields(&[Field {
//!         name: "rate_limit",
//!         ident: Some("rate_limit"),
//!         doc: "Requests that one client may send each second.",
//!         shape: <u32 as Shaped>::SHAPE.at_most(Bound::Integer(10_000 as i128)),
//!         optional: <u32 as Shaped>::OPTIONAL,
//!         secret: <u32 as Shaped>::SHAPE.is_secret(),
//!         merge: Merge::Replace,
//!     }]);
//! }
//!
//! impl Document for Shop {
//!     const NAME: &'static str = "shop";
//!     const SCHEMA: u32 = 1;
//!     const DOC: &'static str = "";
//!     const FIELDS: &'static [Field] = <Self as Shaped>::SHAPE.fields();
//! }
//! ```
//!
//! with an assertion that paths can name all of it; `Shaped` writes the first half.

#![forbid(unsafe_code)]

mod bounds;
mod case;
mod choice;
mod document;
mod errors;
mod event_data;
mod fields;
mod options;
mod sentence;
mod serde_options;
#[cfg(test)]
mod tests;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// A configuration document: its name, and what is known of its fields.
///
/// The name is that of the type in snake case, or another one:
///
/// - `#[document(name = "shop")]`: 1 to 64 bytes of `[A-Za-z0-9_-]`;
/// - `#[document(schema = 3)]`: the version of its schema, 1 unless it is said. It goes up by one each
///   time that a path gets another name or place, or that its value means something else, and the
///   application then says how what was logged becomes that: see `foundation::config::Migrations`. New
///   fields with a default need none;
/// - `#[document(crate = "path")]`: where Foundation is, if not at `::foundation`.
///
/// Fields take the attributes of [`Shaped`](macro@Shaped).
#[proc_macro_derive(Document, attributes(document))]
pub fn document(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    document::expand(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// What stands in a configuration document: which values the type takes.
///
/// It is for structs with named fields, structs around one value, which have its shape, and enums
/// without data, which are one of their words. Names are those that serde writes: `rename` and
/// `rename_all` count, and fields that serde skips are none. The doc comment of a field says in its
/// first sentence what the field does, and `#[validate(range(…))]` says from where to where it goes
/// if the ends are numbers or constants. A field whose type is a `Secret` is one: no reference has its
/// value or its default.
///
/// - `#[document(merge = "append")]`: how a list or map that several sources of configuration have
///   becomes one; `replace` (the usual), `append` (lists), `union` (lists and maps);
/// - `#[document(opaque)]`: nothing is known of its values. It is for types without a shape, and
///   where serde calls a function for a field (`with`), which then has no lens either;
/// - `#[document(crate = "path")]`, before the type: where Foundation is, if not at `::foundation`.
#[proc_macro_derive(Shaped, attributes(document))]
pub fn shaped(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    document::expand_shaped(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Data of one type of event: its type and schema, and what of it is personal.
///
/// It is for structs with named fields. Before the type:
///
/// - `#[event(type = "order.placed")]`: the type of the event, which has to be said;
/// - `#[event(schema = 2)]`: the newest schema of its data, 1 unless it is said;
/// - `#[event(subject = "customer.id")]`: the field of the data that says of whom the personal fields
///   are; the subject of the event unless it is said;
/// - `#[event(crate = "path")]`: where Foundation is, if not at `::foundation`.
///
/// Fields take the attributes of [`PersonalFields`](macro@PersonalFields).
#[proc_macro_derive(EventData, attributes(event))]
pub fn event_data(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    event_data::expand(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// What of a struct that stands in the data of an event is personal.
///
/// A field whose type is written as `Personal<…>`, or as an `Option` of one, is. Names are those that
/// serde writes: `rename` and `rename_all` count, and a field that serde skips is none.
///
/// - `#[event(personal)]`: the value of a field of another type is; once its person is forgotten, such
///   data does not fit the struct any more, and is read as JSON;
/// - `#[event(nested)]`: the type of the field says what in it is, one by one for the elements of a
///   list. Without it nothing in the field is: no derive sees into another type.
#[proc_macro_derive(PersonalFields, attributes(event))]
pub fn personal_fields(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    event_data::expand_fields(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}
