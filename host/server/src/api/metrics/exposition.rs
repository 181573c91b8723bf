//! Figures in the text format of Prometheus, written by its client library.

use domain::diagnostic::Diagnostic;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeGaugeValue, GaugeValueEncoder, MetricEncoder, NoLabelSet,
    prometheus_text,
};
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
    kind: FigureKind,
    values: Vec<(Labels, i128)>,
}

/// The library appends `_total` to a counter's name.
#[derive(Clone, Copy, Debug)]
pub enum FigureKind {
    Gauge,
    Counter,
}

impl Exposition {
    pub fn add(
        &mut self,
        kind: FigureKind,
        name: impl Into<String>,
        help: &'static str,
        values: impl IntoIterator<Item = (Labels, i128)>,
    ) {
        let values = values.into_iter().collect();
        self.0.push(Metric { name: name.into(), help, kind, values });
    }

    /// A gauge without labels.
    pub fn gauge(&mut self, name: &'static str, help: &'static str, value: i128) {
        self.add(FigureKind::Gauge, name, help, [(Labels::new(), value)]);
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
        for metric in &self.0 {
            let kind = match metric.kind {
                FigureKind::Gauge => MetricType::Gauge,
                FigureKind::Counter => MetricType::Counter,
            };
            let mut family = encoder.encode_descriptor(&metric.name, metric.help, None, kind)?;
            for (labels, value) in &metric.values {
                if labels.is_empty() {
                    write(&mut family, metric.kind, *value)?;
                } else {
                    write(&mut family.encode_family(labels)?, metric.kind, *value)?;
                }
            }
        }
        Ok(())
    }
}

fn write(encoder: &mut MetricEncoder<'_>, kind: FigureKind, value: i128) -> fmt::Result {
    match kind {
        FigureKind::Gauge => encoder.encode_gauge(&WholeNumber(value)),
        FigureKind::Counter => {
            let count = u64::try_from(value).map_err(|_| fmt::Error)?;
            encoder.encode_counter(&count, None::<&Exemplar<NoLabelSet, u64>>)
        }
    }
}

/// Sums of nanos can be larger than the library's whole numbers. Then the nearest float is given,
/// as which a scraper keeps every figure anyway.
struct WholeNumber(i128);

impl EncodeGaugeValue for WholeNumber {
    fn encode(&self, encoder: &mut GaugeValueEncoder<'_>) -> fmt::Result {
        match i64::try_from(self.0) {
            Ok(value) => value.encode(encoder),
            Err(_) => (self.0 as f64).encode(encoder),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_written_in_order_with_escaped_labels() {
        let mut figures = Exposition::default();
        figures.gauge("a_gauge", "One.", -7);
        let labels = vec![("team", "a\"b\\c\nd".to_owned()), ("x", "y".to_owned())];
        figures.add(FigureKind::Counter, "a_counter", "Two.", [(labels, 3)]);
        figures.add(FigureKind::Gauge, "large", "Three.", [(Labels::new(), 1_i128 << 70)]);
        figures.add(FigureKind::Gauge, "empty", "Four.", []);
        let expected = "# HELP a_gauge One.\n# TYPE a_gauge gauge\na_gauge -7\n\
            # HELP a_counter_total Two.\n# TYPE a_counter_total counter\n\
            a_counter_total{team=\"a\\\"b\\\\c\\nd\",x=\"y\"} 3\n\
            # HELP large Three.\n# TYPE large gauge\nlarge 1.1805916207174114e21\n\
            # HELP empty Four.\n# TYPE empty gauge\n";
        assert_eq!(figures.text(), Ok(expected.to_owned()));
    }
}
