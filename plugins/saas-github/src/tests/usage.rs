//! Whole collections, with GitHub played by a closure.

use super::*;
use crate::GitHub;
use apportion_plugin_sdk::http::Response;
use apportion_plugin_sdk::{Collector, Period, Rows as Form, fixture};

fn open(config: &str, period: (&str, &str)) -> Result<GitHub, Error> {
    fixture::run("gh", "2026-06-10T00:00:00Z");
    let period = Some(Period { start: period.0.into(), end: period.1.into() });
    GitHub::open(apportion_plugin_sdk::Request { config: config.into(), period, state: None })
}

fn all(mut github: GitHub) -> (Vec<String>, Vec<String>) {
    let (mut charges, mut rejected) = (Vec::new(), Vec::new());
    while let Some(batch) = github.next().unwrap() {
        let Form::Charges(page) = batch.rows else { panic!() };
        charges.extend(page.iter().map(|charge| {
            format!(
                "{} {} {}",
                &charge.charge_period_start[..10],
                charge.service_name,
                charge.billed_cost
            )
        }));
        rejected
            .extend(batch.rejected.iter().map(|row| format!("{}: {}", row.location, row.reason)));
    }
    (charges, rejected)
}

fn answer(body: String) -> Result<Response, Error> {
    Ok(Response { status: 200, headers: Vec::new(), body: body.into_bytes() })
}

#[test]
fn usage_is_asked_month_by_month_and_has_days() {
    fixture::http(|asked| {
        let month = asked
            .url
            .strip_prefix(
                "https://api.github.com/organizations/acme/settings/billing/usage?year=2026&month=",
            )
            .unwrap();
        answer(format!(
            r#"{{"usageItems": [
                {{"date": "2026-0{month}-03T00:00:00Z", "product": "Actions",
                "sku": "Actions Linux", "grossAmount": 0.8, "discountAmount": 0.3,
                "netAmount": 0.5}},
                {{"date": "2026-0{month}-04", "product": "Copilot", "netAmount": "19.00"}},
                {{"date": "March", "product": "Packages", "netAmount": 1}}]}}"#
        ))
    });
    let (charges, rejected) = all(open(
        r#"{"organization": "acme", "skip_products": ["copilot"]}"#,
        ("2026-03-15", "2026-04-02"),
    )
    .unwrap());
    assert_eq!(charges, ["2026-03-03 Actions 0.5", "2026-04-03 Actions 0.5"]);
    let place = "/organizations/acme/settings/billing/usage#/usageItems/2/date: 'March' is not a \
        day such as 2026-03-31, or a time in UTC";
    assert_eq!(rejected, [place, place]);
}

#[test]
fn reports_without_dates_are_of_what_was_asked_for() {
    fixture::http(|asked| {
        let day = asked.url.rsplit('=').next().unwrap().to_owned();
        assert!(asked.url.contains("/billing/premium_request/usage?year=2026&month=3&day="));
        // Two days may cost the same to the cent, and both count.
        answer(format!(
            r#"{{"timePeriod": {{"year": 2026, "month": 3, "day": {day}}},
                "usageItems": [{{"product": "Copilot", "model": "m", "netAmount": 4}}]}}"#
        ))
    });
    let config = r#"{"organization": "acme", "reports": ["premium_requests"], "step": "day"}"#;
    assert_eq!(
        all(open(config, ("2026-03-01", "2026-03-03")).unwrap()).0,
        ["2026-03-01 Copilot 4", "2026-03-02 Copilot 4"]
    );
}

#[test]
fn what_would_count_twice_is_refused_or_said() {
    let refused = open(
        r#"{"organization": "acme", "reports": ["usage", "summary"]}"#,
        ("2026-03-01", "2026-03-03"),
    )
    .err();
    let problem = Problem::new(
        "the reports `usage` and `summary` are about the same costs, which would count twice",
    )
    .hint("reports = [\"usage\"]");
    assert_eq!(refused, Some(Error::Config(problem)));
    fixture::secrets(&["token"]);
    let said =
        GitHub::check(r#"{"organization": "acme", "reports": ["usage", "ai_credits"]}"#).unwrap();
    assert_eq!(said[0].hint.as_deref(), Some("skip_products = [\"Copilot\"]"));
}

#[test]
fn kept_answers_say_what_they_are() {
    let file = |body: &str| ("a.json".to_owned(), body.as_bytes().to_vec());
    for (body, expect) in [
        (
            r#"{"usageItems": [{"date": "2023-08-01", "product": "Actions", "netAmount": 0.8}]}"#,
            "2023-08-01 Actions 0.8",
        ),
        (
            r#"{"timePeriod": {"year": 2025}, "usageItems": [{"product": "Copilot", "model": "m",
                "unitType": "credits", "netAmount": 1}]}"#,
            "2025-01-01 Copilot 1",
        ),
        (
            r#"{"timePeriod": {"year": 2025, "month": 2}, "usageItems": [{"product": "Actions",
                "netAmount": 8}]}"#,
            "2025-02-01 Actions 8",
        ),
    ] {
        fixture::files(vec![file(body)]);
        assert_eq!(
            all(open(r#"{"from": "files"}"#, ("2000-01-01", "2030-01-01")).unwrap()).0,
            [expect]
        );
    }
}
