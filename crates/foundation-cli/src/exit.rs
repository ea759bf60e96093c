//! How the program ends: the only table of exit codes.

use std::process::ExitCode;

use foundation::Error;
use foundation::error::Category;

/// What a command came to.
pub(crate) type Outcome<T = ()> = Result<T, Failure>;

/// Why a command ended early.
#[derive(Debug)]
pub(crate) enum Failure {
    /// An error that has to be told.
    Error(Error),
    /// Everything was told; only the exit code is left.
    Told(Category),
    /// Nobody reads standard output any more, which is no fault of anybody.
    Closed,
    /// Standard output does not take what is written to it.
    Unwritten(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

/// The exit code of an error of this family; 0 is for all that went well.
pub(crate) fn code(category: Category) -> ExitCode {
    ExitCode::from(number(category))
}

fn number(category: Category) -> u8 {
    match category {
        Category::Internal => 1,
        Category::Usage => 2,
        Category::Conflict => 3,
        Category::NotFound => 4,
        Category::Corruption => 5,
        Category::Validation => 6,
        Category::Unavailable => 7,
        Category::Indeterminate => 8,
        Category::Denied => 9,
    }
}

#[cfg(test)]
mod tests {
    use foundation::ErrorKind;

    use super::*;

    #[test]
    fn every_kind_of_error_has_an_exit_code_other_than_success() {
        for kind in ErrorKind::ALL {
            assert!((1..=9).contains(&number(kind.row().category)), "{kind}");
        }
        assert_eq!(number(ErrorKind::Locked.row().category), 7);
        assert_eq!(number(ErrorKind::UnknownFormat.row().category), 5);
        assert_eq!(number(ErrorKind::IdReused.row().category), 3);
    }
}
