//! Power cuts at each call to the disk while a document is changed, on several of the images that
//! they can leave behind: what is opened is one of the versions, at least the last one that was
//! acked, and the log tells how it became so.

use std::sync::Arc;

use foundation_logic::config::fold;
use foundation_logic::{diff, lens};
use foundation_services::ConfigServer;
use foundation_services::config::{HistoryQuery, Update};
use foundation_store::clock::SystemClock;
use foundation_store::config::{ConfigState, Documents};
use foundation_store::journal::{Embedded, Journal};
use foundation_types::{Path, Result, Settings, Version};

use crate::simulated::{Dice, Failure, Lie, SimulatedDisk};
use crate::stored;

/// Images that are made of each power cut, unless `PROOF_IMAGES` says how many.
const IMAGES: u64 = 2;
const CHANGES: u64 = 18;
/// Written together by each change, each with the number of its version.
const PATHS: [&str; 3] =
    ["interface.max_results", "interface.query_timeout_ms", "events.buffer.max_events"];

struct Node {
    journal: Arc<Embedded>,
    settings: ConfigServer<Settings>,
}

fn open(disk: &SimulatedDisk) -> Result<Node> {
    let state = Arc::new(ConfigState::<Settings>::new()?);
    let mut documents = Documents::default();
    documents.link(Arc::clone(&state))?;
    // Segments small enough that there are several, with snapshots of the document between them.
    let journal = stored::journal(disk, 2_048, Arc::new(documents))?;
    let settings =
        ConfigServer::open(journal.clone(), state, Vec::new(), Arc::new(SystemClock::default()))?;
    Ok(Node { journal, settings })
}

fn change(settings: &ConfigServer<Settings>, version: u64) -> Update<Settings> {
    PATHS.iter().fold(settings.transaction(), |update, path| update.set(*path, version))
}

/// Changes the document until the power is off; gives how many changes were acked and how many
/// were begun. Every third time two changes are on their way at once.
async fn change_until_it_fails(disk: &SimulatedDisk) -> (u64, u64) {
    let Ok(node) = open(disk) else { return (0, 0) };
    let (mut acked, mut begun) = (0, 0);
    while begun < CHANGES {
        if begun == CHANGES / 2 && node.journal.checkpoint().await.is_err() {
            break;
        }
        let first = change(&node.settings, begun + 1);
        let is_acked = if begun % 3 == 2 {
            let second = change(&node.settings, begun + 2);
            begun += 2;
            let (first, second) = tokio::join!(first, second);
            acked += u64::from(first.is_ok()) + u64::from(second.is_ok());
            first.is_ok() && second.is_ok()
        } else {
            begun += 1;
            let is_ok = first.await.is_ok();
            acked += u64::from(is_ok);
            is_ok
        };
        if !is_acked {
            break;
        }
    }
    (acked, begun)
}

/// Whether the document is of one version, and the log says the same.
async fn check(node: &Node, acked: u64, begun: u64) -> Result<(), String> {
    let said = |error| format!("{error:?}");
    let settings = &node.settings;
    let (version, tree) = (settings.version().number(), settings.get().tree().clone());
    if !(acked..=begun).contains(&version) {
        return Err(format!("version {version} is there; {acked} were acked, {begun} begun"));
    }
    let changes = settings.history(HistoryQuery::default()).await.map_err(said)?;
    if fold(&settings.defaults(), &changes).map_err(said)? != tree {
        return Err(format!("the log does not come to the document of version {version}"));
    }
    let mut before = settings.defaults();
    for number in 0..=version {
        let then = settings.tree_at(Version::new(number)).await.map_err(said)?;
        if let Some(change) = (number as usize).checked_sub(1).map(|at| &changes[at])
            && (change.version.number() != number || change.changes != diff::diff(&before, &then))
        {
            return Err(format!("{change:?} is not what made version {number}"));
        }
        for path in PATHS {
            let path: Path = path.parse().map_err(said)?;
            let there = lens::get(&then, &path).cloned();
            if number > 0 && there != Some(number.into()) {
                return Err(format!("version {number} has {there:?} at \"{path}\""));
            }
        }
        before = then;
    }
    if before == tree { Ok(()) } else { Err(format!("version {version} is not what is read")) }
}

/// Cuts the power at this call, and opens images of what is left.
async fn cut_at(call: u64, lie: Lie, images: u64) -> Result<(), String> {
    let disk = SimulatedDisk::new(Failure::PowerOffAt(call), lie);
    let (acked, begun) = change_until_it_fails(&disk).await;
    for image in 0..images {
        let mut dice = Dice::of((call << 8) + image + 1);
        let after = disk.after_crash(&mut dice);
        // What recovery changed does not change what the next one finds.
        for _ in 0..2 {
            let node = open(&after).map_err(|error| format!("it does not open: {error:?}"))?;
            check(&node, acked, begun).await?;
        }
        let node = open(&after).map_err(|error| format!("it does not open: {error:?}"))?;
        let next = node.settings.version().number() + 1;
        change(&node.settings, next).await.map_err(|error| format!("{error:?}"))?;
        check(&node, next, next).await?;
    }
    Ok(())
}

/// How many calls to the disk all changes take when nothing fails.
async fn calls() -> u64 {
    let disk = SimulatedDisk::default();
    let (acked, begun) = change_until_it_fails(&disk).await;
    assert!(acked == begun && begun >= CHANGES, "{acked} of {begun} were acked");
    disk.calls()
}

#[tokio::test]
async fn a_document_is_one_of_its_versions_wherever_the_power_is_cut() {
    let calls = calls().await;
    let setting = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let one = setting("PROOF_SEED");
    let images = setting("PROOF_IMAGES").unwrap_or(IMAGES);
    for call in one.map_or(1..=calls, |call| call..=call) {
        if let Err(what) = cut_at(call, Lie::None, images).await {
            panic!(
                "power cut at call {call}: {what}\nreplay: PROOF_SEED={call} \
                 PROOF_IMAGES={images} cargo test -p foundation-services --test all \
                 wherever_the_power"
            );
        }
    }
    println!(
        "{} images of a document after {calls} power cuts: mixed 0, acked lost 0, unlike the log 0",
        calls * images
    );
}

#[tokio::test]
async fn a_disk_that_lies_about_syncs_is_caught() {
    for call in 1..=calls().await {
        if cut_at(call, Lie::FileSync, IMAGES).await.is_err() {
            return;
        }
    }
    panic!("acks before the sync are not noticed");
}
