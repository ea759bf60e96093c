//! Letting go of old records on demand: what goes or would go, who holds it back, who misses it.

use std::collections::BTreeMap;

use foundation_store::journal::{Held, Holder, Holding, Prune, PruneMode, Pruned};
use foundation_types::{Event, Position, Result, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Node, beside};

/// What was let go of, or would be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PruneReport {
    /// Whether it was done, and not only told.
    pub applied: bool,
    /// Files of the log.
    pub segments: u64,
    /// Records in them, of every kind.
    pub records: u64,
    /// Bytes of these files.
    pub bytes: u64,
    /// Of the records: events in files that went since all in them had lived their time.
    #[serde(default)]
    pub expired: u64,
    /// The last record in them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up_to: Option<Position>,
    /// When that was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest: Option<Timestamp>,
    /// Records that would go if nobody held anything.
    pub wanted_records: u64,
    /// Who holds some of that.
    pub held_by: Vec<HeldBy>,
    /// Who had not had what goes, since their holds did not count.
    pub missed: Vec<Missed>,
}

/// Somebody who holds the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldBy {
    /// What they are.
    pub kind: HolderKind,
    /// Their name, if they have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Nothing after this position goes.
    pub position: Position,
}

/// What somebody is who holds the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HolderKind {
    /// The application, by a hold of its own.
    Application,
    /// A durable consumer.
    Consumer,
    /// An export.
    Export,
    /// A projection.
    Projection,
    /// A backup or a check that is under way.
    Backup,
    /// Only what is in both kept snapshots goes.
    Snapshot,
}

/// Somebody who is never handed out some records, as they were let go of before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missed {
    /// A consumer or an export.
    pub kind: HolderKind,
    /// Its name.
    pub name: String,
    /// The last record that it had settled.
    pub after: Position,
    /// The last record that went.
    pub up_to: Position,
    /// Records after that which went, of its events and of others.
    pub records: u64,
}

impl Node {
    /// Lets go of the oldest records, without holding up the runtime, and records that it did; or says
    /// what would go. Consumers whose holds did not count are told of in events; an export tells of it by
    /// itself, once it comes to the gap.
    ///
    /// # Errors
    /// As [`foundation_store::journal::Journal::prune`].
    pub async fn prune(&self, prune: Prune) -> Result<PruneReport> {
        let (journal, asked) = (self.journal.clone(), prune.clone());
        let kept_after = journal.extent().before_first;
        let pruned = beside(move |runtime| runtime.block_on(journal.prune(&asked))).await?;
        let report = self.report(&prune, pruned, kept_after);
        if report.applied && report.records > 0 {
            self.tell_of_dropped(report.segments, report.records, report.bytes).await?;
            if prune.expired.is_some() {
                self.tell_of_expired(&report).await?;
            }
            for missed in report.missed.iter().filter(|one| one.kind == HolderKind::Consumer) {
                self.events.record_own(skipped(missed)?).await?;
            }
        }
        Ok(report)
    }

    fn report(&self, prune: &Prune, pruned: Pruned, kept_after: Position) -> PruneReport {
        let Pruned { dropped, expired, up_to, newest, wanted, held_by } = pruned;
        let exports = self.exports.names();
        let held_by: Vec<HeldBy> =
            held_by.into_iter().map(|held| held_by_whom(held, &exports)).collect();
        let is_passed = |held: &&HeldBy| {
            prune.holding == Holding::PastConsumers
                && matches!(held.kind, HolderKind::Consumer | HolderKind::Export)
                && held.position < up_to
        };
        let missed = held_by.iter().filter(is_passed).filter_map(|held| {
            let from = held.position.max(kept_after).to_engine();
            Some(Missed {
                kind: held.kind,
                name: held.name.clone()?,
                after: held.position,
                up_to,
                records: up_to.to_engine().saturating_sub(from),
            })
        });
        PruneReport {
            applied: prune.mode == PruneMode::Go,
            segments: dropped.segments,
            records: dropped.records,
            bytes: dropped.bytes,
            expired,
            up_to: (dropped.segments > 0).then_some(up_to),
            newest,
            wanted_records: wanted.records,
            missed: missed.collect(),
            held_by,
        }
    }

    /// Records that the oldest files of the log were let go of.
    pub(super) async fn tell_of_dropped(
        &self,
        segments: u64,
        records: u64,
        bytes: u64,
    ) -> Result<()> {
        let told = Event::new("foundation.log.dropped").source("foundation");
        let told = told.data(&BTreeMap::from([
            ("records", records),
            ("segments", segments),
            ("bytes", bytes),
            ("up_to", self.journal.extent().before_first.to_engine()),
        ]))?;
        self.events.record_own(told).await.map(drop)
    }
}

fn held_by_whom(held: Held, exports: &[String]) -> HeldBy {
    let position = held.position;
    let (kind, name) = match held.holder {
        Holder::Application => (HolderKind::Application, None),
        Holder::Consumer(name) if exports.contains(&name) => (HolderKind::Export, Some(name)),
        Holder::Consumer(name) => (HolderKind::Consumer, Some(name)),
        Holder::Projection(name) => (HolderKind::Projection, Some(name)),
        Holder::Copy => (HolderKind::Backup, None),
        Holder::Snapshot => (HolderKind::Snapshot, None),
    };
    HeldBy { kind, name, position }
}

fn skipped(missed: &Missed) -> Result<Event> {
    let event = Event::new("foundation.consumer.skipped").source("foundation");
    event.subject(missed.name.as_str()).data(&BTreeMap::from([
        ("after", missed.after.to_engine()),
        ("up_to", missed.up_to.to_engine()),
        ("records", missed.records),
    ]))
}
