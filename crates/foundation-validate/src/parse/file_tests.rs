//! What files say, and where: the same tree and the same places in each format.

use foundation_types::Path;
use proptest::prelude::*;

use super::{FileFormat, FileText};

fn read(text: &str, format: FileFormat) -> (FileText, super::Written) {
    let text = FileText::of(text.as_bytes().to_vec()).expect("is text");
    let written = text.read(format).expect("is well written");
    (text, written)
}

fn place(text: &str, format: FileFormat, path: &str) -> ((u32, u32), String) {
    let path: Path = path.parse().expect("a path");
    let (text, written) = read(text, format);
    let place = written.place(&path).expect("is there");
    (text.line_and_column(place.value.start), text.excerpt(place).text)
}

#[test]
fn a_value_has_its_line_and_nothing_else_of_the_line_is_shown() {
    let toml = "# first\ntop = 1\n\n[shop.till]\nuser = \"ada\"\ndoor = { code = \"1234\", open = true }\nlist = [\n  1,\n  2,\n]\n";
    let rows = [
        ("top", (2, 7), "top = 1"),
        ("shop.till.user", (5, 8), "user = \"ada\""),
        ("shop.till.door.open", (6, 32), "                        open = true"),
        ("shop.till.list[1]", (9, 3), "  2"),
    ];
    for (path, position, excerpt) in rows {
        assert_eq!(place(toml, FileFormat::Toml, path), (position, excerpt.to_owned()), "{path}");
    }
    let json = "{\n  \"top\": 1, \"a\\\"b\": 2,\n  \"shop\": {\"code\": \"1234\", \"open\" : true, \"list\": [1, 22]}\n}";
    let rows = [
        ("top", (2, 10), "  \"top\": 1"),
        ("shop.open", (3, 37), "                           \"open\" : true"),
        ("shop.list[1]", (3, 55), "                                                      22"),
    ];
    for (path, position, excerpt) in rows {
        assert_eq!(place(json, FileFormat::Json, path), (position, excerpt.to_owned()), "{path}");
    }
}

#[test]
fn of_a_key_that_is_not_known_the_key_alone_is_shown() {
    let rows = [
        ("a = 1\nkye = \"hunter2\"", FileFormat::Toml, "kye", "kye"),
        ("\"kye\" = { a = \"hunter2\" } # hunter2", FileFormat::Toml, "kye", "\"kye\""),
        ("pay.kye = \"hunter2\"", FileFormat::Toml, "pay.kye", "    kye"),
        ("pay.kye = \"hunter2\"", FileFormat::Toml, "pay", "pay"),
        ("[pay]\nkye = \"\"\"\nhunter2\"\"\"", FileFormat::Toml, "pay.kye", "kye"),
        ("[pay] # hunter2\nkye = \"hunter2\"", FileFormat::Toml, "pay", "[pay]"),
        ("[[pay]]\nkye = \"hunter2\"\n[[pay]]", FileFormat::Toml, "pay", "[[pay]]"),
        (
            "{\"a\": \"hunter2\", \"kye\" : \"hunter2\"}",
            FileFormat::Json,
            "kye",
            "                 \"kye\"",
        ),
        ("{\"kye\":\n  [\"hunter2\"]}", FileFormat::Json, "kye", " \"kye\""),
        #[cfg(feature = "yaml")]
        ("kye: hunter2", FileFormat::Yaml, "kye", "kye"),
        #[cfg(feature = "yaml")]
        ("pay:\n  'kye': [hunter2]", FileFormat::Yaml, "pay.kye", "  'kye'"),
        #[cfg(feature = "yaml")]
        ("kye: |\n  hunter2", FileFormat::Yaml, "kye", "kye"),
    ];
    for (text, format, path, shown) in rows {
        let (file, written) = read(text, format);
        let place = written.places.get(&path.parse().expect("a path")).expect("is there");
        assert_eq!(file.excerpt_of_key(place).text, shown, "{text}");
    }
}

#[test]
fn far_behind_in_a_line_an_excerpt_begins_with_its_key() {
    let entries: Vec<String> = (0..80_001).map(|nth| format!("\"a{nth}\": 1")).collect();
    let line = format!("{{{}, \"long\": \"{}\"}}", entries.join(", "), "x".repeat(1_000));
    let (file, written) = read(&line[..], FileFormat::Json);
    let place = |path: &str| written.places.get(&path.parse().expect("a path")).expect("is there");
    let near = file.excerpt(place("a8"));
    assert_eq!((near.text.trim_start(), near.column), ("\"a8\": 1", 1));
    assert_eq!(near.text.len(), 73 + "\"a8\": 1".len());
    let far = file.excerpt(place("a80000"));
    assert_eq!((&far.text[..], far.column), ("\"a80000\": 1", 1_028_892));
    let long = file.excerpt(place("long"));
    assert_eq!(long.text.chars().count(), foundation_types::limits::EXCERPT_CHARS_MAX);
    assert_eq!(file.excerpt_of_key(place("long")).text, "\"long\"");
}

#[test]
fn a_file_has_one_byte_order_mark_at_most_and_may_say_nothing() {
    let marked = |marks: usize| FileText::of(format!("{}a = 1", "\u{feff}".repeat(marks)).into());
    assert!(marked(1).expect("is text").read(FileFormat::Toml).is_ok());
    let refused = marked(2).expect_err("has two").to_string();
    assert!(refused.contains("more than one byte order mark"), "{refused}");
    let empty = |text: &str| FileText::of(text.into()).expect("is text").is_empty();
    for text in
        ["", " \n", "# a\n", "---", "---\n...\n", "--- # a\n\n...  # b\n# c", "\u{feff}---\n"]
    {
        assert!(empty(text), "{text:?}");
    }
    for text in ["{}", "---\n{}\n", "--- {}", "---a", "a: 1", "-- -"] {
        assert!(!empty(text), "{text:?}");
    }
}

#[test]
fn a_refusal_says_nothing_of_the_text() {
    let canary = "hunter2";
    let texts = [
        (format!("key = \"{canary}"), FileFormat::Toml),
        (format!("key = {canary}"), FileFormat::Toml),
        (format!("{canary} = 1\n{canary} = 2"), FileFormat::Toml),
        (format!("key = \"{canary}\\q\""), FileFormat::Toml),
        (format!("{{\"key\": {canary}}}"), FileFormat::Json),
        (format!("{{\"key\": \"{canary}"), FileFormat::Json),
        (format!("\"{canary}\""), FileFormat::Json),
    ];
    for (text, format) in texts {
        let bytes = FileText::of(text.clone().into_bytes()).expect("is text");
        let error = bytes.read(format).err().expect("is refused");
        assert!(!format!("{error} {error:?} {bytes:?}").contains(canary), "{text}: {error:?}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(text) = FileText::of(bytes) {
            for format in [FileFormat::Toml, FileFormat::Json] {
                if let Ok(written) = text.read(format) {
                    for place in written.places.values() {
                        let (line, column) = text.line_and_column(place.value.start);
                        prop_assert!(line > 0 && column > 0 && text.excerpt(place).text.lines().count() <= 1);
                    }
                }
            }
        }
    }
}
