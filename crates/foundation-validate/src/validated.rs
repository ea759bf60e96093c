//! Data that may enter: the proof travels with the data.

use foundation_types::Problem;

/// A value that passed every rule. Only the functions of this crate can make one.
///
/// ```
/// use foundation_types::Event;
/// use foundation_validate::{Origin, Validated, event};
/// let checked: Validated<Event> = event::event(Event::new("order.placed"), Origin::Application)?;
/// assert_eq!(checked.kind.as_str(), "order.placed");
/// # Ok::<(), foundation_types::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Validated<T> {
    value: T,
    warnings: Vec<Problem>,
}

impl<T> Validated<T> {
    pub(crate) fn new(value: T, warnings: Vec<Problem>) -> Self {
        Self { value, warnings }
    }

    pub(crate) fn map<U>(self, convert: impl FnOnce(T) -> U) -> Validated<U> {
        Validated { value: convert(self.value), warnings: self.warnings }
    }

    /// The value, without the proof.
    pub fn into_inner(self) -> T {
        self.value
    }

    /// Findings that are worth knowing but refuse nothing.
    #[must_use]
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }
}

impl<T> AsRef<T> for Validated<T> {
    fn as_ref(&self) -> &T {
        &self.value
    }
}

impl<T> std::ops::Deref for Validated<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}
