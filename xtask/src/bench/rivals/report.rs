//! The section of the report: every figure, and every target with met or missed.

use super::targets::{Better, OWN, RIVALS, ROWS, TARGETS, Target};
use super::{Figures, HEADING};

/// The section, from its heading on.
pub(super) fn section(figures: &Figures, machine: &str) -> String {
    let mut text = format!(
        "{HEADING}\n\n\
         Written by `cargo xtask bench --rivals` from one run with {} events of 200 bytes in the large store, on\n\
         {machine}.\n\
         The best of {} rounds is told. Every append is acked after a sync; `benches/compare/src/main.rs` says how each\n\
         engine is used and what makes it fair. × is how many times better than the best of the other engines,\n\
         which is what counts: other load on the machine moves every figure.\n\n",
        grouped(figures.events),
        figures.rounds
    );
    text.push_str(&table(figures));
    text.push_str(
        "\nTargets. A bound without a rival was set on another machine, for a million events.\n\n",
    );
    text.push_str(&targets(figures));
    text
}

fn table(figures: &Figures) -> String {
    let mut text = String::from("| |");
    OWN.iter().for_each(|engine| text.push_str(&format!(" {engine} | × |")));
    RIVALS.iter().for_each(|engine| text.push_str(&format!(" {engine} |")));
    text.push_str("\n|---|");
    text.push_str(&"---|".repeat(OWN.len() * 2 + RIVALS.len()));
    for (metric, name, better) in ROWS {
        text.push_str(&format!("\n| {name} |"));
        for engine in OWN {
            let own = figures.of(metric, engine);
            let times =
                own.and_then(|own| times_better(own, best(figures, metric, *better)?, *better));
            text.push_str(&format!(" {} | {} |", cell(own), times.unwrap_or_default()));
        }
        for engine in RIVALS {
            text.push_str(&format!(" {} |", cell(figures.of(metric, engine))));
        }
    }
    text.push('\n');
    text
}

fn targets(figures: &Figures) -> String {
    let mut text = String::from("| target |");
    OWN.iter().for_each(|engine| text.push_str(&format!(" {engine} | |")));
    text.push_str("\n|---|");
    text.push_str(&"---|---|".repeat(OWN.len()));
    for (metric, target, words) in TARGETS {
        text.push_str(&format!("\n| {words} |"));
        for engine in OWN {
            let (measured, verdict) = judged(figures, metric, *target, engine);
            text.push_str(&format!(" {measured} | {verdict} |"));
        }
    }
    text.push('\n');
    text
}

/// What an engine has of a target, and whether that is enough.
fn judged(figures: &Figures, metric: &str, target: Target, engine: &str) -> (String, &'static str) {
    let verdict = |met| if met { "met" } else { "**missed**" };
    let Some(own) = figures.of(metric, engine) else { return ("not measured".to_owned(), "") };
    match target {
        Target::AtLeast(least) => (shown(own), verdict(own >= least)),
        Target::AtMost(most) => (shown(own), verdict(own <= most)),
        Target::BestRival(least) => match best(figures, metric, Better::More) {
            Some(best) => (format!("{:.2} ×", own / best), verdict(own >= best * least)),
            None => (shown(own), ""),
        },
        Target::Own(most, other) => match figures.of(other, engine) {
            Some(other) => (format!("{:.2} ×", own / other), verdict(own <= other * most)),
            None => (shown(own), ""),
        },
    }
}

/// The best figure of a rival.
fn best(figures: &Figures, metric: &str, better: Better) -> Option<f64> {
    let all = RIVALS.iter().filter_map(|engine| figures.of(metric, engine));
    match better {
        Better::More => all.max_by(f64::total_cmp),
        Better::Less => all.min_by(f64::total_cmp),
    }
}

/// How many times better the first figure is; nothing where one of them is about nothing.
fn times_better(own: f64, best: f64, better: Better) -> Option<String> {
    let (own, best) = if better == Better::More { (own, best) } else { (best, own) };
    (own > 0.01 && best > 0.01).then(|| format!("{:.2}", own / best))
}

pub(super) fn cell(value: Option<f64>) -> String {
    value.map_or("–".to_owned(), shown)
}

fn shown(value: f64) -> String {
    match value {
        ..10.0 => format!("{value:.2}"),
        ..1_000.0 => format!("{value:.0}"),
        ..10_000_000.0 => grouped(value.round() as u64),
        _ => format!("{:.1} M", value / 1e6),
    }
}

/// A number with a comma after each three digits.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_is_judged_by_rivals_of_the_same_run() {
        let one = |metric: &str, engine: &str, value| (metric.to_owned(), engine.to_owned(), value);
        let figures = Figures {
            events: 1_000_000,
            rounds: 3,
            all: vec![
                one("append_64x16_per_s", "foundation-journal", 500_000.0),
                one("append_64x16_per_s", "foundation-store", 300_000.0),
                one("append_64x16_per_s", "fjall", 150_000.0),
                one("append_64x16_per_s", "redb", 200_000.0),
                one("append_bare_us", "foundation-journal", 100.0),
                one("append_alone_us", "foundation-journal", 130.0),
                one("reopen_clean_ms", "foundation-journal", 5.0),
            ],
        };
        let text = section(&figures, "a machine");
        assert!(text.starts_with("## Durable, beside other engines\n\nWritten by"), "{text}");
        assert!(text.contains("1,000,000 events"), "{text}");
        let wanted = "| 500,000 | 2.50 | 300,000 | 1.50 | 150,000 | 200,000 | – |";
        assert!(text.contains(wanted), "{text}");
        assert!(text.contains("rival | 2.50 × | met | 1.50 × | **missed** |"), "{text}");
        assert!(text.contains("sync | 1.30 × | **missed** | not measured |  |"), "{text}");
        assert!(text.contains("≤ 20 ms | 5.00 | met |"), "{text}");
    }
}
