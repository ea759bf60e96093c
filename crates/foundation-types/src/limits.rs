//! Every fixed limit of the system, named in one place.
//!
//! What an operator may change at run time is a setting ([`crate::Settings`]), not a limit.

/// Largest event, all fields together, in bytes as encoded.
pub const EVENT_BYTES_MAX: usize = 1024 * 1024;
/// Largest configuration value or change, in bytes as JSON text.
pub const CONFIG_BYTES_MAX: usize = 1024 * 1024;
/// Longest excerpt of a line of a configuration file in an error, in characters.
pub const EXCERPT_CHARS_MAX: usize = 160;
/// Blanks that an excerpt has for what stands before it in its line; beyond that it has none.
pub const EXCERPT_BLANKS_MAX: usize = 80;
/// Longest event id, correlation id or parent id, in bytes.
pub const ID_BYTES_MAX: usize = 128;
/// Longest event type, in bytes.
pub const EVENT_TYPE_BYTES_MAX: usize = 128;
/// Longest event source or subject, in bytes.
pub const EVENT_TEXT_BYTES_MAX: usize = 1024;
/// Tags of one event.
pub const EVENT_TAGS_MAX: usize = 32;
/// Rules of the settings on events.
pub const EVENT_RULES_MAX: usize = 64;
/// Rules of the settings on what happens when there is no room.
pub const STREAM_RULES_MAX: usize = 64;
/// Rules of the settings on how long events live.
pub const TTL_RULES_MAX: usize = 64;
/// Longest template of a tag, in bytes.
pub const TAG_TEMPLATE_BYTES_MAX: usize = 512;
/// Stages, rules and routes of one application's intake of events, of each.
pub const INTAKE_STAGES_MAX: usize = 32;
/// Longest name of a stage, rule or route, in bytes.
pub const INTAKE_NAME_BYTES_MAX: usize = 64;
/// What is told of how an event was altered, in bytes as JSON text.
pub const ALTERED_BYTES_MAX: usize = 60 * 1024;
/// Streams with a row of their own in what became of events; the others share one.
pub const INTAKE_STREAMS_MAX: usize = 1_000;
/// Types, tags or conditions on fields that one query may name, of each.
pub const QUERY_NAMES_MAX: usize = 100;
/// Longest stream name, in bytes.
pub const STREAM_NAME_BYTES_MAX: usize = 128;
/// Events in one atomic batch.
pub const BATCH_EVENTS_MAX: usize = 10_000;
/// Bytes in one atomic batch, as encoded.
pub const BATCH_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Events of one story that a trace takes; of a longer one it takes the first.
pub const TRACE_EVENTS_MAX: usize = 10_000;
/// Parents outside of a story that a trace looks for; of further ones it does not know whether they
/// are kept.
pub const TRACE_LOOKUPS_MAX: usize = 100;
/// Events of a trace that a diagram shows.
pub const DIAGRAM_EVENTS_MAX: usize = 200;
/// Measures of one aggregation.
pub const AGGREGATE_MEASURES_MAX: usize = 16;
/// Things by which one aggregation makes groups.
pub const AGGREGATE_BY_MAX: usize = 8;
/// Groups of one aggregation; the events of further ones share a row.
pub const AGGREGATE_GROUPS_MAX: usize = 1_000;
/// Longest text of a group, in bytes; longer text is cut.
pub const AGGREGATE_GROUP_BYTES_MAX: usize = 256;
/// Rows of one aggregation, that is, groups in windows.
pub const AGGREGATE_ROWS_MAX: usize = 20_000;
/// Longest window, step, pause or lateness of an aggregation, in milliseconds: 366 days.
pub const AGGREGATE_WINDOW_MS_MAX: u64 = 366 * 24 * 60 * 60 * 1_000;
/// Sliding windows that one event may fall into.
pub const AGGREGATE_OVERLAP_MAX: u64 = 100;
/// Numbers of a row up to which its percentiles are exact.
pub const AGGREGATE_EXACT_MAX: usize = 100;
/// Numbers and buckets that all percentiles of an aggregation keep at once.
pub const AGGREGATE_BUCKETS_MAX: usize = 2_000_000;
/// Events that an aggregation reads at once.
pub const AGGREGATE_PAGE_EVENTS: usize = 1_000;
/// Events that a subscription reads ahead.
pub const SUBSCRIPTION_EVENTS_MAX: usize = 256;
/// Events that a consumer knows of past its position: those in hand, those that wait for another
/// try, and those that are settled while an earlier one is not.
pub const CONSUMER_AHEAD_MAX: usize = 1_024;
/// Bytes of the events that a consumer has in hand or is about to hand out.
pub const CONSUMER_AHEAD_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Events of one consumer that may be in hand at once.
pub const CONSUMER_IN_FLIGHT_MAX: usize = 1_000;
/// Durable consumers of one store.
pub const CONSUMERS_MAX: usize = 1_000;
/// What is kept of the reason why an event was not taken, in bytes.
pub const CONSUMER_CAUSE_BYTES_MAX: usize = 192;
/// Records without an event for it after which the position of a consumer is kept anew.
pub const CONSUMER_IDLE_RECORDS: u64 = 4_096;
/// Events that one consumer may have parked.
pub const PARKED_EVENTS_MAX: usize = 10_000;
/// Largest event that is kept beside its parked place, in bytes as JSON text.
pub const PARKED_EVENT_BYTES_MAX: usize = 4 * 1024;
/// Exports of one store.
pub const EXPORTS_MAX: usize = 100;
/// What is told of the reason why an export tries again, in characters.
pub const EXPORT_CAUSE_BYTES_MAX: usize = 512;
/// The longest time that a sink may ask an export to wait, and that its rules may name, in seconds.
pub const EXPORT_RETRY_AFTER_MAX_S: u64 = 60 * 60;
/// Lines at the end of export files of which it is known that they are there.
pub const EXPORT_FILE_LINES_KNOWN: usize = 1_000;
/// Events in one message of `CloudEvents` that is read.
pub const CLOUD_EVENTS_MAX: usize = 10_000;
/// State of a projection, in bytes as JSON text.
pub const PROJECTION_BYTES_MAX: usize = 256 * 1024;
/// Key of a projection by key, in bytes as JSON text.
pub const KEYED_KEY_BYTES_MAX: usize = 512;
/// State of a projection under one key, in bytes as JSON text.
pub const KEYED_STATE_BYTES_MAX: usize = 32 * 1024;
/// Keys of a projection that one event may be for.
pub const KEYED_EVENT_KEYS_MAX: usize = 32;
/// Keys whose states a projection may have changed and not kept before it takes no more events;
/// with the place, and those of one more event, they fit one batch.
pub const KEYED_AHEAD_MAX: usize = 400;
/// Keys in one page of a projection by key.
pub const KEYED_PAGE_MAX: usize = 1_000;
/// Measurements that an observer may be behind before it misses some.
pub const OBSERVER_MEASUREMENTS_MAX: usize = 1_024;
/// Bytes after which one answer ends, be it a page of events, a trace or a piece of a history; what
/// is not in it comes with the next one.
pub const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Nesting of lists and maps in a value, and segments of a path.
pub const DEPTH_MAX: usize = 64;
/// Longest path, in bytes as dotted text.
pub const PATH_BYTES_MAX: usize = 512;
/// Longest segment of a path, in bytes.
pub const PATH_SEGMENT_BYTES_MAX: usize = 128;
/// Longest JSON pointer, in bytes.
pub const POINTER_BYTES_MAX: usize = 4_096;
/// Changes in one configuration transaction, operations of patches among them.
pub const TRANSACTION_EDITS_MAX: usize = 1_000;
/// Longest actor or reason of a configuration change, in bytes.
pub const REASON_BYTES_MAX: usize = 1024;
/// Changes of a document that a slow subscriber may be behind before it is told that it lags.
pub const CONFIG_CHANGES_BUFFERED: usize = 1_024;
/// Tries of a change that is computed anew on each conflict.
pub const CONFLICT_TRIES_MAX: u32 = 100;
/// Newest missed changes that a version conflict carries.
pub const CONFLICT_CHANGES_MAX: usize = 100;
/// Who may be asked before each change of one document.
pub const VETOES_MAX: usize = 1_000;
/// Longest that one of them may hold up writers before it counts as silent, in milliseconds.
pub const VETO_DEADLINE_MS_MAX: u64 = 10_000;
/// Refused changes of one document that are recorded in one second; further ones are counted.
pub const REFUSALS_PER_SECOND_MAX: u32 = 10;
/// Findings of a refused change that are recorded; further ones are counted.
pub const REFUSAL_PROBLEMS_MAX: usize = 20;
/// Steps of all migrations of one document together.
pub const MIGRATION_STEPS_MAX: usize = 10_000;
/// Changes of one document that may wait for somebody to decide about them.
pub const PARKED_MAX: usize = 1_000;
/// What they have together, in bytes as JSON text.
pub const PARKED_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Decisions about changes that waited that are remembered for whoever decides too late.
pub const DECIDED_KEPT: usize = 256;
/// Items of a list that the environment can say one by one.
pub const ENVIRONMENT_ITEMS_MAX: u32 = 1_000;
/// Keys of a map whose origin one explanation tells.
pub const EXPLAINED_KEYS_MAX: usize = 200;
/// Places of one document that have a way of their own to answer conflicts.
pub const CONFLICT_PLACES_MAX: usize = 1_000;
/// Changes in one answer about the history of a document.
pub const HISTORY_CHANGES_MAX: usize = 1_000;
/// Changes of one document that are kept beside the log, in bytes as JSON text; the oldest go first.
pub const CONFIG_HISTORY_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Documents whose changes are in the log while the program does not have their type.
pub const UNLINKED_DOCUMENTS_MAX: usize = 1_000;
/// Largest key of a table, in bytes as JSON text.
pub const TABLE_KEY_BYTES_MAX: usize = 1024;
/// Largest value of a table, in bytes as JSON text; with its key it fits one event.
pub const TABLE_VALUE_BYTES_MAX: usize = 512 * 1024;
/// Entries of one table.
pub const TABLE_ENTRIES_MAX: usize = 1_000_000;
/// Entries in one answer about a table.
pub const TABLE_ANSWER_ENTRIES_MAX: usize = 10_000;
/// Tables whose changes are in the log while the program does not have their types.
pub const UNLINKED_TABLES_MAX: usize = 1_000;
/// Steps from one schema of events to the next that a program may have.
pub const UPCASTERS_MAX: usize = 1_000;
/// Failures of one type and schema whose positions a check of the history tells; further ones are counted.
pub const HISTORY_FAILURES_TOLD: usize = 10;
/// Persons who may have a key of their own.
pub const SUBJECTS_MAX: usize = 1_000_000;
/// Rules that say what of events is personal.
pub const PERSONAL_RULES_MAX: usize = 1_000;
/// Records that are looked at to count the events of a person who is forgotten.
pub const FORGOTTEN_RECORDS_MAX: usize = 1_000_000;
/// Types of events that a certificate of forgetting counts one by one.
pub const FORGOTTEN_TYPES_MAX: usize = 10;
/// Longest subject of personal fields, in bytes.
pub const SUBJECT_BYTES_MAX: usize = 512;
/// Longest metric name, in bytes.
pub const METRIC_NAME_BYTES_MAX: usize = 255;
/// Labels on one series.
pub const METRIC_LABELS_MAX: usize = 32;
/// Longest label name or label value, in bytes.
pub const METRIC_LABEL_BYTES_MAX: usize = 256;
/// Metrics (names) in one registry.
pub const METRICS_MAX: usize = 10_000;
/// Bytes that wait for the journal's writer before appends have to wait.
pub const JOURNAL_PENDING_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Raw bytes after which a block of an archived segment ends; what is read of it is read as blocks.
pub const ARCHIVE_BLOCK_BYTES: usize = 128 * 1024;
/// Raw bytes of a segment that can be archived.
pub const ARCHIVE_SEGMENT_BYTES_MAX: usize = 256 * 1024 * 1024;
/// Bytes of blocks that are kept as they were read, for all archived segments together.
pub const ARCHIVE_CACHE_BYTES: usize = 4 * 1024 * 1024;
/// Segments of one archive.
pub const ARCHIVED_SEGMENTS_MAX: usize = 10_000;
