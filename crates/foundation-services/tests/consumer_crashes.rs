//! Power cuts at each call to the disk while a consumer takes events: after the next start nothing
//! is missed, and no more comes again of what was acked than may be in flight.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use foundation_services::event::{Consumer, Delivery, EventStore, ParkedFilter};
use foundation_types::{Event, EventQuery, Result};

use crate::simulated::{Dice, Failure, SimulatedDisk};
use crate::stored;

/// Images that are made of each power cut, unless `PROOF_IMAGES` says how many.
const IMAGES: u64 = 6;
const EVENTS: u64 = 24;
const IN_FLIGHT_MAX: usize = 3;
/// Its every try fails.
const POISON: u64 = 7;

fn open(disk: &SimulatedDisk) -> Result<EventStore> {
    Ok(stored::with_consumers(disk)?.0)
}

async fn append_all(events: &EventStore) -> Result<()> {
    for number in 0..EVENTS {
        let event = Event::new("tick").id(format!("e{number}").as_str()).data(&number)?;
        events.append(event).stream(format!("s{}", number % 4).as_str()).await?;
    }
    Ok(())
}

async fn consumer(events: &EventStore) -> Result<Consumer> {
    let filter = EventQuery::all().kind("tick");
    let builder = events.consumer("billing").filter(filter).in_flight_max(IN_FLIGHT_MAX);
    builder.attempts_max(2).backoff(Duration::ZERO, Duration::ZERO).open().await
}

fn number(delivery: &Delivery) -> u64 {
    delivery.event().event.data.to().expect("is a number")
}

/// Takes events until as many are acked, or until there is no next one since the place cannot be
/// kept; gives the numbers in the order in which they came, and those that were acked.
async fn take(consumer: &Consumer, wanted: usize) -> (Vec<u64>, BTreeSet<u64>) {
    let (mut came, mut acked) = (Vec::new(), BTreeSet::new());
    while acked.len() < wanted {
        let stuck = async {
            // A failure of the disk stays: nothing comes after it but what is in memory.
            while consumer.status().failure.is_none() {
                tokio::task::yield_now().await;
            }
        };
        let delivery = tokio::select! {
            biased;
            delivery = consumer.next() => delivery,
            () = stuck => break,
        };
        let Ok(delivery) = delivery else { break };
        let one = number(&delivery);
        came.push(one);
        if one == POISON {
            delivery.nack("planted").expect("in time");
        } else {
            acked.insert(one);
            delivery.ack().expect("in time");
        }
    }
    (came, acked)
}

/// What a process had acked when the power went.
async fn work_until_it_fails(disk: &SimulatedDisk) -> BTreeSet<u64> {
    let Ok(events) = open(disk) else { return BTreeSet::new() };
    let Ok(consumer) = consumer(&events).await else { return BTreeSet::new() };
    let acked = take(&consumer, EVENTS as usize - 1).await.1;
    consumer.stop().await;
    acked
}

type Image = BTreeMap<String, Vec<u8>>;

/// A store in which all events are.
async fn filled() -> Image {
    let disk = SimulatedDisk::default();
    let events = open(&disk).expect("an empty disk");
    append_all(&events).await.expect("nothing fails");
    disk.image()
}

/// Cuts the power at this call after all events were appended; gives how many came again at most.
async fn cut_at(filled: &Image, call: u64, images: u64) -> Result<usize, String> {
    let disk = SimulatedDisk::of_image(filled);
    disk.set_failure(Failure::PowerOffAt(call));
    let acked = work_until_it_fails(&disk).await;
    let mut most = 0;
    for image in 0..images {
        let after = disk.after_crash(&mut Dice::of((call << 8) + image + 1));
        let events = open(&after).map_err(|error| format!("it does not open: {error:?}"))?;
        let consumer = consumer(&events).await.map_err(|error| format!("{error:?}"))?;
        let position = consumer.status().position;
        let kept = acked.len();
        let mut again = BTreeSet::new();
        let mut came = acked.clone();
        // Until the poison is parked and nothing is open.
        loop {
            let settled = async {
                let is_open = || {
                    let status = consumer.status();
                    status.in_flight > 0 || status.parked == 0 || status.behind_ms.is_some()
                };
                while came.len() < 23 || is_open() {
                    tokio::task::yield_now().await;
                }
            };
            let delivery = tokio::select! {
                biased;
                delivery = consumer.next() => delivery.map_err(|error| format!("{error:?}"))?,
                () = settled => break,
                () = tokio::time::sleep(Duration::from_secs(20)) => break,
            };
            let one = number(&delivery);
            if acked.contains(&one) {
                again.insert(one);
            }
            if one == POISON {
                delivery.nack("planted").map_err(|error| format!("{error:?}"))?;
            } else {
                came.insert(one);
                delivery.ack().map_err(|error| format!("{error:?}"))?;
            }
        }
        let missing: Vec<u64> =
            (0..EVENTS).filter(|one| *one != POISON && !came.contains(one)).collect();
        if !missing.is_empty() {
            return Err(format!("image {image}, from {position}: {missing:?} are missing"));
        }
        if again.len() > IN_FLIGHT_MAX {
            return Err(format!("image {image}: {again:?} came again of {kept} acked"));
        }
        let parked = events.parked(&ParkedFilter::of("billing")).map_err(|e| format!("{e:?}"))?;
        if parked.len() != 1 {
            return Err(format!("image {image}: {parked:?} is parked"));
        }
        most = most.max(again.len());
        consumer.stop().await;
    }
    Ok(most)
}

#[tokio::test]
async fn nothing_is_missed_and_little_comes_again_wherever_the_power_is_cut() {
    let filled = filled().await;
    let disk = SimulatedDisk::of_image(&filled);
    let acked = work_until_it_fails(&disk).await;
    assert_eq!(acked.len() as u64, EVENTS - 1, "nothing fails, and only the poison is not acked");
    let calls = disk.calls();
    let setting = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let one = setting("PROOF_SEED");
    let images = setting("PROOF_IMAGES").unwrap_or(IMAGES);
    let mut most = 0;
    for call in one.map_or(1..=calls, |call| call..=call) {
        match cut_at(&filled, call, images).await {
            Ok(again) => most = most.max(again),
            Err(what) => panic!(
                "power cut at call {call}: {what}\nreplay: PROOF_SEED={call} \
                 PROOF_IMAGES={images} cargo test -p foundation-services --test all little_comes"
            ),
        }
    }
    assert!(most > 0 || one.is_some(), "no cut fell between an ack and its place");
    println!(
        "{} images of a consumer after {calls} power cuts: missing 0, came again at most {most} of \
         {IN_FLIGHT_MAX} in flight",
        calls * images
    );
}
