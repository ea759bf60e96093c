//! What a read and an update cost. Run in release:
//! `cargo test --release -p foundation-services figures -- --ignored --nocapture`.

use std::hint::black_box;
use std::time::{Duration, Instant};

use super::sample::node;

fn percentile(times: &mut [Duration], percent: usize) -> Duration {
    times.sort_unstable();
    times[(times.len() - 1) * percent / 100]
}

#[tokio::test]
#[ignore = "measures, does not check"]
async fn figures_of_an_update_in_memory() {
    let node = node();
    let mut times = Vec::new();
    for round in 0..50_000_u64 {
        let before = Instant::now();
        let updated = node.settings.set("interface.max_results", round % 1_000 + 1).await;
        times.push(before.elapsed());
        updated.expect("in range");
    }
    let (p50, p99) = (percentile(&mut times, 50), percentile(&mut times, 99));
    eprintln!("update in memory, 8 leaves: p50 {p50:?}, p99 {p99:?}");
}

#[test]
#[ignore = "measures, does not check"]
fn figures_of_a_read() {
    const ROUNDS: u32 = 10_000_000;
    let settings = node().settings;
    let path = "interface.max_results".parse::<foundation_types::Path>().expect("a path");
    let timed = |name: &str, rounds: u32, read: &dyn Fn()| {
        let before = Instant::now();
        (0..rounds).for_each(|_| read());
        eprintln!("{name}: {:?}", before.elapsed() / rounds);
    };
    timed("get", ROUNDS, &|| {
        black_box(settings.get().interface.max_results);
    });
    timed("value by path", ROUNDS / 10, &|| {
        black_box(settings.value(&path)).expect("known");
    });
    timed("value by text", ROUNDS / 10, &|| {
        black_box(settings.value("interface.max_results")).expect("known");
    });
}
