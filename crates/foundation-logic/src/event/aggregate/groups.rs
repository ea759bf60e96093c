//! What the events of a row have in common.

use std::collections::HashMap;

use foundation_types::event::By;
use foundation_types::limits::{AGGREGATE_GROUP_BYTES_MAX, AGGREGATE_GROUPS_MAX};
use foundation_types::{Path, Recorded};

/// The nth group in the order of first sight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Group(usize);

impl Group {
    /// What all groups beyond the limit are.
    pub(super) const OTHER: Self = Self(usize::MAX);
}

/// The groups that were seen.
#[derive(Clone, Debug, Default)]
pub(super) struct Groups {
    /// By the bytes of [`push`].
    known: HashMap<Vec<u8>, Group>,
    texts: Vec<Vec<Option<String>>>,
    /// Kept, so that an event of a known group allocates nothing.
    key: Vec<u8>,
}

impl Groups {
    /// The group of an event.
    pub(super) fn of(&mut self, by: &[By], recorded: &Recorded) -> Group {
        let event = &recorded.event;
        self.key.clear();
        for one in by {
            match one {
                By::Type => push(&mut self.key, Some(event.kind.as_str())),
                By::Source => push(&mut self.key, event.source.as_deref()),
                By::Stream => push(&mut self.key, Some(recorded.stream.as_str())),
                By::Subject => push(&mut self.key, event.subject.as_deref()),
                By::Correlation => {
                    push(&mut self.key, event.correlation_id.as_ref().map(|id| id.as_str()));
                }
                By::Data(path) => push(&mut self.key, text_at(recorded, path).as_deref()),
            }
        }
        match self.known.get(&self.key) {
            Some(group) => *group,
            None => self.insert(self.key.clone()),
        }
    }

    /// The group here that has the same in common as a group there.
    pub(super) fn like(&mut self, group: Group, there: &Self) -> Group {
        let Some(texts) = there.texts.get(group.0) else { return Group::OTHER };
        let mut key = Vec::new();
        for text in texts {
            push(&mut key, text.as_deref());
        }
        match self.known.get(&key) {
            Some(group) => *group,
            None => self.insert(key),
        }
    }

    /// What the events of a group have in common; `None` for the others.
    pub(super) fn texts(&self, group: Group) -> Option<&[Option<String>]> {
        self.texts.get(group.0).map(Vec::as_slice)
    }

    fn insert(&mut self, key: Vec<u8>) -> Group {
        if self.texts.len() >= AGGREGATE_GROUPS_MAX {
            return Group::OTHER;
        }
        let group = Group(self.texts.len());
        self.texts.push(texts_of(&key));
        self.known.insert(key, group);
        group
    }
}

fn text_at(recorded: &Recorded, path: &Path) -> Option<String> {
    recorded.event.data.leaf(path).into_text()
}

/// What ends the text of a part: no byte of UTF-8.
const END: u8 = 0xff;
/// What stands for a part that is not there.
const ABSENT: u8 = 0xfe;

/// Adds a part of a key, so that different parts make different keys.
fn push(key: &mut Vec<u8>, text: Option<&str>) {
    match text {
        Some(text) if text.len() <= AGGREGATE_GROUP_BYTES_MAX => key.extend(text.as_bytes()),
        Some(text) => {
            let room = AGGREGATE_GROUP_BYTES_MAX - '…'.len_utf8();
            let fits = text.char_indices().map(|(at, c)| at + c.len_utf8());
            let end = fits.take_while(|end| *end <= room).last().unwrap_or(0);
            key.extend(&text.as_bytes()[..end]);
            key.extend("…".as_bytes());
        }
        None => key.push(ABSENT),
    }
    key.push(END);
}

fn texts_of(key: &[u8]) -> Vec<Option<String>> {
    let parts = key.split_inclusive(|byte| *byte == END);
    let text = |part: &[u8]| match part.strip_suffix(&[END]).unwrap_or(part) {
        [ABSENT] => None,
        text => Some(String::from_utf8_lossy(text).into_owned()),
    };
    parts.map(text).collect()
}
