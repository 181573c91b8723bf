//! The collector `opencost`: OpenCost's allocations, as charges or as usage to share a cloud's bill
//! by.
//!
//! It asks OpenCost day by day, or reads saved answers. Numbers keep the digits that OpenCost
//! wrote.

mod allocation;
mod ask;
mod cloud;
mod custom;
mod document;
mod options;
mod row;

use apportion_plugin_sdk::{
    Batch, Collector, Error, Kind, Manifest, Period, Problem, Request, Rows, coverage, file, log,
    register_collector, run_info,
};
use exact::day::Day;
use exact::days::Days;
use options::{Api, Mode, Options};
use row::Found;
use std::collections::VecDeque;

/// The longest answer. A month of a large cluster by the hour has some dozens of MiB.
const FILE_BYTES_MAX: u64 = 128 << 20;
/// Days that are collected where no period is asked for. The Prometheus behind OpenCost keeps
/// fifteen days unless it is set otherwise.
const DAYS_DEFAULT: i32 = 14;

struct OpenCost {
    options: Options,
    pages: VecDeque<Page>,
    /// Days without a row, and whether all days are.
    silent: Days,
    is_silent_throughout: bool,
    is_over: bool,
}

enum Page {
    Day(Day),
    File(String),
}

impl Collector for OpenCost {
    fn manifest() -> Manifest {
        Manifest::new(
            Kind::Collector,
            "opencost",
            env!("CARGO_PKG_VERSION"),
            "What OpenCost \
            allocates, as charges or as usage to share costs by",
        )
        .optional_power(
            "http",
            "to ask OpenCost: GET /allocation/compute, /cloudCost or \
                /customCost/total",
        )
        .optional_power(
            "file",
            "to read answers of OpenCost that were saved, instead of \
                asking",
        )
        .config_schema(include_str!("config-schema.json"))
        .stream(
            "charges",
            "with mode = \"charges\": one charge for each component of an \
                allocation, or for each cloud or custom cost",
        )
        .stream(
            "usage",
            "with mode = \"usage\": hours, bytes and cost by namespace, \
                controller or label",
        )
    }

    fn check(config: &str) -> Result<Vec<Problem>, Error> {
        Options::parse(config).map(|_| Vec::new())
    }

    fn open(request: Request) -> Result<OpenCost, Error> {
        let options = Options::parse(&request.config)?;
        let pages: VecDeque<Page> = match &options.server {
            Some(_) => days(&request)?.into_iter().map(Page::Day).collect(),
            None => file::entries()?.into_iter().map(|entry| Page::File(entry.name)).collect(),
        };
        match (&options.server, pages.is_empty()) {
            (Some(_), true) => log::info(
                "no day that is wanted is over yet, and a day that is not over is not allocated",
            ),
            (None, true) => {
                let problem = Problem::new("there is neither a url to ask nor a file to read");
                return Err(Error::Config(problem.hint(
                    "url = \"http://opencost:9003\" in the settings, or `paths` of \
                        the source and the grant \"file\"",
                )));
            }
            (_, false) => {}
        }
        Ok(OpenCost {
            options,
            pages,
            silent: Days::default(),
            is_silent_throughout: true,
            is_over: false,
        })
    }

    fn next(&mut self) -> Result<Option<Batch>, Error> {
        let Some(page) = self.pages.pop_front() else { return self.end() };
        let found = match page {
            Page::File(name) => {
                document::read(&name, &file::read_all(&name, FILE_BYTES_MAX)?, &self.options)?
            }
            Page::Day(day) => {
                let found = ask::day(&self.options, day)?;
                match found.rows {
                    0 => self.silent.insert(day),
                    _ => self.is_silent_throughout = false,
                }
                found
            }
        };
        found.warnings.iter().for_each(|warning| log::warn(warning));
        let Found { charges, usage, rejected, .. } = found;
        Ok(Some(Batch { usage, rejected, ..Batch::new(Rows::Charges(charges)) }))
    }
}

impl OpenCost {
    /// Reports days without a row as unknown. A cluster always costs something, and OpenCost keeps
    /// few days and forgets them when it restarts.
    fn end(&mut self) -> Result<Option<Batch>, Error> {
        // Only custom costs may be empty.
        if std::mem::replace(&mut self.is_over, true)
            || self.options.server.is_none()
            || self.options.api == Api::CustomCost
        {
            return Ok(None);
        }
        if self.is_silent_throughout && !self.silent.is_empty() {
            return Err(Error::Unavailable(format!(
                "OpenCost says nothing {}, which is a gap and not zero",
                self.silent.in_words()
            )));
        }
        for (first, last) in self.silent.stretches() {
            let days = Period { start: first.to_string(), end: last.plus(1).to_string() };
            coverage::unknown(
                &days,
                "OpenCost says nothing: it has forgotten that time, or was not there",
            )?;
        }
        Ok(None)
    }
}

fn days(request: &Request) -> Result<Vec<Day>, Error> {
    let day = |text: &str| Day::parse(text).map_err(|error| Error::Bug(error.to_string()));
    let today = day(&run_info::now())?;
    let (start, end) = match &request.period {
        Some(period) => (day(&period.start)?, day(&period.end)?.min(today)),
        None => (today.plus(-DAYS_DEFAULT), today),
    };
    Ok(start.until(end).collect())
}

/// Refuses an answer of another API than the settings ask for.
fn wants_charges(options: &Options, what: &str) -> Result<(), Error> {
    match options.mode {
        Mode::Charges => Ok(()),
        Mode::Usage => Err(Error::Config(
            Problem::new(format!("{what} are costs, and no usage to share costs by"))
                .hint("mode = \"charges\""),
        )),
    }
}

register_collector!(OpenCost);

#[cfg(test)]
mod tests;
