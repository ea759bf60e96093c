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

/// The middle of what was measured of each metric of each engine, in the order in which they came.
pub(crate) fn medians(figures: &[Figure]) -> Vec<Figure> {
    let mut middle: Vec<Figure> = Vec::new();
    for figure in figures {
        let same = |one: &Figure| one.metric == figure.metric && one.engine == figure.engine;
        if !middle.iter().any(same) {
            let all = figures.iter().filter(|one| same(one));
            let mut values: Vec<f64> = all.map(|one| one.value).collect();
            values.sort_by(f64::total_cmp);
            middle.push(Figure { value: values[values.len() / 2], ..figure.clone() });
        }
    }
    middle
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
    fn the_middle_of_the_rounds_is_told() {
        let one = |metric: &str, value| Figure {
            metric: metric.to_owned(),
            engine: "redb".to_owned(),
            value,
        };
        let figures = [one("a", 3.0), one("b", 7.0), one("a", 1.0), one("a", 2.0)];
        let lines: Vec<String> = medians(&figures).iter().map(Figure::line).collect();
        assert_eq!(lines, ["figure\ta\tredb\t2", "figure\tb\tredb\t7"]);
    }
}
