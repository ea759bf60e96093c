//! Which fields of a type are personal, as its derive writes it down.

/// What stands in the data of an event, with what of it is personal. To be derived.
pub trait PersonalFields {
    /// The fields of which something is.
    const PERSONAL: &'static [PersonalField];
}

/// A field of which something is personal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PersonalField {
    /// Its key, as it is written.
    pub name: &'static str,
    /// What of it.
    pub part: PersonalPart,
}

/// What of a field is personal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PersonalPart {
    /// All of it.
    Value,
    /// These fields of it, or of each of its elements.
    Fields(&'static [PersonalField]),
}

impl PersonalField {
    /// The paths of all that is personal among some fields, as dotted text.
    ///
    /// ```
    /// use foundation_types::event::{PersonalField, PersonalPart};
    /// let inner = &[PersonalField { name: "name", part: PersonalPart::Value }];
    /// let outer = [PersonalField { name: "customer", part: PersonalPart::Fields(inner) }];
    /// assert_eq!(PersonalField::paths(&outer), ["customer.name"]);
    /// ```
    #[must_use]
    pub fn paths(fields: &[Self]) -> Vec<String> {
        let mut paths = Vec::new();
        for field in fields {
            match field.part {
                PersonalPart::Value => paths.push(field.name.to_owned()),
                PersonalPart::Fields(inner) => {
                    let below = Self::paths(inner).into_iter();
                    paths.extend(below.map(|path| format!("{}.{path}", field.name)));
                }
            }
        }
        paths
    }
}

impl<T: PersonalFields> PersonalFields for Vec<T> {
    const PERSONAL: &'static [PersonalField] = T::PERSONAL;
}

impl<T: PersonalFields> PersonalFields for Option<T> {
    const PERSONAL: &'static [PersonalField] = T::PERSONAL;
}

impl<T: PersonalFields> PersonalFields for Box<T> {
    const PERSONAL: &'static [PersonalField] = T::PERSONAL;
}
