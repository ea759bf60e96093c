//! What of which events is personal, and of whom.

use foundation_types::limits::PERSONAL_RULES_MAX;
use foundation_types::path::Segment;
use foundation_types::{Error, ErrorKind, EventType, Path, Result, TypePattern};

/// Where an event says of whom its personal fields are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SubjectIn {
    /// In its subject.
    Event,
    /// In this field of its data, a text or a number.
    Field(Path),
}

/// What of some events is personal.
#[derive(Clone, Debug)]
pub struct PersonalRule {
    types: TypePattern,
    subject: SubjectIn,
    paths: Vec<Vec<Segment>>,
}

impl PersonalRule {
    /// These fields of the data of these events.
    ///
    /// # Errors
    /// `InvalidArgument` without a field, for a whole data that also says whose it is, and for types
    /// of Foundation's; `InvalidPath`.
    pub fn new(types: TypePattern, subject: SubjectIn, paths: &[&str]) -> Result<Self> {
        let own = match &types {
            TypePattern::Exact(kind) => kind.as_str(),
            TypePattern::Prefix(start) => start,
        };
        let wrong = |why: &str| {
            let message = format!("the personal fields of {types} cannot be: {why}");
            Err(Error::new(ErrorKind::InvalidArgument, message))
        };
        if own.starts_with(EventType::RESERVED_PREFIX) {
            return wrong("events of Foundation have none");
        }
        if paths.is_empty() {
            return wrong("no field is named");
        }
        let mut steps = Vec::with_capacity(paths.len());
        for path in paths {
            let path: Path = path.parse()?;
            if let SubjectIn::Field(field) = &subject
                && field.is_in(&path)
            {
                return wrong("a field that says of whom they are would be sealed itself");
            }
            steps.push(path.segments().to_vec());
        }
        Ok(Self { types, subject, paths: steps })
    }

    pub(super) fn types(&self) -> &TypePattern {
        &self.types
    }

    pub(super) fn subject(&self) -> &SubjectIn {
        &self.subject
    }

    pub(super) fn paths(&self) -> &[Vec<Segment>] {
        &self.paths
    }
}

pub(super) fn check(rules: &[PersonalRule]) -> Result<()> {
    if rules.len() > PERSONAL_RULES_MAX {
        let message = format!(
            "there are {} rules of personal fields, the limit is {PERSONAL_RULES_MAX}",
            rules.len()
        );
        return Err(Error::new(ErrorKind::InvalidArgument, message));
    }
    Ok(())
}
