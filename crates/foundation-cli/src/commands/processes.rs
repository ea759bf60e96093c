//! What runs on this machine, as the kernel tells it under `/proc`.

use std::fs;
use std::time::Duration;

use foundation::Timestamp;

/// Ticks of the kernel's clock in a second, as programs see it.
const TICKS_PER_S: u64 = 100;

/// One process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Process {
    pub(super) pid: u32,
    pub(super) parent: u32,
    pub(super) command: String,
    /// Ticks from the start of the machine to that of the process: with the pid its identity.
    pub(super) started_ticks: u64,
}

/// The machine since its last start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Boot {
    /// The first part of what the kernel calls this start.
    pub(super) id: String,
    pub(super) host: String,
    pub(super) time: Timestamp,
}

impl Boot {
    /// As the kernel says; what it does not say stays empty.
    pub(super) fn current() -> Self {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        let id = read("/proc/sys/kernel/random/boot_id");
        Self {
            id: id.trim().split('-').next().unwrap_or_default().to_owned(),
            host: read("/proc/sys/kernel/hostname").trim().to_owned(),
            time: boot_time(&read("/proc/stat")),
        }
    }

    /// When the process started.
    pub(super) fn start_of(&self, process: &Process) -> Timestamp {
        let millis = process.started_ticks.saturating_mul(1_000 / TICKS_PER_S);
        self.time.plus(Duration::from_millis(millis))
    }
}

/// Every process that can be seen, by pid. One that ends meanwhile is left out.
pub(super) fn running() -> Vec<Process> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    let mut found: Vec<Process> = pids
        .filter_map(|pid| {
            let bytes = fs::read(format!("/proc/{pid}/stat")).ok()?;
            process(&String::from_utf8_lossy(&bytes))
        })
        .collect();
    found.sort_by_key(|process| process.pid);
    found
}

/// `1234 (some command) S 1 …`: the command is free text, also with blanks and brackets.
fn process(stat: &str) -> Option<Process> {
    let (pid, rest) = stat.split_once(" (")?;
    let (command, rest) = rest.rsplit_once(") ")?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    Some(Process {
        pid: pid.parse().ok()?,
        parent: fields.get(1)?.parse().ok()?,
        command: command.to_owned(),
        started_ticks: fields.get(19)?.parse().ok()?,
    })
}

fn boot_time(stat: &str) -> Timestamp {
    let seconds = stat.lines().find_map(|line| line.strip_prefix("btime ")?.trim().parse().ok());
    seconds.and_then(|seconds| Timestamp::from_parts(seconds, 0)).unwrap_or(Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_may_look_like_the_rest_of_its_line() {
        let line = "42 (a) S 1 (b)) R 7 42 42 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 98765 1 2";
        let expected =
            Process { pid: 42, parent: 7, command: "a) S 1 (b)".into(), started_ticks: 98_765 };
        assert_eq!(process(line), Some(expected));
        for cut in ["", "42", "42 (a", "42 (a) S", "x (a) S 1"] {
            assert_eq!(process(cut), None, "{cut}");
        }
    }

    #[test]
    fn a_process_starts_so_many_ticks_after_the_machine() {
        let time = boot_time("cpu 1 2\nbtime 1700000000\nprocesses 9\n");
        let boot = Boot { id: "a".into(), host: "h".into(), time };
        let process = Process { pid: 1, parent: 0, command: String::new(), started_ticks: 250 };
        assert_eq!(boot.start_of(&process).to_string(), "2023-11-14T22:13:22.5Z");
    }
}
