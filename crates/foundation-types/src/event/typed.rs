//! Events whose data has a type of the application's.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Event, PersonalField, Recorded};
use crate::error::{Error, ErrorKind, Result};

/// Data of one type of event, with the schema that its shape follows.
///
/// ```
/// use foundation_types::{Event, EventData};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// struct OrderPlaced {
///     total_cents: u64,
/// }
///
/// impl EventData for OrderPlaced {
///     const TYPE: &'static str = "order.placed";
///     const SCHEMA: u16 = 2;
/// }
///
/// let event = Event::of(&OrderPlaced { total_cents: 990 })?;
/// assert_eq!((event.kind.as_str(), event.schema), ("order.placed", 2));
/// # Ok::<(), foundation_types::Error>(())
/// ```
pub trait EventData: Serialize + DeserializeOwned {
    /// The type of the event.
    const TYPE: &'static str;
    /// The newest schema of its data: the one that this Rust type has.
    const SCHEMA: u16 = Event::FIRST_SCHEMA;
    /// What of it is personal, if the derive says so.
    const PERSONAL: &'static [PersonalField] = &[];
    /// The field that says of whom; the subject of the event if none does.
    const SUBJECT: Option<&'static str> = None;
}

impl Event {
    /// An event with this data, of its type and its schema.
    ///
    /// # Errors
    /// As [`super::Data::of`].
    pub fn of<T: EventData>(data: &T) -> Result<Self> {
        Self::new(T::TYPE).schema(T::SCHEMA).data(data)
    }
}

impl Recorded {
    /// The data as the Rust type of its event.
    ///
    /// # Errors
    /// `InvalidArgument` if the event is of another type, `Malformed` if its data does not fit;
    /// both with position, type and schema.
    pub fn to<T: EventData>(&self) -> Result<T> {
        let told = |error: Error| {
            error
                .with("position", self.position)
                .with("type", &self.event.kind)
                .with("schema", self.event.schema)
        };
        if self.event.kind.as_str() != T::TYPE {
            let message = format!(
                "the event at position {} is of type {:?}, not {:?}",
                self.position,
                self.event.kind.as_str(),
                T::TYPE
            );
            return Err(told(Error::new(ErrorKind::InvalidArgument, message)));
        }
        self.event.data.to().map_err(told)
    }
}
