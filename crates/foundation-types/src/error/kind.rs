//! The table of error kinds: the only place where codes and advice are written.

use serde::{Deserialize, Serialize};

/// The family of an error: what a caller branches on first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// The call or the command was put wrongly.
    Usage,
    /// The data may not enter.
    Validation,
    /// Somebody else was first.
    Conflict,
    /// What was asked for does not exist.
    NotFound,
    /// Stored bytes are not what was written.
    Corruption,
    /// The service cannot answer now.
    Unavailable,
    /// The write may or may not have been applied.
    Indeterminate,
    /// The caller may not do this.
    Denied,
    /// A defect of Foundation or of its surroundings.
    Internal,
}

/// How bad an error is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Warning,
    /// The operation failed, the system is well.
    Error,
    /// The system needs a person.
    Critical,
}

/// Whether the same call can succeed later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Retry {
    /// It cannot: change the call.
    Never,
    /// It can: nothing was applied, try again after a pause.
    Later,
    /// It can, once the caller has read the newer state.
    AfterRefresh,
    /// Look first whether it was applied: by idempotency key, version or position.
    AfterLookup,
    /// It can, once a person has acted.
    AfterRepair,
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct KindRow {
    /// The kind that the row describes.
    pub kind: ErrorKind,
    /// Stable code; dotted where a subcategory exists.
    pub code: &'static str,
    /// Family.
    pub category: Category,
    /// Part of the system or of the input that it is about.
    pub subcategory: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// Whether the same call can succeed later.
    pub retry: Retry,
    /// What to do next.
    pub advice: &'static str,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident $code:literal $category:ident $subcategory:literal
        $severity:ident $retry:ident $advice:literal;)*) => {
        /// What kind of error it is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum ErrorKind {
            $($(#[$doc])* #[serde(rename = $code)] $name,)*
        }

        impl ErrorKind {
            /// Every kind, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The row of this kind.
            #[must_use]
            pub const fn row(self) -> &'static KindRow {
                match self {
                    $(Self::$name => &KindRow {
                        kind: Self::$name,
                        code: $code,
                        category: Category::$category,
                        subcategory: $subcategory,
                        severity: Severity::$severity,
                        retry: Retry::$retry,
                        advice: $advice,
                    },)*
                }
            }
        }
    };
}

kinds! {
    /// An argument makes no sense.
    InvalidArgument "invalid_argument" Usage "call" Error Never
        "correct the argument that the message names";
    /// A path breaks the grammar or a limit.
    InvalidPath "invalid_path" Validation "path" Error Never
        "write a path as a.b[0].c with at most 64 parts of A-Z a-z 0-9 _ -";
    /// Text is not the format that it should be.
    Malformed "malformed" Validation "format" Error Never
        "send well-formed text in UTF-8, without repeated keys; the message names the format";
    /// Input is larger or deeper than a limit.
    TooLarge "too_large" Validation "limit" Error Never
        "send less; the message names the limit";
    /// A key that the document does not have.
    UnknownKey "config.unknown_key" Validation "config" Error Never
        "use a key of the document; `config get` lists them";
    /// A value of another type than the field has.
    WrongType "config.wrong_type" Validation "config" Error Never
        "send a value of the expected type";
    /// A value that breaks a rule of the document.
    OutOfRange "config.out_of_range" Validation "config" Error Never
        "send a value in the expected range";
    /// Data that breaks another rule.
    Invalid "invalid" Validation "rule" Error Never
        "correct what the problems name";
    /// An event of a type that only Foundation records.
    ReservedType "event.reserved_type" Validation "event" Error Never
        "choose a type that does not begin with \"foundation.\"";
    /// The id of a stored event came with another body.
    IdReused "event.id_reused" Conflict "event" Error Never
        "give a new event a new id; an event once stored is never replaced";
    /// The version is not the one that was expected.
    VersionConflict "version_conflict" Conflict "version" Error AfterRefresh
        "read the newer version, decide again, and send its number";
    /// An event is there that the append was not to find.
    ConditionFailed "event.condition_failed" Conflict "event" Error AfterRefresh
        "look at the events that the error carries, decide again, and append past the last of them";
    /// The version is not the one that was expected, and the change waits for somebody to decide.
    Parked "config.parked" Conflict "config" Error Never
        "decide about it with `config resolve`; `config conflicts` lists what waits";
    /// So many changes wait for somebody to decide that no further one may.
    ParkedFull "config.parked_full" Conflict "config" Error Later
        "decide about some of those that wait with `config resolve`";
    /// A change would make defaults current where files or the environment say something else, which
    /// this program was not given.
    NoSources "config.no_sources" Usage "config" Error Never
        "make the change through the application that has its files and environment, or say that the defaults are meant (`--defaults`)";
    /// A file that had values is empty now: whoever writes it may not be done.
    EmptyFile "config.empty_file" Validation "config" Error Later
        "write what the file is to say; an empty file is taken when the application starts";
    /// A JSON patch tests for another value than is there.
    TestFailed "config.test_failed" Conflict "config" Error AfterRefresh
        "read the document as it is now, and send a patch that fits it";
    /// A secret cannot be kept, because there is no key to seal it with.
    NoSealingKey "config.no_sealing_key" Validation "config" Error Never
        "start the application with its sealing key; a secret of a document may also stand in a file or the environment";
    /// A secret is needed whose content is not known here.
    SecretUnknown "config.secret_unknown" Validation "config" Error Never
        "give the secret itself: what is shown in its place does not stand for it here";
    /// A sealed secret cannot be opened.
    SecretSealed "config.secret_sealed" Unavailable "config" Critical AfterRepair
        "start the application with the key that sealed the secret";
    /// What was logged of a document is of a newer schema than the program has.
    NewerSchema "config.newer_schema" Unavailable "config" Critical Never
        "start the newer program, or one that has the type with that schema; nothing was changed";
    /// What was logged of a document cannot be brought to the schema that the program has.
    MigrationFailed "config.migration_failed" Validation "config" Error Never
        "correct the migration of the document that the message names; nothing was changed";
    /// Somebody who is asked before each change refused this one.
    Vetoed "config.vetoed" Validation "config" Error Never
        "read the reason, and change what it names or ask whoever refused it";
    /// A change that was asked for by whoever is just being asked about another one.
    WithinVeto "config.within_veto" Usage "config" Error Never
        "make the change after the veto has answered: until then no other one is made";
    /// What was asked for does not exist.
    NotFound "not_found" NotFound "lookup" Error Never
        "check the name or the id";
    /// It existed and was let go of by a limit or by retention.
    Compacted "compacted" NotFound "retention" Error Never
        "ask for something newer; the message names the oldest that is kept";
    /// An event lived as long as the settings say. It is hidden, and its place is freed in time.
    Expired "event.expired" NotFound "retention" Error Never
        "events.ttl says how long events live; raise it if the event is needed";
    /// Stored bytes do not match their checksum, chain or identity.
    Corruption "corruption" Corruption "journal" Critical AfterRepair
        "keep the directory as it is, run `foundation verify`, and restore from a backup";
    /// Data that was acked is not there.
    AckedDataMissing "corruption.acked_data_missing" Corruption "journal" Critical AfterRepair
        "keep the directory as it is: `foundation repair --dry-run` tells what is missing and can be mended; otherwise restore from a backup";
    /// A file of another store, or an older copy of a file.
    ForeignFile "corruption.foreign_file" Corruption "journal" Critical AfterRepair
        "put back the file that belongs here";
    /// A format version that this program does not know.
    UnknownFormat "unknown_format" Corruption "format" Critical Never
        "open the directory with the newer program that wrote it; nothing was changed";
    /// Another process owns the directory.
    Locked "locked" Unavailable "lock" Error Later
        "end the process that owns the directory or wait for it";
    /// The journal refuses writes after a failed write or sync.
    Fenced "fenced" Unavailable "journal" Critical AfterRepair
        "reads go on; restart the process to verify and reopen the journal";
    /// There is no space for the write; nothing was applied.
    DiskFull "disk_full" Unavailable "disk" Critical Later
        "free space on the disk; nothing was applied";
    /// A file of the archive is not where it should be.
    ArchiveMissing "archive_missing" Unavailable "archive" Error AfterRepair
        "put the named file back, or mount the directory of the archive; what is not in it is read as before";
    /// The disk refused an operation; nothing was applied.
    Disk "disk" Unavailable "disk" Error Later
        "look at the cause: permissions, a missing directory, a failing disk";
    /// The service is not running or is stopping.
    Unavailable "unavailable" Unavailable "service" Error Later
        "try again when the service is up";
    /// The store was opened for reading.
    ReadOnly "read_only" Unavailable "service" Error Never
        "open the store for writing";
    /// It took longer than its limit.
    Timeout "timeout" Unavailable "deadline" Error Later
        "ask for less, or raise interface.query_timeout_ms";
    /// A buffer is full and its policy is to reject.
    BufferFull "event.buffer_full" Unavailable "event" Error Later
        "slow down, or raise events.buffer.max_events or events.buffer.max_bytes";
    /// A setting says that the event is dropped: a policy of a full buffer, or a rule. It was counted.
    EventDropped "event.dropped" Validation "event" Warning Never
        "the event was dropped as the setting that the error names says, and counted";
    /// A stage of the application's panicked, or did to an event what no stage may.
    StageFailed "event.stage_failed" Internal "event" Error Never
        "correct the stage that the message names; only this event was refused";
    /// An old event could not be brought to the newest schema of its type.
    UpcastFailed "event.upcast_failed" Unavailable "event" Error AfterRepair
        "correct the upcaster that the message names; `foundation events check` tells of all such events";
    /// The schema of an event is newer than what the program knows of its type.
    NewerEventSchema "event.newer_schema" Unavailable "event" Error AfterRepair
        "read the event with the newer program that appended it, or take newer schemas as they are";
    /// The write may or may not have been applied.
    Indeterminate "indeterminate" Indeterminate "journal" Critical AfterLookup
        "look for the event by its id, or for the change by its version, before sending it again";
    /// The caller may not do this.
    Denied "denied" Denied "access" Error Never
        "ask as the user who owns the node";
    /// A defect of Foundation.
    Internal "internal" Internal "defect" Critical Never
        "report it with the message; nothing else is known to be affected";
}

impl std::fmt::Display for ErrorKind {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.row().code)
    }
}
