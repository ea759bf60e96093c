//! Measures and groups as they are typed: `p95:data.took_ms`, `data.level`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::super::field::place_in;
use super::{By, Fold, Measure, Percent};
use crate::error::{Error, ErrorKind, Result};
use crate::path::Path;

impl fmt::Display for Measure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count => out.write_str("count"),
            Self::Rate => out.write_str("rate"),
            Self::Of(fold, path) => write!(out, "{fold}:{}", InData(path)),
        }
    }
}

impl fmt::Display for Fold {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sum => out.write_str("sum"),
            Self::Min => out.write_str("min"),
            Self::Max => out.write_str("max"),
            Self::Mean => out.write_str("mean"),
            Self::Percentile(percent) => write!(out, "p{percent}"),
        }
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / 1_000, self.0 % 1_000);
        if rest == 0 {
            return write!(out, "{whole}");
        }
        let rest = format!("{rest:03}");
        write!(out, "{whole}.{}", rest.trim_end_matches('0'))
    }
}

impl fmt::Display for By {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Type => out.write_str("type"),
            Self::Source => out.write_str("source"),
            Self::Stream => out.write_str("stream"),
            Self::Subject => out.write_str("subject"),
            Self::Correlation => out.write_str("correlation"),
            Self::Data(path) => InData(path).fmt(out),
        }
    }
}

/// A place of the data, with `data` before it.
struct InData<'a>(&'a Path);

impl fmt::Display for InData<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.0.to_string();
        let dot = if path.is_empty() || path.starts_with('[') { "" } else { "." };
        write!(out, "data{dot}{path}")
    }
}

impl FromStr for Measure {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text.split_once(':') {
            None if text == "count" => Ok(Self::Count),
            None if text == "rate" => Ok(Self::Rate),
            Some((fold, place)) => {
                let fold = fold_of(fold).ok_or_else(|| no_measure(text))?;
                let path = place_in_data(place)?.ok_or_else(|| no_measure(text))?;
                Ok(Self::Of(fold, path))
            }
            None => Err(no_measure(text)),
        }
    }
}

fn fold_of(text: &str) -> Option<Fold> {
    match text {
        "sum" => Some(Fold::Sum),
        "min" => Some(Fold::Min),
        "max" => Some(Fold::Max),
        "mean" => Some(Fold::Mean),
        _ => text.strip_prefix('p').and_then(percent_of).map(Fold::Percentile),
    }
}

fn percent_of(text: &str) -> Option<Percent> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, "0"));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits(whole) || !is_digits(rest) || rest.len() > 3 {
        return None;
    }
    let whole: u32 = whole.parse().ok()?;
    let rest: u32 = format!("{rest:0<3}").parse().ok()?;
    Percent::from_thousandths(whole.checked_mul(1_000)?.checked_add(rest)?)
}

impl FromStr for By {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "type" => Ok(Self::Type),
            "source" => Ok(Self::Source),
            "stream" => Ok(Self::Stream),
            "subject" => Ok(Self::Subject),
            "correlation" => Ok(Self::Correlation),
            _ => place_in_data(text)?.map(Self::Data).ok_or_else(|| {
                refused(
                    text,
                    "no group",
                    "type, source, stream, subject, correlation, or a place such as data.level",
                )
            }),
        }
    }
}

/// The path behind `data`; nothing if the text does not begin so.
const NO_PLACE: &str = "no place in the data";

fn place_in_data(text: &str) -> Result<Option<Path>> {
    let Some(rest) = text.strip_prefix("data") else { return Ok(None) };
    match rest.strip_prefix('.') {
        Some(path) if !path.is_empty() => place_in(path, text, NO_PLACE).map(Some),
        None if rest.is_empty() || rest.starts_with('[') => {
            place_in(rest, text, NO_PLACE).map(Some)
        }
        _ => Ok(None),
    }
}

fn no_measure(text: &str) -> Error {
    let expected = "count, rate, or sum, min, max, mean or a percentile such as p95 or p99.9 of a \
                    place, as in p95:data.took_ms";
    refused(text, "no measure", expected)
}

fn refused(text: &str, what: &str, expected: &str) -> Error {
    let shown: String = text.chars().take(64).collect();
    Error::new(ErrorKind::InvalidArgument, format!("{shown:?} is {what}: expected {expected}"))
}

macro_rules! as_text {
    ($($name:ident)*) => {$(
        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
                out.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

as_text! { Measure By }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_what_is_shown() {
        for text in [
            "count",
            "rate",
            "sum:data.a",
            "min:data",
            "max:data[0].b",
            "mean:data.a[1]",
            "p50:data.a",
        ] {
            assert_eq!(text.parse::<Measure>().expect(text).to_string(), text);
        }
        for (text, shown) in [("p99.9:data", "p99.9:data"), ("p5.050:data", "p5.05:data")] {
            assert_eq!(text.parse::<Measure>().expect(text).to_string(), shown);
        }
        for text in
            ["type", "source", "stream", "subject", "correlation", "data", "data.a", "data[3]"]
        {
            assert_eq!(text.parse::<By>().expect(text).to_string(), text);
        }
    }

    #[test]
    fn what_means_nothing_is_refused_with_what_would() {
        for text in
            ["", "sum", "p101:data.a", "p100.001:data", "p:data", "p1.0000:data", "p-1:data"]
        {
            let error = text.parse::<Measure>().expect_err(text);
            assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{text}");
        }
        for text in ["sum:level", "sum:data.", "sum:database", "avg:data.a"] {
            assert!(text.parse::<Measure>().is_err(), "{text}");
        }
        insta::assert_snapshot!(
            "level".parse::<By>().expect_err("is none"),
            @r#""level" is no group: expected type, source, stream, subject, correlation, or a place such as data.level"#
        );
        assert_eq!("data.a b".parse::<By>().expect_err("bad").kind(), ErrorKind::InvalidArgument);
    }

    #[test]
    fn a_rank_is_the_nearest_one() {
        let rank = |text: &str, count| percent_of(text).expect(text).rank_of(count);
        assert_eq!([rank("0", 10), rank("50", 10), rank("51", 10), rank("100", 10)], [1, 5, 6, 10]);
        assert_eq!(
            [rank("99.9", 1_000), rank("99.9", 1_001), rank("100", u64::MAX)],
            [999, 1_000, u64::MAX]
        );
    }
}
