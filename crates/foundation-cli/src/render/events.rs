//! Receipts, what the event store holds, what an import came to.

use foundation::events::{EventStoreStats, ExplainedQuery, Looked, Receipt, StageCounts, Way};
use std::time::Duration;

use super::table::{Align, table};
use super::text::{bytes, counted, elapsed, one_line, thousands};

/// What an append came to.
pub(crate) fn receipt(receipt: &Receipt) -> String {
    let Receipt { stream, position, .. } = receipt;
    let id = one_line(receipt.id.as_str());
    if receipt.repeated {
        return format!("{id} was stored before, at position {position} in stream {stream}");
    }
    format!("{id} stored at position {position}")
}

/// Which way a query went, and what it looked at.
pub(crate) fn explained_query(explained: &ExplainedQuery) -> String {
    let part = |place: &str, looked: &Looked| {
        let ways = looked.by.iter().map(|(way, count)| match way {
            Way::Reading => format!("{} by reading", thousands(*count)),
            Way::Correlation => format!("{} by correlation", thousands(*count)),
            Way::Parent => format!("{} by parent", thousands(*count)),
            Way::Stream => format!("{} by stream", thousands(*count)),
            Way::Tag => format!("{} by tag", thousands(*count)),
            Way::Time => format!("{} by time", thousands(*count)),
            Way::Type => format!("{} by type", thousands(*count)),
        });
        let ways: Vec<String> = ways.collect();
        let looked_at = if ways.is_empty() { "nothing".to_owned() } else { ways.join(", ") };
        format!("{place}  looked at {looked_at}; found {}", thousands(looked.found))
    };
    let ExplainedQuery { memory, log, took_us } = explained;
    let took = thousands(*took_us);
    [part("memory", memory), part("log   ", log), format!("first page in {took} µs")].join("\n")
}

/// What the store holds, then a row for each type.
///
/// What was offered is known to the node that was asked to store it, and to nobody else.
pub(crate) fn stats(stats: &EventStoreStats, by: Counted) -> Vec<String> {
    let mut lines = vec![
        format!(
            "{} kept at the start or recorded since, the last at position {}",
            counted(stats.recorded, "event"),
            stats.published
        ),
        format!(
            "{} in memory ({}), {} left it",
            thousands(stats.buffered_events),
            bytes(stats.buffered_bytes),
            thousands(stats.evicted)
        ),
    ];
    if by == Counted::ByNode {
        lines.push(format!(
            "offered {}: stored {}, repeated {}, refused {}, dropped {}, in flight {}",
            thousands(stats.offered),
            thousands(stats.stored),
            thousands(stats.repeated),
            thousands(stats.rejected),
            thousands(stats.dropped),
            thousands(stats.in_flight)
        ));
        lines.push(stages(&stats.stages));
    }
    if let (Some(first), Some(last)) = (stats.first_recorded, stats.last_recorded) {
        lines.push(format!("recorded from {first} to {last}"));
    }
    if stats.unreadable > 0 {
        lines.push(format!("{} unreadable", counted(stats.unreadable, "record")));
    }
    lines.extend(by_type(stats, usize::MAX));
    if by == Counted::ByNode {
        lines.extend(by_stream(stats));
        lines.extend(read(stats));
    }
    lines
}

/// Who has counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counted {
    /// The node that serves the store, since it was started.
    ByNode,
    /// This process, which has stored nothing.
    Here,
}

/// At which stages events are or ended.
fn stages(stages: &StageCounts) -> String {
    format!(
        "stages: invalid {}, failed {}, storage failed {}, storing {}, available {}, accessed about {}, \
         expired {}",
        thousands(stages.invalid),
        thousands(stages.failed),
        thousands(stages.storage_failed),
        thousands(stages.storing),
        thousands(stages.available),
        thousands(stages.accessed),
        thousands(stages.expired)
    )
}

/// How often each stream was read, the most first.
fn read(stats: &EventStoreStats) -> Vec<String> {
    let mut rows: Vec<_> =
        stats.accessed.iter().map(|(stream, reads)| (stream.to_string(), *reads)).collect();
    rows.sort_by(|(one, few), (other, many)| many.cmp(few).then_with(|| one.cmp(other)));
    rows.push(("(other streams)".to_owned(), stats.accessed_others));
    let cells = rows
        .into_iter()
        .filter(|(_, reads)| *reads > 0)
        .map(|(stream, reads)| [stream, format!("read about {}", thousands(reads))]);
    table([Align::Left, Align::Left], &cells.collect::<Vec<_>>())
}

/// What became of what was offered for each stream, the most first.
fn by_stream(stats: &EventStoreStats) -> Vec<String> {
    let mut rows: Vec<_> =
        stats.by_stream.iter().map(|(stream, counts)| (stream.to_string(), *counts)).collect();
    rows.sort_by(|(one, few), (other, many)| {
        many.offered.cmp(&few.offered).then_with(|| one.cmp(other))
    });
    rows.push(("(other streams)".to_owned(), stats.other_streams));
    let of = |name: &str, count: u64| format!("{name} {}", thousands(count));
    let cells =
        rows.into_iter().filter(|(_, counts)| counts.offered > 0).map(|(stream, counts)| {
            [
                stream,
                of("offered", counts.offered),
                of("stored", counts.stored),
                of("repeated", counts.repeated),
                of("refused", counts.rejected),
                of("dropped", counts.dropped),
            ]
        });
    let left = Align::Left;
    table([left, left, left, left, left, left], &cells.collect::<Vec<_>>())
}

/// How many events of each type there are, the most first, at most so many rows.
pub(crate) fn by_type(stats: &EventStoreStats, rows_max: usize) -> Vec<String> {
    let mut rows: Vec<_> = stats.by_type.iter().collect();
    rows.sort_by(|(one, few), (other, many)| many.cmp(few).then_with(|| one.cmp(other)));
    let others: u64 = rows.iter().skip(rows_max).map(|(_, count)| **count).sum();
    let mut cells: Vec<_> = rows
        .into_iter()
        .take(rows_max)
        .map(|(kind, count)| [thousands(*count), kind.to_string()])
        .collect();
    let others = others.saturating_add(stats.other_types);
    if others > 0 {
        cells.push([thousands(others), "(other types)".to_owned()]);
    }
    table([Align::Right, Align::Left], &cells)
}

/// What an import came to, in one line.
pub(crate) fn import_summary(counts: [u64; 3], took: Duration) -> String {
    let [accepted, repeated, refused] = counts.map(thousands);
    format!("accepted {accepted}, repeated {repeated}, refused {refused} in {}", elapsed(took))
}

#[cfg(test)]
mod tests {
    use super::*;
    use foundation::events::IntakeCounts;

    #[test]
    fn streams_have_a_row_each_the_busiest_first_and_those_without_events_none() {
        let counts = |offered| IntakeCounts { offered, stored: offered, ..IntakeCounts::default() };
        let by_stream = [("quiet", 0), ("events", 2), ("orders", 1_200)];
        let stats = EventStoreStats {
            by_stream: by_stream.map(|(name, count)| (name.into(), counts(count))).into(),
            ..EventStoreStats::default()
        };
        assert_eq!(
            super::by_stream(&stats),
            [
                "orders  offered 1,200  stored 1,200  repeated 0  refused 0  dropped 0",
                "events  offered 2      stored 2      repeated 0  refused 0  dropped 0",
            ]
        );
    }

    #[test]
    fn stages_are_a_line_and_streams_that_were_read_have_rows() {
        let stages =
            StageCounts { invalid: 2, available: 1_200, accessed: 192, ..Default::default() };
        assert_eq!(
            super::stages(&stages),
            "stages: invalid 2, failed 0, storage failed 0, storing 0, available 1,200, accessed \
             about 192, expired 0"
        );
        let stats = EventStoreStats {
            accessed: [("events".into(), 64), ("orders".into(), 128)].into(),
            ..EventStoreStats::default()
        };
        assert_eq!(read(&stats), ["orders  read about 128", "events  read about 64"]);
    }
}
