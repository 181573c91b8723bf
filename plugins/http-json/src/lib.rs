//! The collector `http-json`: any JSON API. The settings describe the request, the place of the
//! rows, and their meaning.

mod map;
mod options;
mod pages;
mod path;

use apportion_plugin_sdk::{
    Batch, Collector, Error, Kind, Manifest, Problem, Request, Rows, http, register_collector,
    run_info,
};
use exact::day::Day;
use options::Options;
use pages::Pages;

struct HttpJson {
    options: Options,
    pages: Pages,
}

impl Collector for HttpJson {
    fn manifest() -> Manifest {
        Manifest::new(
            Kind::Collector,
            "http-json",
            env!("CARGO_PKG_VERSION"),
            "Any JSON API, by a small mapping",
        )
        .power("http", "to ask the API that the settings name")
        .config_schema(include_str!("config-schema.json"))
        .stream("charges", "one charge a row of the answers")
        .stream("usage", "quantities in the rows of the answers")
    }

    fn check(config: &str) -> Result<Vec<Problem>, Error> {
        Options::parse(config).map(|_| Vec::new())
    }

    fn open(request: Request) -> Result<HttpJson, Error> {
        let options = Options::parse(&request.config)?;
        let (start, end) = match &request.period {
            Some(period) => (day(&period.start)?, day(&period.end)?),
            None => {
                let tomorrow = day(&run_info::now())?.plus(1);
                (tomorrow.plus(-options.days), tomorrow)
            }
        };
        let pages = Pages::new(&options, start, end);
        Ok(HttpJson { options, pages })
    }

    fn next(&mut self) -> Result<Option<Batch>, Error> {
        let Some((request, name)) = self.pages.next(&self.options)? else { return Ok(None) };
        let response = http::ask(&request)?;
        let answer = json_api::json(
            &format!("{name} of {}", request.url.split('?').next().unwrap_or_default()),
            &response.body,
        )?;
        let page = map::page(&self.options, &name, &answer)?;
        self.pages.came(&self.options, &request.url, &response, &answer, page.rows)?;
        Ok(Some(Batch {
            usage: page.usage,
            rejected: page.rejected,
            ..Batch::new(Rows::Charges(page.charges))
        }))
    }
}

fn day(text: &str) -> Result<Day, Error> {
    Day::parse(text).map_err(|error| Error::Bug(error.to_string()))
}

register_collector!(HttpJson);

#[cfg(test)]
mod tests;
