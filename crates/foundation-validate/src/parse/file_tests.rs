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
    (text.line_and_column(place.value.start), text.excerpt(place))
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
                        prop_assert!(line > 0 && column > 0 && text.excerpt(place).lines().count() <= 1);
                    }
                }
            }
        }
    }
}
