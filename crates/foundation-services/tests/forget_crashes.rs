//! Power cuts at each call to the disk while persons are forgotten: each is readable or forgotten, and
//! whoever is forgotten has a certificate after the next start.

use std::collections::BTreeMap;
use std::sync::Arc;

use foundation_services::event::{
    EventStore, EventStoreParts, PersonalRule, Reader, SubjectIn, Vault, VaultParts,
};
use foundation_store::config::{Seals, SecretKey};
use foundation_store::journal::{Journal, Mode};
use foundation_store::random::SystemRng;
use foundation_types::{Error, ErrorKind, Event, Result};

use crate::simulated::{Dice, Failure, Lie, SimulatedDisk};
use crate::stored;

/// Images that are made of each power cut, unless `PROOF_IMAGES` says how many.
const IMAGES: u64 = 6;
const PERSONS: [&str; 3] = ["ann", "bo", "cy"];
const SEALED: &str = "$sealed";

/// What was acked before the power went.
#[derive(Debug, Default)]
struct Acked {
    appended: Vec<&'static str>,
    forgotten: Vec<&'static str>,
}

async fn open(disk: &SimulatedDisk) -> Result<EventStore> {
    let log = stored::log();
    let journal: Arc<dyn Journal> = stored::journal(disk, stored::SMALL, log.clone())?;
    let key = Some(SecretKey::new(&[7; 32]));
    let seals = Arc::new(Seals::new(key, Vec::new(), Arc::new(SystemRng::default())));
    let rules = vec![PersonalRule::new("moved".into(), SubjectIn::Event, &["name"])?];
    let (files, mode) = (Arc::new(disk.clone()), Mode::Write);
    let parts = VaultParts { rules, disk: files, seals, journal: &*journal, log: &log, mode };
    let reader = Reader::default().with_vault(Some(Vault::open_in(parts).await?));
    let events = EventStore::new(EventStoreParts { reader, ..stored::parts(journal, log)? });
    events.tell_forgotten().await?;
    Ok(events)
}

fn moved(person: &str) -> Event {
    let data = BTreeMap::from([("name", format!("name of {person}"))]);
    let event = Event::new("moved").id(person).subject(person);
    event.data(&data).expect("JSON")
}

/// All are appended, then the first two are forgotten, as far as the power goes.
async fn work(disk: &SimulatedDisk) -> Acked {
    let mut acked = Acked::default();
    let Ok(events) = open(disk).await else { return acked };
    for person in PERSONS {
        if events.append(moved(person)).await.is_err() {
            return acked;
        }
        acked.appended.push(person);
    }
    for person in &PERSONS[..2] {
        if events.forget(person, "asked").await.is_err() {
            return acked;
        }
        acked.forgotten.push(person);
    }
    acked
}

async fn check(events: &EventStore, acked: &Acked) -> Result<(), String> {
    let told = |error: Error| format!("{error:?}");
    let certificates = events.forgotten().await.map_err(told)?;
    let mut forgotten = 0;
    for person in PERSONS {
        let event = match events.get(person).await {
            Ok(event) => event,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                if acked.appended.contains(&person) {
                    return Err(format!("{person} was appended, and is not there"));
                }
                continue;
            }
            Err(error) => return Err(told(error)),
        };
        let text = event.event.data.as_json();
        if text.contains(SEALED) {
            return Err(format!("{person} is neither readable nor forgotten: {text}"));
        }
        let is_forgotten = text.contains("$forgotten");
        forgotten += usize::from(is_forgotten);
        if acked.forgotten.contains(&person) && !is_forgotten {
            return Err(format!("{person} was forgotten, and can be read: {text}"));
        }
    }
    if certificates.len() != forgotten {
        let count = certificates.len();
        return Err(format!("{forgotten} are forgotten, and {count} certificates are there"));
    }
    Ok(())
}

async fn cut_at(call: u64, images: u64, lie: Lie) -> Result<(), String> {
    let disk = SimulatedDisk::new(Failure::PowerOffAt(call), lie);
    let acked = work(&disk).await;
    for image in 0..images {
        let after = disk.after_crash(&mut Dice::of((call << 8) + image + 1));
        let events = open(&after).await.map_err(|error| format!("does not open: {error:?}"))?;
        let found = check(&events, &acked).await;
        found.map_err(|what| format!("image {image}, {acked:?}: {what}"))?;
        // Whoever is not forgotten can be, and the next start agrees.
        for person in PERSONS {
            events.forget(person, "at last").await.map_err(|error| format!("{error:?}"))?;
        }
        let again =
            events.forget(PERSONS[0], "again").await.map_err(|error| format!("{error:?}"))?;
        if again.key.is_some() {
            return Err(format!("image {image}: a person is forgotten twice"));
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_person_is_readable_or_forgotten_wherever_the_power_is_cut() {
    let disk = SimulatedDisk::default();
    let acked = work(&disk).await;
    assert_eq!((acked.appended.len(), acked.forgotten.len()), (3, 2), "nothing fails");
    let calls = disk.calls();
    let images = std::env::var("PROOF_IMAGES").ok().and_then(|text| text.parse().ok());
    let images = images.unwrap_or(IMAGES);
    for call in 1..=calls {
        if let Err(what) = cut_at(call, images, Lie::None).await {
            panic!("power cut at call {call} of {calls}: {what}");
        }
    }
    println!("{} images after {calls} power cuts: all readable or forgotten", calls * images);
}

#[tokio::test]
async fn one_call_that_fails_leaves_each_person_readable_or_forgotten() {
    let whole = SimulatedDisk::default();
    work(&whole).await;
    for call in 1..=whole.calls() {
        let disk = SimulatedDisk::new(Failure::OnceAt(call), Lie::None);
        let acked = work(&disk).await;
        let after = SimulatedDisk::of_image(&disk.image());
        let events = open(&after).await.expect("one failed call does no harm to what is there");
        if let Err(what) = check(&events, &acked).await {
            panic!("call {call} fails once: {acked:?}: {what}");
        }
    }
}

/// The check sees a defect: on a disk whose syncs do nothing, what was acked comes undone.
#[tokio::test]
async fn a_disk_that_loses_what_it_synced_is_noticed() {
    let disk = SimulatedDisk::default();
    work(&disk).await;
    let mut noticed = 0;
    for call in 1..=disk.calls() {
        noticed += usize::from(cut_at(call, 2, Lie::FileSync).await.is_err());
    }
    assert!(noticed > 0, "a disk that lies is not noticed");
}
