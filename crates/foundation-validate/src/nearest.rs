//! What the writer of an unknown name may have meant.

/// Longer names are not compared: a slip of the keyboard is not that long.
const NAME_BYTES_MAX: usize = 512;

/// The known name with the fewest slips between it and `unknown`, if they are few.
///
/// Few is a third of the name's characters. Failing that, a known path that ends in the same
/// key: who writes `max_results` means `interface.max_results`.
///
/// ```
/// use foundation_validate::nearest::nearest;
/// let known = ["interface.max_results", "log.level"];
/// assert_eq!(nearest("interface.max_resluts", known), Some("interface.max_results"));
/// assert_eq!(nearest("level", known), Some("log.level"));
/// assert_eq!(nearest("colour", known), None);
/// ```
#[must_use]
pub fn nearest<'a>(
    unknown: &str,
    known: impl IntoIterator<Item = &'a str, IntoIter: Clone>,
) -> Option<&'a str> {
    if unknown.is_empty() || unknown.len() > NAME_BYTES_MAX {
        return None;
    }
    let known = known.into_iter();
    by_slips(unknown, known.clone()).or_else(|| by_last_key(unknown, known))
}

fn by_slips<'a>(unknown: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let length = unknown.chars().count();
    let slips_max = length.max(3) / 3;
    known
        .filter(|name| name.len() <= NAME_BYTES_MAX)
        .map(|name| (strsim::osa_distance(unknown, name), name))
        .filter(|(slips, _)| *slips <= slips_max && *slips < length)
        .min_by_key(|(slips, _)| *slips)
        .map(|(_, name)| name)
}

fn by_last_key<'a>(unknown: &str, mut known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let last = |path: &'a str| path.rsplit('.').next();
    let wanted = unknown.rsplit('.').next();
    known.find(|name| last(name) == wanted)
}
