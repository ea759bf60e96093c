//! Power cuts at each call to the disk while an export passes events on: after the next start
//! nothing is missing, and no more comes again of what the sink had than may be in flight.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use async_trait::async_trait;
use foundation_services::event::EventStore;
use foundation_services::export::{Delivered, ExportBatch, ExportRules, Exports, Sink, SinkError};
use foundation_services::tasks::Tasks;
use foundation_types::EventQuery;

use super::faulty::{Came, check};
use super::{append, open, setting};
use crate::simulated::{Dice, Failure, SimulatedDisk};

/// Images that are made of each power cut, unless `PROOF_IMAGES` says how many.
const IMAGES: u64 = 10;
const EVENTS: u64 = 40;
const IN_FLIGHT_MAX: usize = 6;

/// Takes all that comes.
struct Good(Came);

#[async_trait]
impl Sink for Good {
    async fn deliver(&mut self, batch: &ExportBatch) -> Result<Delivered, SinkError> {
        self.0.add(&batch.events);
        Ok(Delivered::All)
    }
}

/// How events are passed on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    /// By an export.
    Right,
    /// By something that has its place move, durably, before the sink has the event.
    Planted,
}

async fn pass_on(events: &EventStore, came: &Came, how: How) {
    if how == How::Planted {
        return planted(events, came).await;
    }
    let (exports, tasks) = (Exports::new(events.clone()), Tasks::default());
    let rules = ExportRules {
        filter: EventQuery::all().kind("tick"),
        batch_events: 3,
        in_flight_max: IN_FLIGHT_MAX,
        backoff: Duration::ZERO,
        ..ExportRules::default()
    };
    if exports.start("audit", Good(came.clone()), rules, &tasks).await.is_err() {
        return;
    }
    let is_over = || {
        let status = exports.list().pop().unwrap_or_default();
        let is_done = status.behind_ms.is_none()
            && status.in_flight == 0
            && status.position.to_engine() >= EVENTS;
        is_done || events.consumers().iter().any(|one| one.failure.is_some())
    };
    let _ = tokio::time::timeout(Duration::from_secs(20), async {
        while !is_over() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    exports.abandon();
    tasks.stop(Duration::from_secs(5)).await;
}

async fn planted(events: &EventStore, came: &Came) {
    use foundation_services::export::Exported;
    let filter = EventQuery::all().kind("tick");
    let Ok(consumer) = events.consumer("audit").filter(filter).open().await else { return };
    let mut taken = 0;
    while taken < EVENTS {
        let next = tokio::time::timeout(Duration::from_millis(20), consumer.next()).await;
        let Ok(Ok(delivery)) = next else { break };
        let event = std::sync::Arc::new(delivery.event().clone());
        let (acked, one) =
            (delivery.ack(), Exported::of(foundation_types::StoreId::from_bits(1), event));
        let kept = tokio::time::timeout(Duration::from_millis(20), consumer.flush()).await;
        if acked.is_err() || !matches!(kept, Ok(Ok(()))) {
            break;
        }
        came.add(&[one]);
        taken += 1;
    }
    consumer.stop().await;
}

type Image = BTreeMap<String, Vec<u8>>;

/// A store in which all events are.
async fn filled() -> Image {
    let disk = SimulatedDisk::default();
    let events = open(Some(&disk)).expect("an empty disk");
    append(&events, 0..EVENTS, 3).await.expect("nothing fails");
    disk.image()
}

/// Cuts the power at this call; gives how many came again at most.
async fn cut_at(filled: &Image, call: u64, images: u64, how: How) -> Result<usize, String> {
    let disk = SimulatedDisk::of_image(filled);
    disk.set_failure(Failure::PowerOffAt(call));
    let before = Came::default();
    if let Ok(events) = open(Some(&disk)) {
        pass_on(&events, &before, how).await;
    }
    let had: BTreeSet<u64> = before.all().iter().map(|one| one.number).collect();
    let mut most = 0;
    for image in 0..images {
        let after = disk.after_crash(&mut Dice::of((call << 8) + image + 1));
        let events = open(Some(&after)).map_err(|error| format!("it does not open: {error:?}"))?;
        let came = Came::default();
        pass_on(&events, &came, how).await;
        let came = came.all();
        let again = came.iter().filter(|one| had.contains(&one.number)).count();
        let all: Vec<_> = before.all().into_iter().chain(came).collect();
        check(&all, 0..EVENTS, &BTreeSet::new())
            .map_err(|what| format!("image {image}: {what}"))?;
        if again > IN_FLIGHT_MAX {
            return Err(format!("image {image}: {again} came again"));
        }
        most = most.max(again);
    }
    Ok(most)
}

/// The calls to the disk of a run in which nothing fails.
async fn calls(filled: &Image, how: How) -> u64 {
    let disk = SimulatedDisk::of_image(filled);
    let came = Came::default();
    pass_on(&open(Some(&disk)).expect("opens"), &came, how).await;
    assert_eq!(came.all().len() as u64, EVENTS);
    disk.calls()
}

#[tokio::test]
async fn nothing_is_missing_and_little_is_passed_on_twice_wherever_the_power_is_cut() {
    let filled = filled().await;
    let calls = calls(&filled, How::Right).await;
    let (one, images) = (setting("PROOF_SEED"), setting("PROOF_IMAGES").unwrap_or(IMAGES));
    let (mut most, mut cuts) = (0, 0);
    for call in one.map_or(1..=calls, |call| call..=call) {
        cuts += images;
        match cut_at(&filled, call, images, How::Right).await {
            Ok(again) => most = most.max(again),
            Err(what) => panic!(
                "power cut at call {call}: {what}\nreplay: PROOF_SEED={call} \
                 PROOF_IMAGES={images} cargo test -p foundation-services --test all passed_on_twice"
            ),
        }
    }
    assert!(most > 0 || one.is_some(), "no cut fell between a delivery and its place");
    println!(
        "{cuts} images after {calls} power cuts: missing 0, passed on again at most {most} of \
         {IN_FLIGHT_MAX} in flight"
    );
}

#[tokio::test]
async fn a_place_that_is_kept_before_the_sink_has_the_event_is_found_by_power_cuts() {
    let filled = filled().await;
    let calls = calls(&filled, How::Planted).await;
    let mut found = 0;
    for call in (1..=calls).step_by(3) {
        let outcome = cut_at(&filled, call, 2, How::Planted).await;
        found += u64::from(outcome.is_err_and(|what| what.contains("are missing")));
    }
    assert!(found > 0, "no cut of {calls} found it");
}
