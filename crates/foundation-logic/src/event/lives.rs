//! When nothing lives any more of what is only known by names: the types and streams of a file of the log.

use std::collections::BTreeSet;
use std::time::Duration;

use foundation_types::config::{EventSettings, TtlRule};
use foundation_types::event::pattern_admits;
use foundation_types::{EventType, StreamName, Timestamp};

/// How long events live, by the settings.
#[derive(Clone, Debug)]
pub struct Lives {
    rules: Vec<TtlRule>,
}

impl Lives {
    /// What these settings say.
    #[must_use]
    pub fn of(settings: &EventSettings) -> Self {
        Self { rules: settings.ttl.values().cloned().collect() }
    }

    /// Whether any event recorded up to `newest` can be expired with all others; without a look at names.
    #[must_use]
    pub fn may_be_over(&self, newest: Timestamp, now: Timestamp) -> bool {
        self.seconds().min().is_some_and(|least| is_over(newest, least, now))
    }

    /// Whether everything of these types in these streams is expired that was recorded up to `newest`.
    ///
    /// Which type is in which stream is not known, so each may be in any. Records of Foundation's own have
    /// no time to live; beside expired events they count as over with the longest of all rules.
    #[must_use]
    pub fn are_over<'a>(
        &self,
        types: impl Iterator<Item = &'a str>,
        streams: impl Iterator<Item = &'a str>,
        newest: Timestamp,
        now: Timestamp,
    ) -> bool {
        let Some(longest) = self.seconds().max() else { return false };
        let mut has_own = false;
        let mut kinds = BTreeSet::new();
        for kind in types {
            match kind.starts_with(EventType::RESERVED_PREFIX) {
                true => has_own = true,
                false => drop(kinds.insert(self.for_which(kind, |rule| &rule.types))),
            }
        }
        let streams = streams.filter(|name| !is_own_stream(name));
        let places: BTreeSet<_> =
            streams.map(|name| self.for_which(name, |rule| &rule.stream)).collect();
        let own_is_over = !has_own || is_over(newest, longest, now);
        let is_pair_over = |kind: &BTreeSet<usize>, place: &BTreeSet<usize>| {
            let lives = kind.intersection(place).filter_map(|at| self.rules.get(*at));
            lives.map(|rule| rule.seconds).min().is_some_and(|least| is_over(newest, least, now))
        };
        let all_over = kinds.iter().all(|kind| {
            // Without a stream that it can be in, nothing is known of it.
            !places.is_empty() && places.iter().all(|place| is_pair_over(kind, place))
        });
        own_is_over && all_over && (has_own || !kinds.is_empty())
    }

    /// The places of the rules that a name is among, of its type or its stream.
    fn for_which(&self, name: &str, pattern: impl Fn(&TtlRule) -> &str) -> BTreeSet<usize> {
        let all = self.rules.iter().enumerate();
        all.filter(|(_, rule)| pattern_admits(pattern(rule), name)).map(|(at, _)| at).collect()
    }

    fn seconds(&self) -> impl Iterator<Item = u64> {
        self.rules.iter().map(|rule| rule.seconds)
    }
}

fn is_own_stream(name: &str) -> bool {
    name == StreamName::FOUNDATION
        || name.starts_with(StreamName::PARKED_PREFIX)
        || name.starts_with(StreamName::CONFIG_PREFIX)
        || name.starts_with(StreamName::TABLE_PREFIX)
}

fn is_over(newest: Timestamp, seconds: u64, now: Timestamp) -> bool {
    newest.plus(Duration::from_secs(seconds)) <= now
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rule(types: &str, stream: &str, seconds: u64) -> (String, TtlRule) {
        let (types, stream) = (types.to_owned(), stream.to_owned());
        (format!("{types} {stream} {seconds}"), TtlRule { types, stream, seconds })
    }

    fn settings(rules: impl IntoIterator<Item = (String, TtlRule)>) -> EventSettings {
        EventSettings { ttl: rules.into_iter().collect(), ..EventSettings::default() }
    }

    fn is_over_after(rules: &EventSettings, types: &[&str], streams: &[&str], after: u64) -> bool {
        let newest = Timestamp::from_unix_micros(1_000_000_000_000_000);
        let now = newest.plus(Duration::from_secs(after));
        let (types, streams) = (types.iter().copied(), streams.iter().copied());
        let lives = Lives::of(rules);
        let is_over = lives.are_over(types, streams, newest, now);
        assert!(!is_over || lives.may_be_over(newest, now), "the quick look is the wider one");
        is_over
    }

    #[test]
    fn what_no_rule_is_for_keeps_all_and_own_records_go_with_the_longest() {
        let rules = settings([rule("debug.*", "*", 10), rule("*", "logs", 100)]);
        let over =
            |types: &[&str], streams: &[&str], after| is_over_after(&rules, types, streams, after);
        assert!(over(&["debug.a", "debug.b"], &["events"], 10));
        assert!(!over(&["debug.a", "debug.b"], &["events"], 9));
        assert!(!over(&["debug.a", "order.placed"], &["events"], 1_000));
        assert!(over(&["debug.a", "order.placed"], &["logs"], 100));
        assert!(!over(&["debug.a", "order.placed"], &["logs", "events"], 1_000));
        let own = ["foundation", "config/shop", "table/foundation.consumers"];
        let with_own = ["debug.a", "foundation.config.changed"];
        assert!(!over(&with_own, &[&own[..], &["events"]].concat(), 99));
        assert!(over(&with_own, &[&own[..], &["events"]].concat(), 100));
        assert!(over(&["foundation.table.put"], &own, 100));
        assert!(!is_over_after(&settings([]), &["debug.a"], &["events"], u64::MAX / 2_000_000));
    }

    proptest! {
        /// Nothing is called over while one event of the file lives.
        #[test]
        fn no_living_event_is_called_over(
            rules in prop::collection::vec(("[ab*]\\*?", "[xy*]\\*?", 1u64..6), 0..4),
            events in prop::collection::vec(("[ab]{1,2}", "[xy]{1,2}"), 1..5),
            after in 0u64..8,
        ) {
            let rules = settings(rules.iter().map(|(types, stream, s)| rule(types, stream, *s)));
            let types: Vec<&str> = events.iter().map(|(kind, _)| kind.as_str()).collect();
            let streams: Vec<&str> = events.iter().map(|(_, stream)| stream.as_str()).collect();
            let lives = events.iter().any(|(kind, stream)| {
                rules.seconds_to_live(kind, stream).is_none_or(|seconds| after < seconds)
            });
            if lives {
                prop_assert!(!is_over_after(&rules, &types, &streams, after));
            }
        }
    }
}
