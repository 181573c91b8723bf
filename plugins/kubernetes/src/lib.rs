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
    Batch, Collector, Error, Kind, Manifest, Period, Problem, Rejected, Request, Rows, Tag, Usage, register_collector, run_info,
};
use moment::{DAY, Span};
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
        day.check(request.period.as_ref())?;
        Ok(Kubernetes { batches: collect(&options, &day)? })
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
        let moment = moment::seconds(now).map_err(|error| Error::Bug(format!("the time of the run: {error}")))?;
        Ok(Today { span: Span::of_day(moment), date: now.get(..10).unwrap_or_default().to_owned() })
    }

    fn start(&self) -> String {
        format!("{}T00:00:00Z", self.date)
    }

    /// To be asked for another day is to be asked to forget what was collected on it, as nothing can be said of it any more.
    fn check(&self, period: Option<&Period>) -> Result<(), Error> {
        let Some(period) = period else { return Ok(()) };
        let begins = |date: &str| moment::seconds(&format!("{date}T00:00:00Z")).ok();
        if begins(&period.start) == Some(self.span.start) && begins(&period.end) == Some(self.span.start + DAY) {
            return Ok(());
        }
        let message = format!("a cluster can be asked about {} only, and not about the days from {} up to {}", self.date, period.start, period.end);
        let hint = format!("`apportion run --from {0} --to {0}`, or without days; what was collected on others stays as it is", self.date);
        Err(Error::Config(Problem::new(message).hint(hint)))
    }
}

fn collect(options: &Options, today: &Today) -> Result<Vec<Batch>, Error> {
    let mut cluster = cluster::read(options)?;
    let mut rejected = std::mem::take(&mut cluster.rejected);
    let name = if options.cluster.is_empty() { run_info::source() } else { options.cluster.clone() };
    let reckoner = Reckoner { cluster: &cluster, options, span: today.span, name: &name, none: Vec::new() };
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
    let mut pieces: Vec<Batch> =
        rows.chunks(BATCH_ROWS).map(|piece| Batch { usage: piece.to_vec(), ..Batch::new(Rows::Charges(Vec::new())) }).collect();
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
