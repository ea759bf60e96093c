//! The next stage of a piece of data: the table of transitions, applied.

use foundation_types::lifecycle::{Stage, Step, TRANSITIONS};
use foundation_types::{Error, ErrorKind, Result};

/// The stage that this step leads to.
///
/// ```
/// use foundation_logic::lifecycle::advance;
/// use foundation_types::lifecycle::{Stage, Step};
/// assert_eq!(advance(Stage::Created, Step::Validate)?, Stage::Validating);
/// assert!(advance(Stage::Expired, Step::Access).is_err());
/// # Ok::<(), foundation_types::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::InvalidArgument`] if the table has no such step from this stage; the message names
/// the steps that it has.
pub fn advance(stage: Stage, step: Step) -> Result<Stage> {
    TRANSITIONS
        .iter()
        .find(|(from, by, _)| *from == stage && *by == step)
        .map(|(_, _, to)| *to)
        .ok_or_else(|| refused(stage, step))
}

fn refused(stage: Stage, step: Step) -> Error {
    let steps: Vec<_> = TRANSITIONS
        .iter()
        .filter(|(from, _, _)| *from == stage)
        .map(|(_, by, _)| format!("{by:?}"))
        .collect();
    let others = if steps.is_empty() { "it is an end".to_owned() } else { steps.join(" or ") };
    let message = format!("no step {step:?} leads on from stage {stage:?}: {others}");
    Error::new(ErrorKind::InvalidArgument, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAGES: [Stage; 15] = [
        Stage::Created,
        Stage::Validating,
        Stage::Valid,
        Stage::Invalid,
        Stage::Processing,
        Stage::Processed,
        Stage::Failed,
        Stage::Storing,
        Stage::Stored,
        Stage::StorageFailed,
        Stage::Indexed,
        Stage::Available,
        Stage::Accessed,
        Stage::Expiring,
        Stage::Expired,
    ];

    #[test]
    fn only_the_fifteen_steps_of_the_table_exist() {
        let steps = TRANSITIONS.map(|(_, by, _)| by);
        let allowed = STAGES
            .iter()
            .flat_map(|stage| steps.iter().map(|step| (*stage, *step)))
            .filter(|(stage, step)| advance(*stage, *step).is_ok());
        assert_eq!(allowed.count(), TRANSITIONS.len());
    }

    #[test]
    fn a_refusal_names_the_steps_that_exist() {
        let error = advance(Stage::Available, Step::Store).expect_err("no such step");
        insta::assert_snapshot!(error, @"no step Store leads on from stage Available: Access or TtlExpired");
        let error = advance(Stage::Failed, Step::Store).expect_err("an end");
        insta::assert_snapshot!(error, @"no step Store leads on from stage Failed: it is an end");
    }
}
