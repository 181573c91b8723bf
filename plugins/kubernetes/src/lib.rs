//! The collector `kubernetes`: what workloads request of a cluster's nodes, volumes and load balancers, and what that costs by
//! list prices until a bill comes.
//!
//! The API knows the cluster as it is now, and nothing of the past: what is collected is the day of the run, up to the run.

mod charges;
mod cluster;
mod exact;
mod moment;
mod object;
mod options;
mod usage;

#[cfg(test)]
mod tests;

use apportion_plugin_sdk::{
    Batch, Collector, Error, Kind, Manifest, Period, Problem, Rejected, Request, Rows, Tag, Usage,
    coverage, register_collector, run_info,
};
use moment::Span;
use options::Options;
use usage::Reckoner;

/// Rows of usage in one batch.
const BATCH_ROWS: usize = 5_000;

struct Kubernetes {
    /// The last one first.
    batches: Vec<Batch>,
}

impl Collector for Kubernetes {
    fn manifest() -> Manifest {
        Manifest::new(Kind::Collector, "kubernetes", env!("CARGO_PKG_VERSION"), "What workloads request of a Kubernetes cluster")
            .power("kubernetes", "to list nodes, pods, their owners, volumes and load balancers")
            .config_schema(include_str!("config-schema.json"))
            .stream("usage", "hours of requested cores, memory, GPUs, volumes and load balancers, and the share of each node, by workload")
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
    /// Such as `2026-11-25`.
    date: String,
}

impl Today {
    fn of(now: &str) -> Result<Today, Error> {
        let moment = moment::seconds(now)
            .map_err(|error| Error::Bug(format!("the time of the run: {error}")))?;
        Ok(Today { span: Span::of_day(moment), date: now.get(..10).unwrap_or_default().to_owned() })
    }

    fn start(&self) -> String {
        format!("{}T00:00:00Z", self.date)
    }

    /// Whether the day is wanted. Of the days before it a cluster knows nothing, so that what was collected on them stays.
    fn is_wanted(&self, period: Option<&Period>) -> Result<bool, Error> {
        let Some(period) = period else { return Ok(true) };
        let (start, end, today) = (period.start.as_str(), period.end.as_str(), self.date.as_str());
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
    let start = today.start();
    let rows = reckoner.rows(&shared).into_iter().map(|((metric, unit, keys), value)| Usage {
        metric: metric.into(),
        period_start: start.clone(),
        keys: keys.into_iter().map(|(key, value)| Tag { key, value }).collect(),
        value: exact::decimal(value),
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

/// Rows in pieces, the last one first. There is always one, so that a cluster without anything says so.
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
