//! Tasks that take turns as a seed says: a task is polled only if it was woken, and between two
//! polls the disk may go on by one call. A wake-up that is lost is seen as a standstill.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake};
use std::time::{Duration, Instant};

use super::Dice;

/// How long nobody may be able to go on. Only a standstill takes so long.
const STANDSTILL: Duration = Duration::from_secs(20);

pub(crate) type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What goes on beside the tasks, one step at a time.
pub(crate) trait Beside {
    /// Waits until it stands still; says whether it can make a step.
    fn settled(&self) -> bool;
    fn step(&self, dice: &mut Dice);
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Runs all tasks to their ends.
///
/// # Errors
/// How many tasks are left that nobody will wake.
pub(crate) fn run(tasks: Vec<Task>, beside: &dyn Beside, dice: &mut Dice) -> Result<(), String> {
    let mut tasks: Vec<(Task, Arc<Woken>)> =
        tasks.into_iter().map(|task| (task, Arc::new(Woken(AtomicBool::new(true))))).collect();
    let mut moved = Instant::now();
    while !tasks.is_empty() {
        let steps = usize::from(beside.settled());
        let ready: Vec<usize> =
            (0..tasks.len()).filter(|&at| tasks[at].1.0.load(Ordering::SeqCst)).collect();
        if ready.len() + steps == 0 {
            if moved.elapsed() > STANDSTILL {
                return Err(format!("{} tasks wait and nobody will wake them", tasks.len()));
            }
            // What ended on the thread of the journal is about to wake somebody.
            std::thread::yield_now();
            continue;
        }
        moved = Instant::now();
        let choice = dice.below((ready.len() + steps) as u64) as usize;
        let Some(&at) = ready.get(choice) else {
            beside.step(dice);
            continue;
        };
        let (task, woken) = &mut tasks[at];
        woken.0.store(false, Ordering::SeqCst);
        let waker = Arc::clone(woken).into();
        if task.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
            drop(tasks.swap_remove(at));
        }
    }
    Ok(())
}

/// Lets others go first, on whatever the task runs.
pub(crate) async fn let_others_go_first() {
    let mut is_first = true;
    std::future::poll_fn(|context| {
        if std::mem::take(&mut is_first) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(())
    })
    .await;
}
