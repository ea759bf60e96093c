//! Why a value is what it is, as it is told to people.

use foundation::HIDDEN;
use foundation::config::{Aside, Explanation, Given, KeyGiven, Origin};

use super::table::{Align, table};
use super::text::counted;
use super::tree::side;

/// The value with what is known of its field, then everybody who says something of it.
pub(crate) fn explanation(explained: &Explanation) -> Vec<String> {
    let Explanation { path, value, secret, shape, doc, given, keys, parked, .. } = explained;
    let shown = if *secret { HIDDEN.to_owned() } else { side(value) };
    let known: Vec<&str> =
        [shape.as_str(), doc].into_iter().filter(|text| !text.is_empty()).collect();
    let known = if known.is_empty() { String::new() } else { format!("  ({})", known.join(": ")) };
    let name = if path.is_root() { "(document)".to_owned() } else { path.to_string() };
    let mut lines = vec![format!("{name} = {shown}{known}")];
    if keys.is_empty() {
        lines.extend(overruled(given, *secret));
    } else {
        lines.extend(by_key(explained));
    }
    if let Some(Aside { value, problems }) = parked {
        let value = if *secret { HIDDEN.to_owned() } else { side(value) };
        lines.push(format!("  parked  {value}, as it was logged: the document does not pass"));
        lines.extend(problems.iter().map(|problem| format!("          {problem}")));
    }
    lines
}

/// The one that counts, and everybody whom it overrules.
fn overruled(given: &[Given], secret: bool) -> impl Iterator<Item = String> {
    let shadowed = std::iter::repeat("shadows");
    std::iter::once("from").chain(shadowed).zip(given).map(move |(word, one)| {
        let value = if secret { HIDDEN.to_owned() } else { side(&one.value) };
        let line =
            format!("  {word:<7} {:<11}  {value:<12}  {}", one.origin.kind(), place(&one.origin));
        line.trim_end().to_owned()
    })
}

/// Who counts for each value of a map: its sources may say different ones.
fn by_key(explained: &Explanation) -> Vec<String> {
    let cells = |one: &KeyGiven| {
        let value =
            one.value.as_ref().map_or(HIDDEN.to_owned(), |value| side(&Some(value.clone())));
        let from = format!("from {}", one.origin.kind());
        [format!("  {}", one.path), format!("= {value}"), from, place(&one.origin)]
    };
    let rows: Vec<_> = explained.keys.iter().map(cells).collect();
    let mut lines = table([Align::Left; 4], &rows);
    if explained.further_keys > 0 {
        let further = counted(explained.further_keys as u64, "further value");
        lines.push(format!("  and {further}: ask for a path inside"));
    }
    lines
}

fn place(origin: &Origin) -> String {
    match origin {
        Origin::Default => String::new(),
        Origin::Environment { variable } => variable.clone(),
        Origin::Earlier { version } => {
            version.map(|version| format!("version {version}")).unwrap_or_default()
        }
        Origin::RunTime { version, time, actor, reason, until } => {
            let version = version.map(|version| format!("version {version}"));
            let time = time.map(|time| time.to_string());
            let reason = reason.as_ref().map(|reason| format!("{reason:?}"));
            let until = until.map(|until| format!("until {until}"));
            let parts = [version, time, actor.clone(), reason, until];
            parts.into_iter().flatten().collect::<Vec<_>>().join("  ")
        }
        file @ Origin::File { .. } => file.to_string(),
    }
}
