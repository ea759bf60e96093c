//! Names and ids as types of their own, so that one is never passed for another.
//!
//! They carry text as given; whether it may enter is decided by `foundation-validate`.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The text as given.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text.into())
            }
        }

        impl From<&String> for $name {
            fn from(text: &String) -> Self {
                Self(text.as_str().into())
            }
        }

        impl From<&$name> for $name {
            fn from(id: &$name) -> Self {
                id.clone()
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(out)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(out)
            }
        }
    };
}

text_id! {
    /// Identity of an event: any text of 1 to 128 bytes, unique in a store.
    ///
    /// It is also the idempotency key: the same id with the same body is stored once.
    EventId
}
text_id! {
    /// What ties events of one story together: a request id, a trace id, an order number.
    CorrelationId
}
text_id! {
    /// What happened, as dotted text such as `order.placed`: 1 to 128 bytes.
    ///
    /// Types that begin with `foundation.` are Foundation's own.
    EventType
}
text_id! {
    /// What else an event is found by, such as `course:c1` or `customer:7`: any text of 1 to 128
    /// bytes.
    Tag
}
text_id! {
    /// A named sequence of records inside the journal, with a version of its own.
    StreamName
}

impl EventType {
    /// Prefix of the types that only Foundation itself may record.
    pub const RESERVED_PREFIX: &str = "foundation.";
    /// A change of a configuration document.
    pub const CONFIG_CHANGED: &str = "foundation.config.changed";
    /// A change of a configuration document that was refused, and changed nothing.
    pub const CONFIG_REFUSED: &str = "foundation.config.refused";
    /// A change of a configuration document that waits for somebody to decide about it.
    pub const CONFIG_PARKED: &str = "foundation.config.parked";
    /// The decision that a change that waited is not made.
    pub const CONFIG_SETTLED: &str = "foundation.config.settled";
    /// A value that was put into a table under a key.
    pub const TABLE_PUT: &str = "foundation.table.put";
    /// A key that was removed from a table.
    pub const TABLE_REMOVED: &str = "foundation.table.removed";

    /// Whether the type is reserved for Foundation itself.
    #[must_use]
    pub fn is_reserved(&self) -> bool {
        self.0.starts_with(Self::RESERVED_PREFIX)
    }
}

impl StreamName {
    /// The stream of events that name none.
    pub const EVENTS: &str = "events";
    /// The stream of Foundation's own events: its life, its checks, its actions.
    pub const FOUNDATION: &str = "foundation";
    /// Prefix of the streams of configuration documents.
    pub const CONFIG_PREFIX: &str = "config/";

    /// The stream of the configuration document with this name.
    #[must_use]
    pub fn of_document(name: &str) -> Self {
        Self(format!("{}{name}", Self::CONFIG_PREFIX).into())
    }

    /// The name of the configuration document, if this is the stream of one.
    #[must_use]
    pub fn document(&self) -> Option<&str> {
        self.0.strip_prefix(Self::CONFIG_PREFIX)
    }

    /// Prefix of the streams of changes of a document that wait for somebody to decide.
    pub const PARKED_PREFIX: &str = "foundation/parked/";

    /// The stream of what waits of the configuration document with this name.
    #[must_use]
    pub fn of_parked(document: &str) -> Self {
        Self(format!("{}{document}", Self::PARKED_PREFIX).into())
    }

    /// Prefix of the streams of tables.
    pub const TABLE_PREFIX: &str = "table/";

    /// The stream of the table with this name.
    #[must_use]
    pub fn of_table(name: &str) -> Self {
        Self(format!("{}{name}", Self::TABLE_PREFIX).into())
    }

    /// The name of the table, if this is the stream of one.
    #[must_use]
    pub fn table(&self) -> Option<&str> {
        self.0.strip_prefix(Self::TABLE_PREFIX)
    }
}

impl EventId {
    /// A new id (UUID version 7) from a time and ten random bytes.
    #[must_use]
    pub fn generate(now: Timestamp, random: [u8; 10]) -> Self {
        let millis = u64::try_from(now.as_unix_micros() / 1_000).unwrap_or(0);
        Self::of(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
    }

    /// The id that is the UUID with these bits, in lower case with hyphens.
    #[must_use]
    pub fn of_uuid(bits: u128) -> Self {
        Self::of(uuid::Uuid::from_u128(bits))
    }

    /// The id (UUID version 5) of what has this name in this store: always the same one.
    #[must_use]
    pub fn derived(store: StoreId, name: &str) -> Self {
        Self::of(uuid::Uuid::new_v5(&uuid::Uuid::from_u128(store.to_bits()), name.as_bytes()))
    }

    fn of(uuid: uuid::Uuid) -> Self {
        let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
        Self((&*uuid.hyphenated().encode_lower(&mut text)).into())
    }
}

/// Identity of one store, drawn when its directory is made.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StoreId(u128);

impl StoreId {
    /// The id with these bits.
    #[must_use]
    pub const fn from_bits(bits: u128) -> Self {
        Self(bits)
    }

    /// The bits of the id.
    #[must_use]
    pub const fn to_bits(self) -> u128 {
        self.0
    }
}

impl fmt::Display for StoreId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:032x}", self.0)
    }
}

impl fmt::Debug for StoreId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}
