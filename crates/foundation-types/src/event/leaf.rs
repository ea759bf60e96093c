//! What is at one place in the data of an event, where a number or a text is wanted.

use super::Data;
use crate::path::Path;
use crate::value::Value;

/// What is at one place of an event's data.
#[derive(Clone, Debug, PartialEq)]
pub enum Leaf {
    /// Nothing, or `null`.
    Nothing,
    /// True or false.
    Bool(bool),
    /// A whole number from 0 on.
    Unsigned(u64),
    /// A whole number below 0.
    Signed(i64),
    /// Any other number.
    Real(f64),
    /// Text.
    Text(String),
    /// A list or a map.
    Many,
}

impl Leaf {
    /// The number that is there, also where it is written as text such as `"0.25"`; `None` for
    /// what is no finite number.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        let number = match self {
            Self::Unsigned(number) => *number as f64,
            Self::Signed(number) => *number as f64,
            Self::Real(number) => *number,
            Self::Text(text) => text.trim().parse().ok()?,
            Self::Nothing | Self::Bool(_) | Self::Many => return None,
        };
        number.is_finite().then_some(number)
    }

    /// What is there as text, a number as it is written; `None` where no single value is.
    #[must_use]
    pub fn into_text(self) -> Option<String> {
        match self {
            Self::Bool(value) => Some(value.to_string()),
            Self::Unsigned(number) => Some(number.to_string()),
            Self::Signed(number) => Some(number.to_string()),
            Self::Real(number) => Some(format!("{number:?}")),
            Self::Text(text) => Some(text),
            Self::Nothing | Self::Many => None,
        }
    }
}

impl Data {
    /// What is at this place: [`Leaf::Nothing`] where the path leads nowhere.
    ///
    /// ```
    /// use foundation_types::Data;
    /// use foundation_types::event::Leaf;
    /// let data = Data::from_json(r#"{"took": {"ms": [3, 4.5]}}"#)?;
    /// assert_eq!(data.leaf(&"took.ms[1]".parse()?), Leaf::Real(4.5));
    /// assert_eq!(data.leaf(&"took.ns".parse()?), Leaf::Nothing);
    /// assert_eq!(data.leaf(&"took".parse()?), Leaf::Many);
    /// # Ok::<(), foundation_types::Error>(())
    /// ```
    #[must_use]
    pub fn leaf(&self, path: &Path) -> Leaf {
        match self.at(path) {
            None | Some(Value::Null) => Leaf::Nothing,
            Some(Value::Bool(value)) => Leaf::Bool(value),
            Some(Value::Number(number)) => match (number.as_u64(), number.as_i64()) {
                (Some(number), _) => Leaf::Unsigned(number),
                (None, Some(number)) => Leaf::Signed(number),
                (None, None) => Leaf::Real(number.as_f64()),
            },
            Some(Value::Text(text)) => Leaf::Text(text.as_ref().to_owned()),
            Some(Value::List(_) | Value::Map(_) | Value::Secret(_)) => Leaf::Many,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_whatever_stands_beside_it() {
        let text = r#"{"a":[1,{"b":"x"}],"0":-2,"t":true,"n":null,"d":2.0,"big":1e300,"c":{}}"#;
        let data = Data::from_json(text).expect("is JSON");
        for (path, leaf) in [
            ("", Leaf::Many),
            ("a", Leaf::Many),
            ("a[0]", Leaf::Unsigned(1)),
            ("a[1].b", Leaf::Text("x".to_owned())),
            ("a[2]", Leaf::Nothing),
            ("a.b", Leaf::Nothing),
            ("a[0].b", Leaf::Nothing),
            ("[0]", Leaf::Signed(-2)),
            ("t", Leaf::Bool(true)),
            ("n", Leaf::Nothing),
            ("d", Leaf::Real(2.0)),
            ("big", Leaf::Real(1e300)),
            ("c.d", Leaf::Nothing),
            ("absent", Leaf::Nothing),
        ] {
            assert_eq!(data.leaf(&path.parse().expect("a path")), leaf, "{path}");
        }
    }

    #[test]
    fn a_number_is_one_that_is_finite_also_as_text() {
        let text = |text: &str| Leaf::Text(text.to_owned());
        assert_eq!(text(" -0.25 ").number(), Some(-0.25));
        assert_eq!(Leaf::Signed(-3).number(), Some(-3.0));
        for none in ["", "NaN", "inf", "1e999", "0.25 s", "12,5"] {
            assert_eq!(text(none).number(), None, "{none}");
        }
        assert_eq!([Leaf::Bool(true).number(), Leaf::Many.number()], [None, None]);
    }

    #[test]
    fn a_value_as_text_is_as_it_was_written() {
        assert_eq!(Leaf::Real(2.0).into_text().as_deref(), Some("2.0"));
        assert_eq!(Leaf::Unsigned(2).into_text().as_deref(), Some("2"));
        assert_eq!(Leaf::Many.into_text(), None);
    }
}
