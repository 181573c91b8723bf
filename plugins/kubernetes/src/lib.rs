//! The collector `kubernetes`: the requests of workloads for a cluster's nodes, volumes and load
//! balancers, and their cost by list prices until a bill comes.
//!
//! The API knows the cluster as it is now, and nothing of the past. So the day of the run is
//! collected, up to the time of the run.

mod charges;
mod cluster;
mod gpu;
mod object;
mod options;
mod quantity;
mod span;
mod usage;

#[cfg(test)]
mod tests;

use apportion_plugin_sdk::{
    Batch, Collector, Error, Kind, Manifest, Period, Problem, Rejected, Request, Rows, Tag, Usage,
    coverage, register_collector, run_info,
};
use exact::{day::Day, moment};
use options::Options;
use span::Span;
use usage::Reckoner;

/// Rows of usage in one batch.
const BATCH_ROWS: usize = 5_000;

struct Kubernetes {
    /// Batches in reverse order: the next one is the last.
    batches: Vec<Batch>,
}

impl Collector for Kubernetes {
    fn manifest() -> Manifest {
        Manifest::new(
            Kind::Collector,
            "kubernetes",
            env!("CARGO_PKG_VERSION"),
            "What workloads \
            request of a Kubernetes cluster",
        )
        .power("kubernetes", "to list nodes, pods, their owners, volumes and load balancers")
        .config_schema(include_str!("config-schema.json"))
        .stream(
            "usage",
            "hours of requested cores, memory, GPUs, volumes and load balancers, \
                and the share of each node, by workload",
        )
        .stream("charges", "with `prices`: what nodes, volumes and load balancers cost")
        .restated_for_days(0)
    }

    fn check(config: &str) -> Result<Vec<Problem>, Error> {
        match Options::parse(config) {
            Ok(_) => Ok(Vec::new()),
            Err(Error::Config(problem)) => Ok(vec![problem]),
            Err(error) => Err(error),
        }
    }

    fn open(request: Request) -> Result<Kubernetes, Error> {
        let options = Options::parse(&request.config)?;
        let now = run_info::now();
        let day = Today::of(&now)?;
        let is_wanted = day.is_wanted(request.period.as_ref())?;
        Ok(Kubernetes { batches: if is_wanted { collect(&options, &day)? } else { Vec::new() } })
    }

    fn next(&mut self) -> Result<Option<Batch>, Error> {
        Ok(self.batches.pop())
    }
}

/// The day of the run.
struct Today {
    span: Span,
    day: Day,
}

impl Today {
    fn of(now: &str) -> Result<Today, Error> {
        let moment = moment::seconds(now)
            .map_err(|error| Error::Bug(format!("the time of the run: {error}")))?;
        Ok(Today { span: Span::of_day(moment), day: Day::from_unix(moment) })
    }

    /// Whether the day is wanted. A cluster knows nothing of earlier days, so their collected rows
    /// stay.
    fn is_wanted(&self, period: Option<&Period>) -> Result<bool, Error> {
        let Some(period) = period else { return Ok(true) };
        let today = self.day.to_string();
        let (start, end, today) = (period.start.as_str(), period.end.as_str(), today.as_str());
        let past = Period { start: start.into(), end: end.min(today).into() };
        if past.start < past.end {
            coverage::unknown(&past, "a cluster knows nothing of days that are over")?;
        }
        Ok(start <= today && today < end)
    }
}

fn collect(options: &Options, today: &Today) -> Result<Vec<Batch>, Error> {
    let mut cluster = cluster::read(options)?;
    let mut rejected = std::mem::take(&mut cluster.rejected);
    let name =
        if options.cluster.is_empty() { run_info::source() } else { options.cluster.clone() };
    let reckoner =
        Reckoner { cluster: &cluster, options, span: today.span, name: &name, none: Vec::new() };
    let shared = reckoner.shared(&mut rejected);
    let start = today.day.midnight();
    let rows = reckoner.rows(&shared).into_iter().map(|((metric, unit, keys), value)| Usage {
        metric: metric.into(),
        period_start: start.clone(),
        keys: keys.into_iter().map(|(key, value)| Tag { key, value }).collect(),
        value: quantity::decimal(value),
        unit: unit.into(),
    });
    let rows: Vec<Usage> = rows.collect();
    let mut charges = Vec::new();
    if let Some(prices) = &options.prices {
        let mut priced = charges::charges(&reckoner, prices, &shared, &start);
        charges = priced.charges;
        rejected.append(&mut priced.rejected);
    }
    Ok(batches(Rows::Charges(charges), rows, rejected))
}

/// Rows in batches, the last one first. An empty cluster has one batch too, so that its day counts.
fn batches(charges: Rows, rows: Vec<Usage>, rejected: Vec<Rejected>) -> Vec<Batch> {
    let mut pieces: Vec<Batch> = rows
        .chunks(BATCH_ROWS)
        .map(|piece| Batch { usage: piece.to_vec(), ..Batch::new(Rows::Charges(Vec::new())) })
        .collect();
    if pieces.is_empty() {
        pieces.push(Batch::new(Rows::Charges(Vec::new())));
    }
    if let Some(first) = pieces.first_mut() {
        first.rows = charges;
        first.rejected = rejected;
    }
    pieces.reverse();
    pieces
}

register_collector!(Kubernetes);
