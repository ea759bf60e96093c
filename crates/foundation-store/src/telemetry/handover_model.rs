//! Every order of memory operations that the hand-over of slots allows, tried by a model checker.
//!
//! The code under test is the pool and the writers as they are, with the checker's atomics in
//! place of the standard library's. Two planted mistakes show that the checker would notice.

use std::sync::atomic::Ordering;

use loom::sync::Arc;
use loom::sync::atomic::AtomicU64;

use super::slot::Pool;
use super::word::{Alone, Together, Word, Writer};

/// The checker's atomic. `CAREFUL` is whether it keeps to the orderings that it is asked for.
struct Modelled<const CAREFUL: bool>(AtomicU64);

impl<const CAREFUL: bool> Modelled<CAREFUL> {
    fn zero() -> Self {
        Self(AtomicU64::new(0))
    }

    fn order(asked: Ordering) -> Ordering {
        if CAREFUL { asked } else { Ordering::Relaxed }
    }
}

impl<const CAREFUL: bool> Word for Modelled<CAREFUL> {
    fn load(&self, order: Ordering) -> u64 {
        self.0.load(Self::order(order))
    }

    fn store(&self, value: u64, order: Ordering) {
        self.0.store(value, Self::order(order));
    }

    fn fetch_add(&self, more: u64, order: Ordering) -> u64 {
        self.0.fetch_add(more, Self::order(order))
    }

    fn fetch_and(&self, bits: u64, order: Ordering) -> u64 {
        self.0.fetch_and(bits, Self::order(order))
    }

    fn compare_exchange(
        &self,
        current: u64,
        new: u64,
        success: Ordering,
        failure: Ordering,
    ) -> Result<u64, u64> {
        let (success, failure) = (Self::order(success), Self::order(failure));
        self.0.compare_exchange(current, new, success, failure)
    }
}

/// A series whose cells are all there, and the pool of the slots.
struct Model<W> {
    pool: Pool<W>,
    owned: [W; 2],
    shared: W,
}

/// Three threads record, each as a thread does from its first recording to its end; `slots` of
/// them can own a slot at one time, the others write the shared cell as `S`.
fn record_from_three_threads<const CAREFUL: bool, S: Writer + 'static>(slots: usize) {
    loom::model(move || {
        let zero = Modelled::<CAREFUL>::zero;
        let pool = Pool::new(zero(), slots);
        let model = Arc::new(Model { pool, owned: [zero(), zero()], shared: zero() });
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let model = Arc::clone(&model);
                loom::thread::spawn(move || record::<_, S>(&model))
            })
            .collect();
        record::<_, S>(&model);
        for thread in threads {
            thread.join().expect("a recording thread ends well");
        }
        let cells = model.owned.iter().chain([&model.shared]);
        let sum: u64 = cells.map(|cell| cell.load(Ordering::Acquire)).sum();
        assert_eq!(sum, 3, "a recording was lost");
    });
}

fn record<W: Word, S: Writer>(model: &Model<W>) {
    match model.pool.take() {
        Some(slot) => {
            Alone::add(&model.owned[slot], 1);
            model.pool.give_back(slot);
        }
        None => S::add(&model.shared, 1),
    }
}

#[test]
fn nothing_is_lost_when_slots_change_owners() {
    for slots in [0, 1, 2] {
        record_from_three_threads::<true, Together>(slots);
    }
}

#[test]
#[should_panic(expected = "a recording was lost")]
fn planted_a_hand_over_that_neither_releases_nor_acquires_is_caught() {
    record_from_three_threads::<false, Together>(1);
}

#[test]
#[should_panic(expected = "a recording was lost")]
fn planted_a_shared_cell_written_like_an_owned_one_is_caught() {
    record_from_three_threads::<true, Alone>(1);
}
