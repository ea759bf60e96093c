//! Sections of the report, each with its own writer, none of which touches another's.

/// A section with its heading, up to the next heading of its level or the end.
pub(crate) fn section<'a>(text: &'a str, heading: &str) -> Option<&'a str> {
    let start = match text.strip_prefix(heading) {
        Some(rest) if rest.starts_with('\n') => 0,
        _ => text.find(&format!("\n{heading}\n"))? + 1,
    };
    let rest = text.get(start..)?;
    let end = rest.get(heading.len()..)?.find("\n## ").map(|at| heading.len() + at + 1);
    rest.get(..end.unwrap_or(rest.len()))
}

/// The text with this section, which begins with its heading, instead of the one that it had; at
/// the end if it had none.
pub(crate) fn with_section(text: &str, heading: &str, section_text: &str) -> String {
    match section(text, heading) {
        Some(before) => {
            let gap = if text.ends_with(before) { "" } else { "\n" };
            text.replacen(before, &format!("{}\n{gap}", section_text.trim_end()), 1)
        }
        None if text.trim().is_empty() => section_text.to_owned(),
        None => format!("{}\n\n{}", text.trim_end(), section_text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_replaced_alone_and_added_where_there_is_none() {
        let text = "# All\n\nrows\n\n## One\n\nold\n\n## Two\n\nstays\n";
        assert_eq!(section(text, "## One"), Some("## One\n\nold\n\n"));
        assert_eq!(section(text, "## Two"), Some("## Two\n\nstays\n"));
        assert_eq!(section(text, "## Three"), None);
        let changed = with_section(text, "## One", "## One\n\nnew\n");
        assert_eq!(changed, "# All\n\nrows\n\n## One\n\nnew\n\n## Two\n\nstays\n");
        let changed = with_section(text, "## Two", "## Two\n\nnew\n");
        assert_eq!(changed, "# All\n\nrows\n\n## One\n\nold\n\n## Two\n\nnew\n");
        let added = with_section("# All\n\nrows\n", "## One", "## One\n\nnew\n");
        assert_eq!(added, "# All\n\nrows\n\n## One\n\nnew\n");
    }
}
