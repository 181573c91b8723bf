//! Requests to OpenCost, one for each day.

use crate::document;
use crate::options::{Api, Options};
use crate::row::Found;
use apportion_plugin_sdk::http::{self, Request};
use apportion_plugin_sdk::{Error, Problem};
use exact::day::Day;

pub fn day(options: &Options, day: Day) -> Result<Found, Error> {
    let request =
        request(options, day).ok_or_else(|| Error::Bug("there is no server to ask".into()))?;
    let url = request.url.split('?').next().unwrap_or_default().to_owned();
    let response = http::send(&request)?;
    if response.status == 404 {
        let problem = Problem::new(format!("{url} answered 404: there is no such API"));
        return Err(Error::Config(
            problem.hint("path = \"/allocation\", or url with the path before it"),
        ));
    }
    document::read(&format!("{url} {day}"), &response.well(&url)?.body, options)
}

fn request(options: &Options, day: Day) -> Option<Request> {
    let mut request = options.server.as_ref()?.get(&options.path);
    request = request.parameter("window", &format!("{day}T00:00:00Z,{}T00:00:00Z", day.plus(1)));
    if !options.aggregate.is_empty() {
        request = request.parameter("aggregate", &options.aggregate.join(","));
    }
    match options.api {
        Api::Allocation | Api::Summary => {
            request = request.parameter("step", "1d").parameter("accumulate", "false");
            request = request.parameter(
                "includeIdle",
                if options.idle || options.share_idle { "true" } else { "false" },
            );
            if options.share_idle {
                request = request.parameter("shareIdle", "true");
            }
            if let Some(resolution) = &options.resolution {
                request = request.parameter("resolution", resolution);
            }
        }
        Api::CloudCost => request = request.parameter("accumulate", "day"),
        Api::CustomCost => {}
    }
    Some(request)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(more: &str) -> String {
        let options = Options::parse(&format!(r#"{{"url": "http://o:9003", {more}}}"#)).unwrap();
        request(&options, Day::parse("2026-10-31").unwrap()).unwrap().url
    }

    #[test]
    fn a_day_is_asked_for_from_midnight_to_midnight() {
        let window = "window=2026-10-31T00%3A00%3A00Z%2C2026-11-01T00%3A00%3A00Z";
        for (config, expected) in [
            (
                r#""mode": "usage""#,
                format!(
                    "/allocation/compute?{window}&aggregate=namespace&step=1d&accumulate=false&includeIdle=true"
                ),
            ),
            (
                r#""mode": "charges", "idle": false, "resolution": "5m",
                    "aggregate": ["namespace", "label:team"]"#,
                format!(
                    "/allocation/compute?{window}&aggregate=namespace%2Clabel%3Ateam&step=1d&accumulate=false&includeIdle=false&resolution=5m"
                ),
            ),
            (
                r#""mode": "charges", "share_idle": true, "path": "/model/allocation""#,
                format!(
                    "/model/allocation?{window}&step=1d&accumulate=false&includeIdle=true&shareIdle=true"
                ),
            ),
            (
                r#""mode": "charges", "api": "cloud-cost", "aggregate": ["provider", "service"]"#,
                format!("/cloudCost?{window}&aggregate=provider%2Cservice&accumulate=day"),
            ),
            (r#""mode": "charges", "api": "custom-cost""#, format!("/customCost/total?{window}")),
        ] {
            assert_eq!(url(config), format!("http://o:9003{expected}"));
        }
    }
}
