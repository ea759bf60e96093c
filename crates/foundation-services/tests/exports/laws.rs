//! Thousands of runs with a sink that does anything: nothing is missing, nothing is out of order.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use foundation_services::event::{EventStore, ParkedFilter};
use foundation_services::export::{
    ExportAction, ExportBatch, ExportRules, Exported, Exports, Sink,
};
use foundation_services::tasks::Tasks;
use foundation_types::{EventQuery, Position, StoreId};

use super::faulty::{Came, Faulty, check, is_poison};
use super::{append, open, setting};
use crate::simulated::Dice;

/// Runs, unless `PROOF_RUNS` says how many.
const RUNS: u64 = 500;

fn rules(dice: &mut Dice) -> ExportRules {
    let in_flight_max = 2 + usize::try_from(dice.below(40)).expect("is small");
    ExportRules {
        filter: EventQuery::all().kind("tick"),
        batch_events: 1 + usize::try_from(dice.below(in_flight_max as u64)).expect("is small"),
        in_flight_max,
        linger: Duration::from_millis(dice.below(2) * 50),
        attempts_max: 20,
        ..ExportRules::default()
    }
}

async fn parked(events: &EventStore) -> BTreeSet<u64> {
    let parked = events.parked(&ParkedFilter::of("audit")).expect("lists");
    let number = |id: Option<foundation_types::EventId>| {
        id.and_then(|id| id.as_str().strip_prefix('e').and_then(|text| text.parse().ok()))
    };
    parked.into_iter().filter_map(|one| number(one.id)).collect()
}

/// Waits until everything up to this position is settled.
async fn settled(exports: &Exports, last: Position) -> Result<(), String> {
    for _ in 0..100_000 {
        let status = exports.list().remove(0);
        if status.position >= last {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
    Err(format!("it does not come to its end: {:?}", exports.list()))
}

/// One run; gives how many came, and how many of them more than once.
async fn run(seed: u64) -> Result<(usize, usize), String> {
    let mut dice = Dice::of(seed);
    let told = |error: foundation_types::Error| error.to_string();
    let events = open(None).map_err(told)?;
    let exports = Exports::new(events.clone());
    let tasks = Tasks::default();
    let (count, streams) = (10 + dice.below(50), 1 + dice.below(4));
    append(&events, 0..count / 2, streams).await.map_err(told)?;
    let came = Came::default();
    let faults = dice.below(14);
    let sink = Faulty { came: came.clone(), dice: Dice::of(seed ^ 0xF00D), faults };
    exports.start("audit", sink, rules(&mut dice), &tasks).await.map_err(told)?;
    let last = append(&events, count / 2..count, streams).await.map_err(told)?;
    if dice.below(4) == 0 {
        tokio::time::sleep(Duration::from_millis(dice.below(60_000))).await;
        exports.change("audit", ExportAction::Pause).await.map_err(told)?;
        exports.change("audit", ExportAction::Resume).await.map_err(told)?;
    }
    settled(&exports, last).await?;
    let parked = parked(&events).await;
    if let Some(one) = parked.iter().find(|one| !is_poison(**one)) {
        return Err(format!("{one} is parked, and is no poison"));
    }
    let again = check(&came.all(), 0..count, &parked)?;
    tasks.abort();
    Ok((came.all().len(), again))
}

#[tokio::test(start_paused = true)]
async fn nothing_is_missing_or_out_of_order_whatever_a_sink_does() {
    std::panic::set_hook(Box::new(|about| {
        let told = about.to_string();
        if !told.contains("planted") {
            eprintln!("{told}");
        }
    }));
    let one = setting("PROOF_SEED");
    let runs = setting("PROOF_RUNS").unwrap_or(RUNS);
    let (mut all, mut twice) = (0, 0);
    for seed in one.map_or(1..=runs, |seed| seed..=seed) {
        match run(seed).await {
            Ok((came, again)) => (all, twice) = (all + came, twice + again),
            Err(what) => panic!(
                "seed {seed}: {what}\nreplay: PROOF_SEED={seed} cargo test -p foundation-services \
                 --test all whatever_a_sink_does"
            ),
        }
    }
    assert!(twice > 0 || one.is_some(), "no ack was lost");
    println!("{runs} runs: missing 0, out of order 0; {twice} of {all} events came again");
}

/// An export as it may not be, with a sink as of this seed: the place moves before the sink has
/// the events.
async fn planted(seed: u64) -> Result<usize, String> {
    let told = |error: foundation_types::Error| error.to_string();
    let events = open(None).map_err(told)?;
    append(&events, 0..20, 2).await.map_err(told)?;
    let came = Came::default();
    let sink = Faulty { came: came.clone(), dice: Dice::of(seed), faults: 10 };
    let sink = Arc::new(tokio::sync::Mutex::new(sink));
    let filter = EventQuery::all().kind("tick");
    let consumer = events.consumer("audit").filter(filter).open().await.map_err(told)?;
    for _ in 0..20 {
        let delivery = consumer.next().await.map_err(told)?;
        let event = Arc::new(delivery.event().clone());
        delivery.ack().map_err(told)?;
        let store = StoreId::from_bits(1);
        let events = vec![Exported::of(store, event)];
        let batch = ExportBatch { export: "audit".to_owned(), store, attempt: 1, events };
        let sink = Arc::clone(&sink);
        let one = tokio::spawn(async move { sink.lock().await.deliver(&batch).await });
        let abort = one.abort_handle();
        if tokio::time::timeout(Duration::from_secs(30), one).await.is_err() {
            abort.abort();
        }
    }
    check(&came.all(), 0..20, &(0..20).filter(|one| is_poison(*one)).collect())
}

#[tokio::test(start_paused = true)]
async fn a_place_that_moves_before_the_sink_has_the_events_is_found() {
    let mut found = 0;
    for seed in 1..=50 {
        found += u64::from(planted(seed).await.is_err_and(|what| what.contains("are missing")));
    }
    assert!(found >= 40, "found in {found} of 50 runs");
}
