//! Why a value is what it is, as it is told to people.

use foundation::config::{Aside, Explanation, Given, Origin};

use super::tree::side;

/// The value with what is known of its field, then everybody who says something of it.
pub(crate) fn explanation(explained: &Explanation) -> Vec<String> {
    let Explanation { path, value, secret, shape, doc, given, parked } = explained;
    let shown = if *secret { "[secret]".to_owned() } else { side(value) };
    let known: Vec<&str> =
        [shape.as_str(), doc].into_iter().filter(|text| !text.is_empty()).collect();
    let known = if known.is_empty() { String::new() } else { format!("  ({})", known.join(": ")) };
    let mut lines = vec![format!("{path} = {shown}{known}")];
    let shadowed = std::iter::repeat("shadows");
    for (word, one) in std::iter::once("from").chain(shadowed).zip(given) {
        let value = if *secret { "[secret]".to_owned() } else { side(&one.value) };
        let line = format!("  {word:<7} {:<11}  {value:<12}  {}", one.origin.kind(), place(one));
        lines.push(line.trim_end().to_owned());
    }
    if let Some(Aside { value, problems }) = parked {
        let value = if *secret { "[secret]".to_owned() } else { side(value) };
        lines.push(format!("  parked  {value}, as it was logged: the document does not pass"));
        lines.extend(problems.iter().map(|problem| format!("          {problem}")));
    }
    lines
}

fn place(given: &Given) -> String {
    match &given.origin {
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
