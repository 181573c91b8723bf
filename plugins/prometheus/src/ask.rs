//! Requests to Prometheus: each day apart, and no more points at once than it gives.

use crate::answer::{Answer, Asked};
use crate::options::{Aggregate, Query};
use apportion_plugin_sdk::Error;
use apportion_plugin_sdk::http::{self, Request};
use exact::day::Day;
use table_settings::Server;

/// The most points of a series that Prometheus gives at once.
const POINTS_MAX: i64 = 11_000;

/// The answer to a query for one day.
pub fn day(server: &Server, query: &Query, day: Day) -> Result<Answer, Error> {
    let mut answer = Answer::default();
    for request in requests(server, query, day) {
        let asked = Asked {
            url: request.url.split('?').next().unwrap_or_default(),
            metric: &query.metric,
            query: &query.text,
        };
        let more = asked.answer(http::send(&request)?)?;
        answer.series.extend(more.series);
        answer.rejected.extend(more.rejected);
        answer.warnings.extend(more.warnings);
    }
    Ok(answer)
}

fn requests(server: &Server, query: &Query, day: Day) -> Vec<Request> {
    let plain = |path: &str| server.get(&format!("/api/v1/{path}")).parameter("query", &query.text);
    let (start, end) = (day.start(), day.plus(1).start());
    if query.aggregate == Aggregate::Increase {
        return vec![plain("query").parameter("time", &end.to_string())];
    }
    let step = i64::from(query.step);
    let mut requests = Vec::new();
    let mut from = start;
    while from < end {
        let next = (from + POINTS_MAX * step).min(end);
        let range = plain("query_range")
            .parameter("start", &from.to_string())
            .parameter("end", &(next - step).to_string());
        requests.push(range.parameter("step", &step.to_string()));
        from = next;
    }
    requests
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Options;

    fn urls(more: &str) -> Vec<String> {
        let config = format!(
            r#"{{"url": "http://p/", "queries": [{{"metric": "m", "query": "up", {more}}}]}}"#
        );
        let options = Options::parse(&config).unwrap();
        let requests =
            requests(&options.server, &options.queries[0], Day::parse("2026-10-01").unwrap());
        requests.into_iter().map(|request| request.url).collect()
    }

    #[test]
    fn the_instants_of_a_day_are_those_from_its_start_and_before_its_end() {
        assert_eq!(
            urls(r#""step": "1h""#),
            ["http://p/api/v1/query_range?query=up&start=1790812800&end=1790895600&step=3600"]
        );
        assert_eq!(
            urls(r#""aggregate": "increase""#),
            ["http://p/api/v1/query?query=up&time=1790899200"]
        );
    }

    #[test]
    fn no_request_asks_for_more_points_than_are_given() {
        let urls = urls(r#""step": 4"#);
        assert_eq!(
            urls,
            [
                "http://p/api/v1/query_range?query=up&start=1790812800&end=1790856796&step=4",
                "http://p/api/v1/query_range?query=up&start=1790856800&end=1790899196&step=4",
            ]
        );
        // 21,600 instants: 11,000 of the first request and 10,600 of the second.
        assert_eq!(
            ((1_790_856_796 - 1_790_812_800) / 4 + 1, (1_790_899_196 - 1_790_856_800) / 4 + 1),
            (11_000, 10_600)
        );
    }
}
