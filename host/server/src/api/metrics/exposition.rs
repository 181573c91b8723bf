//! Figures in the text format of Prometheus, written by its client library.

use crate::buckets::Buckets;
use domain::diagnostic::Diagnostic;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet, prometheus_text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::exemplar::Exemplar;
use prometheus_client::registry::Registry;
use std::fmt;

/// Labels by name, in the order in which they are shown.
pub type Labels = Vec<(&'static str, String)>;

/// Figures as they are at one scrape, in the order in which they were added.
#[derive(Clone, Debug, Default)]
pub struct Exposition(Vec<Metric>);

#[derive(Clone, Debug)]
struct Metric {
    name: String,
    help: &'static str,
    values: Values,
}

#[derive(Clone, Debug)]
enum Values {
    Gauge(Vec<(Labels, ScrapedFigure)>),
    Counter(Vec<(Labels, ScrapedFigure)>),
    Histogram(&'static [f64], Vec<(Labels, Buckets)>),
}

/// The library appends `_total` to a counter's name.
#[derive(Clone, Copy, Debug)]
pub enum FigureKind {
    Gauge,
    Counter,
}

/// An exact number, until a scraper makes a float of it: so many units of the last decimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScrapedFigure {
    units: i128,
    decimals: usize,
}

impl ScrapedFigure {
    pub fn micros(units: u64) -> ScrapedFigure {
        ScrapedFigure { units: units.into(), decimals: 6 }
    }

    pub fn millis(units: i64) -> ScrapedFigure {
        ScrapedFigure { units: units.into(), decimals: 3 }
    }

    pub fn nanos(units: i128) -> ScrapedFigure {
        ScrapedFigure { units, decimals: 9 }
    }

    /// The nearest float, read from decimal text: no arithmetic of floats rounds twice.
    fn float(self) -> Result<f64, fmt::Error> {
        let digits = format!("{:0width$}", self.units.unsigned_abs(), width = self.decimals + 1);
        let (whole, fraction) = digits.split_at(digits.len() - self.decimals);
        let sign = if self.units < 0 { "-" } else { "" };
        format!("{sign}{whole}.{fraction}0").parse().map_err(|_| fmt::Error)
    }
}

impl From<i128> for ScrapedFigure {
    fn from(units: i128) -> ScrapedFigure {
        ScrapedFigure { units, decimals: 0 }
    }
}

impl From<u64> for ScrapedFigure {
    fn from(units: u64) -> ScrapedFigure {
        ScrapedFigure { units: units.into(), decimals: 0 }
    }
}

impl Exposition {
    pub fn add<F: Into<ScrapedFigure>>(
        &mut self,
        kind: FigureKind,
        name: impl Into<String>,
        help: &'static str,
        values: impl IntoIterator<Item = (Labels, F)>,
    ) {
        let values = values.into_iter().map(|(labels, value)| (labels, value.into())).collect();
        let values = match kind {
            FigureKind::Gauge => Values::Gauge(values),
            FigureKind::Counter => Values::Counter(values),
        };
        self.0.push(Metric { name: name.into(), help, values });
    }

    /// A gauge without labels.
    pub fn gauge(
        &mut self,
        name: &'static str,
        help: &'static str,
        value: impl Into<ScrapedFigure>,
    ) {
        self.add(FigureKind::Gauge, name, help, [(Labels::new(), value)]);
    }

    /// Durations in buckets up to `bounds`, which are seconds.
    pub fn histogram(
        &mut self,
        name: &'static str,
        help: &'static str,
        bounds: &'static [f64],
        values: Vec<(Labels, Buckets)>,
    ) {
        self.0.push(Metric { name: name.into(), help, values: Values::Histogram(bounds, values) });
    }

    pub fn text(self) -> Result<String, Diagnostic> {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(self));
        let mut text = String::new();
        prometheus_text::encode(&mut text, &registry).map_err(|error| {
            Diagnostic::new(domain::code::INTERNAL, format!("figures cannot be written: {error}"))
        })?;
        Ok(text)
    }
}

impl Collector for Exposition {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        for Metric { name, help, values } in &self.0 {
            let kind = match values {
                Values::Gauge(_) => MetricType::Gauge,
                Values::Counter(_) => MetricType::Counter,
                Values::Histogram(..) => MetricType::Histogram,
            };
            let mut family = encoder.encode_descriptor(name, help, None, kind)?;
            match values {
                Values::Gauge(values) => each(&mut family, values, gauge)?,
                Values::Counter(values) => each(&mut family, values, counter)?,
                Values::Histogram(bounds, values) => {
                    let write = |encoder: &mut MetricEncoder<'_>, buckets: &Buckets| {
                        histogram(encoder, bounds, buckets)
                    };
                    each(&mut family, values, write)?;
                }
            }
        }
        Ok(())
    }
}

fn each<T>(
    family: &mut MetricEncoder<'_>,
    values: &[(Labels, T)],
    write: impl Fn(&mut MetricEncoder<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    for (labels, value) in values {
        if labels.is_empty() {
            write(family, value)?;
        } else {
            write(&mut family.encode_family(labels)?, value)?;
        }
    }
    Ok(())
}

/// Numbers that are larger than the library's whole numbers are given as floats, as which a scraper
/// keeps every figure anyway.
fn gauge(encoder: &mut MetricEncoder<'_>, figure: &ScrapedFigure) -> fmt::Result {
    match i64::try_from(figure.units) {
        Ok(whole) if figure.decimals == 0 => encoder.encode_gauge(&whole),
        _ => encoder.encode_gauge(&figure.float()?),
    }
}

fn counter(encoder: &mut MetricEncoder<'_>, figure: &ScrapedFigure) -> fmt::Result {
    let none = None::<&Exemplar<NoLabelSet, u64>>;
    match u64::try_from(figure.units) {
        Ok(whole) if figure.decimals == 0 => encoder.encode_counter(&whole, none),
        _ => encoder.encode_counter(&figure.float()?, none),
    }
}

fn histogram(encoder: &mut MetricEncoder<'_>, bounds: &[f64], buckets: &Buckets) -> fmt::Result {
    let bounds = bounds.iter().copied().chain([f64::INFINITY]);
    // The library adds the buckets up.
    let counted: Vec<(f64, u64)> = bounds.zip(buckets.counts.iter().copied()).collect();
    let sum = ScrapedFigure::micros(buckets.sum_us).float()?;
    encoder.encode_histogram::<NoLabelSet>(sum, buckets.counts.iter().sum(), &counted, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_written_in_order_with_escaped_labels() {
        let mut figures = Exposition::default();
        figures.gauge("a_gauge", "One.", -7_i128);
        let labels = vec![("team", "a\"b\\c\nd".to_owned()), ("x", "y".to_owned())];
        figures.add(FigureKind::Counter, "a_counter", "Two.", [(labels, 3_u64)]);
        figures.add(FigureKind::Gauge, "large", "Three.", [(Labels::new(), 1_i128 << 70)]);
        figures.add(FigureKind::Gauge, "empty", "Four.", Vec::<(Labels, u64)>::new());
        let expected = "# HELP a_gauge One.\n# TYPE a_gauge gauge\na_gauge -7\n\
            # HELP a_counter_total Two.\n# TYPE a_counter_total counter\n\
            a_counter_total{team=\"a\\\"b\\\\c\\nd\",x=\"y\"} 3\n\
            # HELP large Three.\n# TYPE large gauge\nlarge 1.1805916207174114e21\n\
            # HELP empty Four.\n# TYPE empty gauge\n";
        assert_eq!(figures.text(), Ok(expected.to_owned()));
    }

    #[test]
    fn parts_of_a_unit_are_the_nearest_float() {
        for (figure, expect) in [
            (ScrapedFigure::micros(1_500_000), 1.5),
            (ScrapedFigure::micros(7), 0.000_007),
            (ScrapedFigure::millis(-1), -0.001),
            (ScrapedFigure::nanos(-12_340_000_000), -12.34),
            (ScrapedFigure::nanos(1), 1e-9),
            (ScrapedFigure::from(0_u64), 0.0),
        ] {
            assert_eq!(figure.float(), Ok(expect), "{figure:?}");
        }
    }

    #[test]
    fn a_histogram_has_sums_up_to_each_bound() {
        let mut figures = Exposition::default();
        let buckets = Buckets { counts: vec![2, 0, 1], sum_us: 2_500_000 };
        let values = vec![(vec![("route", "/x".to_owned())], buckets)];
        figures.histogram("took_seconds", "One.", &[0.005, 1.0], values);
        let expected = "# HELP took_seconds One.\n# TYPE took_seconds histogram\n\
            took_seconds_bucket{route=\"/x\",le=\"0.005\"} 2\n\
            took_seconds_bucket{route=\"/x\",le=\"1\"} 2\n\
            took_seconds_bucket{route=\"/x\",le=\"+Inf\"} 3\n\
            took_seconds_sum{route=\"/x\"} 2.5\ntook_seconds_count{route=\"/x\"} 3\n";
        assert_eq!(figures.text(), Ok(expected.to_owned()));
    }
}
