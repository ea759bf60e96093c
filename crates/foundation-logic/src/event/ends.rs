//! At which stage of its life an event ended that was refused.

use foundation_types::ErrorKind;
use foundation_types::error::Category;
use foundation_types::lifecycle::Stage;

/// The stage at which an event ended that was refused with an error of this kind: `Invalid`, `Failed` or
/// `StorageFailed`.
#[must_use]
pub fn refused_at(kind: ErrorKind) -> Stage {
    match kind.row().category {
        Category::Usage | Category::Validation => Stage::Invalid,
        // What is stored already, or what a part of the application's said, speaks against it.
        Category::Conflict | Category::NotFound | Category::Denied | Category::Internal => {
            Stage::Failed
        }
        Category::Corruption | Category::Unavailable | Category::Indeterminate => {
            Stage::StorageFailed
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_ends_where_the_refusal_was() {
        let ends = [
            (ErrorKind::Invalid, Stage::Invalid),
            (ErrorKind::ReservedType, Stage::Invalid),
            (ErrorKind::TooLarge, Stage::Invalid),
            (ErrorKind::VersionConflict, Stage::Failed),
            (ErrorKind::IdReused, Stage::Failed),
            (ErrorKind::StageFailed, Stage::Failed),
            (ErrorKind::BufferFull, Stage::StorageFailed),
            (ErrorKind::Timeout, Stage::StorageFailed),
            (ErrorKind::DiskFull, Stage::StorageFailed),
            (ErrorKind::Indeterminate, Stage::StorageFailed),
        ];
        for (kind, stage) in ends {
            assert_eq!(refused_at(kind), stage, "{kind}");
            let is_end =
                foundation_types::lifecycle::TRANSITIONS.iter().all(|(from, _, _)| *from != stage);
            assert!(is_end, "{stage:?} is an end");
        }
    }
}
