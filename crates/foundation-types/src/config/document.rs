//! What an application's configuration struct has to be.

use serde::Serialize;
use serde::de::DeserializeOwned;
use validator::Validate;

use super::field::Field;

/// A configuration document: a struct of the application's that is stored by its changes.
///
/// ```
/// use foundation_types::config::Document;
/// use serde::{Deserialize, Serialize};
/// use validator::Validate;
///
/// #[derive(Clone, Debug, Default, Serialize, Deserialize, Validate, Document)]
/// #[document(crate = "foundation_types")]
/// #[serde(default, deny_unknown_fields)]
/// struct Shop {
///     /// Requests that one client may send each second.
///     #[validate(range(min = 0, max = 10_000))]
///     rate_limit: u32,
/// }
///
/// assert_eq!(Shop::NAME, "shop");
/// assert_eq!(Shop::FIELDS[0].name, "rate_limit");
/// assert_eq!(Shop::FIELDS[0].shape.to_string(), "integer, 0 to 10000");
/// ```
///
/// A document that says nothing of its fields needs no derive: `NAME` is enough.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no configuration document",
    note = "derive `Document` for it, beside `Clone`, `Default`, `Serialize`, `Deserialize` and \
            `Validate`"
)]
pub trait Document:
    Clone + Default + Serialize + DeserializeOwned + Validate + Send + Sync + 'static
{
    /// The name of the document: 1 to 64 bytes of `[A-Za-z0-9_-]`, unique in a store.
    const NAME: &'static str;

    /// Version of its schema, from 1: the next one once a path of it is called otherwise, or means
    /// something else. What was logged with an earlier one is migrated.
    const SCHEMA: u32 = 1;

    /// One sentence on what it is about; may be empty.
    const DOC: &'static str = "";

    /// What is known of its fields, for messages and reference pages; may be empty.
    const FIELDS: &'static [Field] = &[];
}
