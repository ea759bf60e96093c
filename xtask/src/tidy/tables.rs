//! The tables that the checks read: which crate may know what, and how large things may get.
//!
//! A new third-party package gets its place here and its reason in `docs/dependencies.md`.

/// Where this table is, for messages.
pub(crate) const HERE: &str = "xtask/src/tidy/tables.rs";

/// Which of Foundation's own crates a layer may use.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Every layer below.
    Below,
    /// The facade alone: what it does not offer is missing there.
    Facade,
}

/// One crate of the stack.
pub(crate) struct Layer {
    pub(crate) package: &'static str,
    pub(crate) reach: Reach,
    /// Third-party packages that it may use outside tests, by the names they have where they are
    /// published.
    pub(crate) third_party: &'static [&'static str],
}

/// The stack, lowest layer first: a layer may use those before it.
pub(crate) const LAYERS: &[Layer] = &[
    Layer {
        package: "foundation-macros",
        reach: Reach::Below,
        third_party: &["proc-macro2", "quote", "syn"],
    },
    Layer {
        package: "foundation-types",
        reach: Reach::Below,
        third_party: &[
            "imbl",
            "jiff",
            "serde",
            "serde_json",
            "thiserror",
            "uuid",
            "validator",
            "zeroize",
        ],
    },
    Layer {
        package: "foundation-validate",
        reach: Reach::Below,
        third_party: &[
            "granit-parser",
            "imbl",
            "jiff",
            "serde",
            "serde_json",
            "strsim",
            "thiserror",
            "toml",
            "uuid",
            "validator",
        ],
    },
    Layer { package: "foundation-logic", reach: Reach::Below, third_party: &["imbl", "serde"] },
    Layer {
        package: "foundation-store",
        reach: Reach::Below,
        third_party: &[
            "arc-swap",
            "async-trait",
            "chacha20poly1305",
            "crc32c",
            "hmac",
            "imbl",
            "rustix",
            "serde",
            "serde_json",
            "sha2",
            "siphasher",
            "tokio",
            "zeroize",
            "zstd",
        ],
    },
    Layer {
        package: "foundation-services",
        reach: Reach::Below,
        third_party: &[
            "arc-swap",
            "async-trait",
            "imbl",
            "rustix",
            "serde",
            "serde_json",
            "tokio",
            "tracing",
            "tracing-subscriber",
            "validator",
            "zeroize",
        ],
    },
    Layer { package: FACADE, reach: Reach::Below, third_party: &["tracing-subscriber"] },
    Layer {
        package: "foundation-cli",
        reach: Reach::Facade,
        third_party: &[
            "clap",
            "indicatif",
            "rustix",
            "serde",
            "serde_json",
            "tokio",
            "tracing",
            "tracing-subscriber",
        ],
    },
    Layer {
        package: "foundation-export-http",
        reach: Reach::Facade,
        third_party: &["http-body-util", "hyper", "hyper-util", "serde_json", "tokio"],
    },
];

/// The one crate that applications name.
pub(crate) const FACADE: &str = "foundation";

/// Features of a package that are all a layer may switch on. The store waits for its lane, and
/// has no runtime.
pub(crate) const FEATURES: &[(&str, &str, &[&str])] = &[("foundation-store", "tokio", &["sync"])];

/// Third-party packages that the tests and benches of every layer may use.
pub(crate) const FOR_TESTS: &[&str] = &[
    "criterion",
    "insta",
    "jiff",
    "loom",
    "proptest",
    "serde",
    "serde_json",
    "shuttle",
    "tempfile",
    "tokio",
    "toml",
    "tracing",
    "trybuild",
    "validator",
];

/// Members beside the stack, with the third-party packages that they may use. No layer uses them.
pub(crate) const TOOLS: &[(&str, &[&str])] = &[("foundation-benches", BENCHES), ("xtask", XTASK)];

/// Measurements stand beside the bare operations that they are compared with.
const BENCHES: &[&str] =
    &["arc-swap", "criterion", "serde", "serde_json", "tempfile", "tokio", "validator"];

/// The checks build without the crates that they check.
const XTASK: &[&str] = &["proc-macro2", "serde_json", "syn", "toml"];

/// Crates that compute from their arguments only.
pub(crate) const PURE: &[&str] =
    &["crates/foundation-types/", "crates/foundation-validate/", "crates/foundation-logic/"];

/// What a pure crate may not name outside its tests, and what it takes instead. Everything below
/// a path is meant with it. The `clippy.toml` of these crates says the same to the compiler,
/// which also sees through methods and aliases.
pub(crate) const IMPURE: &[(&str, &str)] = &[
    ("jiff::Timestamp::now", CLOCK),
    ("jiff::Zoned::now", CLOCK),
    ("jiff::tz::TimeZone::system", ENVIRONMENT),
    ("std::env", ENVIRONMENT),
    ("std::fs", FILES),
    ("std::io::stderr", FILES),
    ("std::io::stdin", FILES),
    ("std::io::stdout", FILES),
    ("std::net", FILES),
    ("std::os", FILES),
    ("std::process", FILES),
    ("std::sync::Barrier", LOCK),
    ("std::sync::Condvar", LOCK),
    ("std::sync::Mutex", LOCK),
    ("std::sync::RwLock", LOCK),
    ("std::sync::mpsc", LOCK),
    ("std::thread", THREAD),
    ("std::time::Instant", CLOCK),
    ("std::time::SystemTime", CLOCK),
    ("uuid::Uuid::new_v4", RANDOM),
    ("uuid::Uuid::now_v1", CLOCK),
    ("uuid::Uuid::now_v6", CLOCK),
    ("uuid::Uuid::now_v7", CLOCK),
];

const CLOCK: &str = "take the time as an argument; clocks are read in store and services";
const ENVIRONMENT: &str = "take the setting as an argument; the caller knows its surroundings";
const FILES: &str = "take the bytes as an argument; files, pipes and sockets begin in store";
const LOCK: &str = "return the next value instead; what is shared and changes lives in store";
const RANDOM: &str = "take the id as an argument; randomness is drawn in store and services";
const THREAD: &str = "compute in place; threads begin in store";

/// Lines of a file without its inline tests.
pub(crate) const FILE_LINES_MAX: usize = 500;

/// Lines of a function, from `fn` to its closing brace.
pub(crate) const FUNCTION_LINES_MAX: usize = 70;

/// Names that say nothing of what is inside; as a whole, or as the last word of a longer name.
pub(crate) const EMPTY_NAMES: &[&str] = &[
    "common", "handler", "handlers", "helper", "helpers", "manager", "managers", "misc", "util",
    "utils",
];
