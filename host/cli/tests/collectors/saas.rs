//! Services and their bills: recorded answers, served by a server of the test's own, end to end.

use crate::api_server::{Answer, Asked, HttpServer};
use crate::asking::{
    Failing, SECRET, Source, collect, compare, data, expected, fail, grouped, nanos,
};
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

/// A service: its plugin, its settings, the secrets that it needs, and where its first answer is.
struct Service {
    plugin: &'static str,
    config: &'static str,
    slots: &'static [&'static str],
    path: &'static str,
}

const DATADOG: Service = Service {
    plugin: "saas-datadog",
    config: "",
    slots: &["api_key", "application_key"],
    path: "/api/v2/usage/historical_cost",
};
const GITHUB: Service = Service {
    plugin: "saas-github",
    config: "organization = 'GitHub'",
    slots: &["token"],
    path: "/organizations/GitHub/settings/billing/usage",
};
const OPENAI: Service = Service {
    plugin: "saas-openai",
    config: "",
    slots: &["token"],
    path: "/v1/organization/costs",
};
const ATLAS: Service = Service {
    plugin: "saas-mongodb-atlas",
    config: "organization_id = '66d7254246a21a41036ff2e9'",
    slots: &["token"],
    path: "/api/atlas/v2/orgs/66d7254246a21a41036ff2e9/invoices/pending",
};
const SNOWFLAKE: Service = Service {
    plugin: "saas-snowflake",
    config: "price_per_credit = '3.00'",
    slots: &["token"],
    path: "/api/v2/statements",
};

/// What has nothing in it, as any of the services would say it.
const EMPTY: &str = r#"{"data": [], "results": [], "usageItems": [], "timePeriod": {"year": 2025}, "lineItems": [], "id": "i", "resultSetMetaData": {"rowType": []}}"#;

impl Service {
    fn source<'a>(&'a self, server: &HttpServer, more: &str, since: &'a str) -> Source<'a> {
        let parts = [format!("url = '{}'", server.url()), self.config.to_owned(), more.to_owned()];
        let config =
            parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
        Source { plugin: self.plugin, url: server.url(), config, slots: self.slots, since }
    }
}

/// Answers questions at one path, and every other one with nothing.
fn serve(path: &'static str, answer: impl Fn() -> Answer + Send + Sync + 'static) -> HttpServer {
    HttpServer::start(move |asked| {
        if asked.target.split('?').next() == Some(path) { answer() } else { Answer::json(EMPTY) }
    })
}

/// Answers the first question at a path, and every other one with nothing.
fn serve_once(path: &'static str, answer: Answer) -> HttpServer {
    let is_given = AtomicBool::new(false);
    serve(path, move || {
        if is_given.swap(true, Ordering::SeqCst) { Answer::json(EMPTY) } else { answer.clone() }
    })
}

/// Recent enough that few months are asked for.
const RECENTLY: &str = "2026-11-01";

fn bearer(asked: &Asked) {
    assert_eq!(asked.header("authorization"), Some(format!("Bearer {SECRET}").as_str()));
}

/// A recorded answer, and which of the expected totals its costs are.
struct Recorded {
    service: Service,
    file: &'static str,
    data_set: &'static str,
    more: &'static str,
    metric: &'static str,
    groups: &'static [(&'static str, &'static str)],
    since: &'static str,
}

const fn github(
    path: &'static str,
    file: &'static str,
    more: &'static str,
    since: &'static str,
) -> Recorded {
    let groups = &[("service_name", "product"), ("sku_id", "sku")];
    Recorded {
        service: Service { path, ..GITHUB },
        file,
        data_set: file,
        more,
        metric: "netAmount",
        groups,
        since,
    }
}

const ATLAS_GROUPS: &[(&str, &str)] = &[("sku_id", "sku"), ("resource_id", "clusterName")];

const RECORDED: [Recorded; 8] = [
    Recorded {
        service: DATADOG,
        file: "datadog_historical_cost_summary",
        data_set: "datadog_historical_cost",
        more: "",
        metric: "cost",
        groups: &[("service_name", "product_name"), ("tag:charge_type", "charge_type")],
        since: "2023-04-01",
    },
    github(GITHUB.path, "github_organizations_org_settings_billing_usage", "", "2023-08-01"),
    github(
        "/organizations/GitHub/settings/billing/usage/summary",
        "github_organizations_org_settings_billing_usage_summary",
        "reports = ['summary']",
        "2025-01-01",
    ),
    github(
        "/organizations/GitHub/settings/billing/premium_request/usage",
        "github_organizations_org_settings_billing_premium_request_usage",
        "reports = ['premium_requests']",
        "2025-01-01",
    ),
    github(
        "/organizations/GitHub/settings/billing/ai_credit/usage",
        "github_organizations_org_settings_billing_ai_credit_usage",
        "reports = ['ai_credits']",
        "2025-01-01",
    ),
    Recorded {
        service: OPENAI,
        file: "openai_organization_costs",
        data_set: "openai_costs",
        more: "",
        metric: "amount",
        groups: &[("tag:line_item", "line_item"), ("sub_account_id", "project_id")],
        since: "2024-11-01",
    },
    Recorded {
        service: ATLAS,
        file: "mongodb_atlas_pending_invoice",
        data_set: "mongodb_atlas_pending_invoice",
        more: "",
        metric: "totalPriceCents",
        groups: ATLAS_GROUPS,
        since: "2024-10-01",
    },
    Recorded {
        service: ATLAS,
        file: "mongodb_atlas_pending_invoice",
        data_set: "mongodb_atlas_pending_invoice",
        more: "cost = 'computed'",
        metric: "quantity_x_unitPriceDollars",
        groups: ATLAS_GROUPS,
        since: "2024-10-01",
    },
];

#[test]
fn recorded_answers_add_up_to_what_they_say() {
    let Some(data) = data() else { return };
    for Recorded { service, file, data_set, more, metric, groups, since } in &RECORDED {
        let body = fs::read(data.join(format!("saas/{file}.json"))).expect("an answer");
        let server = serve_once(service.path, Answer::json(body));
        let (scene, source) = collect(&service.source(&server, more, since), 0);
        compare(&scene, &source, &expected(&data, data_set), metric, groups);
        for asked in server.asked() {
            if service.plugin == "saas-datadog" {
                assert_eq!(
                    (asked.header("dd-api-key"), asked.header("dd-application-key")),
                    (Some(SECRET), Some(SECRET))
                );
            } else {
                bearer(&asked);
            }
        }
    }
}

/// The shape is that of Snowflake's documentation; 12.345678901 × 3.00 + 1.5 × 3.00 = 41.537036703, by hand.
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

/// Each service × each way to answer badly: what is said, and that nothing is posted.
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

/// The host repeats what may be repeated, a POST that only asks included.
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
