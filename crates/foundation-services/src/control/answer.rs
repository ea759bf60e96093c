//! Answering what a tool asks, on the node's own services.

use std::time::Duration;

use foundation_logic::lens;
use foundation_store::journal::{
    ArchiveMode, ArchivePolicy, Holding, Prune, PruneMode, Retention, VerifyOptions,
};
use foundation_types::error::ErrorReport;
use foundation_types::event::ParkedEvent;
use foundation_types::{
    Change, Data, Edit, Error, ErrorKind, Path, Position, Result, Value, Version,
};
use foundation_validate::ChangeRequest;
use serde::Serialize;
use serde_json::value::RawValue;

use super::calls::{
    Append, AppendEach, AppendOutcome, ArchiveEvents, Call, ConfigDiff, ConfigFollow, ConfigGet,
    ConfigHistory, ConfigResolve, ConfigRollback, ConfigUpdate, ConfigVersionAt, ConsumerChange,
    EventsCheck, EventsFollow, EventsForget, EventsPrune, ExportChange, ExportCursor, ExportRead,
    ParkedDrop, ParkedRetry, ProjectionChange, ProjectionShow, Put, Request, TablePut, Take,
    Verify,
};
use crate::archive::ArchiveReport;
use crate::config::{HistoryQuery, Resolution, Updated};
use crate::event::{Followed, Forgetting, HistoryPage, Receipt};
use crate::export::ExportPage;
use crate::node::{Node, PruneReport, VerifyReport};
use crate::projection::{ProjectionChanged, ProjectionShown};

/// The longest that a call waits for a change.
const FOLLOW_MAX: Duration = Duration::from_secs(30);

/// The answer to a request, as JSON.
///
/// # Errors
/// Those of the service that is asked.
pub async fn answer(node: &Node, serving: bool, request: Request) -> Result<Box<RawValue>> {
    match request {
        Request::GetStatus(_) => json(&node.status(serving)),
        Request::ConfigGet(call) => json(&config_get(node, call).await?),
        Request::ConfigFields(call) => json(&node.config(&call.document)?.fields()),
        Request::ConfigExplain(call) => {
            json(&node.config(&call.document)?.explain(&call.path).await?)
        }
        Request::ConfigCheck(call) => {
            json(&node.config(&call.document)?.check(&call.file, call.text.into_bytes())?)
        }
        Request::ConfigMigrations(_) => json(&node.migrations()),
        Request::ConfigSchema(call) => json(&node.config(&call.document)?.reference().schema()),
        Request::ConfigTemplate(call) => json(&node.config(&call.document)?.reference().template()),
        Request::ConfigUpdate(call) => json(&config_update(node, call).await?),
        Request::ConfigRollback(call) => json(&config_rollback(node, call).await?),
        Request::ConfigConflicts(call) => json(&node.config(&call.document)?.conflicts()),
        Request::ConfigResolve(call) => json(&config_resolve(node, call).await?),
        Request::ConfigFollow(call) => json(&config_follow(node, call).await?),
        Request::ConfigVersionAt(call) => json(&config_version_at(node, call).await?),
        Request::ConfigHistory(call) => json(&config_history(node, call).await?),
        Request::ConfigDiff(call) => json(&config_diff(node, call).await?),
        Request::TableList(_) => json(&node.table_rows()),
        Request::TableGet(call) => json(&node.table(&call.table)?.value(&call.key)?),
        Request::TableRows(call) => {
            json(&node.table(&call.table)?.rows(call.after.as_ref(), call.limit)?)
        }
        Request::TablePut(call) => json(&table_put(node, call).await?),
        Request::TableRemove(call) => json(&node.table(&call.table)?.take(&call.key).await?),
        Request::Append(call) => json(&append(node, call).await?),
        Request::AppendEach(call) => json(&append_each(node, call).await),
        Request::EventGet(call) => json(&node.events.get(&call.id).await?),
        Request::EventStage(call) => json(&node.events.stage_of(&call.id).await?),
        Request::EventsQuery(call) => json(&node.events.query(call.query).await?),
        Request::EventsTrace(call) => json(&node.events.trace(call.correlation_id).await?),
        Request::EventsAggregate(call) => {
            json(&node.events.aggregate(call.query, call.aggregation).await?)
        }
        Request::EventsCheck(call) => json(&events_check(node, call).await?),
        Request::EventsForget(call) => json(&events_forget(node, call).await?),
        Request::EventsForgotten(_) => json(&node.events.forgotten().await?),
        Request::EventsStats(_) => json(&node.events.stats()),
        Request::EventsExplain(call) => json(&node.events.explain(call.query).await?),
        Request::EventsFollow(call) => json(&events_follow(node, call).await?),
        Request::ConsumerList(_) => json(&node.events.consumers()),
        Request::ConsumerChange(call) => json(&consumer_change(node, call).await?),
        Request::ParkedList(call) => json(&node.events.parked(&call.filter)?),
        Request::ParkedRetry(call) => json(&parked_retry(node, call).await?),
        Request::ParkedDrop(call) => json(&parked_drop(node, call).await?),
        Request::ExportList(_) => json(&node.exports.list_by_events().await),
        Request::ExportChange(call) => json(&export_change(node, call).await?),
        Request::ExportCursor(call) => json(&export_cursor(node, call).await?),
        Request::ExportRead(call) => json(&export_read(node, call).await?),
        Request::ProjectionList(_) => json(&node.projections.list(node.events.published())),
        Request::ProjectionShow(call) => json(&projection_show(node, &call)?),
        Request::ProjectionChange(call) => json(&projection_change(node, call).await?),
        Request::ArchiveEvents(call) => json(&archive(node, call).await?),
        Request::EventsPrune(call) => json(&prune(node, call).await?),
        Request::ArchiveList(_) => json(&node.archived().await?),
        Request::ArchiveVerify(_) => json(&node.verify_archive().await?),
        Request::ArchiveRestore(_) => json(&node.bring_back().await?),
        Request::GetMetrics(_) => json(&node.telemetry.snapshot()),
        Request::GetKeptMetrics(_) => json(&node.metrics_before),
        Request::TakeCheckpoint(_) => json(&node.checkpoint().await?),
        Request::TakeDump(call) => json(&node.dumps.dump_to(&call.directory).await?),
        Request::Verify(call) => json(&verify(node, call).await?),
        Request::TakeBackup(call) => json(&node.backup(&call.directory).await?),
        Request::Replay(call) => json(&node.replay(call.after, call.until, call.shape).await?),
    }
}

/// The answer to a call with its type, without a socket in between.
///
/// # Errors
/// As [`answer`].
pub async fn answer_typed<C: Call>(node: &Node, call: C) -> Result<C::Answer> {
    let json = answer(node, false, call.into()).await?;
    serde_json::from_str(json.get()).map_err(|cause| {
        Error::new(ErrorKind::Internal, "an answer cannot be read back").caused_by(cause)
    })
}

fn json<T: Serialize>(answer: &T) -> Result<Box<RawValue>> {
    serde_json::value::to_raw_value(answer).map_err(|cause| {
        Error::new(ErrorKind::Internal, "an answer cannot be written as JSON").caused_by(cause)
    })
}

async fn parked_retry(node: &Node, call: ParkedRetry) -> Result<Vec<ParkedEvent>> {
    match call.dry_run {
        true => node.events.parked(&call.filter),
        false => node.events.retry_parked(&call.filter).await,
    }
}

async fn parked_drop(node: &Node, call: ParkedDrop) -> Result<Vec<ParkedEvent>> {
    match call.dry_run {
        true => node.events.parked(&call.filter),
        false => node.events.drop_parked(&call.filter).await,
    }
}

async fn consumer_change(node: &Node, call: ConsumerChange) -> Result<()> {
    let ConsumerChange { consumer, action } = call;
    node.events.change_consumer(&consumer, action).await
}

async fn table_put(node: &Node, call: TablePut) -> Result<Option<Data>> {
    let table = node.table_to_write(&call.table, call.missing)?;
    table.put(&call.key, &call.value).await
}

async fn verify(node: &Node, call: Verify) -> Result<VerifyReport> {
    let Verify { bytes_per_second } = call;
    node.verify(VerifyOptions { bytes_per_second }).await
}

async fn config_history(node: &Node, call: ConfigHistory) -> Result<Vec<Change>> {
    node.config(&call.document)?.history(call.query).await
}

async fn config_diff(node: &Node, call: ConfigDiff) -> Result<Vec<Edit>> {
    node.config(&call.document)?.diff(call.from, call.to).await
}

async fn config_get(node: &Node, call: ConfigGet) -> Result<Value> {
    let config = node.config(&call.document)?;
    let Some(version) = call.at else { return config.value(&call.path) };
    let tree = config.tree_at(version).await?;
    match lens::get(&tree, &call.path) {
        Some(value) => Ok(value.clone()),
        // The document as it is now knows best what was meant.
        None => Err(match config.value(&call.path) {
            Err(unknown) => unknown,
            Ok(_) => {
                let message = format!("\"{}\" had no value at version {version}", call.path);
                Error::new(ErrorKind::NotFound, message)
            }
        }),
    }
}

async fn config_update(node: &Node, call: ConfigUpdate) -> Result<Updated> {
    let config = node.config(&call.document)?;
    let edits = call.edits.into_iter().map(|(path, put)| edit(path, put)).collect();
    let ConfigUpdate {
        patches,
        expected,
        on_conflict,
        unchanged,
        lasts_ms,
        actor,
        reason,
        defaults,
        dry_run,
        ..
    } = call;
    let lasts = lasts_ms.map(Duration::from_millis);
    let request = ChangeRequest {
        patches,
        edits,
        expected,
        on_conflict,
        unchanged,
        lasts,
        withdrawn: Vec::new(),
        defaults,
        actor,
        reason,
    };
    if dry_run {
        let (version, changes) = (config.version(), config.preview(request).await?);
        return Ok(Updated { version, position: None, changes, as_sourced: Vec::new() });
    }
    config.update(request).await
}

fn edit(path: Path, put: Put) -> (Path, Option<Value>) {
    let value = match put {
        Put::Value(value) => Some(value),
        Put::Nothing | Put::Default => None,
    };
    (path, value)
}

async fn config_version_at(node: &Node, call: ConfigVersionAt) -> Result<Version> {
    node.config(&call.document)?.version_at(call.time).await
}

async fn config_rollback(node: &Node, call: ConfigRollback) -> Result<Updated> {
    let ConfigRollback { document, version, expected, actor, reason } = call;
    let request = ChangeRequest { expected, actor, reason, ..ChangeRequest::default() };
    node.config(&document)?.rollback(version, request).await
}

async fn config_resolve(node: &Node, call: ConfigResolve) -> Result<Updated> {
    let ConfigResolve { document, id, take, expected, actor, reason } = call;
    let config = node.config(&document)?;
    let resolution = match take {
        Take::Ours => Resolution::Ours,
        Take::Theirs => Resolution::Theirs,
        Take::Edited(edits) => {
            Resolution::Edited(edits.into_iter().map(|(path, put)| edit(path, put)).collect())
        }
    };
    let request = ChangeRequest { expected, actor, reason, ..ChangeRequest::default() };
    config.resolve(id, resolution, request).await
}

/// Waits for the next change, and gives those that are there by then; nothing if none came in time
/// or the node stops.
async fn events_follow(node: &Node, call: EventsFollow) -> Result<Followed> {
    let wait = Duration::from_millis(call.wait_ms).min(FOLLOW_MAX);
    let mut stop = node.tasks.stop_signal();
    tokio::select! {
        () = stop.stopped() => Err(Error::new(ErrorKind::Unavailable, "the node is stopping")),
        followed = node.events.follow(call.filter, call.after, wait) => followed,
    }
}

async fn config_follow(node: &Node, call: ConfigFollow) -> Result<Vec<Change>> {
    let config = node.config(&call.document)?;
    // From here on no change is missed; what was published before is seen in the version.
    let mut changes = config.subscribe(&Path::root());
    if config.version() <= call.after {
        let wait = Duration::from_millis(call.wait_ms).min(FOLLOW_MAX);
        let mut stop = node.tasks.stop_signal();
        tokio::select! {
            () = stop.stopped() => {}
            _ = tokio::time::timeout(wait, changes.next()) => {}
        }
    }
    config.history(HistoryQuery::after(call.after)).await
}

async fn archive(node: &Node, call: ArchiveEvents) -> Result<ArchiveReport> {
    let ArchiveEvents { older_than_s, keep_segments, dry_run } = call;
    let older_than = older_than_s.map(Duration::from_secs);
    let mode = if dry_run { ArchiveMode::Plan } else { ArchiveMode::Move };
    node.archive(ArchivePolicy { older_than, keep_segments }, mode).await
}

async fn prune(node: &Node, call: EventsPrune) -> Result<PruneReport> {
    let EventsPrune { older_than_s, keep, expired, force, dry_run } = call;
    let expired = expired.then(|| node.events.expiry());
    let age = older_than_s.map(Duration::from_secs);
    // What a person asks for is meant of all that is kept, in the archive or not.
    let keep = Retention { records: keep, bytes: None, age, archived_age: age };
    let holding = if force { Holding::PastConsumers } else { Holding::All };
    let mode = if dry_run { PruneMode::Plan } else { PruneMode::Go };
    node.prune(Prune { keep, expired, segments_max: None, holding, mode }).await
}

async fn export_change(node: &Node, call: ExportChange) -> Result<()> {
    node.exports.change(&call.export, call.action).await
}

fn projection_show(node: &Node, call: &ProjectionShow) -> Result<ProjectionShown> {
    let ProjectionShow { projection, key, after, limit } = call;
    node.projections.show(projection, key.as_deref(), after.as_deref(), *limit)
}

async fn projection_change(node: &Node, call: ProjectionChange) -> Result<Vec<ProjectionChanged>> {
    let ProjectionChange { projection, action } = call;
    node.projections.change(&projection, action).await
}

async fn export_cursor(node: &Node, call: ExportCursor) -> Result<Position> {
    node.exports.cursor(&call.export, call.settled, call.filter.as_ref()).await
}

async fn export_read(node: &Node, call: ExportRead) -> Result<ExportPage> {
    let wait = Duration::from_millis(call.wait_ms);
    let name = call.export.as_deref();
    node.exports.read(name, call.query, wait, node.tasks.stop_signal()).await
}

async fn append(node: &Node, call: Append) -> Result<Receipt> {
    let append = node.events.append(call.event).expecting(call.expected);
    match call.stream {
        Some(stream) => append.stream(stream).await,
        None => append.await,
    }
}

async fn events_check(node: &Node, call: EventsCheck) -> Result<HistoryPage> {
    node.events.check_history_after(&call.types, call.after).await
}

async fn events_forget(node: &Node, call: EventsForget) -> Result<Forgetting> {
    node.events.forget_for(&call.subject, call.actor, &call.reason).await
}

async fn append_each(node: &Node, call: AppendEach) -> Vec<AppendOutcome> {
    let outcomes = node.events.append_each(call.events).await;
    outcomes
        .into_iter()
        .map(|one| one.map_err(|error| Box::new(ErrorReport::from(&error))))
        .collect()
}
