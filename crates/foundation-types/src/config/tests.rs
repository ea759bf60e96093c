//! What the derives write, held against what serde writes; and the laws of lenses.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use validator::Validate;

use super::{Document, Field, Leaf, Lens, Merge, Shape, Shaped};
use crate::value::{Value, to_value};
use crate::{Path, Secret, lens};

const MOST: u32 = 9;

/// A shop. It sells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Validate, Document)]
#[document(name = "Shop-1", crate = "crate")]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct Shop {
    /// Requests that one client may send each second.
    #[validate(range(exclusive_min = 0, max = MOST))]
    rate_limit: u32,
    #[serde(rename = "pay-by")]
    #[validate(nested)]
    payment: Payment,
    /// Who is let in; all without.
    #[document(merge = "union")]
    guests: Option<Vec<String>>,
    #[document(merge = "union")]
    shelves: BTreeMap<String, Shelf>,
    #[serde(with = "seconds")]
    #[document(opaque)]
    pause: Duration,
    #[serde(skip)]
    cache: HashMap<String, String>,
    r#type: Kind,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Validate, Shaped)]
#[document(crate = "crate")]
#[serde(default, deny_unknown_fields)]
struct Payment {
    token: Secret<String>,
    #[validate(range(min = -2, max = 60_000))]
    retry_limit: i32,
    #[validate(range(min = 0.5))]
    share: Option<f64>,
    port: Port,
    #[document(merge = "append")]
    words: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Shaped)]
#[document(crate = "crate")]
#[serde(default, deny_unknown_fields)]
struct Shelf {
    /// Metres.
    height: f32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, Shaped)]
#[document(crate = "crate")]
struct Port(u16);

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, Shaped)]
#[document(crate = "crate")]
#[serde(rename_all = "kebab-case")]
enum Kind {
    #[default]
    SmallOne,
    #[serde(rename = "L")]
    Large,
}

mod seconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(time: &Duration, out: S) -> Result<S::Ok, S::Error> {
        time.as_secs().serialize(out)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_secs)
    }
}

impl Default for Shop {
    fn default() -> Self {
        Self {
            rate_limit: 1,
            payment: Payment::default(),
            guests: None,
            shelves: BTreeMap::new(),
            pause: Duration::ZERO,
            cache: HashMap::new(),
            r#type: Kind::default(),
        }
    }
}

fn field(ident: &str, fields: &'static [Field]) -> &'static Field {
    fields.iter().find(|field| field.ident == Some(ident)).expect("is a field")
}

#[test]
fn a_document_is_known_by_its_names_shapes_and_sentences() {
    assert_eq!((Shop::NAME, Shop::DOC), ("Shop-1", "A shop."));
    let rows: Vec<String> = Leaf::all(Shop::FIELDS)
        .iter()
        .map(|leaf| {
            let Field { shape, optional, secret, doc, merge, .. } = leaf.field;
            let marks = format!("optional {optional}, secret {secret}, {merge:?}");
            format!("{} {}: {shape}; {marks}; {doc:?}", leaf.path, leaf.variable())
        })
        .collect();
    insta::assert_snapshot!(rows.join("\n"), @r#"
    rateLimit RATELIMIT: integer, 1 to 9; optional false, secret false, Replace; "Requests that one client may send each second."
    pay-by.token PAY_BY__TOKEN: text; optional false, secret true, Replace; ""
    pay-by.retry_limit PAY_BY__RETRY_LIMIT: integer, -2 to 60000; optional false, secret false, Replace; ""
    pay-by.share PAY_BY__SHARE: number, at least 0.5; optional true, secret false, Replace; ""
    pay-by.port PAY_BY__PORT: integer, 0 to 65535; optional false, secret false, Replace; ""
    pay-by.words PAY_BY__WORDS: list, each text; optional false, secret false, Append; ""
    guests GUESTS: list, each text; optional true, secret false, Union; "Who is let in; all without."
    shelves SHELVES: map, each map of height; optional false, secret false, Union; ""
    pause PAUSE: any value; optional false, secret false, Replace; ""
    type TYPE: one of small-one, L; optional false, secret false, Replace; ""
    "#);
}

#[test]
fn keys_are_those_that_serde_writes() {
    let Ok(Value::Map(map)) = to_value(&Shop::default()) else { panic!("it is a map") };
    let mut written: Vec<String> = map.keys().map(ToString::to_string).collect();
    let mut known: Vec<&str> = Shop::FIELDS.iter().map(|field| field.name).collect();
    written.sort();
    known.sort_unstable();
    assert_eq!(written, known);
    for (kind, word) in [(Kind::SmallOne, "small-one"), (Kind::Large, "L")] {
        assert_eq!(to_value(&kind).expect("is text"), word.into());
    }
    assert_eq!(Kind::SHAPE, Shape::Choice(&["small-one", "L"]));
}

#[test]
fn a_shape_is_found_inside_lists_and_maps() {
    let shape = |path: &str| {
        let path: Path = path.parse().expect("a path");
        Shape::Fields(Shop::FIELDS).at(path.segments()).map(ToString::to_string)
    };
    assert_eq!(shape("guests[3]").as_deref(), Some("text"));
    assert_eq!(shape("shelves.left.height").as_deref(), Some("number"));
    assert_eq!(shape("pay-by.port").as_deref(), Some("integer, 0 to 65535"));
    assert_eq!(shape("pay-by.retryLimit"), None);
    assert_eq!(shape("pause.secs"), None);
    let payment = field("payment", Shop::FIELDS).shape.fields();
    assert_eq!(field("words", payment).merge, Merge::Append);
    assert_eq!(field("token", payment).merge, Merge::Replace);
}

#[test]
fn a_lens_knows_the_names_that_are_written() {
    assert_eq!(lens!(Shop, payment.retry_limit).path().to_string(), "pay-by.retry_limit");
    assert_eq!(lens!(Shop, rate_limit).path().to_string(), "rateLimit");
    assert_eq!(lens!(Shop, r#type).path().to_string(), "type");
    const GUESTS: Lens<Shop, Option<Vec<String>>> = lens!(Shop, guests);
    assert_eq!(GUESTS.path().to_string(), "guests");
    // The path is made once.
    assert!(std::ptr::eq(GUESTS.path(), GUESTS.path()));
}

fn shops() -> impl Strategy<Value = Shop> {
    (any::<u32>(), any::<i32>(), any::<u16>(), ".{0,8}").prop_map(|(rate, retry, port, token)| {
        Shop {
            rate_limit: rate,
            payment: Payment {
                token: token.into(),
                retry_limit: retry,
                port: Port(port),
                ..Payment::default()
            },
            ..Shop::default()
        }
    })
}

/// What a lens promises, by itself and held against the tree of the document.
fn check_laws<T>(lens: &Lens<Shop, T>, shop: &Shop, first: &T, second: &T)
where
    T: Clone + std::fmt::Debug + PartialEq + Serialize,
{
    let mut changed = shop.clone();
    lens.set(&mut changed, lens.get(shop).clone());
    assert_eq!(&changed, shop, "putting what is there changes nothing");
    lens.set(&mut changed, first.clone());
    assert_eq!(lens.get(&changed), first, "what was put is what is got");
    assert_eq!(lens.get_mut(&mut changed), first);
    lens.set(&mut changed, second.clone());
    let mut once = shop.clone();
    lens.set(&mut once, second.clone());
    assert_eq!(changed, once, "of two values the second stays");
    let tree = to_value(&changed).expect("is a tree");
    assert_eq!(
        at(&tree, lens.path()),
        to_value(second).expect("is a tree"),
        "path and place agree"
    );
}

fn at(tree: &Value, path: &Path) -> Value {
    let step = |tree: &Value, key: &crate::Segment| match (tree, key) {
        (Value::Map(map), crate::Segment::Key(key)) => map[key].clone(),
        _ => panic!("a lens leads along the keys of maps"),
    };
    path.segments().iter().fold(tree.clone(), |tree, key| step(&tree, key))
}

proptest! {
    #[test]
    fn lenses_keep_their_laws(
        shop in shops(),
        (first, second) in (any::<u32>(), any::<u32>()),
        (low, high) in (any::<i32>(), any::<i32>()),
    ) {
        check_laws(&lens!(Shop, rate_limit), &shop, &first, &second);
        check_laws(&lens!(Shop, payment.retry_limit), &shop, &low, &high);
        let whole = lens!(Shop, payment);
        check_laws(&whole, &shop, &Payment::default(), &shop.payment.clone());
        let through = whole.then(lens!(Payment, retry_limit));
        check_laws(&through, &shop, &low, &high);
        let plain = lens!(Shop, payment.retry_limit);
        prop_assert_eq!(through.path(), plain.path());
        prop_assert_eq!(through.clone().get(&shop), plain.get(&shop));
    }
}
