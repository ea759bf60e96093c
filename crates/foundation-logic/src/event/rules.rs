//! What the rules of the settings make of an event: hidden, cut, tagged, dropped.
//!
//! Hiding and removing come first, whatever the names of the rules: what they take away is in no
//! digest of what was sent. Within both halves the rules go by their names.

use std::collections::BTreeMap;

use foundation_types::config::{EventRule, RuleAction};
use foundation_types::event::{Alteration, Did, HIDDEN_VALUE, TextEdit};
use foundation_types::limits::{EVENT_TAGS_MAX, ID_BYTES_MAX};
use foundation_types::{Event, Path, Tag, TypePattern, Value};

/// Rules, ready to be applied.
#[derive(Clone, Debug, Default)]
pub struct IntakeRules(Vec<Rule>);

#[derive(Clone, Debug)]
struct Rule {
    name: String,
    types: TypePattern,
    action: Action,
}

#[derive(Clone, Debug)]
enum Action {
    Hide(Path),
    Remove(Path),
    Truncate(Path, usize),
    Tag(Vec<Piece>),
    Drop,
}

#[derive(Clone, Debug)]
enum Piece {
    Text(String),
    Place(Path),
}

impl IntakeRules {
    /// The rules of the settings. One that makes no sense does nothing: validation lets none in.
    #[must_use]
    pub fn of(settings: &BTreeMap<String, EventRule>) -> Self {
        Self(settings.iter().filter_map(|(name, rule)| Rule::of(name, rule)).collect())
    }

    /// Whether any rule is for this type.
    #[must_use]
    pub fn concern(&self, kind: &str) -> bool {
        self.0.iter().any(|rule| rule.types.admits(kind))
    }

    /// Name of the rule that drops events of this type.
    #[must_use]
    pub fn drops(&self, kind: &str) -> Option<&str> {
        let mut all = self.0.iter().filter(|rule| matches!(rule.action, Action::Drop));
        all.find(|rule| rule.types.admits(kind)).map(|rule| rule.name.as_str())
    }

    /// Hides and removes what is not to be kept, and tells of it.
    pub fn redact(&self, event: &mut Event, told: &mut Vec<Alteration>) {
        for rule in self.of_type(event.kind.as_str()) {
            let did = match &rule.action {
                Action::Hide(path) => take(event, path, Did::Hide),
                Action::Remove(path) => take(event, path, Did::Remove),
                Action::Truncate(..) | Action::Tag(_) | Action::Drop => None,
            };
            told.extend(did.map(|told| Alteration { by: rule.name.clone(), ..told }));
        }
    }

    /// Cuts texts and puts on tags, and tells of it.
    pub fn shape(&self, event: &mut Event, told: &mut Vec<Alteration>) {
        for rule in self.of_type(event.kind.as_str()) {
            let did = match &rule.action {
                Action::Truncate(path, bytes) => truncate(event, path, *bytes),
                Action::Tag(pieces) => put_tag(event, pieces),
                Action::Hide(_) | Action::Remove(_) | Action::Drop => None,
            };
            told.extend(did.map(|told| Alteration { by: rule.name.clone(), ..told }));
        }
    }

    /// No rule changes the type, so that those for it are known before the first is applied.
    fn of_type(&self, kind: &str) -> Vec<&Rule> {
        self.0.iter().filter(|rule| rule.types.admits(kind)).collect()
    }
}

/// Takes out of an event what is told to have been hidden or removed in another one: the two are then
/// the same if they were, but for that.
pub fn redact_alike(event: &mut Event, told: &[Alteration]) {
    for one in told.iter().filter(|one| matches!(one.did, Did::Hide | Did::Remove)) {
        if let Some(Ok(path)) = one.path.as_deref().map(str::parse) {
            take(event, &path, one.did);
        }
    }
}

impl Rule {
    fn of(name: &str, rule: &EventRule) -> Option<Self> {
        let path = || rule.path.parse::<Path>().ok();
        let action = match rule.action {
            RuleAction::Hide => Action::Hide(path()?),
            RuleAction::Remove => Action::Remove(path()?),
            RuleAction::Truncate => {
                Action::Truncate(path()?, usize::try_from(rule.bytes).unwrap_or(usize::MAX))
            }
            RuleAction::Tag => Action::Tag(pieces(&rule.tag)?),
            RuleAction::DropEvent => Action::Drop,
        };
        Some(Self { name: name.to_owned(), types: rule.types.as_str().into(), action })
    }
}

fn pieces(template: &str) -> Option<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut rest = template;
    while let Some((text, inner)) = rest.split_once('{') {
        let (place, behind) = inner.split_once('}')?;
        pieces.push(Piece::Text(text.to_owned()));
        pieces.push(Piece::Place(place.strip_prefix("data.")?.parse().ok()?));
        rest = behind;
    }
    pieces.push(Piece::Text(rest.to_owned()));
    Some(pieces)
}

fn take(event: &mut Event, path: &Path, did: Did) -> Option<Alteration> {
    let hidden = format!("\"{HIDDEN_VALUE}\"");
    let edited = event.data.edited(path, |there| match did {
        Did::Remove => TextEdit::Remove,
        _ if there == hidden => TextEdit::Keep,
        _ => TextEdit::Replace(hidden.clone()),
    });
    event.data = edited?;
    Some(told(did, path))
}

fn truncate(event: &mut Event, path: &Path, bytes_max: usize) -> Option<Alteration> {
    let Some(Value::Text(text)) = event.data.at(path) else { return None };
    if text.len() <= bytes_max {
        return None;
    }
    let end = (0..=bytes_max).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    let cut = Value::from(text.get(..end).unwrap_or_default()).to_json();
    event.data = event.data.edited(path, |_| TextEdit::Replace(cut))?;
    Some(Alteration { bytes: Some(text.len() as u64), ..told(Did::Truncate, path) })
}

/// A tag that is there already, has no value or would be too long is not put on.
fn put_tag(event: &mut Event, pieces: &[Piece]) -> Option<Alteration> {
    let mut text = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(plain) => text.push_str(plain),
            Piece::Place(path) => match event.data.at(path)? {
                Value::Text(value) if *value == *HIDDEN_VALUE => return None,
                Value::Text(value) => text.push_str(&value),
                value @ (Value::Number(_) | Value::Bool(_)) => text.push_str(&value.to_json()),
                _ => return None,
            },
        }
    }
    let tag = Tag::from(text.as_str());
    let fits = !text.is_empty()
        && text.len() <= ID_BYTES_MAX
        && !text.contains(char::is_control)
        && event.tags.len() < EVENT_TAGS_MAX
        && !event.tags.contains(&tag);
    if !fits {
        return None;
    }
    event.tags.push(tag);
    Some(Alteration { by: String::new(), did: Did::Tag, path: None, bytes: None })
}

fn told(did: Did, path: &Path) -> Alteration {
    Alteration { by: String::new(), did, path: Some(path.to_string()), bytes: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(action: RuleAction, path: &str) -> EventRule {
        EventRule { action, path: path.to_owned(), bytes: 3, ..EventRule::default() }
    }

    fn order() -> Event {
        let data = r#"{"card":"4111","note":"aé-b","n":{"x":1},"customer":"c7"}"#;
        Event { data: foundation_types::Data::from_checked(data), ..Event::new("order.placed") }
    }

    #[test]
    fn each_rule_does_what_it_says_and_tells_it() {
        let tag = EventRule {
            tag: "customer:{data.customer}/{data.n.x}".into(),
            ..rule(RuleAction::Tag, "")
        };
        let rules = BTreeMap::from([
            ("a".to_owned(), rule(RuleAction::Hide, "card")),
            ("b".to_owned(), rule(RuleAction::Truncate, "note")),
            ("c".to_owned(), tag),
            ("d".to_owned(), rule(RuleAction::Remove, "n")),
            (
                "e".to_owned(),
                EventRule { types: "debug.*".into(), ..rule(RuleAction::DropEvent, "") },
            ),
            ("f".to_owned(), rule(RuleAction::Hide, "absent")),
        ]);
        let rules = IntakeRules::of(&rules);
        let (mut event, mut told) = (order(), Vec::new());
        rules.redact(&mut event, &mut told);
        rules.shape(&mut event, &mut told);
        insta::assert_snapshot!(event.data.as_json(), @r#"{"card":"<hidden>","note":"aé","customer":"c7"}"#);
        assert!(event.tags.is_empty(), "a value that is taken away is in no tag");
        let said: Vec<_> = told.iter().map(|one| (one.by.as_str(), one.did, one.bytes)).collect();
        let expected =
            [("a", Did::Hide, None), ("d", Did::Remove, None), ("b", Did::Truncate, Some(5))];
        assert_eq!(said, expected);
        assert_eq!((rules.drops("debug.x"), rules.drops("order.placed")), (Some("e"), None));
        assert!(rules.concern("order.placed"));

        let mut again = order();
        redact_alike(&mut again, &told);
        insta::assert_snapshot!(again.data.as_json(), @r#"{"card":"<hidden>","note":"aé-b","customer":"c7"}"#);
    }

    #[test]
    fn a_tag_is_made_of_values() {
        let tag =
            EventRule { tag: "{data.n.x}:{data.customer}".into(), ..rule(RuleAction::Tag, "") };
        let rules = IntakeRules::of(&BTreeMap::from([("t".to_owned(), tag)]));
        let mut event = order();
        rules.shape(&mut event, &mut Vec::new());
        rules.shape(&mut event, &mut Vec::new());
        assert_eq!(event.tags, [Tag::from("1:c7")], "once");
    }
}
