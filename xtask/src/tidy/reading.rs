//! Records become events for readers at one place: whoever decodes one elsewhere reads past it.

use super::Violation;
use super::tree::Tree;

/// Where services are, in which readers are served.
const SERVICES: &str = "crates/foundation-services/src/";
/// The one place.
const READER: &str = "crates/foundation-services/src/event/reader.rs";

pub(crate) fn check(tree: &Tree) -> Vec<Violation> {
    let served = tree.sources.iter().filter(|source| {
        source.path.starts_with(SERVICES)
            && source.path != READER
            && !source.path.contains("/tests/")
    });
    let mut found = Vec::new();
    for source in served {
        let before_tests =
            source.text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        for (at, line) in before_tests.lines().enumerate() {
            if line.contains("Record::decode") || line.contains(".decode()") {
                let advice = "read it with `Reader::read`, which brings old events up";
                let problem = "a record is decoded past the reader";
                found.push(Violation::new(&source.path, at + 1, problem, advice));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::tree::{places, planted};
    use super::*;

    const TEXT: &str = "//! A.\nfn f(record: &Record) { record.decode() }\n";

    #[test]
    fn a_record_is_decoded_by_the_reader_and_by_tests() {
        let inline = "//! A.\n#[cfg(test)]\nmod tests {\n    fn f() { record.decode() }\n}\n";
        let passing = [
            (READER, TEXT),
            ("crates/foundation-services/src/event/tests/laws.rs", TEXT),
            ("crates/foundation-services/src/event/a.rs", inline),
            ("crates/foundation-store/src/record.rs", TEXT),
        ];
        assert_eq!(check(&planted(&passing)), []);
    }

    #[test]
    fn a_way_past_the_reader_is_caught() {
        let path = "crates/foundation-services/src/event/query.rs";
        for text in [TEXT, "//! A.\nfn f() { all.map(Record::decode) }\n"] {
            let found = places(&check(&planted(&[(path, text)])));
            assert_eq!(found, [format!("{path}:2: a record is decoded past the reader")]);
        }
    }
}
