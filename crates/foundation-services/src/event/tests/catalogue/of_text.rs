//! Rows of text that is no event: lines, lines of an export, messages of `CloudEvents`.

use foundation_types::ErrorKind::{self, Invalid, Malformed, TooLarge};
use foundation_types::limits::{CLOUD_EVENTS_MAX, EVENT_BYTES_MAX};
use foundation_validate::parse;

use super::Row;

type Text = (&'static str, Vec<u8>, ErrorKind, &'static str);

pub(super) fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for (what, text, kind, says) in lines().into_iter().chain(line_fields()) {
        let exported = text.clone();
        rows.push(Row::new(what, kind, says, move |_| {
            let read = parse::event_line(&text).map(drop);
            Box::pin(async move { read })
        }));
        // A line that is none of an export is refused for what it lacks as an event.
        rows.push(Row::new(what, kind, says, move |_| {
            let read = parse::exported_line(&exported).map(drop);
            Box::pin(async move { read })
        }));
    }
    for (what, text, kind, says) in exported() {
        rows.push(Row::new(what, kind, says, move |_| {
            let read = parse::exported_line(&text).map(drop);
            Box::pin(async move { read })
        }));
    }
    for (what, text, kind, says) in messages() {
        rows.push(Row::new(what, kind, says, move |_| {
            let read = parse::cloud_events(&text).map(drop);
            Box::pin(async move { read })
        }));
    }
    rows
}

fn row(what: &'static str, text: &[u8], kind: ErrorKind, says: &'static str) -> Text {
    (what, text.to_vec(), kind, says)
}

fn nested(levels: usize) -> String {
    format!("{}{}", "[".repeat(levels), "]".repeat(levels))
}

fn lines() -> Vec<Text> {
    let long = format!("{{\"type\":\"{}\"}}", "x".repeat(2 * EVENT_BYTES_MAX));
    let utf16: Vec<u8> = "{\"type\":\"t\"}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    vec![
        row("nothing", b"", Malformed, "not one JSON object"),
        row("no object", b"null", Malformed, "but not an object"),
        row("a list", b"[\"t\"]", Malformed, "but not an object"),
        row("a bare word", b"NaN", Malformed, "not one JSON object"),
        row("an end too early", b"{\"type\":\"t\"", Malformed, "EOF"),
        row("an end within a text", b"{\"type\":\"t", Malformed, "EOF"),
        row("more behind the end", b"{\"type\":\"t\"} {}", Malformed, "trailing"),
        row("no UTF-8", b"{\"type\":\"\xff\"}", Malformed, "not UTF-8 from byte 9 on"),
        row("half a character", b"{\"type\":\"\xe2\x82\"}", Malformed, "not UTF-8"),
        row("UTF-16", &utf16, Malformed, "JSON"),
        row("a mark of byte order", b"\xef\xbb\xbf{\"type\":\"t\"}", Malformed, "JSON"),
        row("zeros", b"\0\0\0", Malformed, "JSON"),
        row("half a surrogate", b"{\"type\":\"\\ud800\"}", Invalid, "expected text"),
        row("a field twice", b"{\"type\":\"t\",\"type\":\"u\"}", Malformed, "duplicate"),
        row("a long line", long.as_bytes(), TooLarge, "bytes, the limit is"),
    ]
}

fn line_fields() -> Vec<Text> {
    let deep = format!("{{\"type\":\"t\",\"data\":{}}}", nested(100_000));
    vec![
        row("no type", b"{\"data\":1}", Invalid, "type: is missing"),
        row("a type that is a number", b"{\"type\":7}", Invalid, "expected text"),
        row("a near miss", b"{\"type\":\"t\",\"correlation\":\"r\"}", Invalid, "correlation_id"),
        row("an unknown field", b"{\"type\":\"t\",\"zzz\":1}", Invalid, "no field \\\"zzz\\\""),
        row("no time", b"{\"type\":\"t\",\"time\":\"yesterday\"}", Invalid, "RFC 3339"),
        row("a time in numbers", b"{\"type\":\"t\",\"time\":0}", Invalid, "wrong type"),
        row(
            "a late time",
            b"{\"type\":\"t\",\"time\":\"9999-12-31T23:59:59Z\"}",
            Invalid,
            "at most",
        ),
        row("tags in a text", b"{\"type\":\"t\",\"tags\":\"a,b\"}", Invalid, "a list of texts"),
        row("a future schema", b"{\"type\":\"t\",\"schema\":65536}", Invalid, "from 1 to 65535"),
        row("a negative schema", b"{\"type\":\"t\",\"schema\":-1}", Invalid, "from 1 to 65535"),
        row("half a schema", b"{\"type\":\"t\",\"schema\":1.5}", Invalid, "from 1 to 65535"),
        row("no alteration", b"{\"type\":\"t\",\"altered\":7}", Invalid, "what an export wrote"),
        row("a key twice", b"{\"type\":\"t\",\"data\":{\"a\":1,\"a\":2}}", Malformed, "a"),
        row("a number too large", b"{\"type\":\"t\",\"data\":1e999}", Malformed, "number"),
        row("a number that is none", b"{\"type\":\"t\",\"data\":NaN}", Malformed, "JSON"),
        row("deep data", deep.as_bytes(), TooLarge, "64 levels"),
    ]
}

fn exported() -> Vec<Text> {
    vec![
        row("a line without its place", b"{\"dedup_id\":\"a\",\"type\":\"t\"}", Invalid, "dedup_id"),
        row(
            "a position that is none",
            b"{\"position\":-1,\"stream\":\"s\",\"version\":1,\"recorded\":\"2026-11-25T09:00:00Z\",\"type\":\"t\"}",
            Invalid,
            "position",
        ),
        row(
            "a line whose end is missing",
            b"{\"dedup_id\":\"1/s/1\",\"position\":7,\"stream\":\"s\",\"version\":1,\"recor",
            Malformed,
            "EOF",
        ),
    ]
}

fn messages() -> Vec<Text> {
    let message = |more: &str| {
        format!(r#"{{"specversion":"1.0","id":"a","source":"s","type":"t"{more}}}"#).into_bytes()
    };
    let many = format!("[{}1]", "1,".repeat(CLOUD_EVENTS_MAX));
    let second = [b"[", message("").as_slice(), b",{\"specversion\":\"1.0\"}]"].concat();
    let binary = message(",\"data_base64\":\"\"");
    let third = [b"[", message("").as_slice(), b",", &binary, b"]"].concat();
    vec![
        row("no message", b"", Malformed, "no CloudEvent"),
        row("a number", b"7", Malformed, "no CloudEvent"),
        row("no UTF-8", b"{\"id\":\"\xff\"}", Malformed, "not UTF-8"),
        row("an end too early", &message("")[..30], Malformed, "EOF"),
        row(
            "another version",
            br#"{"specversion":"0.3","id":"a","source":"s","type":"t"}"#,
            Invalid,
            "specversion",
        ),
        row("no id", br#"{"specversion":"1.0","source":"s","type":"t"}"#, Malformed, "`id`"),
        row("no source", br#"{"specversion":"1.0","id":"a","type":"t"}"#, Malformed, "`source`"),
        row("no type", br#"{"specversion":"1.0","id":"a","source":"s"}"#, Malformed, "`type`"),
        row(
            "an empty id",
            br#"{"specversion":"1.0","id":"","source":"s","type":"t"}"#,
            Invalid,
            "id",
        ),
        row(
            "an empty source",
            br#"{"specversion":"1.0","id":"a","source":"","type":"t"}"#,
            Invalid,
            "source",
        ),
        row("an attribute twice", &message(",\"id\":\"b\""), Malformed, "duplicate"),
        row("binary data", &message(",\"data_base64\":\"AA==\""), Invalid, "is binary"),
        row("no time", &message(",\"time\":\"soon\""), Malformed, "time"),
        row("tags that are none", &message(",\"dedupid\":\"x\",\"tags\":\"a,b\""), Invalid, "tags"),
        row("a key twice in the data", &message(",\"data\":{\"a\":1,\"a\":2}"), Malformed, "data"),
        row("deep data", &message(&format!(",\"data\":{}", nested(100))), TooLarge, "data"),
        row(
            "very deep data",
            &message(&format!(",\"data\":{}", nested(100_000))),
            TooLarge,
            "64 levels",
        ),
        row("an event too many", many.as_bytes(), TooLarge, "at most 10000"),
        row("a number among events", b"[7]", Malformed, "[0] is no CloudEvent"),
        row("a bad one among others", &second, Malformed, "[1] is no CloudEvent"),
        row("a binary one among others", &third, Invalid, "[1].data_base64"),
        row("a long message", &vec![b' '; (16 << 20) + 1], TooLarge, "the limit is"),
    ]
}
