//! The figures of a run, as lines for programs and as a table for people.

/// One figure of one engine.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    pub(crate) metric: String,
    pub(crate) engine: String,
    pub(crate) value: f64,
}

impl Figure {
    /// The figure as a line whose parts are parted by tabs.
    pub(crate) fn line(&self) -> String {
        format!("figure\t{}\t{}\t{}", self.metric, self.engine, self.value)
    }
}

/// The best of what was measured of each metric of each engine, in the order in which they came:
/// other load makes nothing faster.
pub(crate) fn best(figures: &[Figure]) -> Vec<Figure> {
    let mut best: Vec<Figure> = Vec::new();
    for figure in figures {
        let same = |one: &&mut Figure| one.metric == figure.metric && one.engine == figure.engine;
        match best.iter_mut().find(same) {
            // Of rates more is better, of all else less.
            Some(one) if figure.metric.ends_with("_per_s") => {
                one.value = one.value.max(figure.value)
            }
            Some(one) => one.value = one.value.min(figure.value),
            None => best.push(figure.clone()),
        }
    }
    best
}

/// A row for each metric, a column for each engine, both in the order in which they come.
pub(crate) fn of(figures: &[Figure]) -> String {
    let (mut metrics, mut engines): (Vec<&str>, Vec<&str>) = Default::default();
    for figure in figures {
        if !metrics.contains(&figure.metric.as_str()) {
            metrics.push(&figure.metric);
        }
        if !engines.contains(&figure.engine.as_str()) {
            engines.push(&figure.engine);
        }
    }
    let mut text = format!("{:24}", "");
    engines.iter().for_each(|engine| text.push_str(&format!("{engine:>20}")));
    for metric in metrics {
        text.push_str(&format!("\n{metric:24}"));
        for engine in &engines {
            let of = |one: &&Figure| one.metric == metric && one.engine == *engine;
            let cell = figures.iter().find(of).map_or("-".to_owned(), |one| shown(one.value));
            text.push_str(&format!("{cell:>20}"));
        }
    }
    text
}

fn shown(value: f64) -> String {
    match value {
        ..10.0 => format!("{value:.2}"),
        ..1_000.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_of_the_rounds_is_told() {
        let one = |metric: &str, value| Figure {
            metric: metric.to_owned(),
            engine: "redb".to_owned(),
            value,
        };
        let figures =
            [one("a_us", 3.0), one("b_per_s", 7.0), one("a_us", 1.0), one("b_per_s", 8.0)];
        let lines: Vec<String> = best(&figures).iter().map(Figure::line).collect();
        assert_eq!(lines, ["figure\ta_us\tredb\t1", "figure\tb_per_s\tredb\t8"]);
    }
}
