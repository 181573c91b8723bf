//! A whole collection, with Prometheus played by a closure.

use super::*;
use apportion_plugin_sdk::fixture;
use apportion_plugin_sdk::http::Response;
use apportion_plugin_sdk::{Period, Rejected, Usage};

fn response(status: u16, body: &str) -> Response {
    Response { status, headers: Vec::new(), body: body.into() }
}

/// The number of a parameter of a request.
fn parameter(url: &str, name: &str) -> i64 {
    let (_, rest) = url.split_once(&format!("{name}=")).unwrap();
    rest.split('&').next().unwrap().parse().unwrap()
}

/// A matrix of series with the same value at each instant for which `is_there` holds.
fn matrix(url: &str, series: &[(&str, &str)], is_there: impl Fn(i64) -> bool) -> String {
    let (start, end, step) =
        (parameter(url, "start"), parameter(url, "end"), parameter(url, "step"));
    let mut all = Vec::new();
    for (labels, value) in series {
        let times = (0..)
            .map(|count| start + count * step)
            .take_while(|time| *time <= end)
            .filter(|time| is_there(*time));
        let samples: Vec<String> = times.map(|time| format!(r#"[{time},"{value}"]"#)).collect();
        if !samples.is_empty() {
            all.push(format!(r#"{{"metric":{{{labels}}},"values":[{}]}}"#, samples.join(",")));
        }
    }
    format!(
        r#"{{"status":"success","data":{{"resultType":"matrix","result":[{}]}}}}"#,
        all.join(",")
    )
}

fn open(query: &str, start: &str, end: &str) -> Result<Prometheus, Error> {
    fixture::run("cluster", "2026-11-01T08:00:00Z");
    let config = format!(r#"{{"url": "http://p", "queries": [{query}]}}"#);
    Prometheus::open(Request {
        config,
        period: Some(Period { start: start.into(), end: end.into() }),
        state: None,
    })
}

fn collected(query: &str, start: &str, end: &str) -> Result<(Vec<Usage>, Vec<Rejected>), Error> {
    let mut collector = open(query, start, end)?;
    let (mut usage, mut rejected) = (Vec::new(), Vec::new());
    while let Some(batch) = collector.next()? {
        usage.extend(batch.usage);
        rejected.extend(batch.rejected);
    }
    Ok((usage, rejected))
}

fn shown(usage: &[Usage]) -> Vec<String> {
    let keys = |row: &Usage| {
        row.keys
            .iter()
            .map(|tag| format!("{}={}", tag.key, tag.value))
            .collect::<Vec<_>>()
            .join(",")
    };
    usage
        .iter()
        .map(|row| {
            format!("{} {} {} {} {}", row.metric, row.period_start, keys(row), row.value, row.unit)
                .trim_end()
                .to_owned()
        })
        .collect()
}

const CORES: &str = r#"{"metric": "cores", "unit": "h", "query": "cores",
    "keys": {"ns": "namespace"}, "step": "5m""#;

#[test]
fn a_gauge_becomes_hours_and_series_of_the_same_keys_are_added_up() {
    fixture::http(|request| {
        let series = [
            (r#""ns":"a","pod":"1""#, "0.5"),
            (r#""ns":"a","pod":"2""#, "0.30000000000000004"),
            (r#""ns":"b""#, "1e-7"),
            (r#""ns":"""#, "2"),
        ];
        Ok(response(200, &matrix(&request.url, &series, |_| true)))
    });
    let (usage, rejected) = collected(&format!("{CORES}}}"), "2026-10-30", "2026-11-02").unwrap();
    // 0.80000000000000004 × 24 and 10⁻⁷ × 24; the day of the run is not over.
    assert_eq!(
        shown(&usage),
        [
            "cores 2026-10-30  48 h",
            "cores 2026-10-30 namespace=a 19.20000000000000096 h",
            "cores 2026-10-30 namespace=b 0.0000024 h",
            "cores 2026-10-31  48 h",
            "cores 2026-10-31 namespace=a 19.20000000000000096 h",
            "cores 2026-10-31 namespace=b 0.0000024 h",
        ]
    );
    assert_eq!(rejected, []);
}

#[test]
fn sums_and_peaks_are_of_the_instants() {
    // One series in the first half of the day and one in the second, 12 instants each; together at
    // 12:00 only.
    fixture::http(|request| {
        let noon = Day::parse("2026-10-01").unwrap().start() + 43_200;
        let morning = matrix(&request.url, &[(r#""ns":"a","pod":"1""#, "3")], |time| time <= noon);
        let evening =
            matrix(&request.url, &[(r#""ns":"a","pod":"2""#, "4.5")], |time| time >= noon);
        let series = |text: &str| {
            text.split_once("\"result\":[").unwrap().1.trim_end_matches("]}}").to_owned()
        };
        let both = format!("{},{}", series(&morning), series(&evening));
        Ok(response(
            200,
            &format!(
                r#"{{"status":"success","data":{{"resultType":"matrix","result":[{both}]}}}}"#
            ),
        ))
    });
    for (aggregate, value) in [("sum", "93"), ("max", "7.5"), ("integral", "93")] {
        let query = format!(
            r#"{{"metric": "m", "query": "q", "keys": {{"ns": "namespace"}}, "step": "1h",
                "aggregate": "{aggregate}"}}"#
        );
        let (usage, _) = collected(&query, "2026-10-01", "2026-10-02").unwrap();
        assert_eq!(shown(&usage), [format!("m 2026-10-01 namespace=a {value}")], "{aggregate}");
    }
}

#[test]
fn a_counter_is_asked_for_at_the_end_of_each_day() {
    fixture::http(|request| {
        assert!(
            request.url.starts_with("http://p/api/v1/query?query=sum%20by%20%28team%29%20%28increase%28r%5B1d%5D%29%29&time="),
            "{}",
            request.url
        );
        let time = parameter(&request.url, "time");
        let body = format!(
            r#"{{"status":"success","data":{{"resultType":"vector","result":[{{"metric":{{"team":"x","__name__":"r"}},"value":[{time}.000,"1234.5"]}}]}}}}"#
        );
        Ok(response(200, &body))
    });
    let query = r#"{"metric": "requests", "query": "sum by (team) (increase(r[1d]))",
        "aggregate": "increase"}"#;
    let (usage, _) = collected(query, "2026-10-01", "2026-10-02").unwrap();
    assert_eq!(shown(&usage), ["requests 2026-10-01 team=x 1234.5"]);
}

#[test]
fn a_day_without_data_is_a_gap_and_a_part_of_one_is_said() {
    let lost = Day::parse("2026-10-02").unwrap();
    fixture::http(move |request| {
        let there =
            move |time: i64| !(lost.start()..lost.plus(1).start() + 3 * 3_600).contains(&time);
        Ok(response(200, &matrix(&request.url, &[(r#""ns":"a""#, "1")], there)))
    });
    let mut collector = open(&format!("{CORES}}}"), "2026-10-01", "2026-10-04").unwrap();
    let mut values = Vec::new();
    for _ in 0..2 {
        values.push(shown(&collector.next().unwrap().unwrap().usage));
    }
    assert_eq!(values, [vec!["cores 2026-10-01 namespace=a 24 h".to_owned()], Vec::new()]);
    assert_eq!(
        collector.gaps.said("cores"),
        ["cores: there is no data on 2026-10-02, which is a gap and not zero"]
    );
    let last = total::total(&collector.options.queries[0], lost.plus(1), {
        let answer =
            ask::day(&collector.options.server, &collector.options.queries[0], lost.plus(1))
                .unwrap();
        answer.series
    });
    assert_eq!(
        last.missing,
        gaps::Missing::Some { missing: 36, instants: 288, first: "00:00".into() }
    );
    assert_eq!(shown(&last.usage), ["cores 2026-10-03 namespace=a 21 h"]);
}

#[test]
fn silence_of_everything_is_no_answer() {
    fixture::http(|request| Ok(response(200, &matrix(&request.url, &[], |_| true))));
    let error = collected(&format!("{CORES}}}, \"gpu\""), "2026-10-01", "2026-10-03").unwrap_err();
    assert_eq!(
        error,
        Error::Unavailable(
            "no query has any data from 2026-10-01 to 2026-10-02: Prometheus has forgotten that \
             time (its retention), or has nothing of what is asked for"
                .into()
        )
    );
    // A cluster without GPUs is no gap where the other query has data.
    fixture::http(|request| {
        let series: &[(&str, &str)] =
            if request.url.contains("query=cores") { &[(r#""ns":"a""#, "1")] } else { &[] };
        Ok(response(200, &matrix(&request.url, series, |_| true)))
    });
    let (usage, _) = collected(&format!("{CORES}}}, \"gpu\""), "2026-10-01", "2026-10-02").unwrap();
    assert_eq!(shown(&usage), ["cores 2026-10-01 namespace=a 24 h"]);
}

#[test]
fn days_without_any_data_are_unknown_and_nothing_is_taken_back() {
    let first = Day::parse("2026-10-03").unwrap().start();
    fixture::http(move |request| {
        Ok(response(200, &matrix(&request.url, &[(r#""ns":"a""#, "1")], |time| time >= first)))
    });
    fixture::take_said();
    collected(&format!("{CORES}}}"), "2026-10-01", "2026-10-05").unwrap();
    let said: Vec<(String, String, bool)> = fixture::take_said()
        .into_iter()
        .map(|said| (said.days.start, said.days.end, said.unknown.is_some()))
        .collect();
    assert_eq!(said, [("2026-10-01".into(), "2026-10-03".into(), true)]);
    collected(&format!("{CORES}}}"), "2026-10-03", "2026-10-05").unwrap();
    assert_eq!(fixture::take_said(), []);
}

#[test]
fn what_is_no_number_is_set_aside_with_its_series() {
    fixture::http(|request| {
        let body = matrix(&request.url, &[(r#""ns":"a""#, "1"), (r#""ns":"b""#, "-1")], |_| true);
        Ok(response(200, &body.replacen("\"1\"", "\"NaN\"", 2).replacen("\"1\"", "\"+Inf\"", 1)))
    });
    let (usage, rejected) = collected(&format!("{CORES}}}"), "2026-10-01", "2026-10-02").unwrap();
    assert_eq!(shown(&usage), ["cores 2026-10-01 namespace=a 23.75 h"]);
    let row = |location: &str, reason: &str, excerpt: &str| Rejected {
        location: location.into(),
        reason: reason.into(),
        excerpt: excerpt.into(),
    };
    assert_eq!(
        rejected,
        [
            row(
                r#"cores 2026-10-01 {ns="a"}"#,
                "3 of 288 samples are no numbers, the first at 00:00: the others are counted",
                "NaN"
            ),
            row(
                r#"cores 2026-10-01 {namespace="b"}"#,
                "the quantity is below zero: nobody can be charged for less than nothing used",
                "-24"
            ),
        ]
    );
    fixture::http(|_| {
        Ok(response(
            200,
            r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"ns":"a"},"histograms":[[1790812800,{"count":"3"}]]},{"metric":{"ns":"b"},"values":[[1790812800,"12"]]}]}}"#,
        ))
    });
    let (usage, rejected) = collected(&format!("{CORES}}}"), "2026-10-01", "2026-10-02").unwrap();
    assert_eq!(
        (shown(&usage), rejected.len()),
        (vec!["cores 2026-10-01 namespace=b 1 h".to_owned()], 1)
    );
    assert!(rejected[0].reason.starts_with("it is a histogram"), "{rejected:?}");
}

#[test]
fn errors_say_what_prometheus_says_and_whose_matter_it_is() {
    let parse_error = r#"{"status":"error","errorType":"bad_data","error":"invalid parameter \"query\": 1:5: parse error: unexpected end of input"}"#;
    let too_many = r#"{"status":"error","errorType":"execution","error":"query processing would load too many samples into memory in query execution"}"#;
    let timeout =
        r#"{"status":"error","errorType":"timeout","error":"query timed out in query execution"}"#;
    let text = r#"{"status":"success","data":{"resultType":"string","result":[1,"x"]}}"#;
    for (status, body, kind, words) in [
        (
            400,
            parse_error,
            "Config",
            "Prometheus refuses the query of cores (bad_data): invalid parameter \"query\": 1:5: \
             parse error",
        ),
        (422, too_many, "Config", "(execution): query processing would load too many samples"),
        (503, timeout, "Transient", "Prometheus gave up the query of cores (timeout)"),
        (
            503,
            "down for maintenance",
            "Unavailable",
            "http://p/api/v1/query_range answered 503: down for maintenance",
        ),
        (401, "", "Auth", "a secret in the slot `token` is sent as a bearer"),
        (429, "", "RateLimited", ""),
        (
            404,
            "404 page not found",
            "Config",
            "http://p/api/v1/query_range answered 404, and not as Prometheus does: 404 page not \
             found",
        ),
        (
            200,
            "<html>Grafana</html>",
            "Config",
            "answered 200, and not as Prometheus does: <html>Grafana</html>",
        ),
        (200, "{}", "Config", "and not as Prometheus does: {}"),
        (200, text, "Config", "the query of cores gives a string, and not numbers over time"),
    ] {
        fixture::http(move |_| Ok(response(status, body)));
        let error = format!(
            "{:?}",
            collected(&format!("{CORES}}}"), "2026-10-01", "2026-10-02").unwrap_err()
        )
        .replace("\\\"", "\"");
        assert!(
            error.starts_with(&format!("Error::{kind}")) && error.contains(words),
            "{status} {body} gave {error}"
        );
    }
    fixture::http(move |_| Ok(response(400, parse_error)));
    match collected(&format!("{CORES}}}"), "2026-10-01", "2026-10-02") {
        Err(Error::Config(problem)) => {
            assert_eq!(problem.hint.as_deref(), Some("the query is: cores"))
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn without_a_period_the_days_before_today_are_collected() {
    fixture::run("cluster", "2026-11-01T08:00:00Z");
    let days = |config: &str, period: Option<Period>| {
        let collector =
            Prometheus::open(Request { config: config.into(), period, state: None }).unwrap();
        (
            collector.days.len(),
            collector.days.first().map(Day::to_string),
            collector.days.last().map(Day::to_string),
        )
    };
    let config = r#"{"url": "http://p", "queries": ["cpu"]}"#;
    assert_eq!(days(config, None), (14, Some("2026-10-18".into()), Some("2026-10-31".into())));
    assert_eq!(
        days(config, Some(Period { start: "2026-11-01".into(), end: "2026-12-01".into() })),
        (0, None, None)
    );
}
