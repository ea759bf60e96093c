//! The archive of an application's own: four calls, behind which files of the log go, are read, are
//! verified, and from which they come back.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use foundation::log::{ArchiveMode, ArchivePolicy, ArchiveStore};
use foundation::{Error, ErrorKind, Event, EventQuery, Foundation, Result};

/// An object store, held in memory.
#[derive(Clone, Default)]
struct Bucket(Arc<Mutex<BTreeMap<String, Vec<u8>>>>);

impl Bucket {
    fn objects<T>(&self, ask: impl FnOnce(&mut BTreeMap<String, Vec<u8>>) -> T) -> T {
        ask(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ArchiveStore for Bucket {
    fn put(&self, name: &str, bytes: &[u8]) -> Result<()> {
        self.objects(|all| all.insert(name.to_owned(), bytes.to_vec()));
        Ok(())
    }

    fn get_range(&self, name: &str, range: Range<u64>) -> Result<Vec<u8>> {
        self.objects(|all| {
            let object = all.get(name).ok_or_else(|| {
                let message = format!("there is no {name} in the bucket");
                Error::new(ErrorKind::ArchiveMissing, message).with("file", name)
            })?;
            let [start, end] = [range.start, range.end].map(|at| object.len().min(at as usize));
            Ok(object[start..end].to_vec())
        })
    }

    fn list(&self) -> Result<Vec<String>> {
        Ok(self.objects(|all| all.keys().cloned().collect()))
    }

    fn delete(&self, name: &str) -> Result<()> {
        self.objects(|all| all.remove(name));
        Ok(())
    }

    fn place(&self) -> String {
        "bucket:events".to_owned()
    }
}

/// Events so large that they fill a file of the log, and snapshots that have it.
async fn fill(foundation: &Foundation) {
    for number in 10..40 {
        let event = Event::new("order.placed").id(format!("order-{number}").as_str());
        let event = event.data(&format!("{number} ").repeat(280_000)).expect("is text");
        foundation.events().append(event).await.expect("may enter");
    }
    for id in ["a", "b"] {
        let event = Event::new("order.sent").id(id).correlation("story");
        foundation.events().append(event).await.expect("may enter");
        foundation.checkpoint().await.expect("is made");
    }
}

async fn ids(foundation: &Foundation) -> Vec<String> {
    let query = EventQuery::all().kind("order.placed");
    let page = foundation.events().query(query).await.expect("is answered");
    let id = |one: &foundation::events::Recorded| format!("{:?}", one.event.id);
    page.events.iter().map(id).collect()
}

#[tokio::test]
async fn an_archive_of_ones_own_is_filled_read_verified_and_emptied() {
    let directory = tempfile::tempdir().expect("a directory");
    let bucket = Bucket::default();
    let start = |bucket: &Bucket| {
        let builder = Foundation::builder(directory.path().join("store"));
        builder.archive_store(bucket.clone()).start()
    };
    let foundation = start(&bucket).await.expect("starts");
    fill(&foundation).await;
    let before = ids(&foundation).await;
    let all = ArchivePolicy { keep_segments: Some(0), ..ArchivePolicy::default() };
    let gone = foundation.archive(all, ArchiveMode::Move).await.expect("goes");
    assert!(!gone.segments.is_empty(), "a segment is full");
    assert_eq!(bucket.objects(|all| all.len()), gone.segments.len());
    assert!(!directory.path().join("store/archive").exists(), "nothing is beside the log");
    assert_eq!(foundation.archived().await.expect("reads").len(), gone.segments.len());
    let kept = foundation.settings().set("events.buffer.max_events", 1_000).await;
    kept.expect("may be set");
    assert_eq!(ids(&foundation).await, before);
    foundation.shutdown(Duration::from_secs(5)).await.into_result().expect("closes");

    let foundation = start(&bucket).await.expect("starts again");
    assert_eq!(ids(&foundation).await, before);
    assert!(!foundation.verify_archive().await.expect("reads").damaged);
    bucket.objects(|all| all.values_mut().for_each(|object| object[300] ^= 1));
    assert!(foundation.verify_archive().await.expect("reads").damaged);
    bucket.objects(|all| all.values_mut().for_each(|object| object[300] ^= 1));
    let back = foundation.bring_back().await.expect("comes back");
    assert_eq!(back.segments, gone.segments);
    assert_eq!(bucket.objects(|all| all.len()), 0);
    assert_eq!(ids(&foundation).await, before);
    foundation.shutdown(Duration::from_secs(5)).await.into_result().expect("closes");
}
