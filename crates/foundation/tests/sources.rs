//! Where the values of a document come from: files under what is set at run time, line by line.

use std::path::PathBuf;
use std::time::Duration;

use foundation::config::{HistoryQuery, Layer, Notice, Origin, Unknown};
use foundation::events::Start;
use foundation::node::CheckState;
use foundation::{
    Document, ErrorKind, EventQuery, Foundation, SealingKey, Secret, Shaped, Sources, Version, lens,
};
use serde::{Deserialize, Serialize};
use validator::Validate;

/// A document with lists and maps, each put together in its own way.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Validate, Document)]
#[serde(default, deny_unknown_fields)]
struct Inn {
    /// Beds that are let.
    #[validate(range(max = 100))]
    beds: u32,
    #[validate(nested)]
    kitchen: Kitchen,
    /// Who may not come in.
    #[document(merge = "union")]
    barred: Vec<String>,
    /// What is served.
    #[document(merge = "append")]
    menu: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Validate, Shaped)]
#[serde(default, deny_unknown_fields)]
struct Kitchen {
    /// When it closes.
    closes: String,
    /// Cooks in it.
    cooks: u8,
}

/// A document with something for nobody's eyes.
#[derive(Clone, Debug, Default, Serialize, Deserialize, Validate, Document)]
#[serde(default, deny_unknown_fields)]
struct Cellar {
    /// What opens it.
    code: Secret<String>,
    /// Barrels in it.
    barrels: u8,
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(super::directory())
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).expect("writes");
        path
    }

    async fn start(&self, sources: Sources) -> foundation::Result<Foundation> {
        Foundation::builder(self.0.path().join("store")).document::<Inn>(sources).start().await
    }
}

async fn stop(foundation: Foundation) {
    foundation.shutdown(Duration::from_secs(5)).await.into_result().expect("stops");
}

#[tokio::test]
async fn later_sources_win_and_the_winner_is_explained_with_all_whom_it_shadows() {
    let folder = Folder::new();
    let first = folder.write(
        "inn.toml",
        "beds = 10\nmenu = [\"soup\"]\nbarred = [\"Tim\"]\n\n[kitchen]\ncooks = 2\n",
    );
    let second = folder.write(
        "more.json",
        "{\"beds\": 20, \"menu\": [\"stew\"],\n \"barred\": [\"Tim\", \"Tom\"]}",
    );
    let profile = folder.write("inn.prod.toml", "[kitchen]\n  closes = \"late\"\n");
    let sources = Sources::defaults().file(&first).file(&second).profile("prod");
    let foundation = folder.start(sources).await.expect("starts");
    let inn = foundation.config::<Inn>().expect("known");
    let kitchen = Kitchen { closes: "late".to_owned(), cooks: 2 };
    let [menu, barred] =
        [["soup", "stew"], ["Tim", "Tom"]].map(|list| list.map(str::to_owned).to_vec());
    assert_eq!(*inn.get(), Inn { beds: 20, kitchen, barred, menu });

    inn.set(lens!(Inn, beds), 30).actor("ops").reason("a feast").await.expect("in range");
    let told = inn.explain("beds").await.expect("is there");
    assert_eq!(told.value, Some(30.into()));
    let file = |path: &PathBuf, line, column| Origin::File {
        file: path.display().to_string(),
        line,
        column,
    };
    let origins: Vec<_> = told.given.iter().map(|given| given.origin.clone()).collect();
    assert!(
        matches!(&origins[0], Origin::RunTime { version: Some(version), actor: Some(actor), .. } if version.number() == 2 && actor == "ops")
    );
    assert_eq!(origins[1..], [file(&second, 1, 10), file(&first, 1, 8), Origin::Default]);
    let values: Vec<_> = told.given.iter().map(|given| given.value.clone()).collect();
    assert_eq!(values, [30, 20, 10, 0].map(|beds| Some(beds.into())));
    let told = inn.explain(lens!(Inn, kitchen.closes)).await.expect("is there");
    assert_eq!(told.given[0].origin, file(&profile, 2, 12));
    let unknown = inn.explain("bedz").await.expect_err("is not there");
    assert_eq!(unknown.problems()[0].hint.as_deref(), Some("beds"));

    // What is taken away at run time leaves what the files say, not the default.
    inn.unset(lens!(Inn, beds)).await.expect("was set");
    assert_eq!(inn.get().beds, 20);
    assert_eq!(inn.explain("beds").await.expect("is there").given.len(), 3);
    let history = inn.history(HistoryQuery::default()).await.expect("is kept");
    assert_eq!(history[0].layer, Layer::Sources);
    assert_eq!(history[2].withdrawn.len(), 1);
    stop(foundation).await;
}

#[tokio::test]
async fn what_the_files_say_after_a_restart_is_a_version_and_what_was_set_stays_above_it() {
    let folder = Folder::new();
    let file = folder.write("inn.toml", "beds = 10\n[kitchen]\ncooks = 2\n");
    let sources = || Sources::defaults().file(&file).unwatched();
    let foundation = folder.start(sources()).await.expect("starts");
    let inn = foundation.config::<Inn>().expect("known");
    inn.set("kitchen.cooks", 5).await.expect("fits");
    assert_eq!(inn.version(), Version::new(2));
    stop(foundation).await;

    folder.write("inn.toml", "beds = 11\n[kitchen]\ncooks = 3\ncloses = \"ten\"\n");
    for _ in 0..2 {
        // The second time nothing has changed, and nothing is logged.
        let foundation = folder.start(sources()).await.expect("starts");
        let inn = foundation.config::<Inn>().expect("known");
        assert_eq!(
            (inn.version(), inn.get().beds, inn.get().kitchen.cooks),
            (Version::new(3), 11, 5)
        );
        let before = inn.at(Version::new(2)).await.expect("is kept").document;
        assert_eq!((before.beds, before.kitchen.cooks), (10, 5));
        stop(foundation).await;
    }
    // Whoever opens it without the sources sees what was last in force.
    let foundation = folder.start(Sources::defaults()).await.expect("starts");
    let inn = foundation.config::<Inn>().expect("known");
    assert_eq!((inn.version(), inn.get().beds), (Version::new(3), 11));
    stop(foundation).await;
    let foundation = folder.start(sources()).await.expect("starts");
    let inn = foundation.config::<Inn>().expect("known");
    inn.reset("").await.expect("resets");
    assert_eq!((inn.get().beds, inn.get().kitchen.cooks), (11, 3));
    stop(foundation).await;
}

#[tokio::test]
async fn every_problem_of_every_source_is_told_at_once_with_its_place() {
    let folder = Folder::new();
    let first = folder.write("inn.toml", "bedz = 10\nbeds = \"many\"\n");
    let second = folder.write("more.json", "{\"kitchen\": {\"cooks\": 300},\n  \"beds\": 5}");
    let broken = folder.write("broken.toml", "beds = 1\nbeds = 2\n");
    let sources =
        Sources::defaults().file(&first).file(&second).file(&broken).file("/nowhere/inn.toml");
    let error = folder.start(sources).await.expect_err("is refused");
    let told: Vec<(ErrorKind, String, String)> = error
        .problems()
        .iter()
        .map(|problem| {
            let origin = problem.origin.as_ref().expect("has a place").to_string();
            let name = origin.rsplit('/').next().expect("a name").to_owned();
            (problem.kind, name, problem.excerpt.clone().unwrap_or_default())
        })
        .collect();
    let row = |kind, place: &str, excerpt: &str| (kind, place.to_owned(), excerpt.to_owned());
    assert_eq!(
        told,
        [
            row(ErrorKind::UnknownKey, "inn.toml:1:1", "bedz"),
            row(ErrorKind::WrongType, "inn.toml:2:8", "beds = \"many\""),
            row(ErrorKind::OutOfRange, "more.json:1:23", "             \"cooks\": 300"),
            row(ErrorKind::Malformed, "broken.toml:2:1", ""),
            row(ErrorKind::NotFound, "inn.toml", ""),
        ]
    );
    folder.write("inn.toml", "bedz = 10\nbeds = 101\n");
    let sources = Sources::defaults().file(&first);
    let error = folder.start(sources.clone()).await.expect_err("is refused");
    assert_eq!(error.problems()[0].hint.as_deref(), Some("beds"));
    let error = folder.start(sources.unknown(Unknown::Warn)).await.expect_err("is refused");
    assert_eq!(error.kind(), ErrorKind::OutOfRange);
    assert!(error.to_string().contains("inn.toml:2:8"), "{error}");
    folder.write("inn.toml", "bedz = 10\nbeds = 99\n");
    let sources = Sources::defaults().file(&first).unknown(Unknown::Warn);
    let foundation = folder.start(sources).await.expect("is only told of");
    assert_eq!(foundation.config::<Inn>().expect("known").get().beds, 99);
    stop(foundation).await;
}

#[tokio::test]
async fn a_file_is_followed_and_a_bad_one_leaves_the_last_good_one() {
    let folder = Folder::new();
    let file = folder.write("inn.toml", "beds = 10\n");
    let sources = Sources::defaults().file(&file).look_every(Duration::from_millis(10));
    let foundation = folder.start(sources).await.expect("starts");
    let inn = foundation.config::<Inn>().expect("known");
    let mut changes = inn.subscribe("beds").expect("a path");
    let refusal = EventQuery::all().kind("foundation.config.sources_refused");
    let events = foundation.events();
    let mut refusals = events.subscribe(Start::Now, refusal).expect("a filter");

    // In place, by the rename of an editor, and by a link that is exchanged.
    folder.write("inn.toml", "beds = 11\n");
    assert_eq!(next(&mut changes).await, 11);
    std::fs::rename(folder.write("inn.toml~", "beds = 12\n"), &file).expect("renames");
    assert_eq!(next(&mut changes).await, 12);
    let data = folder.write("data", "beds = 13\n");
    std::os::unix::fs::symlink(&data, folder.0.path().join("link")).expect("links");
    std::fs::rename(folder.0.path().join("link"), &file).expect("renames");
    assert_eq!(next(&mut changes).await, 13);

    folder.write("data", "beds = 1");
    assert_eq!(next(&mut changes).await, 1);
    folder.write("data", "beds = \"");
    let refused = refusals.next().await.expect("reads");
    assert!(refused.event.data.as_json().contains("inn.toml:1:"), "{refused:?}");
    assert_eq!(inn.get().beds, 1);
    assert_eq!(foundation.health().state, CheckState::Degraded);
    inn.set("beds", 2).await.expect("what is in force goes on");
    folder.write("data", "beds = 50\n[kitchen]\ncooks = 9\n");
    let mut cooks = inn.subscribe_from(Version::NONE, "kitchen.cooks").await.expect("a path");
    assert_eq!(next(&mut cooks).await, 9);
    assert_eq!(inn.get().beds, 2, "what is set at run time stays above the files");
    // Whoever hears of the version may be quicker than the health.
    while foundation.health().state != CheckState::Ok {
        tokio::task::yield_now().await;
    }
    stop(foundation).await;
}

async fn next(changes: &mut foundation::config::Subscription) -> u64 {
    match changes.next().await.expect("reads").expect("goes on") {
        Notice::Changed(change) => {
            change.after.expect("is there").to_json().parse().expect("a number")
        }
        Notice::Lagged { missed } => panic!("{missed} changes went by"),
    }
}

#[tokio::test]
async fn what_is_no_configuration_file_is_refused_by_name() {
    let folder = Folder::new();
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(200_000), "]".repeat(200_000));
    let long = "x".repeat(2 << 20);
    let files: [(&str, &[u8], Option<ErrorKind>); 18] = [
        ("empty.toml", b"", None),
        ("blank.json", b" \n", None),
        ("mark.toml", b"\xef\xbb\xbfbeds = 3\r\n", None),
        ("utf16.toml", b"\xff\xfeb\0", Some(ErrorKind::Malformed)),
        ("latin.toml", b"beds = 1 # caf\xe9", Some(ErrorKind::Malformed)),
        ("nul.toml", b"beds = 1\0", Some(ErrorKind::Malformed)),
        ("twice.json", br#"{"beds": 1, "beds": 2}"#, Some(ErrorKind::Malformed)),
        ("twice.toml", b"beds = 1\nbeds = 2", Some(ErrorKind::Malformed)),
        ("huge.json", br#"{"beds": 1e999}"#, Some(ErrorKind::Malformed)),
        ("nan.toml", b"beds = nan", Some(ErrorKind::Malformed)),
        ("more.toml", b"beds = 18446744073709551616", Some(ErrorKind::Malformed)),
        ("hex.toml", b"beds = 0x1_0", None),
        ("list.json", b"[1]", Some(ErrorKind::Malformed)),
        ("comma.toml", b"beds = 1,5", Some(ErrorKind::Malformed)),
        ("deep.json", deep.as_bytes(), Some(ErrorKind::TooLarge)),
        ("long.toml", long.as_bytes(), Some(ErrorKind::TooLarge)),
        ("inn.yaml", b"beds: 1", (!cfg!(feature = "yaml")).then_some(ErrorKind::InvalidArgument)),
        ("inn.ini", b"beds = 1", Some(ErrorKind::InvalidArgument)),
    ];
    for (name, bytes, expected) in files {
        let path = folder.0.path().join(name);
        std::fs::write(&path, bytes).expect("writes");
        let started = Foundation::in_memory().document::<Inn>(Sources::defaults().file(&path));
        match (started.start().await, expected) {
            (Ok(foundation), None) => stop(foundation).await,
            (Err(error), Some(kind)) => {
                assert_eq!(error.kind(), kind, "{name}: {error}");
                assert!(error.to_string().contains(name), "{error}");
            }
            (outcome, expected) => panic!("{name}: {outcome:?}, expected {expected:?}"),
        }
    }
    let pipe = folder.0.path().join("pipe.toml");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("runs");
    assert!(made.success());
    let loops = folder.0.path().join("loop.toml");
    std::os::unix::fs::symlink(&loops, &loops).expect("links");
    for odd in [
        pipe,
        loops,
        folder.0.path().join("store.toml").join("inn.toml"),
        PathBuf::from("/dev/zero.toml"),
    ] {
        let started = Foundation::in_memory().document::<Inn>(Sources::defaults().file(&odd));
        assert!(started.start().await.is_err(), "{odd:?}");
    }
}

#[tokio::test]
async fn a_secret_of_a_file_is_used_and_written_nowhere() {
    let folder = Folder::new();
    let file = folder.write("cellar.toml", "code = \"hunter2\"\nbarrels = 3\n");
    let sources = || Sources::defaults().file(&file).unwatched();
    let store = folder.0.path().join("store");
    let start = |sources| Foundation::builder(&store).document::<Cellar>(sources).start();
    let mut told = String::new();
    for round in 0..2 {
        let foundation = start(sources()).await.expect("starts");
        let cellar = foundation.config::<Cellar>().expect("known");
        assert_eq!(cellar.get().code.expose(), "hunter2");
        // A restart with the same secret is no change.
        assert_eq!(cellar.version(), Version::new(1 + 3 * round));
        cellar.set("barrels", 4 + round).await.expect("needs no key: no secret is set");
        let error = cellar.set("code", "hunter2 or 3").await.expect_err("no key");
        told += &format!("{error} {error:?} {:?}", cellar.explain("code").await);
        folder.write("cellar.toml", "code = \"hunter2 again\"\nbarrels = 3\n");
        assert_eq!(cellar.reload().await.expect("is right").version, cellar.version());
        assert_eq!(cellar.get().code.expose(), "hunter2 again");
        folder.write("cellar.toml", "code = \"hunter2\"\nbarrels = \"hunter2\"");
        folder.write("cellar.toml", "code = [\"hunter2\"]\nbarrels = 3\n");
        told += &format!("{:?}", cellar.reload().await.expect_err("is wrong"));
        folder.write("cellar.toml", "code = \"hunter2\"\nbarrels = 3\n");
        cellar.reload().await.expect("is right");
        told += &format!("{:?}", cellar.history(HistoryQuery::default()).await);
        told += &format!("{:?} {:?}", cellar.at(Version::new(1)).await, foundation.health());
        stop(foundation).await;
    }
    assert!(!told.contains("hunter2"), "{told}");
    assert!(told.contains("hidden") || told.contains("secret"), "{told}");
    for entry in std::fs::read_dir(&store).expect("is there") {
        let path = entry.expect("an entry").path();
        let bytes = std::fs::read(&path).unwrap_or_default();
        assert!(!bytes.windows(7).any(|part| part == b"hunter2"), "{}", path.display());
    }
    // Without the file the secret is the default; nothing else is lost.
    let foundation = start(Sources::defaults()).await.expect("starts");
    let cellar = foundation.config::<Cellar>().expect("known");
    assert_eq!((cellar.get().code.expose().as_str(), cellar.get().barrels), ("", 5));
    stop(foundation).await;
}

#[tokio::test]
async fn a_secret_that_was_set_gives_way_to_the_one_of_the_file_without_a_key_to_log_it() {
    let folder = Folder::new();
    let file = folder.write("cellar.toml", "code = \"hunter2\"\nbarrels = 3\n");
    let sources = || Sources::defaults().file(&file).unwatched();
    let key = || SealingKey::new(&[7; 32]);
    let store = folder.0.path().join("store");
    let builder = || Foundation::builder(&store).document::<Cellar>(sources());
    let foundation = builder().sealing_key(key()).start().await.expect("starts");
    let cellar = foundation.config::<Cellar>().expect("known");
    cellar.set("code", "open sesame").await.expect("is sealed");
    assert_eq!(cellar.get().code.expose(), "open sesame");
    stop(foundation).await;
    assert!(builder().start().await.is_err(), "what was set is sealed");
    let foundation = builder().sealing_key(key()).start().await.expect("starts");
    let cellar = foundation.config::<Cellar>().expect("known");
    assert_eq!(cellar.get().code.expose(), "open sesame");
    assert_eq!(cellar.explain("code").await.expect("is there").given.len(), 3);
    cellar.unset("code").await.expect("was set");
    assert_eq!(cellar.get().code.expose(), "hunter2");
    stop(foundation).await;
    let foundation = builder().start().await.expect("nothing is sealed any more");
    let cellar = foundation.config::<Cellar>().expect("known");
    assert_eq!(
        (cellar.get().code.expose().as_str(), cellar.version()),
        ("hunter2", Version::new(3))
    );
    stop(foundation).await;
}
