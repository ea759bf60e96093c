//! What of an application's events is personal: what the builder is told of it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use foundation_services::event::{PersonalRule, SubjectIn, Vault, VaultParts};
use foundation_store::config::Seals;
use foundation_store::disk::{Disk, Files, MemoryDisk};
use foundation_store::event::EventLog;
use foundation_store::journal::{Journal, Mode};
use foundation_types::event::{EventData, PersonalField};
use foundation_types::{Error, ErrorKind, Result, TypePattern};

use crate::builder::Builder;

/// Rules of personal fields on their way from the builder to the event store.
#[derive(Default)]
pub(crate) struct Personal {
    rules: Vec<Result<PersonalRule>>,
    keys: Option<PathBuf>,
}

impl Personal {
    /// What a type of event declares of itself.
    pub(crate) fn declare<T: EventData>(&mut self) {
        let paths = PersonalField::paths(T::PERSONAL);
        if !paths.is_empty() {
            self.rules.push(rule_of::<T>(&paths));
        }
    }

    /// Opens the keys of persons; nothing if there can be none.
    pub(crate) async fn open(
        self,
        directory: Option<&Path>,
        mode: Mode,
        seals: Arc<Seals>,
        journal: &dyn Journal,
        log: &EventLog,
    ) -> Result<Option<Arc<Vault>>> {
        let rules = self.rules.into_iter().collect::<Result<Vec<_>>>()?;
        if rules.is_empty() && !seals.can_seal() {
            return Ok(None);
        }
        let disk: Arc<dyn Disk> = match (directory, mode) {
            (None, _) => Arc::new(MemoryDisk::default()),
            (Some(directory), mode) => {
                let place = self.keys.map_or_else(|| beside(directory), Ok)?;
                // Where nothing is personal, no directory is made for keys.
                if !place.exists() && (rules.is_empty() || mode != Mode::Write) {
                    return Ok(None);
                }
                Arc::new(files(&place, mode)?)
            }
        };
        let parts = VaultParts { rules, disk, seals, journal, log, mode };
        Vault::open_in(parts).await.map(Some)
    }
}

impl Builder {
    /// With fields of these events that are personal: each is sealed before it is appended, under a
    /// key of its subject, which [`EventStore::forget`](crate::events::EventStore::forget) destroys.
    /// A path that leads through a list is for each of its elements. Needs a
    /// [`Builder::sealing_key`], under which those keys are kept.
    ///
    /// Reads, queries and all other ways to a reader open them. See `docs/erasure.md` for what this
    /// promises and what it does not: subjects, tags and ids of events stay as they are.
    ///
    /// ```
    /// use foundation::events::SubjectIn;
    /// use foundation::{Event, Foundation, SealingKey};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> foundation::Result<()> {
    /// let foundation = Foundation::in_memory()
    ///     .sealing_key(SealingKey::parse(&"5a".repeat(32))?)
    ///     .personal("customer.*", SubjectIn::Event, &["name"])
    ///     .start()
    ///     .await?;
    /// let events = foundation.events();
    /// let moved = Event::new("customer.moved").id("m1").subject("customer-7");
    /// events.append(moved.data(&std::collections::BTreeMap::from([("name", "Ann")]))?).await?;
    /// assert_eq!(events.get("m1").await?.event.data.as_json(), r#"{"name":"Ann"}"#);
    ///
    /// events.forget("customer-7", "she asked for it").await?;
    /// let left = events.get("m1").await?.event.data;
    /// assert_eq!(left.as_json(), r#"{"name":{"$forgotten":true}}"#);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn personal(
        mut self,
        types: impl Into<TypePattern>,
        subject: SubjectIn,
        paths: &[&str],
    ) -> Self {
        self.personal.rules.push(PersonalRule::new(types.into(), subject, paths));
        self
    }

    /// With the directory of the keys of persons, which is made if it is missing; beside the one of the
    /// store, with `.keys` at the end of its name, if nothing is said. It belongs into no backup that
    /// outlives the duty to forget.
    #[must_use]
    pub fn personal_keys(mut self, directory: impl Into<PathBuf>) -> Self {
        self.personal.keys = Some(directory.into());
        self
    }
}

fn rule_of<T: EventData>(paths: &[String]) -> Result<PersonalRule> {
    let subject = match T::SUBJECT {
        Some(path) => SubjectIn::Field(path.parse()?),
        None => SubjectIn::Event,
    };
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    PersonalRule::new(TypePattern::Exact(T::TYPE.into()), subject, &paths)
}

fn beside(directory: &Path) -> Result<PathBuf> {
    let name = directory.file_name().and_then(|name| name.to_str()).ok_or_else(|| {
        let message = "the directory of the store has no name beside which the keys of persons could \
                       be: say where with .personal_keys(directory)";
        Error::new(ErrorKind::InvalidArgument, message)
    })?;
    Ok(directory.with_file_name(format!("{name}.keys")))
}

fn files(place: &Path, mode: Mode) -> Result<Files> {
    let files = match mode {
        Mode::Write => Files::create(place),
        Mode::Read | Mode::Peek => Files::existing(place),
    };
    files.map_err(|cause| {
        let shown = place.display();
        let message = format!("cannot open the directory of the keys of persons {shown}: {cause}");
        Error::new(ErrorKind::Disk, message).caused_by(cause)
    })
}
