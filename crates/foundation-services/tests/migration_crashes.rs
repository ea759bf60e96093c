//! Power cuts at each call to the disk of a start that migrates a document: the migration is logged
//! once or not yet, nothing that was set is lost, and the next start goes on from either.

use std::sync::Arc;

use foundation_logic::config::{Evolution, Migrations};
use foundation_services::ConfigServer;
use foundation_services::config::HistoryQuery;
use foundation_store::clock::SystemClock;
use foundation_store::config::{ConfigState, Documents};
use foundation_store::journal::{Embedded, Journal};
use foundation_types::{Document, ErrorKind, Result, Version};
use serde::{Deserialize, Serialize};
use validator::Validate;

use crate::simulated::{Dice, Failure, Lie, SimulatedDisk};
use crate::stored;

/// Images that are made of each power cut.
const IMAGES: u64 = 4;
/// Versions that are logged with the first schema, the nth with n seconds and a rate of n.
const BEFORE: u64 = 9;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Validate)]
#[serde(default, deny_unknown_fields)]
struct First {
    timeout_s: u64,
    rate: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Validate)]
#[serde(default, deny_unknown_fields)]
struct Second {
    timeout_ms: u64,
    limit: u64,
}

impl Default for First {
    fn default() -> Self {
        Self { timeout_s: 100, rate: 100 }
    }
}

impl Default for Second {
    fn default() -> Self {
        Self { timeout_ms: 7, limit: 7 }
    }
}

impl Document for First {
    const NAME: &'static str = "booth";
}

impl Document for Second {
    const NAME: &'static str = "booth";
    const SCHEMA: u32 = 2;
}

/// A document that is served from a disk. What else follows the journal ends with it.
struct Node<T: Document> {
    journal: Arc<Embedded>,
    booth: ConfigServer<T>,
}

fn open<T: Document>(disk: &SimulatedDisk, evolution: Evolution) -> Result<Node<T>> {
    let state = Arc::new(ConfigState::<T>::evolving(Arc::default(), evolution)?);
    let mut documents = Documents::default();
    documents.link(Arc::clone(&state))?;
    // Small enough that a snapshot is between the versions.
    let journal = stored::journal(disk, 1_024, Arc::new(documents))?;
    let booth =
        ConfigServer::open(journal.clone(), state, Vec::new(), Arc::new(SystemClock::default()))?;
    Ok(Node { journal, booth })
}

fn first(disk: &SimulatedDisk) -> Result<Node<First>> {
    open(disk, Evolution::none::<First>())
}

fn second(disk: &SimulatedDisk) -> Result<Node<Second>> {
    let migrations = Migrations::<Second>::new().to(2, |step| {
        step.moved("timeout_s", "timeout_ms")
            .transform("timeout_ms", |seconds: u64| Ok(seconds * 1_000))
            .moved("rate", "limit")
    });
    open(disk, migrations.evolution()?)
}

/// The disk of the first program, as it was closed.
async fn written(failure: Failure, lie: Lie) -> SimulatedDisk {
    let disk = SimulatedDisk::new(Failure::Never, lie);
    let node = first(&disk).expect("opens");
    for number in 1..=BEFORE {
        let change = node.booth.transaction().set("timeout_s", number).set("rate", number);
        change.await.expect("fits");
    }
    node.journal.close().await.expect("closes");
    disk.set_failure(failure);
    disk
}

/// Starts the second program and has it change something; gives the last version that was acked.
async fn migrate(disk: &SimulatedDisk) -> Option<u64> {
    let node = second(disk).ok()?;
    let migrated = node.booth.log_migration().await.ok()?.version.number();
    match node.booth.set("limit", 50_u64).await {
        Ok(updated) => Some(updated.version.number()),
        Err(_) => Some(migrated),
    }
}

/// Whether what is there is one migration and what was set, with what was acked and after it.
async fn check(disk: &SimulatedDisk, acked: Option<u64>) -> Result<(), String> {
    let said = |error| format!("{error:?}");
    let node = second(disk).map_err(said)?;
    node.booth.log_migration().await.map_err(said)?;
    let version = node.booth.version().number();
    if !(acked.unwrap_or(BEFORE + 1)..=BEFORE + 2).contains(&version) {
        return Err(format!("version {version} is there, and {acked:?} was acked"));
    }
    let limit = if version == BEFORE + 2 { 50 } else { BEFORE };
    let expected = Second { timeout_ms: BEFORE * 1_000, limit };
    if *node.booth.get() != expected {
        return Err(format!("{:?} is there, not {expected:?}", *node.booth.get()));
    }
    let changes = node.booth.history(HistoryQuery::default()).await.map_err(said)?;
    let schemas: Vec<u32> = changes.iter().map(|change| change.schema).collect();
    let logged_once = |(at, schema): (usize, &u32)| *schema == 1 + u32::from(at as u64 >= BEFORE);
    if schemas.len() as u64 != version || !schemas.iter().enumerate().all(logged_once) {
        return Err(format!("the versions have the schemas {schemas:?}"));
    }
    for number in 1..=BEFORE {
        let then = node.booth.at(Version::new(number)).await.map_err(said)?.document;
        if then != (Second { timeout_ms: number * 1_000, limit: number }) {
            return Err(format!("version {number} was {then:?}"));
        }
    }
    Ok(())
}

async fn cut_at(call: u64, lie: Lie) -> Result<(), String> {
    let disk = written(Failure::PowerOffAt(call), lie).await;
    let acked = migrate(&disk).await;
    for image in 0..IMAGES {
        let after = disk.after_crash(&mut Dice::of((call << 8) + image + 1));
        // The first program still opens what was not migrated, and says no to what was.
        let is_newer = match first(&after) {
            Ok(node) => node.booth.version() != Version::new(BEFORE),
            Err(error) => error.kind() != ErrorKind::NewerSchema,
        };
        if is_newer {
            return Err(format!("image {image}: the first program finds something of its own"));
        }
        for _ in 0..2 {
            let found = check(&after, acked).await;
            found.map_err(|what| format!("image {image}, acked {acked:?}: {what}"))?;
        }
    }
    Ok(())
}

/// The calls to the disk before the migration, and with it.
async fn calls() -> (u64, u64) {
    let disk = written(Failure::Never, Lie::None).await;
    let before = disk.calls();
    assert_eq!(migrate(&disk).await, Some(BEFORE + 2), "nothing fails");
    (before, disk.calls())
}

#[tokio::test]
async fn a_migration_is_logged_once_or_not_yet_wherever_the_power_is_cut() {
    let (before, after) = calls().await;
    let one = std::env::var("PROOF_SEED").ok().and_then(|text| text.parse::<u64>().ok());
    for call in one.map_or(before + 1..=after, |call| call..=call) {
        if let Err(what) = cut_at(call, Lie::None).await {
            panic!(
                "power cut at call {call}: {what}\nreplay: PROOF_SEED={call} cargo test \
                 -p foundation-services --test all a_migration_is_logged"
            );
        }
    }
    let cuts = after - before;
    println!("{} images of a migration after {cuts} power cuts: lost 0, twice 0", cuts * IMAGES);
}

#[tokio::test]
async fn a_migration_on_a_disk_that_lies_about_syncs_is_caught() {
    let (before, after) = calls().await;
    for call in before + 1..=after {
        if cut_at(call, Lie::FileSync).await.is_err() {
            return;
        }
    }
    panic!("a migration that was acked and is lost is not noticed");
}
