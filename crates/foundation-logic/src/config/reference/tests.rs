//! What is written of a document, and that it says the same on every way.

use std::collections::BTreeMap;

use foundation_types::config::{Document, Shaped};
use foundation_types::value::{from_value, to_value};
use foundation_types::{Secret, Settings, Value};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use validator::Validate;

use super::Reference;

/// What the shop does. It sells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Validate, Document)]
#[document(crate = "foundation_types")]
#[serde(default, deny_unknown_fields)]
struct Shop {
    /// Requests that one client may send each second.
    #[validate(range(min = 1, max = 10_000))]
    rate_limit: u32,
    /// How customers pay.
    #[validate(nested)]
    payment: Payment,
    /// What stands over the "door" | in one line.
    name: String,
    /// Who may come in.
    guests: Option<Vec<String>>,
    /// Where things lie.
    shelves: BTreeMap<String, Shelf>,
    open: bool,
    servers: Vec<Server>,
    #[document(opaque)]
    extra: Value,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Validate, Shaped)]
#[document(crate = "foundation_types")]
#[serde(default, deny_unknown_fields)]
struct Payment {
    /// What the provider knows us by.
    token: Secret<String>,
    /// How amounts are rounded.
    rounding: Rounding,
    /// What we keep.
    #[validate(range(min = 0.0, max = 1.0))]
    share: Option<f64>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Shaped)]
#[document(crate = "foundation_types")]
#[serde(default, deny_unknown_fields)]
struct Shelf {
    /// In metres.
    height: f32,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Shaped)]
#[document(crate = "foundation_types")]
struct Server {
    host: String,
    key: Secret<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, Shaped)]
#[document(crate = "foundation_types")]
#[serde(rename_all = "kebab-case")]
enum Rounding {
    #[default]
    HalfUp,
    Down,
}

impl Default for Shop {
    fn default() -> Self {
        Self {
            rate_limit: 100,
            payment: Payment { token: "s3cr3t".into(), ..Payment::default() },
            name: "corner \"shop\"".to_owned(),
            guests: None,
            shelves: BTreeMap::from([("left 1".to_owned(), Shelf { height: 1.5 })]),
            open: true,
            servers: vec![Server { host: "a.example".to_owned(), key: "s3cr3t".into() }],
            extra: serde_json::from_str(r#"{"depth": {"levels": 2}}"#).expect("is a tree"),
        }
    }
}

fn shop() -> Reference {
    Reference::of::<Shop>().expect("its default is a tree")
}

/// A document that says nothing of its fields.
#[derive(Clone, Debug, Default, Serialize, Deserialize, Validate)]
struct Silent {
    payment: Payment,
    open: bool,
}

impl Document for Silent {
    const NAME: &'static str = "silent";
}

#[test]
fn a_schema_has_every_field_and_no_secret() {
    let json: serde_json::Value =
        serde_json::from_str(&shop().schema().to_json()).expect("is JSON");
    insta::assert_snapshot!(serde_json::to_string_pretty(&json).expect("writes"));
}

#[test]
fn a_template_has_every_field_and_no_secret() {
    insta::assert_snapshot!(shop().template());
}

#[test]
fn a_table_has_every_field_and_no_secret() {
    insta::assert_snapshot!(shop().markdown());
}

#[test]
fn a_secret_is_nowhere() {
    let shop = shop();
    for text in [shop.schema().to_json(), shop.template(), shop.markdown()] {
        assert!(text.contains("token") && !text.contains("s3cr3t"), "{text}");
    }
}

#[test]
fn a_document_that_says_nothing_is_described_by_its_defaults() {
    let silent = Reference::of::<Silent>().expect("its default is a tree");
    insta::assert_snapshot!(silent.schema().to_json());
    insta::assert_snapshot!(silent.template());
}

/// The template with everything in force.
fn uncommented(template: &str) -> String {
    let line = |line: &str| match line.strip_prefix('#') {
        Some(rest) if !rest.starts_with(' ') => rest.to_owned() + "\n",
        _ => line.to_owned() + "\n",
    };
    template.lines().map(line).collect()
}

fn read_template(reference: &Reference) -> Value {
    let tree: toml::Table = toml::from_str(&uncommented(&reference.template())).expect("is TOML");
    to_value(&tree).expect("is a tree")
}

#[test]
fn the_template_with_everything_in_force_is_the_default() {
    let settings = Reference::of::<Settings>().expect("its default is a tree");
    let read: Settings = from_value(&read_template(&settings)).expect("reads");
    assert_eq!(read, Settings::default());
    let untouched: toml::Table = toml::from_str(&settings.template()).expect("is TOML");
    let read: Settings = from_value(&to_value(&untouched).expect("is a tree")).expect("reads");
    assert_eq!(read, Settings::default());
    let mut expected = Shop::default();
    expected.payment.token = Secret::default();
    expected.servers.clear();
    (expected.guests, expected.payment.share) = (Some(Vec::new()), Some(0.0));
    assert_eq!(from_value::<Shop>(&read_template(&shop())).expect("reads"), expected);
}

proptest! {
    #[test]
    fn no_default_breaks_the_template(name in ".*", key in ".{0,4}", open: bool) {
        let json = serde_json::json!({"name": name, key: {"open": open}, "deep": [[name], 0.5]});
        let defaults: Value = serde_json::from_value(json).expect("is a tree");
        let read = read_template(&Reference::of_defaults("any", defaults.clone()));
        prop_assert_eq!(read, defaults);
    }
}
