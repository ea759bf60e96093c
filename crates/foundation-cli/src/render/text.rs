//! Numbers, sizes and times as people read them, and text that cannot steer a terminal.

use std::borrow::Cow;
use std::fmt::Write;
use std::time::Duration;

use foundation::{Error, ErrorKind, Result};
use serde::Serialize;

/// The text with everything replaced that a terminal would obey instead of show; line breaks stay.
pub(crate) fn printable_lines(text: &str) -> Cow<'_, str> {
    if text.chars().any(|c| c != '\n' && steers(c)) {
        let shown = |c| if c != '\n' && steers(c) { char::REPLACEMENT_CHARACTER } else { c };
        return Cow::Owned(text.chars().map(shown).collect());
    }
    Cow::Borrowed(text)
}

/// Text of others as a part of a line: what would break or steer the line is written as `\n` or
/// `\u{1b}`, so that it can be told from what the program says.
pub(crate) fn one_line(text: &str) -> Cow<'_, str> {
    if !text.chars().any(steers) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if steers(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

/// Whether a terminal obeys the character: controls, what separates lines, and what turns the direction
/// of text.
fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The value as one line of JSON. Controls beyond ASCII, which JSON allows as they are, are
/// escaped: they can only stand inside strings, so that the line says the same.
pub(crate) fn json(value: &impl Serialize) -> Result<String> {
    let line = serde_json::to_string(value).map_err(|cause| {
        Error::new(ErrorKind::Internal, "an answer cannot be written as JSON").caused_by(cause)
    })?;
    if !line.chars().any(|c| c >= '\u{7f}' && steers(c)) {
        return Ok(line);
    }
    let mut escaped = String::with_capacity(line.len() + 16);
    for c in line.chars() {
        if c >= '\u{7f}' && steers(c) {
            // Writing to a string does not fail.
            let _ = write!(escaped, "\\u{:04x}", u32::from(c));
        } else {
            escaped.push(c);
        }
    }
    Ok(escaped)
}

/// `2417` as `2,417`.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 segment`, `2 segments`.
pub(crate) fn counted(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", thousands(count))
}

/// `1153434` as `1.1 MiB`.
pub(crate) fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    let mut scaled = count as f64 / 1024.0;
    if scaled < 1.0 {
        return counted(count, "byte");
    }
    let mut units = UNITS.iter();
    let mut unit = units.next();
    while scaled >= 1023.95
        && let Some(next) = units.next()
    {
        scaled /= 1024.0;
        unit = Some(next);
    }
    format!("{scaled:.1} {}", unit.unwrap_or(&"PiB"))
}

/// A time that something took: `9 ms`, `21.4 s`, `3 min 20 s`, `2 d 3 h`.
pub(crate) fn elapsed(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0 => format!("{} ms", time.as_millis()),
        1..60 => format!("{}.{} s", seconds, time.subsec_millis() / 100),
        60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{} d {} h", thousands(seconds / 86_400), seconds % 86_400 / 3_600),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sizes_and_times_are_short() {
        let sizes = [0, 1, 1_023, 1_024, 1_048_575, 1_153_434, u64::MAX].map(bytes);
        assert_eq!(
            sizes,
            ["0 bytes", "1 byte", "1,023 bytes", "1.0 KiB", "1.0 MiB", "1.1 MiB", "16384.0 PiB"]
        );
        let times = [9, 21_431, 200_000, 7_380_000, 183_600_000];
        let times = times.map(|millis| elapsed(Duration::from_millis(millis)));
        assert_eq!(times, ["9 ms", "21.4 s", "3 min 20 s", "2 h 3 min", "2 d 3 h"]);
    }

    proptest! {
        #[test]
        fn no_text_reaches_the_terminal_as_an_order(text in any::<String>()) {
            let shown = printable_lines(&text);
            prop_assert!(shown.chars().all(|c| c == '\n' || !steers(c)));
            prop_assert_eq!(shown.chars().count(), text.chars().count());
        }

        #[test]
        fn no_text_breaks_a_line(text in any::<String>(), end in "[\n\r\u{85}\u{1b}]?") {
            let text = format!("{text}{end}");
            let shown = one_line(&text);
            prop_assert!(shown.chars().all(|c| !steers(c)));
            prop_assert_eq!(shown == text, !text.chars().any(steers));
        }

        #[test]
        fn json_says_the_same_and_orders_nothing(text in "\\PC*[\u{1b}\u{7f}\u{9b}\u{202e}]?.*") {
            let line = json(&text).expect("is JSON");
            prop_assert!(line.chars().all(|c| !steers(c)));
            prop_assert_eq!(serde_json::from_str::<String>(&line).expect("reads back"), text);
        }
    }
}
