//! Do Foundation's own settings make sense? What their ranges cannot say.

use std::collections::BTreeMap;
use std::sync::Arc;

use foundation_types::config::{EventRule, RuleAction, Settings};
use foundation_types::limits::{
    EVENT_RULES_MAX, STREAM_RULES_MAX, TAG_TEMPLATE_BYTES_MAX, TTL_RULES_MAX,
};
use foundation_types::{ErrorKind, Path, Problem};

use crate::config::BusinessRule;
use crate::text::quoted;

/// The rules that Foundation's own settings keep beside those of their fields.
#[must_use]
pub fn rules() -> Vec<BusinessRule<Settings>> {
    vec![Arc::new(inspect)]
}

fn inspect(settings: &Settings) -> Vec<Problem> {
    let events = &settings.events;
    let mut found = Vec::new();
    limit(&events.rules, "events.rules", EVENT_RULES_MAX, &mut found);
    limit(&events.streams, "events.streams", STREAM_RULES_MAX, &mut found);
    limit(&events.ttl, "events.ttl", TTL_RULES_MAX, &mut found);
    for (name, rule) in &events.rules {
        let at = format!("events.rules.{name}");
        pattern(&rule.types, &format!("{at}.types"), &mut found);
        inspect_rule(rule, &at, &mut found);
    }
    for (name, row) in &events.streams {
        pattern(&row.stream, &format!("events.streams.{name}.stream"), &mut found);
    }
    for (name, row) in &events.ttl {
        pattern(&row.types, &format!("events.ttl.{name}.types"), &mut found);
        pattern(&row.stream, &format!("events.ttl.{name}.stream"), &mut found);
    }
    found
}

fn limit<T>(map: &BTreeMap<String, T>, path: &str, max: usize, found: &mut Vec<Problem>) {
    if map.len() > max {
        let message = format!("has {} entries", map.len());
        let expected = format!("at most {max} entries");
        found.push(Problem::new(ErrorKind::TooLarge, path, message).expected(expected));
    }
}

fn pattern(text: &str, path: &str, found: &mut Vec<Problem>) {
    let stars = text.matches('*').count();
    if text.is_empty() || stars > 1 || (stars == 1 && !text.ends_with('*')) {
        let problem = Problem::new(ErrorKind::Invalid, path, "names nothing");
        let expected =
            "a name, or the beginning of names with one \"*\" behind it, as in \"order.*\"";
        found.push(problem.value(quoted(text)).expected(expected));
    }
}

fn inspect_rule(rule: &EventRule, at: &str, found: &mut Vec<Problem>) {
    match rule.action {
        RuleAction::Hide | RuleAction::Remove | RuleAction::Truncate => {
            let message = match rule.path.parse::<Path>() {
                Ok(path) if path.is_root() => Some("names no place".to_owned()),
                Ok(_) => None,
                Err(error) => Some(error.message().to_owned()),
            };
            if let Some(message) = message {
                let problem = Problem::new(ErrorKind::Invalid, format!("{at}.path"), message);
                let expected = "a place in the data, as in \"customer.card\" or \"lines[0].sku\"";
                found.push(problem.value(quoted(&rule.path)).expected(expected));
            }
        }
        RuleAction::Tag => inspect_tag(&rule.tag, at, found),
        RuleAction::DropEvent => {}
    }
}

fn inspect_tag(tag: &str, at: &str, found: &mut Vec<Problem>) {
    let mut refuse = |message: String| {
        let problem = Problem::new(ErrorKind::Invalid, format!("{at}.tag"), message);
        let expected =
            "text in which {data.PATH} stands for a value, as in \"customer:{data.customer}\"";
        found.push(problem.value(quoted(tag)).expected(expected));
    };
    if tag.is_empty() || tag.len() > TAG_TEMPLATE_BYTES_MAX {
        return refuse(format!("has {} bytes", tag.len()));
    }
    let mut rest = tag;
    while let Some(open) = rest.find(['{', '}']) {
        let inner = rest[open..].strip_prefix('{').and_then(|inside| inside.split_once('}'));
        let Some((place, behind)) = inner else {
            return refuse("has a brace without its partner".to_owned());
        };
        let path = place.strip_prefix("data.").map(str::parse::<Path>);
        match path {
            Some(Ok(_)) => rest = behind,
            Some(Err(error)) => return refuse(error.message().to_owned()),
            None => return refuse(format!("asks for {place:?}, which is no place in the data")),
        }
    }
}

#[cfg(test)]
mod tests {
    use foundation_types::config::{StreamSettings, TtlRule};

    use super::*;

    fn rule(action: RuleAction, path: &str, tag: &str) -> EventRule {
        EventRule { action, path: path.into(), tag: tag.into(), ..EventRule::default() }
    }

    #[test]
    fn what_makes_no_sense_is_told_with_its_place() {
        let mut settings = Settings::default();
        let rows = [
            ("a", rule(RuleAction::Hide, "a..b", "")),
            ("b", rule(RuleAction::Truncate, "", "")),
            ("c", rule(RuleAction::Tag, "", "customer:{data.customer")),
            ("d", rule(RuleAction::Tag, "", "{customer}")),
            ("e", rule(RuleAction::Tag, "", "")),
            ("f", EventRule { types: "a*b".into(), ..rule(RuleAction::DropEvent, "", "") }),
            ("g", rule(RuleAction::Tag, "", "a}")),
            ("y", rule(RuleAction::Tag, "", "customer:{data.customer}/{data.lines[0].sku}")),
            ("z", rule(RuleAction::Remove, "lines[0].sku", "")),
        ];
        settings.events.rules = rows.map(|(name, rule)| (name.to_owned(), rule)).into();
        let stream = StreamSettings { stream: String::new(), ..StreamSettings::default() };
        settings.events.streams.insert("s".to_owned(), stream);
        let ttl = TtlRule { stream: "*x".into(), ..TtlRule::default() };
        settings.events.ttl.insert("t".to_owned(), ttl);
        let found = inspect(&settings);
        let places: Vec<&str> = found.iter().map(|problem| problem.path.as_str()).collect();
        let expected = [
            "events.rules.a.path",
            "events.rules.b.path",
            "events.rules.c.tag",
            "events.rules.d.tag",
            "events.rules.e.tag",
            "events.rules.f.types",
            "events.rules.g.tag",
            "events.streams.s.stream",
            "events.ttl.t.stream",
        ];
        assert_eq!(places, expected);
        assert!(found.iter().all(|problem| problem.expected.is_some()), "each says what to do");

        let many = (0..=EVENT_RULES_MAX).map(|nth| (nth.to_string(), EventRule::default()));
        settings.events.rules = many.collect();
        assert_eq!(inspect(&settings)[0].path, "events.rules");
    }
}
