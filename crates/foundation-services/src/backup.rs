//! Backups in directories: taken of a node that runs or of a store that nobody has open, restored
//! in the place of another.

use std::ffi::OsString;
use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use foundation_store::clock::SystemClock;
use foundation_store::disk::{Disk, FileSiblings, Files};
use foundation_store::journal::{
    Backup, Embedded, EmbeddedOptions, Journal, Mode, RestoreOptions, restore as restore_store,
};
use foundation_store::random::{Rng, SystemRng};
use foundation_types::{Error, ErrorKind, Position, Result};
use serde::{Deserialize, Serialize};

use crate::archive::with_archive;
use crate::node::Node;
use crate::opening::unopened;

/// A backup that was taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupReport {
    /// Where it is.
    pub directory: PathBuf,
    /// Identity of the store.
    pub store: String,
    /// The last record that is in it.
    pub position: Position,
    /// Files, without the manifest.
    pub files: u64,
    /// Bytes of them.
    pub bytes: u64,
}

/// A store that was restored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoreReport {
    /// Where it is.
    pub directory: PathBuf,
    /// Its identity.
    pub store: String,
    /// Its last record.
    pub position: Position,
    /// The epoch that it has begun.
    pub epoch: u64,
    /// Files of the backup that it was made of.
    pub files: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// Where what was there before is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced: Option<PathBuf>,
}

impl Node {
    /// Copies the store as of now into a directory, while appends go on. The directory is made, or
    /// is empty.
    ///
    /// # Errors
    /// `InvalidArgument` if the directory is not empty, lies in that of the store, or the store is
    /// in memory; `Corruption` if what is to be copied is not what was written; `DiskFull`,
    /// `Denied` or `Disk`.
    pub async fn backup(&self, directory: &Path) -> Result<BackupReport> {
        let (journal, own) = (self.journal.clone(), self.directory.clone());
        let directory = directory.to_owned();
        let runtime = tokio::runtime::Handle::current();
        let taken = tokio::task::spawn_blocking(move || {
            let target = Target::make(&directory, own.as_deref())?;
            let disk: Arc<dyn Disk> = Arc::clone(&target.files) as Arc<dyn Disk>;
            target.finish(runtime.block_on(journal.backup(disk)))
        });
        taken.await.unwrap_or_else(|cause| {
            Err(Error::new(ErrorKind::Internal, "taking a backup panicked").caused_by(cause))
        })
    }
}

/// Copies a store that nobody has open into a directory. Nothing of the store is changed.
///
/// # Errors
/// As [`Node::backup`] and [`Embedded::open`] for reading.
pub async fn backup(store: &Path, directory: &Path) -> Result<BackupReport> {
    let (store, directory) = (store.to_owned(), directory.to_owned());
    let runtime = tokio::runtime::Handle::current();
    let taken = tokio::task::spawn_blocking(move || {
        let files = Files::existing(&store).map_err(|cause| unopened(&store, cause))?;
        let (journal, _) = Embedded::open_archived(
            with_archive(files, None),
            EmbeddedOptions::of(Mode::Read),
            Arc::new(SystemClock::default()),
            &SystemRng::default(),
            Arc::new(()),
        )?;
        let target = Target::make(&directory, Some(&store))?;
        let disk: Arc<dyn Disk> = Arc::clone(&target.files) as Arc<dyn Disk>;
        target.finish(runtime.block_on(journal.backup(disk)))
    });
    taken.await.unwrap_or_else(|cause| {
        Err(Error::new(ErrorKind::Internal, "taking a backup panicked").caused_by(cause))
    })
}

/// The directory that a backup goes to.
struct Target {
    files: Arc<Files>,
    /// Whether it was there before.
    was_there: bool,
}

impl Target {
    fn make(directory: &Path, store: Option<&Path>) -> Result<Self> {
        let refused = |what: &str| {
            let message = format!("{} {what}", directory.display());
            Err(Error::new(ErrorKind::InvalidArgument, message))
        };
        let fail = |cause| unmade(directory, cause);
        let was_there = match std::fs::symlink_metadata(directory) {
            Ok(about) if !about.is_dir() => return refused("is no directory"),
            Ok(_) => true,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => false,
            Err(cause) => return Err(fail(cause)),
        };
        if was_there && let Some(what) = in_the_way(directory).map_err(fail)? {
            return refused(&what);
        }
        if let Some(store) = store.and_then(|store| std::fs::canonicalize(store).ok()) {
            let nearest = directory.ancestors().find_map(|one| std::fs::canonicalize(one).ok());
            if nearest.is_some_and(|nearest| nearest.starts_with(&store)) {
                return refused("lies in the directory of the store");
            }
        }
        let files = Files::create(directory).map_err(fail)?;
        if was_there {
            let owned = Permissions::from_mode(0o700);
            std::fs::set_permissions(directory, owned).map_err(fail)?;
        }
        Ok(Self { files: Arc::new(files), was_there })
    }

    fn finish(self, taken: Result<Backup>) -> Result<BackupReport> {
        let directory = self.files.directory();
        match taken {
            Ok(Backup { store, position, files, bytes }) => Ok(BackupReport {
                directory: directory.to_owned(),
                store: store.to_string(),
                position,
                files,
                bytes,
            }),
            Err(error) => {
                if !self.was_there {
                    // Files that could not be removed keep it.
                    let _ = std::fs::remove_dir(directory);
                }
                Err(error)
            }
        }
    }
}

/// Why a backup may not go into a directory that is there; nothing if it is empty.
fn in_the_way(directory: &Path) -> io::Result<Option<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        names.push(entry?.file_name());
    }
    if names.is_empty() {
        return Ok(None);
    }
    // A store has a watermark and a lock, and a backup has its manifest once it is whole.
    let of_unfinished = |name: &OsString| {
        let name = name.to_string_lossy();
        let is_made = [".seg", ".snap"].iter().any(|suffix| name.ends_with(suffix));
        is_made || ["STORE", "FRONT", "MANIFEST.new"].contains(&&*name)
    };
    if !names.iter().all(of_unfinished) {
        return Ok(Some("is not empty, and a backup goes nowhere else".to_owned()));
    }
    let shown = directory.display();
    Ok(Some(format!(
        "is not empty: it holds a backup that was interrupted, or one that is being taken. If nobody \
         takes it: rm -r {shown}, and type the same command again"
    )))
}

/// Restores the backup in a directory as the store in another, which is made, or kept beside under
/// another name.
///
/// # Errors
/// As [`restore_store`]; `NotFound` also for a directory that is not there, `Denied` for one that
/// may not be read or made.
pub fn restore(backup: &Path, directory: &Path, options: RestoreOptions) -> Result<RestoreReport> {
    let files = Files::existing(backup).map_err(|cause| unopened(backup, cause))?;
    // Whatever leads to the store goes on leading to it.
    let directory = match std::fs::canonicalize(directory) {
        Ok(real) => real,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => {
            std::path::absolute(directory).map_err(|cause| unmade(directory, cause))?
        }
        Err(cause) => return Err(unmade(directory, cause)),
    };
    let (Some(parent), Some(name)) =
        (directory.parent(), directory.file_name().and_then(|name| name.to_str()))
    else {
        let message = format!("{} cannot be restored: it has no name", directory.display());
        return Err(Error::new(ErrorKind::InvalidArgument, message));
    };
    let parent = Files::create(parent).map_err(|cause| unmade(parent, cause))?;
    let siblings = FileSiblings::new(parent.directory());
    let rng: &dyn Rng = &SystemRng::default();
    let done = restore_store(Arc::new(files), &siblings, name, options, rng)?;
    Ok(RestoreReport {
        store: done.store.to_string(),
        position: done.position,
        epoch: done.epoch,
        files: done.files,
        bytes: done.bytes,
        replaced: done.replaced.map(|name| parent.directory().join(name)),
        directory,
    })
}

fn unmade(directory: &Path, cause: io::Error) -> Error {
    let kind = match cause.kind() {
        io::ErrorKind::StorageFull => ErrorKind::DiskFull,
        io::ErrorKind::PermissionDenied => ErrorKind::Denied,
        _ => ErrorKind::Disk,
    };
    let shown = directory.display();
    Error::new(kind, format!("cannot make the directory {shown}: {cause}")).caused_by(cause)
}
