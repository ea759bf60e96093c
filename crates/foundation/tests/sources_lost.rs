//! Sources that say something else than they did, say nothing any more, or are not given at all; and
//! what was set over them.

use std::path::PathBuf;
use std::time::Duration;

use foundation::config::{ConfigServer, HistoryQuery, Notice, Origin};
use foundation::{Document, ErrorKind, Foundation, SealingKey, Secret, Sources, Version};
use serde::{Deserialize, Serialize};
use validator::Validate;

/// A document with something for nobody's eyes.
#[derive(Clone, Debug, Default, Serialize, Deserialize, Validate, Document)]
#[serde(default, deny_unknown_fields)]
struct Cellar {
    /// What opens it.
    code: Secret<String>,
    /// Barrels in it.
    barrels: u8,
    /// Who has the key.
    keepers: Vec<String>,
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

    async fn start(&self, sources: Sources) -> Foundation {
        let builder = Foundation::builder(self.0.path().join("store")).document::<Cellar>(sources);
        builder.sealing_key(SealingKey::new(&[7; 32])).start().await.expect("starts")
    }
}

fn cellar(foundation: &Foundation) -> ConfigServer<Cellar> {
    foundation.config::<Cellar>().expect("known")
}

async fn stop(foundation: Foundation) {
    foundation.shutdown(Duration::from_secs(5)).await.into_result().expect("stops");
}

#[tokio::test]
async fn a_rollback_never_keeps_the_present_secret_in_the_place_of_one_of_a_file() {
    let folder = Folder::new();
    let file = folder.write("cellar.toml", "code = \"of the file\"\nbarrels = 3\n");
    let foundation = folder.start(Sources::defaults().file(&file).unwatched()).await;
    let one = cellar(&foundation);
    one.set("barrels", 4).await.expect("fits");
    one.set("code", "stolen").await.expect("is sealed");

    // The file says it still: that counts, and is named.
    let back = one.rollback(Version::new(2)).await.expect("the file has it");
    assert_eq!(one.get().code.expose(), "of the file");
    assert_eq!(back.as_sourced.iter().map(ToString::to_string).collect::<Vec<_>>(), ["code"]);
    // It is the file that counts from here on, and not a copy of what it said.
    folder.write("cellar.toml", "code = \"new in the file\"\nbarrels = 3\n");
    one.reload().await.expect("is right");
    assert_eq!(one.get().code.expose(), "new in the file");

    // Nobody says it any more: nothing changes, and the place is named.
    one.set("code", "stolen").await.expect("is sealed");
    folder.write("cellar.toml", "barrels = 3\n");
    one.reload().await.expect("is right");
    let before = one.version();
    let error = one.rollback(Version::new(2)).await.expect_err("is not kept");
    assert_eq!(
        (error.kind(), error.problems()[0].path.as_str()),
        (ErrorKind::SecretUnknown, "code")
    );
    assert_eq!((one.version(), one.get().code.expose().as_str()), (before, "stolen"));
    // What was sealed comes back, as before.
    let version = one.version();
    one.set("code", "other").await.expect("is sealed");
    let back = one.rollback(version).await.expect("was sealed");
    assert_eq!(one.get().code.expose(), "stolen");
    assert!(back.as_sourced.is_empty());
    stop(foundation).await;
}

#[tokio::test]
async fn without_its_sources_nothing_becomes_a_default_unless_that_is_meant() {
    let folder = Folder::new();
    let file = folder.write("cellar.toml", "code = \"of the file\"\nbarrels = 3\n");
    let sources = || Sources::defaults().file(&file).unwatched();
    let foundation = folder.start(sources()).await;
    // What the file says is covered at once: the log has nothing of it but that it was a source.
    cellar(&foundation).set("barrels", 9).await.expect("fits");
    assert!(!cellar(&foundation).lacks_sources());
    stop(foundation).await;

    for checkpointed in [false, true] {
        let foundation = folder.start(Sources::defaults()).await;
        let one = cellar(&foundation);
        assert!(one.lacks_sources());
        assert!(one.explain("barrels").await.expect("is there").lacks_sources);
        for refused in [one.unset("barrels"), one.reset(""), one.transaction().unset("code")] {
            let error = refused.await.expect_err("the file is not here");
            assert_eq!(error.kind(), ErrorKind::NoSources);
        }
        let error = one.rollback(Version::new(1)).await.expect_err("the file is not here");
        assert_eq!(error.kind(), ErrorKind::SecretUnknown);
        assert_eq!(one.get().barrels, 9, "nothing was changed");
        if !checkpointed {
            foundation.checkpoint().await.expect("is made");
        }
        stop(foundation).await;
    }
    let foundation = folder.start(Sources::defaults()).await;
    let one = cellar(&foundation);
    one.unset("barrels").defaults().await.expect("is meant");
    assert_eq!(one.get().barrels, 0);
    stop(foundation).await;
    let foundation = folder.start(sources()).await;
    assert_eq!(cellar(&foundation).get().barrels, 3);
    cellar(&foundation).unset("barrels").await.expect("the file is here");
    stop(foundation).await;
}

#[tokio::test]
async fn what_is_set_to_what_the_file_says_stays_when_the_file_says_something_else() {
    let folder = Folder::new();
    let file = folder.write("cellar.toml", "code = \"same\"\nbarrels = 3\nkeepers = [\"Tim\"]\n");
    let sources = || Sources::defaults().file(&file).unwatched();
    let foundation = folder.start(sources()).await;
    let one = cellar(&foundation);
    let pinned = one.set("barrels", 3).reason("stays").await.expect("is pinned");
    assert_eq!(pinned.version, Version::new(2));
    assert_eq!(pinned.changes[0].before, pinned.changes[0].after);
    let again = one.set("barrels", 3).await.expect("is set");
    assert_eq!(again.position, None, "it is set already");
    one.transaction().set("code", "same").set("keepers[0]", "Tim").await.expect("are pinned");
    let told = one.explain("barrels").await.expect("is there");
    assert!(
        matches!(&told.given[0].origin, Origin::RunTime { reason: Some(why), .. } if why == "stays")
    );
    stop(foundation).await;
    folder.write("cellar.toml", "code = \"other\"\nbarrels = 4\nkeepers = [\"Tom\", \"Tam\"]\n");
    for round in 0..2 {
        // From the log, and from a snapshot of it.
        let foundation = folder.start(sources()).await;
        let one = cellar(&foundation);
        let now = one.get();
        assert_eq!((now.code.expose().as_str(), now.barrels), ("same", 3));
        assert_eq!(now.keepers, ["Tim"]);
        drop(now);
        if round == 1 {
            one.unset("barrels").await.expect("was set");
            assert_eq!(one.get().barrels, 4);
            let history = one.history(HistoryQuery::default()).await.expect("is kept");
            assert_eq!(history[1].reason.as_deref(), Some("stays"));
        }
        stop(foundation).await;
    }
}

#[tokio::test]
async fn a_file_that_is_emptied_is_not_taken_until_the_next_start() {
    let folder = Folder::new();
    let file = folder.write("cellar.toml", "barrels = 3\n");
    let sources = || Sources::defaults().file(&file).unwatched();
    let foundation = folder.start(sources()).await;
    let one = cellar(&foundation);
    for text in ["", " \n\n", "# barrels = 3\n"] {
        folder.write("cellar.toml", text);
        let error = one.reload().await.expect_err("may be half written");
        assert_eq!(error.kind(), ErrorKind::EmptyFile, "{text:?}");
        assert!(error.to_string().contains("cellar.toml"), "{error}");
        assert_eq!((one.get().barrels, one.version()), (3, Version::new(1)));
        assert!(one.refused_sources().is_some());
    }
    folder.write("cellar.toml", "keepers = []\n");
    one.reload().await.expect("says something");
    assert_eq!(one.get().barrels, 0);
    folder.write("cellar.toml", "barrels = 3\n");
    one.reload().await.expect("is right");
    folder.write("cellar.toml", "");
    stop(foundation).await;
    let foundation = folder.start(sources()).await;
    assert_eq!(cellar(&foundation).get().barrels, 0);
    stop(foundation).await;
}

#[cfg(feature = "yaml")]
#[tokio::test]
async fn half_of_a_file_in_yaml_is_not_taken_and_an_empty_map_is() {
    let folder = Folder::new();
    let file = folder.write("cellar.yaml", "---\nbarrels: 3\n");
    let foundation = folder.start(Sources::defaults().file(&file).unwatched()).await;
    let one = cellar(&foundation);
    for text in ["---", "---\n", "---\n...\n", "--- # of the cellar\n\n", "...\n"] {
        folder.write("cellar.yaml", text);
        let error = one.reload().await.expect_err("may be half written");
        assert_eq!(error.kind(), ErrorKind::EmptyFile, "{text:?}");
        assert_eq!(one.get().barrels, 3);
    }
    folder.write("cellar.yaml", "---\n{}\n");
    one.reload().await.expect("says that it has nothing");
    assert_eq!(one.get().barrels, 0);
    stop(foundation).await;
}

#[tokio::test]
async fn a_change_of_a_file_is_seen_long_before_the_next_look() {
    let folder = Folder::new();
    let root = folder.0.path();
    // As a cluster mounts them: a link to a link to a directory that is exchanged.
    let mount = |name: &str, barrels: u8| {
        std::fs::create_dir(root.join(name)).expect("makes");
        folder.write(&format!("{name}/cellar.toml"), &format!("barrels = {barrels}\n"));
        std::os::unix::fs::symlink(name, root.join("new")).expect("links");
        std::fs::rename(root.join("new"), root.join("..data")).expect("renames");
    };
    mount("..one", 1);
    std::os::unix::fs::symlink("..data/cellar.toml", root.join("cellar.toml")).expect("links");
    let plain = folder.write("plain.toml", "keepers = []\n");
    let sources = Sources::defaults().file(root.join("cellar.toml")).file(&plain);
    let foundation = folder.start(sources.look_every(Duration::from_secs(3_600))).await;
    let one = cellar(&foundation);
    let mut changes = one.subscribe("barrels").expect("a path");
    let mut next = async || match changes.next().await.expect("reads").expect("goes on") {
        Notice::Changed(change) => change.after.expect("is there").to_json(),
        Notice::Lagged { .. } => panic!("nothing goes by"),
    };
    mount("..two", 2);
    assert_eq!(next().await, "2");
    // The directory that the name leads to now is looked at as well.
    folder.write("..two/cellar.toml", "barrels = 3\n");
    assert_eq!(next().await, "3");
    folder.write("plain.toml", "barrels = 4\n");
    assert_eq!(next().await, "4");
    std::fs::rename(folder.write("plain.toml~", "barrels = 5\n"), &plain).expect("renames");
    assert_eq!(next().await, "5");
    std::fs::remove_file(&plain).expect("removes");
    folder.write("plain.toml", "barrels = 6\n");
    assert_eq!(next().await, "6");
    stop(foundation).await;
}

#[tokio::test]
async fn what_is_no_file_is_told_as_what_it_is() {
    let folder = Folder::new();
    let at = |name: &str| folder.0.path().join(name);
    std::os::unix::fs::symlink(at("loop.toml"), at("loop.toml")).expect("links");
    let _socket = std::os::unix::net::UnixListener::bind(at("socket.toml")).expect("binds");
    std::fs::create_dir(at("folder.toml")).expect("makes");
    for (name, what) in
        [("loop.toml", "circle"), ("socket.toml", "a socket"), ("folder.toml", "a directory")]
    {
        let sources = Sources::defaults().file(at(name));
        let error = Foundation::in_memory().document::<Cellar>(sources).start().await;
        let error = error.expect_err("is no file");
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{name}: {error}");
        assert!(error.to_string().contains(what), "{name}: {error}");
    }
}

#[tokio::test]
async fn each_value_of_a_map_is_explained_by_its_own_source() {
    let folder = Folder::new();
    let one = folder.write("one.toml", "barrels = 3\n");
    let two = folder.write("two.toml", "\nkeepers = [\"Tim\"]\ncode = \"hunter2\"\n");
    let foundation = folder.start(Sources::defaults().file(&one).file(&two).unwatched()).await;
    let cellar = cellar(&foundation);
    cellar.set("barrels", 5).await.expect("fits");
    let told = cellar.explain("").await.expect("is there");
    let keys: Vec<_> = told
        .keys
        .iter()
        .map(|key| {
            let place = key.origin.to_string();
            let place = place.rsplit('/').next().expect("a name").to_owned();
            (key.path.to_string(), key.value.clone().map(|value| value.to_json()), place)
        })
        .collect();
    let row = |path: &str, value: Option<&str>, place: &str| {
        (path.to_owned(), value.map(str::to_owned), place.to_owned())
    };
    assert_eq!(
        keys,
        [
            row("barrels", Some("5"), "version 2"),
            row("code", None, "two.toml:3:8"),
            row("keepers", Some("[\"Tim\"]"), "two.toml:2:11"),
        ]
    );
    stop(foundation).await;
}
