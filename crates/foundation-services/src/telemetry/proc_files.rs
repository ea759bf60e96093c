//! What the files under `/proc` say, read from their text.

/// Clock ticks in a second, as the kernel counts them for programs on every platform.
const TICKS_PER_SECOND: f64 = 100.0;

/// Ticks that all processors spent, since the host started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct CpuTicks {
    pub(super) busy: u64,
    pub(super) all: u64,
}

impl CpuTicks {
    /// The share of time that was busy since `earlier`, from 0 to 1; `None` if no time passed.
    pub(super) fn ratio_since(self, earlier: Self) -> Option<f64> {
        let all = self.all.checked_sub(earlier.all).filter(|ticks| *ticks > 0)?;
        // The kernel may take back some waiting time: never more than all, never less than none.
        let busy = self.busy.saturating_sub(earlier.busy).min(all);
        Some(busy as f64 / all as f64)
    }
}

/// The first line of `/proc/stat`: user, nice, system, idle, iowait, irq, softirq, steal.
pub(super) fn cpu_ticks(stat: &str) -> Option<CpuTicks> {
    let line = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
    // What follows the eighth is counted in the first two already.
    let ticks: Vec<u64> =
        line.split_whitespace().take(8).map_while(|part| part.parse().ok()).collect();
    let (idle, waiting) = (*ticks.get(3)?, ticks.get(4).copied().unwrap_or(0));
    let all = ticks.iter().fold(0_u64, |sum, part| sum.saturating_add(*part));
    Some(CpuTicks { busy: all.saturating_sub(idle.saturating_add(waiting)), all })
}

/// Bytes of a row of `/proc/meminfo` or `/proc/self/status`, which count in kibibytes.
pub(super) fn row_bytes(text: &str, name: &str) -> Option<u64> {
    let row = |line: &str| line.strip_prefix(name)?.strip_prefix(':').map(str::to_owned);
    let value = text.lines().find_map(row)?;
    let mut words = value.split_whitespace();
    let kibibytes: u64 = words.next()?.parse().ok()?;
    (words.next() == Some("kB")).then(|| kibibytes.saturating_mul(1024))
}

/// Seconds of processor time in `/proc/self/stat`.
pub(super) fn cpu_seconds(stat: &str) -> Option<f64> {
    // The name of the program stands in brackets and may have any characters, brackets too.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user.saturating_add(system) as f64 / TICKS_PER_SECOND)
}
