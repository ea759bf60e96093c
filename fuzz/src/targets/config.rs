//! Configuration files and variables of the environment.

use std::ffi::OsString;

use foundation_logic::config::{Layers, on};
use foundation_types::value::to_value;
use foundation_types::{Settings, Value};
use foundation_validate::config::{Said, environment, stored};
use foundation_validate::parse;
use foundation_validate::parse::{FileFormat, FileText};

/// The input is what it is read as, and the bytes of a file or `NAME=VALUE` lines.
///
/// # Panics
/// If a place is not in the text, if the text at it is another value than the tree has, if YAML and
/// JSON read the same text as different trees, if a problem is told without its place, or if what passes on its own does not pass as a layer.
pub fn run(input: &[u8]) {
    let Some((kind, bytes)) = input.split_first() else { return };
    match kind % 4 {
        0 => file(bytes, FileFormat::Toml),
        1 => file(bytes, FileFormat::Json),
        2 => variables(bytes),
        _ => file(bytes, FileFormat::Yaml),
    }
}

fn file(bytes: &[u8], format: FileFormat) {
    let Ok(text) = FileText::of(bytes.to_vec()) else { return };
    let Ok(written) = text.read(format) else { return };
    // JSON alone knows a whole zero below zero, and rounds what is beyond whole numbers.
    if format == FileFormat::Yaml
        && let Ok(json) = text.read(FileFormat::Json)
        && !bytes.windows(2).any(|two| two == b"-0")
    {
        assert!(json.tree == written.tree, "{:?} is not {:?}", written.tree, json.tree);
    }
    for (path, place) in &written.places {
        let (line, column) = text.line_and_column(place.value.start);
        assert!(line > 0 && column > 0 && place.key.start <= place.value.end);
        assert!(text.excerpt(place).text.lines().count() <= 1);
        let there = foundation_logic::lens::get(&written.tree, path).expect("is in the tree");
        if format == FileFormat::Json {
            let plain = std::str::from_utf8(bytes).expect("is text");
            let plain = plain.strip_prefix('\u{feff}').unwrap_or(plain);
            let again = parse::value(&plain[place.value.clone()]).expect("is JSON by itself");
            assert!(again == *there, "{path}: {again:?} is not {there:?}");
        }
    }
    let said = Said::by_file("file", bytes.to_vec(), format).expect("was read before");
    layer(said.with_secrets::<Settings>());
}

fn layer(said: Said) {
    let defaults = to_value(&Settings::default()).expect("a tree");
    let misfits = said.misfits::<Settings>(&on::<Settings>(&defaults, &said));
    assert!(misfits.iter().all(|problem| problem.origin.is_some()));
    let layers = Layers::new::<Settings>(defaults, vec![said]);
    match stored::<Settings>(layers.tree(), &[]) {
        Ok(_) => assert!(misfits.is_empty(), "{misfits:?}"),
        Err(error) => assert!(!layers.placed::<Settings>(error).to_string().is_empty()),
    }
}

fn variables(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    let pairs = pairs.map(|(name, value)| (OsString::from(name), OsString::from(value)));
    let told = environment::<Settings>("APP", pairs);
    assert!(told.wrong.iter().chain(&told.unknown).all(|problem| problem.origin.is_some()));
    assert!(matches!(told.said.tree(), Value::Map(_)));
    layer(told.said);
}

/// Inputs to begin with.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let seed = |kind: u8, text: &str| [&[kind], text.as_bytes()].concat();
    vec![
        seed(0, "[interface]\nmax_results = 7 # rows\n\n[events.buffer]\nmax_events = 0x1_0\n"),
        seed(0, "log = { level = \"debug\" }\njournal.retention.age_s = 1979-05-27\n"),
        seed(
            0,
            "interface.max_resluts = 1\nlog.level = \"\"\"\nloud\"\"\"\nlist = [[1, {a = nan}], -0.0]\n",
        ),
        seed(1, "{\"interface\" : {\"max_results\": 7, \"max\\\"_results\": [1, {\"a\": null}]}}"),
        seed(1, "\u{feff}{\"log\": {\"level\": \"debug\"}, \"log2\": 1e308}"),
        seed(2, "APP_INTERFACE__MAX_RESULTS=7\nAPP_LOG__LEVEL=debug\nAPP_PORT=tcp://10.0.0.1:80\n"),
        seed(2, "APP_INTERFACE__MAX_RESULTS=18446744073709551615\nAPP_LOG_LEVEL=debug\n"),
        seed(3, "---\ninterface:\n  max_results: 7 # rows\nevents: {buffer: {max_events: 0x10}}\n"),
        seed(
            3,
            "log:\n- level: |\n    loud\n  \"a\": [no, ~, 1.5e3, -0.0]\n- {level: 'x', b: }\n...\n",
        ),
        seed(3, "{\"log\": {\"level\": \"debug\"}, \"list\": [1, 2.5, null]}"),
        seed(3, "a: &b [*b]\n<<: *b\n? [c]\n: !!str d\n"),
    ]
}
