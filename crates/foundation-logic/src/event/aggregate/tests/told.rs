//! What a few events come to, number by number.

use foundation_types::event::{Aggregation, By, Late, Window};
use foundation_types::{Data, Event, Recorded};

use super::super::Aggregated;
use super::{answer, millis, recorded};

/// Rows as `kind group events values`.
fn rows(counted: &Aggregated) -> String {
    let row = |row: &super::super::AggregateRow| {
        let group: Vec<&str> = row.group.iter().map(|one| one.as_deref().unwrap_or("-")).collect();
        let values = serde_json::to_string(&row.values).expect("numbers");
        let window = row.window.map(|window| format!("{} {} ", window.start, window.end));
        let (window, kind) = (window.unwrap_or_default(), format!("{:?}", row.kind));
        format!("{window}{kind} {} {} {values} {}\n", group.join(","), row.events, row.not_numbers)
    };
    counted.rows.iter().map(row).collect()
}

fn with(data: &str) -> Recorded {
    recorded(1, 0, Event::new("t").data(&Data::from_json(data).expect("is JSON")).expect("fits"))
}

#[test]
fn what_is_no_number_is_counted_and_never_lost() {
    let asked =
        ["sum", "min", "max", "mean", "p50"].iter().fold(Aggregation::count(), |asked, fold| {
            asked.measure(format!("{fold}:data.n").parse().expect("a measure"))
        });
    let data = [
        r#"{"n": 1}"#,
        r#"{"n": "2.5"}"#,
        r#"{"n": -4}"#,
        r#"{"n": 1e300}"#,
        r#"{"n": "NaN"}"#,
        r#"{"n": "inf"}"#,
        r#"{"n": "1e999"}"#,
        r#"{"n": "soon"}"#,
        r#"{"n": true}"#,
        r#"{"n": [1]}"#,
        r#"{"n": null}"#,
        "{}",
        "7",
    ];
    let events: Vec<Recorded> = data.iter().map(|data| with(data)).collect();
    let counted = answer(&asked, &events);
    insta::assert_snapshot!(rows(&counted), @"Group  13 [13,1e+300,-4.0,1e+300,2.5e+299,1.0] 6");
    let place = &counted.places[0];
    assert_eq!((place.numbers, place.missing, place.not_numbers), (4, 3, 6));
    let none = answer(&asked, &[with("{}")]);
    insta::assert_snapshot!(rows(&none), @"Group  1 [1,null,null,null,null,null] 0");
    assert!(answer(&asked, &[]).rows.is_empty());
}

#[test]
fn groups_are_what_events_have_in_common() {
    let asked = Aggregation::count().by(By::Source).by("data.level".parse().expect("a group"));
    let event = |source: Option<&str>, data: &str| {
        let event = Event::new("t").data(&Data::from_json(data).expect("JSON")).expect("fits");
        recorded(1, 0, source.into_iter().fold(event, Event::source))
    };
    let events = [
        event(Some("a"), r#"{"level": "INFO"}"#),
        event(Some("a"), r#"{"level": "INFO"}"#),
        event(Some("a"), r#"{"level": 3}"#),
        event(Some("a"), r#"{"level": "3"}"#),
        event(None, r#"{"level": true}"#),
        event(Some(""), r#"{"level": [1]}"#),
        event(None, "1"),
    ];
    insta::assert_snapshot!(rows(&answer(&asked, &events)), @r"
    Group a,3 2 [2] 0
    Group a,INFO 2 [2] 0
    Group -,- 1 [1] 0
    Group -,true 1 [1] 0
    Group ,- 1 [1] 0
    ");
}

#[test]
fn windows_are_cut_by_the_time_of_events() {
    let asked =
        |window| Aggregation::count().measure("rate".parse().expect("a measure")).window(window);
    let times = [0, 999, 1_000, 2_500, 2_400];
    let events: Vec<Recorded> = (1..)
        .zip(times)
        .map(|(position, time)| recorded(position, time, Event::new("t")))
        .collect();
    insta::assert_snapshot!(rows(&answer(&asked(Window::tumbling(millis(1_000))), &events)), @r"
    1970-01-01T00:00:00Z 1970-01-01T00:00:01Z Group  2 [2,2.0] 0
    1970-01-01T00:00:01Z 1970-01-01T00:00:02Z Group  1 [1,1.0] 0
    1970-01-01T00:00:02Z 1970-01-01T00:00:03Z Group  2 [2,2.0] 0
    ");
    insta::assert_snapshot!(rows(&answer(&asked(Window::session(millis(1_000))), &events)), @r"
    1970-01-01T00:00:00Z 1970-01-01T00:00:01Z Group  3 [3,3.0] 0
    1970-01-01T00:00:02.4Z 1970-01-01T00:00:02.5Z Group  2 [2,20.0] 0
    ");
    insta::assert_snapshot!(rows(&answer(&asked(Window::None), &events)), @"Group  5 [5,2.0] 0");
}

#[test]
fn late_events_have_a_row_of_their_own_or_none() {
    let events: Vec<Recorded> = (1..)
        .zip([1_000, 900, 2_000, 1_800, 100])
        .map(|(position, time)| recorded(position, time, Event::new("t")))
        .collect();
    let asked = |late| Aggregation::count().by(By::Type).lateness(millis(150), late);
    let apart = answer(&asked(Late::Row), &events);
    insta::assert_snapshot!(rows(&apart), @r"
    Group t 3 [3] 0
    Late  2 [2] 0
    ");
    let dropped = answer(&asked(Late::Drop), &events);
    assert_eq!((dropped.events, dropped.late, dropped.rows.len()), (5, 2, 1));
}

#[test]
fn an_answer_reads_back_from_its_json() {
    let asked = Aggregation::count()
        .measure("p99.9:data.n".parse().expect("a measure"))
        .measure("mean:data.n".parse().expect("a measure"))
        .by(By::Type)
        .window(Window::sliding(millis(2_000), millis(500)))
        .lateness(millis(5), Late::Row);
    let events = [
        with(r#"{"n": 3}"#),
        with(r#"{"n": "x"}"#),
        recorded(2, 9_000, Event::new("u")),
        with("{}"),
    ];
    let counted = answer(&asked, &events);
    let text = serde_json::to_string(&counted).expect("writes");
    assert_eq!(serde_json::from_str::<Aggregated>(&text).expect("reads"), counted);
    let text = serde_json::to_string(&asked).expect("writes");
    assert_eq!(serde_json::from_str::<Aggregation>(&text).expect("reads"), asked);
}
