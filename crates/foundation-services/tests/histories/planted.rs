//! Defects that are planted in histories made by hand, and in the way to the journal: each is
//! noticed by the checker that is there for it.

use super::model::{Answer, Expects, Operation, Registers, Wish, linearizable};
use super::told::{Start, Watched, complete};
use super::{Case, On, Plant, history};

const START: Registers = [0; 3];

/// Operations that each begin and end at these moments.
fn made(operations: &[(u64, u64, Answer)]) -> Vec<Operation> {
    let operation = |(client, (began, ended, answer)): (usize, &(u64, u64, Answer))| Operation {
        client,
        began: *began,
        ended: *ended,
        answer: answer.clone(),
    };
    operations.iter().enumerate().map(operation).collect()
}

fn check(operations: &[(u64, u64, Answer)]) -> Result<(), String> {
    linearizable(START, &made(operations))
}

fn put(value: u64, expects: Expects, version: usize) -> Answer {
    Answer::Wrote(Wish::Put(vec![(0, value)]), expects, version, true)
}

fn read(version: usize, value: u64) -> Answer {
    Answer::Read(version, [value, 0, 0])
}

#[test]
fn histories_that_are_right_pass() {
    let free = |value, version| put(value, Expects::Anything, version);
    let right = [
        // Two at once, seen in the order of their versions.
        vec![(1, 5, free(7, 2)), (2, 6, free(8, 1)), (3, 4, read(1, 8)), (7, 8, read(2, 7))],
        // A read beside a write sees it or does not.
        vec![(1, 9, free(7, 1)), (2, 3, read(0, 0)), (4, 5, read(1, 7))],
        // Of two that expect the same one wins.
        vec![
            (1, 5, put(7, Expects::Version(0), 1)),
            (2, 6, Answer::Conflict(Expects::Version(0), Some(1))),
        ],
        // What nobody knows of may come late or never.
        vec![
            (1, 2, Answer::Unknown(Wish::Put(vec![(0, 7)]), Expects::Anything)),
            (3, 4, read(0, 0)),
            (5, 6, read(1, 7)),
        ],
        vec![(1, 2, Answer::Unknown(Wish::Add(0), Expects::Anything)), (3, 4, read(0, 0))],
        // A change elsewhere is no hindrance, and the same again is no version.
        vec![
            (1, 2, Answer::Wrote(Wish::Put(vec![(1, 5)]), Expects::Anything, 1, true)),
            (3, 4, put(7, Expects::Unchanged(0, 0), 2)),
            (5, 6, Answer::Wrote(Wish::Put(vec![(0, 7)]), Expects::Anything, 2, false)),
        ],
    ];
    for history in right {
        assert_eq!(check(&history), Ok(()));
    }
}

#[test]
fn histories_that_are_wrong_are_caught() {
    let free = |value, version| put(value, Expects::Anything, version);
    let two = [(1, 2, free(7, 1)), (3, 4, free(8, 2))];
    let after = |answer| [two.to_vec(), vec![(5, 6, answer)]].concat();
    let wrong = [
        ("a stale read", after(read(1, 7))),
        ("a read of two versions at once", after(read(2, 7))),
        ("a read back in time", vec![(1, 9, free(7, 1)), (2, 3, read(1, 7)), (4, 5, read(0, 0))]),
        ("a lost update", after(read(1, 8))),
        ("a version given out twice", after(free(9, 2))),
        (
            "an increment that is lost",
            vec![
                (1, 5, Answer::Wrote(Wish::Add(0), Expects::Anything, 1, true)),
                (2, 6, Answer::Wrote(Wish::Add(0), Expects::Anything, 2, true)),
                (7, 8, read(2, 1)),
            ],
        ),
        (
            "two that expect the same and both win",
            vec![(1, 5, put(7, Expects::Version(0), 1)), (2, 6, put(8, Expects::Version(0), 2))],
        ),
        (
            "two that expect the same place unchanged and both win",
            vec![
                (1, 5, put(7, Expects::Unchanged(0, 0), 1)),
                (2, 6, put(8, Expects::Unchanged(0, 0), 2)),
            ],
        ),
        ("a conflict without a reason", after(Answer::Conflict(Expects::Version(2), None))),
        ("a conflict over another place", after(Answer::Conflict(Expects::Unchanged(1, 0), None))),
        ("news of a value that nobody wrote", after(Answer::Told(2, vec![(0, 7, 9)]))),
        (
            "news before it can be read",
            vec![(1, 9, free(7, 1)), (2, 3, Answer::Told(1, vec![(0, 0, 7)])), (4, 5, read(0, 0))],
        ),
    ];
    for (what, history) in wrong {
        assert!(check(&history).is_err(), "not caught: {what}");
    }
}

#[test]
fn news_that_is_missing_doubled_or_out_of_order_is_caught() {
    let published = [[0, 0, 0], [1, 0, 0], [1, 1, 0], [2, 1, 0], [3, 1, 0]];
    let told = |register, start, versions: &[usize]| {
        complete(&Watched { register, start, versions: versions.to_vec() }, &published)
    };
    assert_eq!(told(None, Start::After(0), &[1, 2, 3, 4]), Ok(()));
    assert_eq!(told(Some(0), Start::After(0), &[1, 3, 4]), Ok(()));
    assert_eq!(told(Some(0), Start::Between(0, 3), &[3, 4]), Ok(()));
    for versions in [&[1, 2, 4][..], &[1, 2, 3, 3, 4], &[2, 1, 3, 4], &[1, 2, 3], &[1, 2, 3, 4, 5]]
    {
        assert!(told(None, Start::After(0), versions).is_err(), "{versions:?}");
    }
    assert!(told(Some(1), Start::After(0), &[1, 2]).is_err(), "told of another place");
    assert!(told(None, Start::Between(0, 1), &[3, 4]).is_err(), "began too late");
}

#[test]
fn defects_on_the_way_to_the_journal_are_caught() {
    for plant in [Plant::PublishesWhatItRefuses, Plant::StaleReads, Plant::ForgetsNews] {
        let caught = |seed| history(Case { seed, on: On::Memory, plant }).is_err();
        assert!((0..40).any(caught), "not caught: {plant:?}");
    }
}
