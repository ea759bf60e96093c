//! What is refused, with which words, and what is written for what passes.

use proc_macro2::TokenStream;
use syn::{DeriveInput, parse_quote};

use crate::case::Case;
use crate::document::{expand, expand_shaped};
use crate::event_data;

/// What the compiler would say, message by message.
fn refusals(outcome: syn::Result<TokenStream>) -> Vec<String> {
    let errors = outcome.expect_err("is refused");
    errors.into_iter().map(|error| error.to_string()).collect()
}

fn written(outcome: syn::Result<TokenStream>) -> String {
    outcome.expect("passes").to_string().replace(' ', "")
}

#[test]
fn what_leaves_paths_unknown_is_refused_all_at_once() {
    let input: DeriveInput = parse_quote! {
        #[document(name = "the shop")]
        #[serde(tag = "kind", rename_all(serialize = "camelCase", deserialize = "snake_case"))]
        struct Shop<T> {
            #[serde(flatten)]
            payment: Payment,
            #[serde(skip_serializing)]
            half: u32,
            #[serde(with = "seconds")]
            pause: Duration,
            #[serde(rename(serialize = "a", deserialize = "b"))]
            two: T,
            #[serde(rename = "rate limit")]
            rate_limit: u32,
            #[document(merge = "mix")]
            servers: Vec<String>,
            #[document(secrte)]
            password: String,
        }
    };
    let found = refusals(expand(&input));
    let expected = [
        "\"the shop\" is no name of a document",
        "with `tag` the type is written otherwise",
        "a document is read by the names that it is written with",
        "a document has one shape, and the shape of a type with parameters",
        "the keys of a flattened field stand among those of the struct",
        "a document reads back what it wrote",
        "a function writes this field",
        "a document is read by the names that it is written with",
        "no path can name the key \"rate limit\"",
        "a merge is \"replace\", \"append\" or \"union\"",
        "unknown attribute `secrte`",
    ];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(expected), "{found:?} is not {expected:?}");
    }
}

#[test]
fn what_has_no_fields_is_no_document_and_what_has_data_no_choice() {
    let rows: [(DeriveInput, &str); 4] = [
        (
            parse_quote!(
                struct Shop(u32, u32);
            ),
            "the parts of a tuple have no names",
        ),
        (
            parse_quote!(
                struct Shop;
            ),
            "a struct without values has no shape",
        ),
        (
            parse_quote!(
                enum Shop {
                    Open,
                    Closed(u32),
                }
            ),
            "a choice is one of several words",
        ),
        (parse_quote!(union Shop { a: u32 }), "a union has no shape"),
    ];
    for (input, expected) in rows {
        assert_eq!(refusals(expand(&input)), ["a document is a struct with named fields"]);
        let found = refusals(expand_shaped(&input));
        assert!(found.len() == 1 && found[0].starts_with(expected), "{found:?}");
    }
    let named: DeriveInput = parse_quote!(
        #[document(name = "a")]
        struct A {
            b: u32,
        }
    );
    assert_eq!(refusals(expand_shaped(&named)), ["only a document has a name: derive `Document`"]);
}

#[test]
fn names_are_those_that_serde_writes() {
    let input: DeriveInput = parse_quote! {
        #[serde(rename_all = "camelCase", default, deny_unknown_fields)]
        struct ShopFront {
            rate_limit: u32,
            #[serde(rename = "kind-of", default = "usual", alias = "old")]
            r#type: String,
            #[serde(skip)]
            cache: u32,
            #[serde(skip_serializing_if = "Option::is_none")]
            last_one: Option<u32>,
        }
    };
    let text = written(expand(&input));
    for part in [
        "constNAME:&'staticstr=\"shop_front\"",
        "name:\"rateLimit\",ident:::core::option::Option::Some(\"rate_limit\")",
        "name:\"kind-of\",ident:::core::option::Option::Some(\"r#type\")",
        "name:\"lastOne\"",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    assert!(!text.contains("cache"), "{text}");
}

#[test]
fn cases_are_those_of_serde() {
    let rows = [
        ("lowercase", "rate_limit", "dropoldest"),
        ("UPPERCASE", "RATE_LIMIT", "DROPOLDEST"),
        ("PascalCase", "RateLimit", "DropOldest"),
        ("camelCase", "rateLimit", "dropOldest"),
        ("snake_case", "rate_limit", "drop_oldest"),
        ("SCREAMING_SNAKE_CASE", "RATE_LIMIT", "DROP_OLDEST"),
        ("kebab-case", "rate-limit", "drop-oldest"),
        ("SCREAMING-KEBAB-CASE", "RATE-LIMIT", "DROP-OLDEST"),
    ];
    for (name, field, variant) in rows {
        let case = Case::of(name).expect("is one");
        assert_eq!(case.of_field("rate_limit"), field);
        assert_eq!(case.of_variant("DropOldest"), variant);
    }
    assert_eq!(Case::of("Title Case"), None);
}

#[test]
fn a_range_narrows_the_shape_if_its_ends_are_constants() {
    let input: DeriveInput = parse_quote! {
        struct Shop {
            #[validate(range(min = -1, exclusive_max = limits::MOST), custom(function = "even"))]
            a: i32,
            #[validate(length(max = 10), range(max = 60 * 1_000, min = smallest()))]
            b: Option<u32>,
            #[validate(range(min = 0.5))]
            c: Option<f64>,
        }
    };
    let text = written(expand(&input));
    for part in [
        ".at_least(::foundation::config::Bound::Integer((-1)asi128))\
         .at_most(::foundation::config::Bound::Integer((limits::MOST)asi128+-1i128)),",
        "SHAPE.at_most(::foundation::config::Bound::Integer((60*1_000)asi128)),",
        ".at_least(::foundation::config::Bound::Float((0.5)asf64)),",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}

#[test]
fn a_comment_is_told_by_its_first_sentence() {
    let rows: [(DeriveInput, &str); 4] = [
        (
            parse_quote!(
                /** One. */
                struct A {
                    a: u32,
                }
            ),
            "One.",
        ),
        (
            parse_quote! {
                /// Requests that one client, e.g. a browser,
                /// may send. More is refused.
                struct A { a: u32 }
            },
            "Requests that one client, e.g. a browser, may send.",
        ),
        (
            parse_quote! {
                /// Without an end
                ///
                /// And more.
                struct A { a: u32 }
            },
            "Without an end",
        ),
        (
            parse_quote!(
                struct A {
                    a: u32,
                }
            ),
            "",
        ),
    ];
    for (input, expected) in rows {
        assert_eq!(crate::sentence::first(&input.attrs), expected);
    }
}

#[test]
fn a_document_says_the_version_of_its_schema_and_nothing_else_does() {
    let third: DeriveInput = parse_quote! {
        #[document(schema = 3)]
        struct Shop {}
    };
    assert!(written(expand(&third)).contains("constSCHEMA:u32=3u32;"));
    let first: DeriveInput = parse_quote! { struct Shop {} };
    assert!(written(expand(&first)).contains("constSCHEMA:u32=1u32;"));
    let none: DeriveInput = parse_quote! {
        #[document(schema = 0)]
        struct Shop {}
    };
    assert_eq!(refusals(expand(&none)), ["the version of a schema is a number from 1"]);
    let part = "only a document has a schema with a version: derive `Document`";
    assert_eq!(refusals(expand_shaped(&third)), [part]);
}

#[test]
fn what_leaves_personal_fields_unknown_is_refused_all_at_once() {
    let input: DeriveInput = parse_quote! {
        #[event(type = "foundation.moved", schema = 0, subject = "whom")]
        #[serde(tag = "kind")]
        struct Moved<T> {
            #[serde(flatten)]
            customer: Customer,
            #[event(nested)]
            name: Personal<String>,
            phones: Vec<Option<Personal<T>>>,
            #[serde(rename = "home address")]
            address: Personal<String>,
            #[event(secret)]
            note: String,
        }
    };
    let refusals = refusals(event_data::expand(&input));
    let said = [
        "types that begin with `foundation.` are Foundation's own",
        "the schema of an event is a number from 1",
        "with `tag` the type is written otherwise",
        "which fields of a type with parameters are personal is not known",
        "the keys of a flattened field",
        "leave out `#[event(nested)]`",
        "put `Personal` around all of it",
        "no path can name the key \"home address\"",
        "before a field there are `personal` and `nested`",
    ];
    assert_eq!(refusals.len(), said.len(), "{refusals:#?}");
    for (refusal, said) in refusals.iter().zip(said) {
        assert!(refusal.contains(said), "{refusal:?} does not say {said:?}");
    }
    let choice: DeriveInput = parse_quote! { enum Moved { In, Out } };
    assert!(refusals_of_fields(&choice)[0].contains("for structs with named fields"));
    let typed: DeriveInput =
        parse_quote! { #[event(type = "a")] struct Name { own: Personal<u8> } };
    assert!(refusals_of_fields(&typed)[0].contains("derive `EventData`"));
}

fn refusals_of_fields(input: &DeriveInput) -> Vec<String> {
    refusals(event_data::expand_fields(input))
}

#[test]
fn personal_fields_have_the_names_that_serde_gives_them() {
    let input: DeriveInput = parse_quote! {
        #[event(type = "moved", subject = "customerId", crate = "here")]
        #[serde(rename_all = "camelCase")]
        struct Moved {
            customer_id: u64,
            first_name: Option<events::Personal<String>>,
            #[serde(rename = "calls")]
            #[event(nested)]
            phones: Vec<Phone>,
            #[event(personal)]
            home: Address,
            #[serde(skip)]
            cached: Personal<String>,
        }
    };
    let written = written(event_data::expand(&input));
    let part = |name: &str, part: &str| {
        format!(
            "here::events::PersonalField{{name:\"{name}\",part:here::events::PersonalPart::{part}}}"
        )
    };
    let nested = "Fields(<Vec<Phone>ashere::events::PersonalFields>::PERSONAL)";
    let rows = [part("firstName", "Value"), part("calls", nested), part("home", "Value")];
    assert!(written.contains(&format!("&[{}]", rows.join(","))), "{written}");
    assert!(written.contains("SUBJECT:::core::option::Option<&'staticstr>=::core::option::Option::Some(\"customerId\")"), "{written}");
    assert!(!written.contains("SCHEMA"), "what is not said is not written: {written}");
}
