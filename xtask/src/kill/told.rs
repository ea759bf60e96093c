//! What a node said of the changes that it made, line by line: what was wanted, and how it ended.

use std::collections::BTreeMap;

/// Every change of which something was said, by its number.
pub(super) type Told = BTreeMap<u64, Made>;

/// One change.
#[derive(Clone, Debug)]
pub(super) struct Made {
    pub(super) wanted: Wanted,
    pub(super) end: End,
}

/// What a change puts where; its number is the value if nothing else is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Both,
    FreeBoth,
    Berths,
    FreeBerths,
    Fee,
    PassingFee,
    /// This many, if the document is at that version.
    Tally {
        count: u64,
        seen: u64,
    },
    Pilot,
    /// It waits, for it was computed on this version, and others changed the same since.
    LatePilot {
        seen: u64,
    },
    Token,
    /// About the late one with this number.
    Decide {
        late: u64,
        how: How,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    Ours,
    Theirs,
    Edited,
}

/// What is known of how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The node was killed: it may be there.
    Unknown,
    /// It made this version.
    Acked(u64),
    /// It is done, and no version says so.
    Settled,
    Refused,
    /// It waits under this id.
    Waits(String),
}

/// Takes in a line.
pub(super) fn note(told: &mut Told, line: &str) -> Result<(), String> {
    let wrong = || format!("the node said {line:?}");
    let words: Vec<&str> = line.split(' ').collect();
    let [verb, number, rest @ ..] = words.as_slice() else { return Err(wrong()) };
    let number = number.parse().map_err(|_| wrong())?;
    if *verb == "begun" {
        let wanted = wanted(rest).ok_or_else(wrong)?;
        let before = told.insert(number, Made { wanted, end: End::Unknown });
        return if before.is_none() { Ok(()) } else { Err(wrong()) };
    }
    let made = told.get_mut(&number).ok_or_else(wrong)?;
    made.end = match (*verb, rest) {
        ("acked", [version]) => End::Acked(version.parse().map_err(|_| wrong())?),
        ("settled", []) => End::Settled,
        ("refused", []) => End::Refused,
        ("parked", [id]) => End::Waits((*id).to_owned()),
        _ => return Err(wrong()),
    };
    Ok(())
}

fn wanted(words: &[&str]) -> Option<Wanted> {
    Some(match words {
        ["both"] => Wanted::Both,
        ["free", "both"] => Wanted::FreeBoth,
        ["berths"] => Wanted::Berths,
        ["free", "berths"] => Wanted::FreeBerths,
        ["fee"] => Wanted::Fee,
        ["passing", "fee"] => Wanted::PassingFee,
        ["tally", count, seen] => {
            Wanted::Tally { count: count.parse().ok()?, seen: seen.parse().ok()? }
        }
        ["pilot"] => Wanted::Pilot,
        ["late", "pilot", seen] => Wanted::LatePilot { seen: seen.parse().ok()? },
        ["token"] => Wanted::Token,
        ["decide", late, how] => {
            let how = match *how {
                "ours" => How::Ours,
                "theirs" => How::Theirs,
                "edited" => How::Edited,
                _ => return None,
            };
            Wanted::Decide { late: late.parse().ok()?, how }
        }
        _ => return None,
    })
}
