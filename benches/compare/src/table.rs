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
