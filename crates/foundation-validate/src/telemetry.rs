//! May this metric, these labels, this measurement enter?

use foundation_types::limits::{METRIC_LABEL_BYTES_MAX, METRIC_LABELS_MAX, METRIC_NAME_BYTES_MAX};
use foundation_types::telemetry::{Labels, Measurement};
use foundation_types::{ErrorKind, Problem, Result};

use crate::pipeline::settle;
use crate::text::{Characters, TextRule, quoted};
use crate::validated::Validated;

/// Prefix of label names that only Foundation sets, for example on its overflow series.
pub const RESERVED_LABEL_PREFIX: &str = "__";

const LABEL_VALUE: TextRule =
    TextRule { bytes_min: 0, bytes_max: METRIC_LABEL_BYTES_MAX, characters: Characters::Any };

/// Whether a metric may have this name: dotted parts of `[a-zA-Z_][a-zA-Z0-9_]*`, 255 bytes.
///
/// # Errors
/// [`ErrorKind::Invalid`] for another grammar, [`ErrorKind::TooLarge`] for a longer name.
pub fn metric_name(name: &str) -> Result<()> {
    let mut found = Vec::new();
    if name.len() > METRIC_NAME_BYTES_MAX {
        let message = format!("has {} bytes", name.len());
        let expected = format!("at most {METRIC_NAME_BYTES_MAX} bytes");
        found.push(Problem::new(ErrorKind::TooLarge, "name", message).expected(expected));
    } else if !name.split('.').all(is_name) {
        let problem = Problem::new(ErrorKind::Invalid, "name", "is not the name of a metric");
        found.push(problem.value(quoted(name)).expected("parts of a-z A-Z 0-9 _ joined by dots"));
    }
    settle((), found).map(Validated::into_inner)
}

/// The labels of a series, sorted by name.
///
/// A name is `[a-zA-Z_][a-zA-Z0-9_]*` without the reserved prefix `__`, a value any text; both
/// have at most 256 bytes, and a series has at most 32 of them.
///
/// # Errors
/// [`ErrorKind::Invalid`] for a bad, reserved or repeated name, [`ErrorKind::TooLarge`] beyond a
/// limit.
pub fn labels(pairs: &[(&str, &str)]) -> Result<Validated<Labels>> {
    let mut found = Vec::new();
    if pairs.len() > METRIC_LABELS_MAX {
        let message = format!("has {} labels", pairs.len());
        let expected = format!("at most {METRIC_LABELS_MAX}");
        found.push(Problem::new(ErrorKind::TooLarge, "labels", message).expected(expected));
        return settle(Labels::default(), found);
    }
    for (at, (name, value)) in pairs.iter().enumerate() {
        label_name(at, name, &mut found);
        check_label_value(at, value, &mut found);
        if pairs.iter().take(at).any(|(earlier, _)| earlier == name) {
            let place = format!("labels[{at}]");
            let problem = Problem::new(ErrorKind::Invalid, place, "repeats a label");
            found.push(problem.value(quoted(name)));
        }
    }
    settle(Labels::new(pairs.iter().copied()), found)
}

/// Whether a metric can take the measurement: gauges and histograms take finite numbers only.
///
/// # Errors
/// [`ErrorKind::OutOfRange`] for infinities and what is not a number.
pub fn measurement(measurement: Measurement) -> Result<()> {
    match measurement {
        Measurement::Set(value) | Measurement::Record(value) if !value.is_finite() => {
            let problem = Problem::new(ErrorKind::OutOfRange, "value", "is not a finite number");
            settle((), vec![problem.value(value)]).map(Validated::into_inner)
        }
        Measurement::Add(_) | Measurement::Set(_) | Measurement::Record(_) => Ok(()),
    }
}

fn label_name(at: usize, name: &str, found: &mut Vec<Problem>) {
    let (kind, message, expected) = if name.len() > METRIC_LABEL_BYTES_MAX {
        (ErrorKind::TooLarge, "the name is too long", "at most 256 bytes")
    } else if !is_name(name) {
        (ErrorKind::Invalid, "is not the name of a label", "a-z A-Z 0-9 _, no digit first")
    } else if name.starts_with(RESERVED_LABEL_PREFIX) {
        (ErrorKind::Invalid, "is a reserved name", "a name that does not begin with __")
    } else {
        return;
    };
    let problem = Problem::new(kind, format!("labels[{at}]"), message).expected(expected);
    found.push(problem.value(quoted(name)));
}

fn check_label_value(at: usize, value: &str, found: &mut Vec<Problem>) {
    if value.len() > METRIC_LABEL_BYTES_MAX {
        LABEL_VALUE.check(&format!("labels[{at}]"), value, found);
    }
}

fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
