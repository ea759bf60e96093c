//! Random schedules of the smallest part of the way of a change: head, published, and who is told.
//!
//! It is a model and not the code: the lane waits on locks of tokio and `ConfigState` on those of the
//! standard library, neither of which the scheduler sees, and a seam through all of it would cost more
//! than it shows. What the model has of them is their order: a change is computed on head and appended
//! under one lock, becomes durable by another thread, is published before it leaves the pending ones,
//! and is told after it is published; a veto is asked under the lock of the writers. Appends that fail
//! are no part of it (`histories.rs` of the services has them). Two planted mistakes show that a wrong
//! order is noticed.

use std::collections::VecDeque;

use shuttle::sync::mpsc::{Receiver, Sender, channel};
use shuttle::sync::{Arc, Mutex, RwLock};
use shuttle::thread;

/// Schedules that are tried of each case.
const SCHEDULES: usize = 3_000;
/// Changes of each of the two writers.
const CHANGES: u64 = 3;

/// Which order is kept, and which is planted.
#[derive(Clone, Copy, PartialEq)]
enum Plant {
    None,
    /// A change leaves the pending ones before it is published.
    LeavesFirst,
    /// Subscribers are told before readers can see it.
    TellsFirst,
}

/// A version as readers see it: each is the sum of all changes up to it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Version {
    number: u64,
    sum: u64,
}

struct Document {
    plant: Plant,
    /// Held by a writer from head to the append.
    lane: Mutex<Sender<Version>>,
    pending: Mutex<VecDeque<Version>>,
    published: RwLock<Version>,
    told: Mutex<Sender<Version>>,
}

impl Document {
    /// What the next change is computed on.
    fn head(&self) -> Version {
        let pending = self.pending.lock().expect("no panic under it");
        pending.back().copied().unwrap_or_else(|| self.current())
    }

    fn current(&self) -> Version {
        *self.published.read().expect("no panic under it")
    }

    /// Adds to the sum unless it is vetoed; says of which version it became.
    fn update(&self, more: u64) -> Option<Version> {
        let journal = self.lane.lock().expect("no panic under it");
        let head = self.head();
        let is_vetoed = (head.sum + more).is_multiple_of(7);
        if is_vetoed {
            return None;
        }
        let next = Version { number: head.number + 1, sum: head.sum + more };
        self.pending.lock().expect("no panic under it").push_back(next);
        journal.send(next).expect("the journal is open");
        Some(next)
    }

    /// As the journal tells of a durable record.
    fn follow(&self, version: Version) {
        let tell = || self.told.lock().expect("no panic under it").send(version);
        let publish = || *self.published.write().expect("no panic under it") = version;
        match self.plant {
            Plant::None => {
                let mut pending = self.pending.lock().expect("no panic under it");
                publish();
                pending.pop_front();
                drop(pending);
                tell().expect("somebody listens");
            }
            Plant::LeavesFirst => {
                self.pending.lock().expect("no panic under it").pop_front();
                publish();
                tell().expect("somebody listens");
            }
            Plant::TellsFirst => {
                tell().expect("somebody listens");
                let mut pending = self.pending.lock().expect("no panic under it");
                publish();
                pending.pop_front();
            }
        }
    }
}

/// Two writers, a journal and a subscriber on one document.
fn run(plant: Plant) {
    let (to_journal, journal) = channel();
    let (to_subscriber, notices) = channel();
    let document = Arc::new(Document {
        plant,
        lane: Mutex::new(to_journal),
        pending: Mutex::default(),
        published: RwLock::default(),
        told: Mutex::new(to_subscriber),
    });
    let writers: Vec<_> = (1..=2)
        .map(|more| {
            let document = Arc::clone(&document);
            thread::spawn(move || (0..CHANGES).filter_map(|_| document.update(more)).count())
        })
        .collect();
    let follower = {
        let document = Arc::clone(&document);
        thread::spawn(move || follow(&document, &journal))
    };
    let subscriber = {
        let document = Arc::clone(&document);
        thread::spawn(move || subscribe(&document, &notices))
    };
    let made: usize = writers.into_iter().map(|one| one.join().expect("ends well")).sum();
    // The end of the journal, and of whoever follows it.
    document.lane.lock().expect("no panic under it").send(Version::default()).expect("is open");
    follower.join().expect("ends well");
    assert_eq!(subscriber.join().expect("ends well"), made, "a notice is missing");
    assert_eq!(document.current().number, made as u64, "a change is missing");
}

fn follow(document: &Document, journal: &Receiver<Version>) {
    let mut last = 0;
    while let Ok(version) = journal.recv() {
        if version == Version::default() {
            document.told.lock().expect("no panic under it").send(version).expect("listens");
            return;
        }
        assert_eq!(version.number, last + 1, "two changes were computed on one head");
        last = version.number;
        document.follow(version);
    }
}

/// Looks at the document with each notice; gives how many there were.
fn subscribe(document: &Document, notices: &Receiver<Version>) -> usize {
    let (mut count, mut sum) = (0, 0);
    while let Ok(version) = notices.recv() {
        if version == Version::default() {
            break;
        }
        count += 1;
        assert_eq!(version.number, count, "a notice is missing or out of order");
        assert!(version.sum > sum, "a change is lost");
        assert!(document.current().number >= version.number, "a notice comes before its version");
        sum = version.sum;
    }
    usize::try_from(count).expect("few")
}

#[test]
fn every_change_is_made_once_on_head_and_told_after_it_can_be_read() {
    shuttle::check_random(|| run(Plant::None), SCHEDULES);
}

#[test]
#[should_panic(expected = "two changes were computed on one head")]
fn planted_a_change_that_leaves_before_it_is_published_is_caught() {
    shuttle::check_random(|| run(Plant::LeavesFirst), SCHEDULES);
}

#[test]
#[should_panic(expected = "a notice comes before its version")]
fn planted_a_notice_before_its_version_is_caught() {
    shuttle::check_random(|| run(Plant::TellsFirst), SCHEDULES);
}
