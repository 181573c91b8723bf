//! What is asked: each day apart, and no more points at once than Prometheus gives.

use crate::answer::{Answer, Asked};
use crate::options::{Aggregate, Query, Server};
use apportion_plugin_sdk::Error;
use apportion_plugin_sdk::http::{self, Place, Request};
use exact::Day;

/// Prometheus refuses a series of more points.
const POINTS_MAX: i64 = 11_000;
const DAY_SECONDS: i64 = 86_400;

/// All that a query says of a day.
pub fn day(server: &Server, query: &Query, day: Day) -> Result<Answer, Error> {
    let mut answer = Answer::default();
    for request in requests(server, query, day) {
        let asked = Asked { url: request.url.split('?').next().unwrap_or_default(), metric: &query.metric, query: &query.text };
        let more = asked.answer(http::send(&request)?)?;
        answer.series.extend(more.series);
        answer.rejected.extend(more.rejected);
        answer.warnings.extend(more.warnings);
    }
    Ok(answer)
}

fn requests(server: &Server, query: &Query, day: Day) -> Vec<Request> {
    let url = |path: &str| format!("{}/api/v1/{path}", server.url);
    let slots = http::slots();
    let plain = |url: String| {
        let mut request = Request::get(url).header("accept", "application/json");
        for (name, value) in &server.headers {
            request = request.header(name, value);
        }
        if slots.iter().any(|slot| slot == "token") {
            request = request.secret("token", Place::Bearer);
        } else if slots.iter().any(|slot| slot == "password") {
            request = request.secret("password", Place::Basic(server.user.clone()));
        }
        request.parameter("query", &query.text)
    };
    let (start, end) = (day.start(), day.start() + DAY_SECONDS);
    if query.aggregate == Aggregate::Increase {
        return vec![plain(url("query")).parameter("time", &end.to_string())];
    }
    let step = i64::from(query.step);
    let mut requests = Vec::new();
    let mut from = start;
    while from < end {
        let next = (from + POINTS_MAX * step).min(end);
        let range = plain(url("query_range")).parameter("start", &from.to_string()).parameter("end", &(next - step).to_string());
        requests.push(range.parameter("step", &step.to_string()));
        from = next;
    }
    requests
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Options;
    use apportion_plugin_sdk::fixture;

    fn asked(more: &str) -> Vec<Request> {
        let config = format!(
            r#"{{"url": "http://p/", "user": "ann", "headers": {{"X-Scope-OrgID": "7"}}, "queries": [{{"metric": "m", "query": "up", {more}}}]}}"#
        );
        let options = Options::parse(&config).unwrap();
        requests(&options.server, &options.queries[0], Day::parse("2026-10-01").unwrap())
    }

    fn urls(more: &str) -> Vec<String> {
        asked(more).into_iter().map(|request| request.url).collect()
    }

    #[test]
    fn the_instants_of_a_day_are_those_from_its_start_and_before_its_end() {
        assert_eq!(urls(r#""step": "1h""#), ["http://p/api/v1/query_range?query=up&start=1790812800&end=1790895600&step=3600"]);
        assert_eq!(urls(r#""aggregate": "increase""#), ["http://p/api/v1/query?query=up&time=1790899200"]);
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
        assert_eq!(((1_790_856_796 - 1_790_812_800) / 4 + 1, (1_790_899_196 - 1_790_856_800) / 4 + 1), (11_000, 10_600));
    }

    #[test]
    fn a_secret_goes_where_its_slot_says() {
        assert_eq!(asked(r#""step": "1d""#)[0].secrets.len(), 0);
        fixture::secrets(&["password"]);
        let request = &asked(r#""step": "1d""#)[0];
        assert_eq!((request.secrets[0].slot.as_str(), &request.secrets[0].place), ("password", &Place::Basic(Some("ann".into()))));
        fixture::secrets(&["password", "token"]);
        let request = &asked(r#""step": "1d""#)[0];
        assert_eq!((request.secrets.len(), &request.secrets[0].place), (1, &Place::Bearer));
        assert!(request.headers.iter().any(|header| (header.name.as_str(), header.value.as_str()) == ("X-Scope-OrgID", "7")));
    }
}
