//! A text that is found wherever it comes out, put into a document on every way, and looked for in
//! everything that comes out of a node.

use std::fmt::{Debug, Write};
use std::path::Path;
use std::sync::{Mutex, OnceLock, PoisonError};

use foundation::config::{BusinessRule, ConfigServer, HistoryQuery, Notice, OnConflict, Reference};
use foundation::error::{ErrorReport, Problem};
use foundation::node::{
    ConfigDiff, ConfigFields, ConfigGet, ConfigHistory, ConfigSchema, ConfigTemplate, ConfigUpdate,
    Put, TakeDump,
};
use foundation::{
    Error, ErrorKind, EventQuery, ExpectedVersion, Foundation, Secret, Sources, Version, lens,
};
use serde_json::json;

use super::{Vault, key};
use crate::directory;

const CANARY: &str = "canary-6f1d-hunter2";
const PIN: u32 = 918_273_645;

/// Everything that came out, by what it is.
#[derive(Default)]
struct Sinks(Vec<(String, Vec<u8>)>);

impl Sinks {
    fn add(&mut self, name: impl Into<String>, bytes: impl Into<Vec<u8>>) {
        self.0.push((name.into(), bytes.into()));
    }

    fn debug(&mut self, name: &str, value: &dyn Debug) {
        self.add(format!("Debug of {name}"), format!("{value:?} {value:#?}"));
    }

    fn json(&mut self, name: &str, value: &impl serde::Serialize) {
        self.add(format!("JSON of {name}"), serde_json::to_string(value).expect("writes"));
    }

    fn error(&mut self, name: &str, error: &Error) {
        self.add(format!("error: {name}"), format!("{error} {error:?} {error:#?}"));
        self.json(&format!("error report: {name}"), &ErrorReport::from(error));
        self.debug(&format!("problems: {name}"), &error.problems());
    }

    fn files(&mut self, directory: &Path) {
        for entry in std::fs::read_dir(directory).expect("is there") {
            let path = entry.expect("reads").path();
            if path.is_dir() {
                self.files(&path);
            } else if path.is_file() {
                self.add(format!("file {}", path.display()), std::fs::read(&path).expect("reads"));
            }
        }
    }

    /// What has the canary, as text or as hexadecimal digits, or the number.
    fn leaks(&self) -> Vec<&str> {
        let hex = CANARY.bytes().fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").expect("is memory");
            text
        });
        let looked_for = [CANARY.to_owned(), hex, PIN.to_string()];
        let has = |bytes: &[u8]| {
            looked_for
                .iter()
                .any(|word| bytes.windows(word.len()).any(|part| part == word.as_bytes()))
        };
        self.0.iter().filter(|(_, bytes)| has(bytes)).map(|(name, _)| name.as_str()).collect()
    }
}

/// All that is traced in this process, at every level.
#[derive(Clone, Copy)]
struct Traced;

fn traced() -> &'static Mutex<String> {
    static TRACED: OnceLock<Mutex<String>> = OnceLock::new();
    TRACED.get_or_init(Mutex::default)
}

struct Fields;

impl tracing::field::Visit for Fields {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn Debug) {
        let mut text = traced().lock().unwrap_or_else(PoisonError::into_inner);
        writeln!(text, "{field}={value:?}").expect("is memory");
    }
}

impl tracing::Subscriber for Traced {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, span: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        span.record(&mut Fields);
        tracing::span::Id::from_u64(1)
    }
    fn record(&self, _: &tracing::span::Id, values: &tracing::span::Record<'_>) {
        values.record(&mut Fields);
    }
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn event(&self, event: &tracing::Event<'_>) {
        event.record(&mut Fields);
    }
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

/// Rules of a careless application, which say what they have found.
fn rules() -> Vec<BusinessRule<Vault>> {
    let tell = |path: &str, text: &str| {
        Problem::new(ErrorKind::Invalid, path, format!("{text:?} is refused"))
            .value(text)
            .hint(text)
    };
    vec![std::sync::Arc::new(move |vault: &Vault| {
        let token = vault.inner.token.expose();
        if token.ends_with("refused") {
            vec![tell("inner.token", token), tell("plain", token)]
        } else {
            Vec::new()
        }
    })]
}

async fn start(store: &Path) -> Foundation {
    let builder = Foundation::builder(store).document_with::<Vault>(Sources::defaults(), rules());
    builder.sealing_key(key(9)).start().await.expect("starts")
}

/// What may enter, on every way in.
async fn put(foundation: &Foundation, sinks: &mut Sinks) {
    let vault = foundation.config::<Vault>().expect("is declared");
    let update = vault.set(lens!(Vault, key), CANARY);
    sinks.debug("an update", &update);
    sinks.debug("what came of it", &update.await.expect("may enter"));
    vault.set(lens!(Vault, inner.token), Secret::from(CANARY)).await.expect("may enter");
    vault.set("maybe", CANARY).await.expect("may enter");
    let patch = json!({"named": {"a": CANARY}, "many": [CANARY, "b"]});
    sinks.debug("a patch", &vault.patch(&patch));
    vault.patch(patch).await.expect("may enter");
    let operations = json!([{"op": "add", "path": "/many/-", "value": CANARY},
        {"op": "add", "path": "/named/b", "value": CANARY}, {"op": "copy", "from": "/key", "path": "/named/c"}]);
    sinks.debug("operations", &vault.patch(&operations));
    vault.patch(operations).await.expect("may enter");
    let transaction = vault.transaction().set("key", format!("{CANARY}2")).set("inner.pin", 4711);
    transaction.reason("rotated").await.expect("may enter");
    let call = ConfigUpdate {
        document: "vault".to_owned(),
        patches: Vec::new(),
        edits: vec![(
            "maybe".parse().expect("a path"),
            Put::Value(format!("{CANARY}3").as_str().into()),
        )],
        expected: ExpectedVersion::Any,
        on_conflict: Some(OnConflict::Refuse),
        lasts_ms: None,
        unchanged: Vec::new(),
        actor: None,
        reason: None,
        defaults: false,
        dry_run: false,
    };
    sinks.json("the answer to a call", &foundation.call(call).await.expect("may enter"));
    let preview = vault.set("key", CANARY).preview().await.expect("may enter");
    sinks.json("a preview", &preview);
    sinks.debug("a preview", &preview);
}

/// What may not enter, for every reason.
async fn refuse(foundation: &Foundation, sinks: &mut Sinks) {
    let vault = foundation.config::<Vault>().expect("is declared");
    let long = CANARY.repeat(5);
    let wrong = [
        ("inner.pin", json!(CANARY)),
        ("inner.pin", json!(PIN)),
        ("inner.pin", json!(-i64::from(PIN))),
        ("inner", json!(CANARY)),
        ("inner", json!([CANARY])),
        ("inner", json!({"token": {"a": CANARY}})),
        ("inner.token", json!(format!("{CANARY}refused"))),
        ("inner.token.deeper", json!(CANARY)),
        ("key", json!([CANARY])),
        ("key", json!({CANARY: 1})),
        ("key", json!(long)),
        ("many", json!(CANARY)),
        ("many", json!({"a": CANARY})),
        ("many[0]", json!({"a": CANARY})),
        ("many[9]", json!(CANARY)),
        ("named", json!([CANARY])),
        ("named.a", json!([[CANARY]])),
        ("maybe", json!({"a": CANARY})),
        ("keey", json!(CANARY)),
        ("", json!({"key": 1, "named": CANARY, "keey": CANARY})),
    ];
    for (path, value) in wrong {
        let name = format!(
            "{path} set to {}",
            value.to_string().replace(CANARY, "…").replace(&PIN.to_string(), "…")
        );
        let error = vault.set(path, &value).await.expect_err(&name);
        sinks.error(&name, &error);
        let pointer =
            format!("/{}", path.replace('.', "/").replace("[0]", "/0").replace("[9]", "/9"));
        for op in ["add", "replace", "test"] {
            let patch = json!([{"op": op, "path": pointer, "value": value}]);
            if let Err(error) = vault.patch(patch).await {
                sinks.error(&format!("{op}: {name}"), &error);
            }
        }
        if !path.is_empty() && !path.contains(['.', '[']) {
            sinks.error(
                &format!("merged: {name}"),
                &vault.patch(json!({path: value})).await.expect_err("no"),
            );
        }
    }
    for patch in [
        json!([{"op": "test", "path": "/key", "value": CANARY}]),
        json!([{"op": "test", "path": "", "value": {"key": CANARY}}]),
        json!([{"op": "copy", "from": "/named/a", "path": "/plain"}]),
        json!([{"op": "move", "from": "/named/a", "path": "/plain"}]),
        json!([{"op": "move", "from": "/named", "path": "/plain"}]),
        json!([{"op": "remove", "path": "/key/deeper"}]),
    ] {
        let error = vault.patch(&patch).await.expect_err("tells or moves a secret");
        sinks.error(&format!("patch {}", patch.to_string().replace(CANARY, "…")), &error);
    }
    refuse_late(&vault, sinks).await;
}

/// What comes after others.
async fn refuse_late(vault: &ConfigServer<Vault>, sinks: &mut Sinks) {
    let late = |way| {
        vault.set("key", format!("{CANARY}4")).expect_version(Version::new(1)).on_conflict(way)
    };
    for way in [OnConflict::Refuse, OnConflict::Merge] {
        sinks.error("a conflict", &late(way).await.expect_err("was changed"));
    }
    let expected = vault.set("maybe", CANARY).expect_unchanged("maybe", Version::NONE);
    sinks.error("an expectation", &expected.await.expect_err("was changed"));
    sinks.error(
        "text",
        &serde_json::from_value::<Vault>(json!({"inner": {"pin": CANARY}}))
            .map_err(|cause| Error::new(ErrorKind::Malformed, cause.to_string()).caused_by(cause))
            .expect_err("is no number"),
    );
}

/// What comes out when it is asked for.
async fn ask(foundation: &Foundation, dumps: &Path, sinks: &mut Sinks) {
    let vault = foundation.config::<Vault>().expect("is declared");
    let current = vault.get();
    sinks.debug("the guard", &current);
    sinks.debug("the document", &*current);
    sinks.json("the document", &*current);
    sinks.add("Display of a secret", format!("{} {:?}", current.key, current.named));
    sinks.add("Display of the tree", format!("{} {:?}", current.tree(), current.tree()));
    sinks.debug("a snapshot", &vault.at(Version::new(3)).await.expect("is kept"));
    sinks.json("the fields", &vault.fields());
    sinks.json(
        "the last change",
        &vault.last_change(&"key".parse().expect("a path")).await.expect("reads"),
    );
    let newest = vault.version();
    let history = vault.history(HistoryQuery::newest(100)).await.expect("is kept");
    sinks.json("the history", &history);
    sinks.debug("the history", &history);
    for from in [Version::NONE, Version::new(2), newest] {
        let diff = vault.diff(from, newest).await.expect("is kept");
        sinks.json("a diff", &diff);
        sinks.debug("a diff", &diff);
        sinks.json("a tree", &vault.tree_at(from).await.expect("is kept"));
    }
    let document = || "vault".to_owned();
    let get = |at| ConfigGet { document: document(), path: foundation::Path::root(), at };
    sinks.json("get", &foundation.call(get(None)).await.expect("is there"));
    sinks.json(
        "get of an earlier one",
        &foundation.call(get(Some(Version::new(4)))).await.expect("is there"),
    );
    sinks.json(
        "fields",
        &foundation.call(ConfigFields { document: document() }).await.expect("is there"),
    );
    sinks.json(
        "schema",
        &foundation.call(ConfigSchema { document: document() }).await.expect("is there"),
    );
    sinks.json(
        "template",
        &foundation.call(ConfigTemplate { document: document() }).await.expect("is there"),
    );
    let query = HistoryQuery::newest(100);
    sinks.json(
        "history",
        &foundation.call(ConfigHistory { document: document(), query }).await.expect("is there"),
    );
    let diff = ConfigDiff { document: document(), from: Version::NONE, to: newest };
    sinks.json("diff", &foundation.call(diff).await.expect("is there"));
    sinks.add("a reference", Reference::of::<Vault>().expect("is a tree").markdown());
    sinks.json("events", &foundation.events().query(EventQuery::default()).await.expect("answers"));
    sinks.json("the status", &foundation.status());
    foundation.call(TakeDump { directory: dumps.to_owned() }).await.expect("there is space");
    foundation.checkpoint().await.expect("there is space");
}

async fn follow(foundation: &Foundation, sinks: &mut Sinks) {
    let vault = foundation.config::<Vault>().expect("is declared");
    let newest = vault.version();
    for place in ["", "key", "many", "named.a", "inner"] {
        let mut changes = vault.subscribe_from(Version::NONE, place).await.expect("is kept");
        vault.close();
        while let Some(notice) = changes.next().await.expect("reads") {
            sinks.json(&format!("a notice at {place:?}"), &notice);
            sinks.debug(&format!("a notice at {place:?}"), &notice);
            let Notice::Changed(change) = notice else { panic!("nothing went by") };
            assert!(change.version <= newest);
        }
    }
}

/// Everything, with the canary also where it is no secret if `careless` says so.
async fn sinks(careless: Option<&str>) -> Sinks {
    // Another test may have been first: what is traced there counts too.
    let _ = tracing::subscriber::set_global_default(Traced);
    let directory = directory();
    let (store, dumps) = (directory.path().join("store"), directory.path().join("dumps"));
    let mut sinks = Sinks::default();
    let foundation = start(&store).await;
    if let Some(text) = careless {
        let vault = foundation.config::<Vault>().expect("is declared");
        vault.set("plain", text).await.expect("may enter");
    }
    put(&foundation, &mut sinks).await;
    refuse(&foundation, &mut sinks).await;
    ask(&foundation, &dumps, &mut sinks).await;
    follow(&foundation, &mut sinks).await;
    super::close(foundation).await;
    let foundation = start(&store).await;
    let vault = foundation.config::<Vault>().expect("is declared");
    assert_eq!(vault.get().many[2].expose(), CANARY, "it is there all the same");
    super::close(foundation).await;
    sinks.files(&dumps);
    sinks.files(&store);
    sinks.add("what was traced", traced().lock().unwrap_or_else(PoisonError::into_inner).clone());
    sinks
}

#[tokio::test]
async fn a_secret_comes_out_nowhere() {
    let sinks = sinks(None).await;
    let of = |word: &str| sinks.0.iter().filter(|(name, _)| name.starts_with(word)).count();
    let traced = traced().lock().unwrap_or_else(PoisonError::into_inner).len();
    println!(
        "{} sinks, {} of them errors, {} files, {traced} bytes traced",
        sinks.0.len(),
        of("error: "),
        of("file ")
    );
    assert_eq!(sinks.leaks(), [""; 0]);
    assert!(of("file ") >= 4 && of("JSON of a notice") >= 8 && traced > 0);
}

/// Files in which a secret stands under a key that is mistyped, in each format.
fn mistyped() -> Vec<(&'static str, String)> {
    let rows = [
        ("toml", "keey = \"C\""),
        ("toml", "inner.tokn = \"C\""),
        ("toml", "[inner]\ntokn = \"C\""),
        ("toml", "key_old = { a = \"C\", b = [\"C\"] } # C"),
        ("toml", "plain = \"x\"\n[vault] # C\nkey = \"C\""),
        ("toml", "kye = \"\"\"C\nC\"\"\"\nkey = \"C\""),
        ("toml", "innr.token = \"C\""),
        ("json", "{\"plain\": \"C\", \"keey\": \"C\", \"key\": \"C\"}"),
        ("json", "{\"inner\": {\"pni\": 918273645, \"tokn\": \"C\"}}"),
        ("json", "{\"keey\":\n[\"C\"], \"key.old\": \"C\", \"inner.token\": \"C\"}"),
        ("yaml", "keey: C\nkey: C\n"),
        ("yaml", "inner:\n  tokn: C\n  'pni': 918273645\n"),
        ("yaml", "keey: |\n  C\nkey_old: {a: C}\ninner.token: C\n"),
        ("yaml", "keey:\n- C\n- {a: C}\n"),
    ];
    rows.into_iter().map(|(format, text)| (format, text.replace('C', CANARY))).collect()
}

#[tokio::test]
async fn a_secret_under_a_mistyped_key_of_a_file_comes_out_nowhere() {
    let directory = directory();
    let mut sinks = Sinks::default();
    for (number, (format, text)) in mistyped().into_iter().enumerate() {
        let file = directory.path().join(format!("vault{number}.{format}"));
        std::fs::write(&file, text).expect("writes");
        let sources = Sources::defaults().file(&file).unwatched();
        let builder = Foundation::in_memory().document::<Vault>(sources).sealing_key(key(9));
        let error = builder.start().await.expect_err("has a key that is not known");
        if format != "yaml" || error.kind() != ErrorKind::InvalidArgument {
            let unknown = |one: &Problem| one.kind == ErrorKind::UnknownKey;
            assert!(error.problems().iter().any(unknown), "{number}: {error}");
        }
        sinks.error(&format!("{number} in {format}"), &error);
    }
    assert_eq!(sinks.leaks(), [""; 0]);
    // Of a key that is known and no secret the value is shown: the look would find it.
    let file = directory.path().join("plain.toml");
    std::fs::write(&file, format!("plain = [\"{CANARY}\"]")).expect("writes");
    let builder = Foundation::in_memory().document::<Vault>(Sources::defaults().file(&file));
    sinks.error("plain", &builder.start().await.expect_err("is a list"));
    assert!(!sinks.leaks().is_empty());
}

#[tokio::test]
async fn what_is_no_secret_is_found_by_the_same_look() {
    let sinks = sinks(Some(CANARY)).await;
    let leaks = sinks.leaks();
    let named = [
        "JSON of the history",
        "JSON of a diff",
        "JSON of events",
        "JSON of a notice at \"\"",
        "JSON of the document",
        "Debug of the guard",
        "Display of the tree",
    ];
    for name in named {
        assert!(leaks.contains(&name), "{name} is not looked at: {leaks:?}");
    }
    assert!(leaks.iter().any(|name| name.starts_with("file ")), "{leaks:?}");
}
