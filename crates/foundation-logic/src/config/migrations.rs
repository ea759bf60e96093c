//! How what was logged with an earlier schema of a document becomes what the present one means.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use foundation_types::limits::MIGRATION_STEPS_MAX;
use foundation_types::value::{from_value, to_value};
use foundation_types::{Document, Error, ErrorKind, Path, Result, Value};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::evolution::Evolution;

/// What is made of a value; an error says why nothing can be made of it.
pub(super) type Transform = Arc<dyn Fn(Value) -> Result<Value> + Send + Sync>;

/// The migrations of a document, one for each version of its schema after the first.
///
/// They are given what was set, never a default: a field that nobody has set has the default that
/// the type has now. They are pure, and run when a store is opened that was written with an earlier
/// schema, and whenever a version from that time is read.
///
/// ```
/// use foundation_logic::config::Migrations;
/// use foundation_types::Document;
/// # use serde::{Deserialize, Serialize};
/// # use validator::Validate;
/// # #[derive(Clone, Debug, Default, Serialize, Deserialize, Validate)]
/// struct Shop {
///     rate_limit: u32,
///     timeout_ms: u64,
/// }
/// # impl Document for Shop {
/// #     const NAME: &'static str = "shop";
/// #     const SCHEMA: u32 = 3;
/// # }
///
/// let migrations = Migrations::<Shop>::new()
///     .to(2, |m| m.rename("limits.rate", "rate_limit").removed("limits"))
///     .to(3, |m| {
///         m.rename("timeout_s", "timeout_ms")
///             .transform("timeout_ms", |seconds: u64| Ok(seconds * 1_000))
///     });
/// assert!(migrations.evolution().is_ok());
/// ```
pub struct Migrations<T> {
    steps: Vec<(u32, Migration)>,
    of: PhantomData<fn() -> T>,
}

/// What one version of a schema calls or means otherwise than the one before. Its steps are made one
/// after the other.
#[derive(Clone, Default)]
pub struct Migration {
    pub(super) moves: Vec<Move>,
    /// Why it cannot be made, whatever was logged.
    wrong: Option<Error>,
}

/// One step of a migration.
#[derive(Clone)]
pub(super) enum Move {
    To { from: Path, to: Path },
    Away(Path),
    Transform(Path, Transform),
    Default(Path, Value),
}

impl Move {
    /// The places that it changes something at.
    pub(super) fn places(&self) -> Vec<&Path> {
        match self {
            Self::To { from, to } => vec![from, to],
            Self::Away(path) | Self::Transform(path, _) | Self::Default(path, _) => vec![path],
        }
    }
}

impl<T: Document> Migrations<T> {
    /// None: a document whose schema is the first.
    #[must_use]
    pub fn new() -> Self {
        Self { steps: Vec::new(), of: PhantomData }
    }

    /// And what leads from the schema before this one to it.
    #[must_use]
    pub fn to(mut self, schema: u32, migration: impl FnOnce(Migration) -> Migration) -> Self {
        self.steps.push((schema, migration(<Migration as Default>::default())));
        self
    }

    /// All of them in order, if they fit together and the document.
    ///
    /// # Errors
    /// `MigrationFailed` if they are not in order, one comes twice or lies outside of 2 to the schema of
    /// the document, or there are too many steps; `InvalidPath` for text that is no path.
    pub fn evolution(self) -> Result<Evolution> {
        let named = |error: Error| error.with("document", T::NAME);
        let mut before = 1;
        let mut count = 0;
        for (schema, migration) in &self.steps {
            if *schema <= before || *schema > T::SCHEMA {
                let message = format!(
                    "a migration of document {:?} leads to schema {schema}: expected one after \
                     {before} and up to {}, the schema of its type",
                    T::NAME,
                    T::SCHEMA
                );
                return Err(Error::new(ErrorKind::MigrationFailed, message));
            }
            if let Some(wrong) = &migration.wrong {
                return Err(named(wrong.clone()).with("schema", schema));
            }
            before = *schema;
            count += migration.moves.len();
        }
        if count > MIGRATION_STEPS_MAX {
            let message =
                format!("the migrations have {count} steps, the limit is {MIGRATION_STEPS_MAX}");
            return Err(named(Error::new(ErrorKind::MigrationFailed, message)));
        }
        Ok(Evolution::of::<T>(self.steps))
    }
}

impl<T: Document> Default for Migrations<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> fmt::Debug for Migrations<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let schemas = self.steps.iter().map(|(schema, _)| schema);
        out.debug_list().entries(schemas).finish()
    }
}

impl Migration {
    /// What was set at `from` is now called `to`; both are paths from the root. It is the same as
    /// [`Migration::moved`], and says that only the name is another one.
    #[must_use]
    pub fn rename(self, from: &str, to: &str) -> Self {
        self.moved(from, to)
    }

    /// What was set at or in `from` is now at or in `to`, in place of what is there. A secret is moved as
    /// it is. What becomes empty around `from` is gone.
    #[must_use]
    pub fn moved(self, from: &str, to: &str) -> Self {
        let moved = Self::paths(from, to).map(|(from, to)| Move::To { from, to });
        self.and(moved)
    }

    /// What was set at or in a path counts no more.
    #[must_use]
    pub fn removed(self, path: &str) -> Self {
        let path = path_of(path);
        self.and(path.map(Move::Away))
    }

    /// What was set at a path is now what the function makes of it; where something was set inside of it
    /// only, it is given a map of just that. It is read as any type that the value fits, a [`Value`] if
    /// it may be anything. A secret has no value to give to it: it fails.
    #[must_use]
    pub fn transform<V: DeserializeOwned, W: Serialize>(
        self,
        path: &str,
        transform: impl Fn(V) -> Result<W> + Send + Sync + 'static,
    ) -> Self {
        let path = path_of(path);
        let transform = move |value| to_value(&transform(from_value(&value)?)?);
        self.and(path.map(|path| Move::Transform(path, Arc::new(transform))))
    }

    /// Where nothing was set at a path, this is set: what was usual until now stays usual for a store
    /// that was written until now.
    #[must_use]
    pub fn default(self, path: &str, value: impl Into<Value>) -> Self {
        let path = path_of(path);
        self.and(path.map(|path| Move::Default(path, value.into())))
    }

    fn paths(from: &str, to: &str) -> Result<(Path, Path)> {
        let (from, to) = (path_of(from)?, path_of(to)?);
        if from.overlaps(&to) {
            let message = format!("\"{from}\" cannot be moved to \"{to}\": one lies in the other");
            return Err(Error::new(ErrorKind::MigrationFailed, message));
        }
        Ok((from, to))
    }

    fn and(mut self, step: Result<Move>) -> Self {
        match step {
            Ok(step) => self.moves.push(step),
            Err(error) => drop(self.wrong.get_or_insert(error)),
        }
        self
    }
}

impl fmt::Debug for Migration {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Migration").field("steps", &self.moves.len()).finish_non_exhaustive()
    }
}

/// A path of named places only: an item of a list has no name of its own.
fn path_of(text: &str) -> Result<Path> {
    use foundation_types::path::Segment;
    let path: Path = text.parse()?;
    let is_key = |segment: &Segment| matches!(segment, Segment::Key(_));
    if path.is_root() || !path.segments().iter().all(is_key) {
        let message = format!(
            "\"{text}\" cannot be migrated by itself: name a place without an index, and transform \
             the list"
        );
        return Err(Error::new(ErrorKind::MigrationFailed, message));
    }
    Ok(path)
}
