//! Whole collections, with OpenAI played by a closure.

use super::*;
use crate::OpenAi;
use apportion_plugin_sdk::http::Response;
use apportion_plugin_sdk::{Collector, Period, Rows as Form, fixture};

fn open(config: &str) -> OpenAi {
    fixture::run("ai", "2024-12-10T00:00:00Z");
    let period = Some(Period { start: "2024-11-01".into(), end: "2024-11-03".into() });
    OpenAi::open(apportion_plugin_sdk::Request { config: config.into(), period, state: None })
        .map_err(|error| format!("{error:?}"))
        .unwrap()
}

fn bucket(start: i64, value: &str) -> String {
    format!(
        r#"{{"object": "bucket", "start_time": {start}, "end_time": 0, "results": [
            {{"amount": {{"value": {value}, "currency": "usd"}}, "line_item": "gpt-4o, input",
            "project_id": "proj_1"}},
            {{"amount": {{"value": "-0.5", "currency": "usd"}}, "line_item": null,
            "project_id": null}},
            {{"amount": {{"value": true, "currency": "usd"}}}}]}}"#
    )
}

fn answer(data: &str, has_more: bool, next_page: &str) -> Result<Response, Error> {
    let body = format!(
        r#"{{"object": "page", "data": [{data}], "has_more": {has_more},
            "next_page": {next_page}}}"#
    );
    Ok(Response { status: 200, headers: Vec::new(), body: body.into_bytes() })
}

const FIRST: &str = "https://api.openai.com/v1/organization/costs?start_time=1730419200&end_time=1730592000&bucket_width=1d&limit=180&group_by=project_id&group_by=line_item";

#[test]
fn pages_follow_each_other_and_amounts_keep_their_digits() {
    fixture::http(|asked| match asked.url.strip_prefix(FIRST).unwrap() {
        "" => answer(&bucket(1_730_419_200, "0.06000000000000000000001"), true, r#""page_2""#),
        "&page=page_2" => answer(&bucket(1_730_505_600, "1e-7"), false, "null"),
        other => panic!("{other}"),
    });
    let mut openai = open("{}");
    let (mut charges, mut rejected) = (Vec::new(), Vec::new());
    while let Some(batch) = openai.next().unwrap() {
        let Form::Charges(page) = batch.rows else { panic!() };
        charges.extend(page.iter().map(|charge| {
            format!(
                "{} {} {} {}",
                charge.charge_period_start,
                charge.billing_currency,
                charge.charge_category,
                charge.billed_cost
            )
        }));
        rejected
            .extend(batch.rejected.iter().map(|row| format!("{}: {}", row.location, row.reason)));
    }
    assert_eq!(
        charges,
        [
            "2024-11-01T00:00:00Z USD Usage 0.06000000000000000000001",
            "2024-11-01T00:00:00Z USD Credit -0.5",
            "2024-11-02T00:00:00Z USD Usage 1e-7",
            "2024-11-02T00:00:00Z USD Credit -0.5",
        ]
    );
    let place =
        "/v1/organization/costs#/data/0/results/2/amount/value: it is true or false, not a number";
    assert_eq!(rejected, [place, place]);
}

/// The error of a collection that gets this answer as its second page.
fn second(answers: impl Fn() -> Result<Response, Error> + 'static) -> Error {
    fixture::http(move |asked| {
        if asked.url == FIRST {
            answer(&bucket(1_730_419_200, "1"), true, r#""a""#)
        } else {
            answers()
        }
    });
    let mut openai = open("{}");
    assert!(openai.next().unwrap().is_some());
    openai.next().and_then(|_| openai.next()).unwrap_err()
}

#[test]
fn pages_that_repeat_or_go_in_a_circle_fail_the_collection() {
    let says = |error: Error, words: &str| match error {
        Error::Unavailable(message) => assert!(message.contains(words), "{message}"),
        other => panic!("{other:?}"),
    };
    says(
        second(|| answer(&bucket(1_730_419_200, "1"), false, "null")),
        "the day 2024-11-01 comes a second time",
    );
    says(
        second(|| answer("", true, r#""a""#)),
        "the pages of /v1/organization/costs go in a circle",
    );
    says(second(|| answer("", true, "null")), "/v1/organization/costs#: it has no `next_page`");
}

#[test]
fn nothing_wanted_is_nothing_asked() {
    fixture::http(|asked| panic!("{}", asked.url));
    fixture::run("ai", "2024-10-10T00:00:00Z");
    let period = Some(Period { start: "2024-11-01".into(), end: "2024-11-03".into() });
    let mut openai =
        OpenAi::open(apportion_plugin_sdk::Request { config: String::new(), period, state: None })
            .map_err(|error| format!("{error:?}"))
            .unwrap();
    assert_eq!(openai.next(), Ok(None));
}

/// The result of a collection of saved answers.
fn saved(files: &[(&str, bool, &str)]) -> Result<usize, Error> {
    let file = |(number, (value, more, next)): (usize, &(&str, bool, &str))| {
        let day = 1_730_419_200 + 86_400 * i64::try_from(number).unwrap();
        let body = answer(&bucket(day, value), *more, next).unwrap().body;
        (format!("{number}.json"), body)
    };
    fixture::files(files.iter().enumerate().map(file).collect());
    let mut openai = open(r#"{"from": "files"}"#);
    let mut pages = 0;
    while openai.next()?.is_some() {
        pages += 1;
    }
    Ok(pages)
}

#[test]
fn saved_answers_end_with_the_last_one() {
    let refused = |files: &[(&str, bool, &str)], words: &str| match saved(files) {
        Err(Error::Unavailable(message)) => assert!(message.contains(words), "{message}"),
        other => panic!("{other:?}"),
    };
    refused(&[("1", true, "null")], "0.json#: it has no `next_page`");
    refused(&[("1", true, r#""b""#)], "the answers that follow it are missing");
    assert_eq!(saved(&[("1", true, r#""b""#), ("2", false, "null")]), Ok(2));
    assert_eq!(saved(&[("1", false, "null")]), Ok(1));
}
