//! How a restored store gets its place: by one exchange of two names, so that the place is never
//! empty, or by two changes of a name where the file system has no exchange.

use std::io;

use foundation_types::{Error, ErrorKind, Result};

use super::failure;
use crate::disk::Siblings;

/// Why a restored store is not in its place, or not for certain.
pub(super) enum Unswapped {
    /// The directory is as it was, for good: the restored store may be removed.
    AsItWas(Error),
    /// The message says where everything is; nothing of it may be removed.
    Told(Error),
}

/// Puts the new store in its place; gives the name of what was there, if there is something whose
/// last record is `last`.
pub(super) fn swap(
    siblings: &dyn Siblings,
    fresh: &str,
    name: &str,
    last: Option<u64>,
) -> Result<Option<String>, Unswapped> {
    let swap = Swap { siblings, fresh, name };
    // Its own name is durable before that of another depends on it.
    siblings.sync_names().map_err(|cause| Unswapped::AsItWas(swap.failed(cause)))?;
    let Some(last) = last else { return swap.in_free_place().map(|()| None) };
    let aside = free_name(siblings, name, last).map_err(Unswapped::AsItWas)?;
    if !swap.by_exchange(&aside)? {
        swap.by_two_renames(&aside)?;
    }
    Ok(Some(aside))
}

struct Swap<'a> {
    siblings: &'a dyn Siblings,
    fresh: &'a str,
    name: &'a str,
}

impl Swap<'_> {
    /// Nothing is there that could be lost.
    fn in_free_place(&self) -> Result<(), Unswapped> {
        let Self { siblings, fresh, name } = self;
        siblings.rename(fresh, name).map_err(|cause| Unswapped::AsItWas(self.failed(cause)))?;
        siblings.sync_names().map_err(|cause| self.unconfirmed(cause, None))
    }

    /// The new store takes the name that the old one is going to have, and the two exchange names.
    /// Gives whether the file system can do that.
    fn by_exchange(&self, aside: &str) -> Result<bool, Unswapped> {
        let Self { siblings, fresh, name } = self;
        let named = siblings.rename(fresh, aside);
        named.map_err(|cause| Unswapped::AsItWas(self.failed(cause)))?;
        let exchanged = siblings.sync_names().and_then(|()| siblings.exchange(aside, name));
        let Err(cause) = exchanged else {
            return match siblings.sync_names() {
                Ok(()) => Ok(true),
                Err(cause) => Err(self.unconfirmed(cause, Some(aside))),
            };
        };
        // The new store goes back to where it is looked for; the old one was not touched.
        if siblings.rename(aside, fresh).is_err() {
            let told = format!(
                "{name} is as it was, and the restored store is {aside} beside it, which may be \
                 removed; then type the same command again"
            );
            return Err(Unswapped::Told(self.told(cause, &told)));
        }
        if cause.kind() != io::ErrorKind::Unsupported {
            return Err(Unswapped::AsItWas(self.failed(cause)));
        }
        // The name that goes back is free for good before the old store gets it.
        siblings.sync_names().map_err(|cause| Unswapped::AsItWas(self.failed(cause)))?;
        Ok(false)
    }

    fn by_two_renames(&self, aside: &str) -> Result<(), Unswapped> {
        let Self { siblings, fresh, name } = self;
        let moved = siblings.rename(name, aside);
        moved.map_err(|cause| Unswapped::AsItWas(self.failed(cause)))?;
        let placed = siblings.sync_names().and_then(|()| siblings.rename(fresh, name));
        let Err(cause) = placed else {
            return siblings.sync_names().map_err(|cause| self.unconfirmed(cause, Some(aside)));
        };
        // Nothing has its name yet, so that it can go back.
        if siblings.rename(aside, name).is_err() {
            let told = format!(
                "{name} is missing: what was there is {aside} beside it, the restored store is \
                 {fresh}; give the one that you want the name {name}: mv {aside} {name}"
            );
            return Err(Unswapped::Told(self.told(cause, &told)));
        }
        if siblings.sync_names().is_err() {
            let told = format!(
                "{name} is as it was, but the disk does not confirm it: if {name} is missing after \
                 a power cut, what was there is {aside} beside it: mv {aside} {name}"
            );
            return Err(Unswapped::Told(self.told(cause, &told)));
        }
        Err(Unswapped::AsItWas(self.failed(cause)))
    }

    /// All names are what they are to be, as far as anybody sees while there is power.
    fn unconfirmed(&self, cause: io::Error, aside: Option<&str>) -> Unswapped {
        let Self { fresh, name, .. } = self;
        let (before, others) = match aside {
            Some(aside) => (
                format!(" and what was there before is {aside} beside it"),
                format!("{name}, {aside} and {fresh}"),
            ),
            None => (String::new(), format!("{name} and {fresh}")),
        };
        let told = format!(
            "the restored store is in {name}{before}, but the disk does not confirm the names: \
             type sync; after a power cut before that, look for what is where in {others}"
        );
        let error = failure("sync the directory around", name, cause);
        Unswapped::Told(Error::new(error.kind(), format!("{}; {told}", error.message())))
    }

    fn failed(&self, cause: io::Error) -> Error {
        failure("put the restored store in its place", self.name, cause)
    }

    fn told(&self, cause: io::Error, told: &str) -> Error {
        let error = self.failed(cause);
        Error::new(error.kind(), format!("{}; {told}", error.message()))
    }
}

fn free_name(siblings: &dyn Siblings, name: &str, last: u64) -> Result<String> {
    let names = (1_u32..).map(|count| match count {
        1 => format!("{name}.replaced-{last}"),
        _ => format!("{name}.replaced-{last}-{count}"),
    });
    for candidate in names {
        match siblings.find(&candidate) {
            Ok(None) => return Ok(candidate),
            Ok(Some(_)) => {}
            // Something has the name that is no directory.
            Err(cause) if cause.kind() == io::ErrorKind::NotADirectory => {}
            Err(cause) => return Err(failure("look for a name", &candidate, cause)),
        }
    }
    Err(Error::new(ErrorKind::Internal, "no name is left for what is replaced"))
}
