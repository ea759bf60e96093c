//! Where the values of a document come from before anything is set at run time.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use foundation_logic::config::{Layers, on};
use foundation_types::config::Origin;
use foundation_types::{Document, Error, ErrorKind, Problem, Result, Value};
use foundation_validate::config::{Said, environment, stored, variable_of_two};
use foundation_validate::parse::FileFormat;

use super::file_bytes::{Looked, look_at};

/// The sources of a document, weakest first: its defaults, then each in the order it is named.
///
/// What is set at run time wins over all of them, until it is unset.
///
/// ```
/// use foundation_services::config::Sources;
///
/// // shop.toml has to be there, shop.prod.toml and local.json may be; SHOP_RATE_LIMIT wins.
/// let sources = Sources::defaults()
///     .file("shop.toml")
///     .optional_file("local.json")
///     .env("SHOP")
///     .profile("prod");
/// # let _ = sources;
/// ```
#[derive(Clone, Debug)]
pub struct Sources {
    named: Vec<Named>,
    profile: Option<String>,
    unknown: Unknown,
    look_every: Option<Duration>,
}

impl Default for Sources {
    fn default() -> Self {
        let (profile, unknown) = (None, Unknown::default());
        Self { named: Vec::new(), profile, unknown, look_every: Some(Duration::from_secs(1)) }
    }
}

#[derive(Clone, Debug)]
enum Named {
    File { path: PathBuf, required: bool },
    Environment { prefix: String },
}

/// What becomes of a key or variable that the document does not have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unknown {
    /// The document is refused.
    #[default]
    Refuse,
    /// It is left out, and a line in the log tells of it.
    Warn,
}

impl Sources {
    /// What the code says, and nothing else.
    #[must_use]
    pub fn defaults() -> Self {
        Self::default()
    }

    /// And a file that has to be there: TOML, JSON or, with the feature `yaml`, YAML 1.2, by its extension,
    /// of at most 1 MiB.
    #[must_use]
    pub fn file(self, path: impl Into<PathBuf>) -> Self {
        self.and(Named::File { path: path.into(), required: true })
    }

    /// And a file that may be there.
    #[must_use]
    pub fn optional_file(self, path: impl Into<PathBuf>) -> Self {
        self.and(Named::File { path: path.into(), required: false })
    }

    /// And the variables of the environment that begin with this prefix and `_`. Their names follow
    /// from the fields: `payment.api_key` behind the prefix `SHOP` is `SHOP_PAYMENT__API_KEY`.
    #[must_use]
    pub fn env(self, prefix: impl Into<String>) -> Self {
        self.and(Named::Environment { prefix: prefix.into() })
    }

    /// With a profile: beside each file, and stronger than it, counts the one that has the profile
    /// before its extension, if there is one: `shop.prod.toml` beside `shop.toml`.
    #[must_use]
    pub fn profile(mut self, profile: impl Into<String>) -> Self {
        self.profile = Some(profile.into());
        self
    }

    /// What becomes of keys and variables that the document does not have.
    #[must_use]
    pub fn unknown(mut self, unknown: Unknown) -> Self {
        self.unknown = unknown;
        self
    }

    /// How often it is looked whether a file says something else, 1 s by default. Where the system tells
    /// of changes it is looked at once, and this is for what it does not tell of. What counts is the
    /// content behind the name, so that it is no matter how it came there: written in place, by a
    /// rename, or by a change of the directory that a link on the way leads to.
    #[must_use]
    pub fn look_every(mut self, interval: Duration) -> Self {
        self.look_every = Some(interval.max(Duration::from_millis(10)));
        self
    }

    /// Files are read at the start and by `reload` only.
    #[must_use]
    pub fn unwatched(mut self) -> Self {
        self.look_every = None;
        self
    }

    /// How often it is to be looked; never without files.
    pub(crate) fn interval(&self) -> Option<Duration> {
        self.look_every.filter(|_| self.has_files())
    }

    /// A mark of what the files say now, how long they are and when they were written: another one
    /// once any of it is something else.
    pub(crate) fn mark(&self) -> u64 {
        let mut mark = DefaultHasher::new();
        for path in self.files() {
            match look_at(&path, false) {
                Ok(looked) => looked.hash(&mut mark),
                Err(error) => error.message().hash(&mut mark),
            }
        }
        mark.finish()
    }

    /// Every file that is looked at, whether or not it is there.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        for named in &self.named {
            let Named::File { path, .. } = named else { continue };
            files.push(path.clone());
            files.extend(self.beside(path).ok().flatten());
        }
        files
    }

    /// Whether there is none but the code.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.named.is_empty()
    }

    /// Whether one of them is a file.
    #[must_use]
    pub fn has_files(&self) -> bool {
        self.named.iter().any(|one| matches!(one, Named::File { .. }))
    }

    fn and(mut self, named: Named) -> Self {
        self.named.push(named);
        self
    }

    /// What they say now. The rules of the document over the whole are not asked yet.
    ///
    /// # Errors
    /// Every problem of every source at once, each with where it is written: files that cannot be
    /// read or break the grammar, values that do not fit their fields, unknown keys and variables.
    pub fn read<T: Document>(&self, defaults: &Value) -> Result<Layers> {
        if let Some((one, other)) = variable_of_two::<T>() {
            let message = format!("the fields \"{one}\" and \"{other}\" have the same variable");
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        let mut reading = Reading { said: Vec::new(), found: Vec::new(), warned: Vec::new() };
        for named in &self.named {
            match named {
                Named::File { path, required } => {
                    reading.file::<T>(path, *required, self.unknown, defaults);
                    if let Some(beside) = self.beside(path)? {
                        reading.file::<T>(&beside, false, self.unknown, defaults);
                    }
                }
                Named::Environment { prefix } => {
                    reading.environment::<T>(prefix, self.unknown, defaults)
                }
            }
        }
        for problem in &reading.warned {
            tracing::warn!(document = T::NAME, "{problem}");
        }
        let mut found = reading.found;
        let layers = Layers::new::<T>(defaults.clone(), reading.said);
        if found.is_empty() {
            return Ok(layers);
        }
        // What can be read may break a rule of the document beside.
        if let Err(broken) = stored::<T>(layers.tree(), &[]) {
            let broken = layers.placed::<T>(broken);
            let is_new = |problem: &&Problem| found.iter().all(|one| one.path != problem.path);
            let new: Vec<_> = broken.problems().iter().filter(is_new).cloned().collect();
            found.extend(new);
        }
        Err(Error::of_problems(found).with("document", T::NAME))
    }

    /// The file of the profile beside this one.
    fn beside(&self, path: &FilePath) -> Result<Option<PathBuf>> {
        let Some(profile) = &self.profile else { return Ok(None) };
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if profile.is_empty() || profile.len() > 64 || !profile.bytes().all(allowed) {
            let message = "the name of a profile is 1 to 64 bytes of A-Z a-z 0-9 _ -";
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        let extension = path.extension().unwrap_or_default().to_string_lossy();
        Ok(Some(path.with_extension(format!("{profile}.{extension}"))))
    }
}

/// What was read so far, what is wrong with it, and what is only told.
struct Reading {
    said: Vec<Said>,
    found: Vec<Problem>,
    warned: Vec<Problem>,
}

impl Reading {
    fn file<T: Document>(
        &mut self,
        path: &FilePath,
        required: bool,
        unknown: Unknown,
        defaults: &Value,
    ) {
        let name = path.display().to_string();
        let read = FileFormat::of(path).and_then(|format| {
            let Some(Looked { bytes, .. }) = look_at(path, required)? else { return Ok(None) };
            Said::by_file(&name, bytes, format).map(Some)
        });
        match read {
            Ok(None) => {}
            Ok(Some(said)) => self.keep::<T>(said, unknown, defaults),
            Err(error) => self.found.push(unreadable(&name, &error)),
        }
    }

    fn environment<T: Document>(&mut self, prefix: &str, unknown: Unknown, defaults: &Value) {
        let told = environment::<T>(prefix, std::env::vars_os());
        self.found.extend(told.wrong);
        self.tell(told.unknown, unknown);
        self.keep::<T>(told.said, unknown, defaults);
    }

    /// Keeps what a source says, without the keys that are only told of.
    fn keep<T: Document>(&mut self, said: Said, unknown: Unknown, defaults: &Value) {
        let said = said.with_secrets::<T>();
        let misfits = said.misfits::<T>(&on::<T>(defaults, &said));
        let (unknown_keys, wrong): (Vec<_>, Vec<_>) =
            misfits.into_iter().partition(|problem| problem.kind == ErrorKind::UnknownKey);
        let without = unknown_keys.iter().filter_map(|problem| problem.path.parse().ok());
        let said = match unknown {
            Unknown::Warn => without.fold(said, |said, path| said.without(&path)),
            Unknown::Refuse => said,
        };
        self.tell(unknown_keys, unknown);
        self.found.extend(wrong);
        self.said.push(said);
    }

    fn tell(&mut self, problems: Vec<Problem>, unknown: Unknown) {
        match unknown {
            Unknown::Refuse => self.found.extend(problems),
            Unknown::Warn => self.warned.extend(problems),
        }
    }
}

/// A file that could not be read, as a problem with its place.
fn unreadable(name: &str, error: &Error) -> Problem {
    let context = |wanted: &str| {
        let number = error.context().iter().find(|(key, _)| key == wanted);
        number.and_then(|(_, number)| number.parse().ok()).unwrap_or(0)
    };
    let (line, column) = (context("line"), context("column"));
    let origin = Origin::File { file: name.to_owned(), line, column };
    Problem::new(error.kind(), "", error.message()).at(origin)
}

/// The names of the sources that say something else than before.
pub(super) fn changed(before: &Arc<Layers>, after: &Layers) -> Vec<String> {
    let of = |layers: &Layers| layers.said().to_vec();
    let (before, after) = (of(before), of(after));
    let mut names: Vec<String> = Vec::new();
    for one in before
        .iter()
        .filter(|one| !after.contains(one))
        .chain(after.iter().filter(|one| !before.contains(one)))
    {
        let name = one.name().to_owned();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// Files that have nothing in them and had values before: whoever writes them may not be done.
pub(super) fn emptied(before: &Layers, after: &Layers) -> Vec<Problem> {
    let had_values = |one: &Said| {
        let mut before = before.said().iter().filter(|said| said.name() == one.name());
        before.any(|said| *said.tree() != Value::empty_map())
    };
    let empty = after.said().iter().filter(|one| one.is_empty_file() && had_values(one));
    let problem = |one: &Said| {
        Problem::new(ErrorKind::EmptyFile, "", "the file is empty, and had values before")
            .at(Origin::file(one.name()))
    };
    empty.map(problem).collect()
}
