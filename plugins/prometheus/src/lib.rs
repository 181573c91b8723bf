//! The collector `prometheus`: quantities to share costs by, day by day, from Prometheus or any
//! server with its API.
//!
//! The samples of a day become its quantity without a float: they are text, and are added up as
//! decimals. A day without samples is a gap and not zero.

mod answer;
mod ask;
mod gaps;
mod gpu;
mod options;
mod preset;
mod total;

use apportion_plugin_sdk::{
    Batch, Collector, Error, Kind, Manifest, Period, Problem, Request, Rows, coverage, log,
    register_collector, run_info,
};
use exact::day::Day;
use exact::days::Days;
use gaps::{Gaps, Missing};
use options::Options;
use std::collections::BTreeSet;

/// Days that are collected where no period is asked for. Prometheus keeps fifteen unless it is set
/// otherwise.
const DAYS_DEFAULT: i32 = 14;

struct Prometheus {
    options: Options,
    days: Vec<Day>,
    /// The index of the query and of the day that come next.
    query: usize,
    day: usize,
    gaps: Gaps,
    /// Days for which any query has data.
    known: Days,
    is_over: bool,
    /// Warnings of the server so far, so that each is logged once.
    warnings: BTreeSet<String>,
}

impl Collector for Prometheus {
    fn manifest() -> Manifest {
        Manifest::new(
            Kind::Collector,
            "prometheus",
            env!("CARGO_PKG_VERSION"),
            "Usage to share costs by, out of Prometheus",
        )
        .power(
            "http",
            "to ask Prometheus what its queries say: GET /api/v1/query and /api/v1/query_range",
        )
        .config_schema(include_str!("config-schema.json"))
        .stream("usage", "quantities of a metric by day and by whom they belong to")
        .restated_for_days(1)
    }

    fn check(config: &str) -> Result<Vec<Problem>, Error> {
        Options::parse(config).map(|_| Vec::new())
    }

    fn open(request: Request) -> Result<Prometheus, Error> {
        let options = Options::parse(&request.config)?;
        let today = day(&run_info::now())?;
        let (start, end) = match &request.period {
            Some(period) => (day(&period.start)?, day(&period.end)?.min(today)),
            None => (today.plus(-DAYS_DEFAULT), today),
        };
        let days: Vec<Day> = start.until(end).collect();
        if days.is_empty() {
            log::info(
                "no day that is wanted is over yet, and a day that is not over has no quantity",
            );
        }
        Ok(Prometheus {
            options,
            days,
            query: 0,
            day: 0,
            gaps: Gaps::default(),
            known: Days::default(),
            is_over: false,
            warnings: BTreeSet::new(),
        })
    }

    fn next(&mut self) -> Result<Option<Batch>, Error> {
        let Some(day) = self.days.get(self.day).copied() else { return Ok(None) };
        let Some(query) = self.options.queries.get(self.query) else { return self.end() };
        let asked = ask::day(&self.options.server, query, day)?;
        for warning in asked.warnings {
            if !self.warnings.contains(&warning) {
                log::warn(&format!("{}: Prometheus warns: {warning}", query.metric));
                self.warnings.insert(warning);
            }
        }
        let total = total::total(query, day, asked.series);
        if total.missing != Missing::All {
            self.known.insert(day);
        }
        self.gaps.take(day, total.missing);
        let rejected = asked.rejected.into_iter().chain(total.rejected).collect();
        self.day += 1;
        if self.day == self.days.len() {
            let gaps = std::mem::take(&mut self.gaps);
            gaps.said(&query.metric).iter().for_each(|line| log::warn(line));
            (self.query, self.day) = (self.query + 1, 0);
        }
        Ok(Some(Batch { usage: total.usage, rejected, ..Batch::new(Rows::Charges(Vec::new())) }))
    }
}

impl Prometheus {
    /// Reports days for which no query has data as unknown. Otherwise they would count as days
    /// without usage.
    fn end(&mut self) -> Result<Option<Batch>, Error> {
        const REASON: &str = "Prometheus has forgotten that time (its retention), or has nothing \
            of what is asked for";
        if std::mem::replace(&mut self.is_over, true) {
            return Ok(None);
        }
        match (self.days.first(), self.days.last()) {
            (Some(first), Some(last)) if self.known.is_empty() => {
                return Err(Error::Unavailable(format!(
                    "no query has any data from {first} to {last}: {REASON}"
                )));
            }
            _ => {}
        }
        let mut silent = Days::default();
        self.days
            .iter()
            .filter(|day| !self.known.contains(**day))
            .for_each(|day| silent.insert(*day));
        for (first, last) in silent.stretches() {
            coverage::unknown(
                &Period { start: first.to_string(), end: last.plus(1).to_string() },
                &format!("no query has data: {REASON}"),
            )?;
        }
        Ok(None)
    }
}

fn day(text: &str) -> Result<Day, Error> {
    Day::parse(text).map_err(|error| Error::Bug(error.to_string()))
}

register_collector!(Prometheus);

#[cfg(test)]
mod tests;
