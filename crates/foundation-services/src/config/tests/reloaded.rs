//! Files that are written while somebody reads them.

use std::sync::Arc;

use foundation_store::config::{ConfigState, Documents};
use foundation_store::journal::MemoryJournal;
use foundation_types::Settings;

use super::sample::{HandClock, STORE};
use crate::config::{ConfigServer, Sources};

#[tokio::test]
async fn what_was_written_since_it_was_marked_is_not_taken() {
    let folder = tempfile::tempdir().expect("a directory");
    let path = folder.path().join("settings.toml");
    let write = |text: &str| std::fs::write(&path, text).expect("writes");
    write("[interface]\nmax_results = 7\n");
    let sources = Sources::defaults().file(&path);
    let clock = Arc::new(HandClock::default());
    let state = Arc::new(ConfigState::<Settings>::new().expect("a tree"));
    let mut documents = Documents::default();
    documents.link(state.clone()).expect("the first");
    let journal =
        MemoryJournal::new(STORE, MemoryJournal::BYTES_MAX, clock.clone(), Arc::new(documents));
    let settings =
        ConfigServer::open_with(Arc::new(journal), state, Vec::new(), clock, sources.clone());
    let settings = settings.expect("opens");
    let results = || settings.get().interface.max_results;

    let mark = sources.mark();
    write("[interface]\nmax_results = 8\n");
    assert!(settings.reload_as_marked(mark).await.expect("is right").is_none());
    assert!(results() == 7 && settings.refused_sources().is_none());
    // A file of the same bytes that was written anew is another one.
    let mark = sources.mark();
    let file = std::fs::File::options().write(true).open(&path).expect("opens");
    file.set_modified(std::time::UNIX_EPOCH).expect("is set");
    assert_ne!(sources.mark(), mark);
    assert!(settings.reload_as_marked(mark).await.expect("is right").is_none());
    let made = settings.reload_as_marked(sources.mark()).await.expect("is right");
    assert!(made.is_some_and(|made| made.position.is_some()));
    assert_eq!(results(), 8);
}
