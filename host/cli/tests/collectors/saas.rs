//! Services and their bills, end to end: a server of the test plays each service.

use crate::failing::{Failing, fail};
use crate::scenes::asking::{Source, collect, grouped, nanos};
use crate::scenes::saas::{ATLAS, DATADOG, GITHUB, OPENAI, Service, bearer, serve, serve_once};
use test_support::server::http::{Answer, HttpServer};

const SNOWFLAKE: Service = Service {
    plugin: "saas-snowflake",
    config: "price_per_credit = '3.00'",
    slots: &["token"],
    path: "/api/v2/statements",
};

/// A day so recent that few months are asked for.
const RECENTLY: &str = "2026-11-01";

/// The answers have the shape of Snowflake's documentation. By hand: 12.345678901 × 3.00 + 1.5 ×
/// 3.00 = 41.537036703.
#[test]
fn credits_of_snowflake_are_priced() {
    let server = HttpServer::start(|asked| {
        bearer(asked);
        match (asked.method.as_str(), asked.target.as_str()) {
            ("POST", "/api/v2/statements") => Answer::status(
                202,
                r#"{"code": "333334", "message": "in progress", "statementHandle": "01b-2"}"#,
            ),
            ("GET", "/api/v2/statements/01b-2") => Answer::json(
                r#"{"resultSetMetaData": {"numRows": 2, "format": "jsonv2", "partitionInfo": [{"rowCount": 1}, {"rowCount": 1}],
                    "rowType": [{"name": "USAGE_DATE", "type": "text"}, {"name": "SERVICE_TYPE", "type": "text"}, {"name": "CREDITS_BILLED", "type": "text"}]},
                    "code": "090001", "statementHandle": "01b-2", "data": [["2026-03-01", "WAREHOUSE_METERING", "12.345678901"]]}"#,
            ),
            ("GET", "/api/v2/statements/01b-2?partition=1") => {
                Answer::json(r#"{"data": [["2026-03-02", "AUTO_CLUSTERING", "1.5"]]}"#)
            }
            other => panic!("{other:?}"),
        }
    });
    let (scene, source) = collect(&SNOWFLAKE.source(&server, "", "2026-03-01"), 0);
    assert_eq!(
        (&source["charges"], &source["totals"][0]["billed_cost"]),
        (&2.into(), &"41.537036703".into())
    );
    let services = grouped(&scene, "service_name");
    assert_eq!(
        (services["WAREHOUSE_METERING"], services["AUTO_CLUSTERING"]),
        (nanos("37.037036703"), nanos("4.5"))
    );
}

static ALL: [&Service; 5] = [&DATADOG, &GITHUB, &OPENAI, &ATLAS, &SNOWFLAKE];

/// Each service × each bad answer: the message is right, and nothing is posted.
#[test]
fn bad_answers_are_gaps_and_not_zeros() {
    let wrong_types = r#"{"data": "none", "usageItems": 7, "lineItems": {}, "id": "i", "resultSetMetaData": {"rowType": 1}}"#;
    let answers = [
        (
            Answer::status(
                401,
                r#"{"error": {"code": "expired", "message": "the credential expired"}}"#,
            ),
            "expired: the credential expired",
        ),
        (Answer::status(503, "<html>down</html>"), "answered 503"),
        (Answer::json("<!doctype html><title>Sign in</title>"), "a page of HTML"),
        (Answer::json(wrong_types), "not a list"),
        (Answer::json(r#"{"data": [{"#), "ends in the middle"),
        (Answer { is_cut: true, ..Answer::json(vec![b' '; 4_000]) }, ""),
    ];
    let cases: Vec<_> = ALL
        .iter()
        .flat_map(|service| {
            answers.iter().map(move |(answer, words)| (*service, answer.clone(), *words))
        })
        .collect();
    let servers: Vec<HttpServer> = cases
        .iter()
        .map(|(service, answer, _)| {
            serve(service.path, {
                let answer = answer.clone();
                move || answer.clone()
            })
        })
        .collect();
    let failing = |number: usize| {
        let (service, _, words) = &cases[number];
        Failing { source: service.source(&servers[number], "", RECENTLY), code: "P201", words }
    };
    fail(&(0..cases.len()).map(failing).collect::<Vec<_>>());
}

/// The host repeats each request that may be repeated. A POST that only asks is one of them.
#[test]
fn what_is_refused_for_a_moment_is_asked_again() {
    for service in ALL {
        let server = serve_once(service.path, Answer::status(429, "").header("retry-after", "0"));
        let (_, source) = collect(&service.source(&server, "", RECENTLY), 0);
        assert_eq!(
            (&source["charges"], &source["set_aside"], &source["tries"]),
            (&0.into(), &0.into(), &1.into()),
            "{}",
            service.plugin
        );
        assert!(server.asked().len() >= 2, "{}", service.plugin);
    }
}

#[test]
fn pages_that_repeat_or_go_in_a_circle_are_refused() {
    let bucket =
        r#"{"start_time": 1730419200, "results": [{"amount": {"value": 1, "currency": "usd"}}]}"#;
    let page = |data: &str, next: &str| {
        format!(r#"{{"data": [{data}], "has_more": true, "next_page": "{next}"}}"#)
    };
    let serve = |first: String, later: String| {
        HttpServer::start(move |asked| {
            Answer::json(if asked.target.contains("&page=") {
                later.clone()
            } else {
                first.clone()
            })
        })
    };
    let again = serve(page(bucket, "2"), page(bucket, "3"));
    let circle = serve(page(bucket, "2"), page("", "2"));
    let failing = |server: &HttpServer, words: &'static str| Failing {
        source: OPENAI.source(server, "", "2024-11-01"),
        code: "P201",
        words,
    };
    fail(&[failing(&again, "comes a second time"), failing(&circle, "go in a circle")]);
}

#[test]
fn what_is_not_allowed_or_misspelled_names_the_line_that_mends_it() {
    let server = HttpServer::start(|_| Answer::json("{}"));
    let source = |service: &'static Service, config: &str, slots: &'static [&'static str]| Source {
        config: if config.is_empty() {
            service.source(&server, "", RECENTLY).config
        } else {
            config.to_owned()
        },
        slots,
        ..service.source(&server, "", RECENTLY)
    };
    fail(&[
        Failing {
            source: source(&OPENAI, "url = 'http://127.0.0.1:9'", &["token"]),
            code: "P208",
            words: "allow = [",
        },
        Failing {
            source: source(&OPENAI, "", &[]),
            code: "P208",
            words: "[sources.s01.secrets.token]",
        },
    ]);
    assert!(server.asked().is_empty());
}
