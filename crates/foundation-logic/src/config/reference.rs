//! What can be written down of a document before there is one: for editors, for operators, for
//! readers.

use foundation_types::config::{Field, Merge, Shape};
use foundation_types::value::to_value;
use foundation_types::{Document, Result, Value};

mod schema;
mod table;
mod template;
#[cfg(test)]
mod tests;

/// A document as its struct describes it.
///
/// ```
/// use foundation_logic::config::Reference;
/// use foundation_types::Settings;
///
/// let settings = Reference::of::<Settings>()?;
/// let schema = settings.schema().to_json();
/// assert!(schema.contains(r#""max_results":{"default":1000,"#));
/// assert!(settings.template().contains("[interface]\n"));
/// assert!(settings.markdown().contains("| `interface.max_results` | integer, 1 to 100000 | `1000` |"));
/// # Ok::<(), foundation_types::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Reference {
    name: String,
    doc: &'static str,
    fields: &'static [Field],
    defaults: Value,
}

impl Reference {
    /// What the struct says of itself. A document that says nothing of its fields is described by
    /// its defaults.
    ///
    /// # Errors
    /// If its default value is no tree.
    pub fn of<T: Document>() -> Result<Self> {
        Ok(Self::with_defaults::<T>(to_value(&T::default())?))
    }

    /// As [`Reference::of`], for a caller who has the tree of the default value.
    #[must_use]
    pub fn with_defaults<T: Document>(defaults: Value) -> Self {
        Self { doc: T::DOC, fields: T::FIELDS, ..Self::of_defaults(T::NAME, defaults) }
    }

    /// What the defaults of a document say of it, if its struct is not there to ask.
    #[must_use]
    pub fn of_defaults(name: &str, defaults: Value) -> Self {
        Self { name: name.to_owned(), doc: "", fields: &[], defaults }
    }

    /// The JSON Schema (draft 2020-12): what an editor completes and checks by.
    #[must_use]
    pub fn schema(&self) -> Value {
        schema::of(self)
    }

    /// A TOML file with every field, its sentence and its default, all of them commented out.
    #[must_use]
    pub fn template(&self) -> String {
        template::of(self)
    }

    /// A Markdown table with a row for every field.
    #[must_use]
    pub fn markdown(&self) -> String {
        table::of(self)
    }
}

/// A field with its default, or a default without a field.
struct Entry<'a> {
    field: Field,
    name: &'a str,
    default: Option<&'a Value>,
}

impl<'a> Entry<'a> {
    /// The fields in their order, then whatever else the defaults have.
    fn all(fields: &'static [Field], defaults: Option<&'a Value>) -> Vec<Self> {
        let map = match defaults {
            Some(Value::Map(map)) => Some(map),
            _ => None,
        };
        let default = |name: &str| map.and_then(|map| map.get(name));
        let known = fields.iter().map(|field| Self {
            field: *field,
            name: field.name,
            default: default(field.name),
        });
        let is_known = |name: &str| fields.iter().any(|field| field.name == name);
        let others = map.into_iter().flatten().filter(|(name, _)| !is_known(name));
        known
            .chain(others.map(|(name, value)| Self { field: UNKNOWN, name, default: Some(value) }))
            .collect()
    }

    /// What is inside of it, if it is a map of its own; as secret as the map is.
    fn inside(&self) -> Option<Vec<Self>> {
        let fields = match (self.field.shape, self.default) {
            (Shape::Fields(fields), _) => fields,
            // A known field of any shape is a place of its own, whatever its default is.
            (Shape::Any, Some(Value::Map(map))) if !self.is_known() && !map.is_empty() => &[],
            _ => return None,
        };
        let secret = |inner: Self| {
            let field = Field { secret: inner.field.secret || self.field.secret, ..inner.field };
            Self { field, ..inner }
        };
        Some(Self::all(fields, self.default).into_iter().map(secret).collect())
    }

    /// Its default, if nothing of it is a secret.
    fn shown_default(&self) -> Option<&'a Value> {
        let is_open = !self.field.secret && !self.field.shape.has_secret();
        self.default.filter(|default| is_open && !default.has_secret())
    }

    /// Which values it takes, as said to a person; nothing if nothing is known.
    fn takes(&self) -> Option<String> {
        self.is_known().then(|| self.field.takes())
    }

    fn is_known(&self) -> bool {
        !self.field.name.is_empty()
    }
}

const UNKNOWN: Field = Field {
    name: "",
    ident: None,
    doc: "",
    shape: Shape::Any,
    optional: false,
    secret: false,
    merge: Merge::Replace,
};
