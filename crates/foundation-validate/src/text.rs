//! Rules that text keeps wherever it stands: length, characters.

use foundation_types::{ErrorKind, Problem, Value};

/// Which text a field takes.
#[derive(Clone, Copy)]
pub(crate) struct TextRule {
    pub(crate) bytes_min: usize,
    pub(crate) bytes_max: usize,
    pub(crate) characters: Characters,
}

/// Which characters a text may have.
#[derive(Clone, Copy)]
pub(crate) enum Characters {
    /// Any at all.
    Any,
    /// Any but control characters.
    Printable,
    /// ASCII letters, digits, and these.
    Alphanumeric(&'static str),
}

impl TextRule {
    /// Adds what is wrong with the text; allocates nothing if all is well.
    pub(crate) fn check(&self, path: &str, text: &str, found: &mut Vec<Problem>) {
        if text.len() < self.bytes_min {
            found.push(self.problem(ErrorKind::Invalid, path, "is empty"));
        } else if text.len() > self.bytes_max {
            let message = format!("has {} bytes", text.len());
            found.push(self.problem(ErrorKind::TooLarge, path, message));
        } else if let Some(bad) = self.characters.first_refused(text) {
            let message = format!("has the character {bad:?}");
            found.push(self.problem(ErrorKind::Invalid, path, message).value(quoted(text)));
        }
    }

    fn problem(&self, kind: ErrorKind, path: &str, message: impl Into<String>) -> Problem {
        let bytes = match self.bytes_min {
            0 => format!("at most {} bytes", self.bytes_max),
            min => format!("{min} to {} bytes", self.bytes_max),
        };
        let characters = self.characters.said();
        Problem::new(kind, path, message).expected(format!("{bytes}{characters}"))
    }
}

impl Characters {
    /// Most text is plain, which its bytes tell quicker than its characters.
    fn first_refused(self, text: &str) -> Option<char> {
        match self {
            Self::Any => None,
            Self::Printable if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) => None,
            Self::Printable => text.chars().find(|c| c.is_control()),
            Self::Alphanumeric(others) => {
                text.chars().find(|c| !c.is_ascii_alphanumeric() && !others.contains(*c))
            }
        }
    }

    fn said(self) -> String {
        match self {
            Self::Any => String::new(),
            Self::Printable => " without control characters".to_owned(),
            Self::Alphanumeric(others) => {
                let others: Vec<_> = others.chars().map(String::from).collect();
                format!(" of A-Z a-z 0-9 {}", others.join(" "))
            }
        }
    }
}

/// The beginning of a text as JSON, for a message.
pub(crate) fn quoted(text: &str) -> String {
    let shown: String = text.chars().take(128).collect();
    Value::from(shown).to_json()
}
