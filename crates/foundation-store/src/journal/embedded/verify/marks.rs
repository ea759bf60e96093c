//! The two marks, and what they say of where the log begins and how far it went.

use foundation_types::{Result, StoreId};

use super::super::mark::{FRONT, Mark, WATERMARK};
use super::super::{cause, segment};
use super::of_error;
use crate::disk::{Access, Disk};
use crate::journal::status::Finding;

/// What the marks say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Marks {
    pub(in super::super) watermark: u64,
    /// Up to where nothing is kept, as far as that can be read.
    pub(in super::super) front: u64,
    /// Whether the watermark cannot be read at all.
    pub(super) is_watermark_lost: bool,
    front_doubt: Option<&'static str>,
    /// Whether it is not known where the log begins.
    pub(super) is_front_lost: bool,
}

impl Marks {
    /// Reads both; a backup has no watermark.
    pub(super) fn read(
        disk: &dyn Disk,
        store: StoreId,
        is_backup: bool,
        findings: &mut Vec<Finding>,
    ) -> Result<Self> {
        let mut marks = Self::default();
        if !is_backup {
            match Mark::watermark(disk, store, Access::Read) {
                Ok(mark) => {
                    marks.watermark = mark.sequence();
                    tell_faults(&mark, WATERMARK, findings);
                }
                Err(error) if cause::is_damage(&error) => {
                    marks.is_watermark_lost = true;
                    findings.push(of_error(&error, WATERMARK));
                }
                Err(error) => return Err(error),
            }
        }
        match Mark::open(disk, FRONT, store, Access::Read) {
            Ok(Some(mark)) => {
                marks.front = mark.sequence();
                if tell_faults(&mark, FRONT, findings) {
                    marks.front_doubt = Some("a slot of the front cannot be read");
                }
            }
            Ok(None) => marks.front_doubt = Some("the front is missing"),
            Err(error) if cause::is_damage(&error) => {
                marks.front_doubt = Some("the front cannot be read");
                findings.push(of_error(&error, FRONT));
            }
            Err(error) => return Err(error),
        }
        Ok(marks)
    }

    /// Whether the log begins where the front says. If that cannot be read, what is missing before
    /// the first segment was let go of, or is lost: nobody knows.
    pub(super) fn compare(&mut self, first: Option<&String>, findings: &mut Vec<Finding>) {
        let begins = first.and_then(|name| segment::first_of(name)).unwrap_or(1);
        let Some(doubt) = self.front_doubt.filter(|_| begins > self.front + 1) else { return };
        self.is_front_lost = true;
        findings.retain(|finding| finding.file != FRONT || !finding.damage);
        findings.push(Finding {
            file: FRONT.to_owned(),
            range: 0..0,
            what: format!(
                "{doubt}, and the log begins with position {begins}: whether what came before was \
                 let go of is not known"
            ),
            damage: true,
        });
    }
}

/// Tells what is wrong with the slots; says whether anything is.
fn tell_faults(mark: &Mark, file: &str, findings: &mut Vec<Finding>) -> bool {
    let faults = mark.faults();
    let is_faulty = !faults.is_empty();
    findings.extend(faults.into_iter().map(|fault| Finding {
        file: file.to_owned(),
        range: fault.range,
        what: fault.what,
        damage: fault.damage,
    }));
    is_faulty
}
