//! Whole collections against made-up APIs.

use super::*;
use apportion_plugin_sdk::http::{Header, Method, Place, Request as HttpRequest, Response};
use apportion_plugin_sdk::{Charge, Field, Period, Tag, Usage, fixture};
use std::cell::RefCell;
use std::rc::Rc;

fn reply(body: &str) -> Response {
    Response { status: 200, headers: Vec::new(), body: body.into() }
}

/// Collects March 2026 from a server played by `answer`, and returns the requests in order.
fn collect(
    config: &str,
    answer: impl Fn(&HttpRequest) -> Response + 'static,
) -> (Result<Vec<Batch>, Error>, Vec<HttpRequest>) {
    let asked = Rc::new(RefCell::new(Vec::new()));
    let remembered = Rc::clone(&asked);
    fixture::http(move |request| {
        remembered.borrow_mut().push(request.clone());
        Ok(answer(request))
    });
    let period = Some(Period { start: "2026-03-01".into(), end: "2026-04-01".into() });
    let batches = HttpJson::open(Request { config: config.into(), period, state: None }).and_then(
        |mut collection| {
            let mut batches = Vec::new();
            while let Some(batch) = collection.next()? {
                batches.push(batch);
            }
            Ok(batches)
        },
    );
    (batches, asked.take())
}

fn charges(batches: &[Batch]) -> Vec<Charge> {
    let of_batch = |batch: &Batch| match &batch.rows {
        Rows::Charges(charges) => charges.clone(),
        other => panic!("{other:?}"),
    };
    batches.iter().flat_map(of_batch).collect()
}

fn costs(batches: &[Batch]) -> Vec<String> {
    charges(batches).into_iter().map(|charge| charge.billed_cost).collect()
}

/// A mapping of rows with an amount each.
fn paged(paging: &str, more: &str) -> String {
    format!(
        r#"{{"url": "https://api.example.com/v1/costs", {more} "paging": {paging},
            "rows": "$.rows[*]",
            "fields": {{"billed_cost": "$.c", "charge_period_start": "2026-03-01",
            "billing_currency": "USD", "service_name": "S"}}}}"#
    )
}

const MAPPING: &str = r#"{
    "url": "https://api.example.com/v1/costs?from={start}&to={end}&last={last_day}",
    "auth": {"slot": "token", "place": "header", "name": "x-api-key"},
    "headers": {"x-org": "7"},
    "rows": "$.days[*].items[*]",
    "fields": {
        "charge_period_start": "^.date", "billed_cost": "$.cost.amount",
        "effective_cost": "$.cost.net", "billing_currency": "^^.currency",
        "service_name": "$.product", "charge_category": "$.kind", "sub_account_id": "$.account",
        "provider_name": "Acme"
    },
    "rename": {"charge_category": {"use": "Usage", "back": "Credit"}, "team": {"pay": "payments"}},
    "tags": {"team": "$.labels.owner"},
    "all_tags": "$.labels",
    "skip": {"$.product": ["TOTAL"]},
    "usage": [{"rows": "$.days[*].items[*]", "metric": "calls", "unit": "calls",
    "value": "$.calls", "period_start": "^.date", "keys": {"team": "$.labels.owner"}}]
}"#;

const ANSWER: &str = r#"{"currency": "eur", "days": [
    {"date": "2026-03-01", "items": [
        {"product": "Search", "kind": "use", "account": 42,
        "cost": {"amount": 0.10000000000000000000001, "net": "0.09"}, "labels": {"owner": "pay",
        "env": "prod"}, "calls": 10},
        {"product": "TOTAL", "kind": "use", "cost": {"amount": 99, "net": 99}, "labels": {},
        "calls": 0}
    ]},
    {"date": "2026-03-02", "items": [
        {"product": "Search", "kind": "back", "cost": {"amount": -5, "net": -5}, "labels": null,
        "calls": 2},
        {"product": "Search", "kind": "use", "cost": {"amount": "a lot", "net": 1},
        "calls": "many"},
        {"product": "Search", "kind": "use", "calls": 3}
    ]}
]}"#;

#[test]
fn rows_become_charges_and_usage_by_the_mapping() {
    let (batches, asked) = collect(MAPPING, |_| reply(ANSWER));
    let batches = batches.unwrap();
    assert_eq!(asked.len(), 1);
    assert_eq!(
        asked[0].url,
        "https://api.example.com/v1/costs?from=2026-03-01&to=2026-04-01&last=2026-03-31"
    );
    assert_eq!(asked[0].secrets[0].place, Place::Header("x-api-key".into()));
    assert!(asked[0].headers.contains(&Header { name: "x-org".into(), value: "7".into() }));
    let charges = charges(&batches);
    assert_eq!(charges.len(), 2);
    let first = &charges[0];
    assert_eq!(
        (first.billed_cost.as_str(), first.effective_cost.as_str()),
        ("0.10000000000000000000001", "0.09")
    );
    assert_eq!(
        (
            first.charge_period_start.as_str(),
            first.billing_currency.as_str(),
            first.charge_category.as_str()
        ),
        ("2026-03-01", "EUR", "Usage")
    );
    let tag = |key: &str, value: &str| Tag { key: key.into(), value: value.into() };
    assert_eq!(first.tags, [tag("team", "payments"), tag("env", "prod"), tag("owner", "pay")]);
    let value = |field: Field| {
        first
            .dimensions
            .iter()
            .find(|dimension| dimension.field == field)
            .map(|dimension| dimension.value.as_str())
    };
    assert_eq!(
        (value(Field::SubAccountId), value(Field::ProviderName)),
        (Some("42"), Some("Acme"))
    );
    assert_eq!(
        (charges[1].billed_cost.as_str(), charges[1].charge_category.as_str()),
        ("-5", "Credit")
    );
    let rejected: Vec<(&str, &str)> = batches[0]
        .rejected
        .iter()
        .map(|row| (row.location.as_str(), row.reason.as_str()))
        .collect();
    assert_eq!(
        rejected,
        [
            ("page 1: /days/1/items/1", "its billed_cost is 'a lot', and that is no number"),
            ("page 1: /days/1/items/2", "it has no billed_cost"),
            ("page 1: /days/1/items/1", "its value is 'many', and that is no number"),
        ]
    );
    let usage = Usage {
        metric: "calls".into(),
        period_start: "2026-03-01".into(),
        keys: vec![tag("team", "payments")],
        value: "10".into(),
        unit: "calls".into(),
    };
    assert_eq!((batches[0].usage.len(), &batches[0].usage[0]), (4, &usage));
}

#[test]
fn every_style_of_paging_ends_where_the_server_ends() {
    let next_link = |request: &HttpRequest| {
        reply(if request.url.ends_with("?p=2") {
            r#"{"rows": [{"c": 2}]}"#
        } else {
            r#"{"rows": [{"c": 1}], "next": "?p=2"}"#
        })
    };
    let cursor = |request: &HttpRequest| match request.url.split_once("cursor=") {
        None => reply(r#"{"rows": [{"c": 1}], "meta": {"after": "a/b"}}"#),
        Some((_, "a%2Fb")) => reply(r#"{"rows": [{"c": 2}], "meta": {"after": ""}}"#),
        Some((_, other)) => panic!("{other}"),
    };
    let page = |request: &HttpRequest| match request.url.rsplit('=').next() {
        Some("1") => reply(r#"{"rows": [{"c": 1}]}"#),
        Some("2") => reply(r#"{"rows": [{"c": 2}]}"#),
        other => {
            assert_eq!(other, Some("3"));
            reply(r#"{"rows": []}"#)
        }
    };
    let offset = |request: &HttpRequest| match request.url.split_once('?') {
        Some((_, "limit=1&skip=0")) => reply(r#"{"rows": [{"c": 1}], "more": true}"#),
        Some((_, "limit=1&skip=1")) => reply(r#"{"rows": [{"c": 2}], "more": false}"#),
        other => panic!("{other:?}"),
    };
    let header = |request: &HttpRequest| {
        let link = Header {
            name: "link".into(),
            value: "<https://api.example.com/v1/costs?p=2>; rel=\"next\"".into(),
        };
        if request.url.ends_with("?p=2") {
            reply(r#"{"rows": [{"c": 2}]}"#)
        } else {
            Response { headers: vec![link], ..reply(r#"{"rows": [{"c": 1}]}"#) }
        }
    };
    type Answers = fn(&HttpRequest) -> Response;
    let cases: [(&str, Answers, usize); 5] = [
        (r#"{"style": "next_link", "path": "$.next"}"#, next_link, 2),
        (r#"{"style": "next_link"}"#, header, 2),
        (r#"{"style": "cursor", "path": "$.meta.after", "parameter": "cursor"}"#, cursor, 2),
        (r#"{"style": "page", "parameter": "page"}"#, page, 3),
        (
            r#"{"style": "offset", "parameter": "skip", "size_parameter": "limit", "size": 1,
                "more": "$.more"}"#,
            offset,
            2,
        ),
    ];
    for (paging, answer, requests) in cases {
        let (batches, asked) = collect(&paged(paging, ""), answer);
        assert_eq!(costs(&batches.unwrap()), ["1", "2"], "{paging}");
        assert_eq!(asked.len(), requests, "{paging}");
    }
}

#[test]
fn a_body_has_places_for_dates_and_the_cursor() {
    let config = paged(
        r#"{"style": "cursor", "path": "$.next", "parameter": "after"}"#,
        r#""body": "{\"from\": {start}, \"after\": \"{after}\"}", "dates": "unix","#,
    );
    let (batches, asked) = collect(&config, |request| {
        let body = String::from_utf8(request.body.clone().unwrap()).unwrap();
        reply(if body.ends_with("\"after\": \"\"}") {
            r#"{"rows": [{"c": 1}], "next": "n2"}"#
        } else {
            r#"{"rows": [{"c": 2}], "next": null}"#
        })
    });
    assert_eq!(costs(&batches.unwrap()), ["1", "2"]);
    assert_eq!(asked[1].method, Method::Post);
    assert_eq!(
        asked[1].body.as_deref(),
        Some(br#"{"from": 1772323200, "after": "n2"}"#.as_slice())
    );
}

#[test]
fn servers_that_turn_no_pages_are_found_out() {
    let cursor = r#"{"style": "cursor", "path": "$.next", "parameter": "cursor"}"#;
    let (batches, asked) =
        collect(&paged(cursor, ""), |_| reply(r#"{"rows": [{"c": 1}], "next": "again"}"#));
    assert_eq!(
        batches,
        Err(Error::Unavailable(
            "page 3 is one that was asked before: the server's pages lead in a circle".into()
        ))
    );
    assert_eq!(asked.len(), 2);
    let (batches, asked) = collect(&paged(r#"{"style": "page", "parameter": "p"}"#, ""), |_| {
        reply(r#"{"rows": [{"c": 1}, {"c": 2}]}"#)
    });
    assert_eq!(
        batches,
        Err(Error::Unavailable(
            "page 2 has the same rows as one before: the \
        server does not turn pages as the settings say"
                .into()
        ))
    );
    assert_eq!(asked.len(), 2);
    let endless = |request: &HttpRequest| {
        reply(&format!(r#"{{"rows": [{{"c": {}}}]}}"#, request.url.rsplit('=').next().unwrap()))
    };
    let (batches, _) =
        collect(&paged(r#"{"style": "page", "parameter": "p", "most": 3}"#, ""), endless);
    assert!(
        matches!(batches, Err(Error::Config(problem)) if problem.message == "there are more than \
            3 pages")
    );
}

#[test]
fn an_answer_that_is_something_else_is_no_empty_page() {
    for (body, expect) in [
        (
            "<html>",
            Error::Unavailable(
                "page 1 of https://api.example.com/v1/costs answered with a page \
                of HTML, not with JSON: is there a proxy or a login page in between?"
                    .into(),
            ),
        ),
        (
            r#"{"rows": [{"#,
            Error::Transient(
                "page 1 of https://api.example.com/v1/costs answered \
            with JSON that ends in the middle, after 11 bytes"
                    .into(),
            ),
        ),
        (
            r#"{"rows": 7}"#,
            Error::Transient(
                "page 1 is not what the settings say: /rows is \
            neither a list nor an object"
                    .into(),
            ),
        ),
    ] {
        let (batches, _) = collect(&paged(r#"{"style": "next_link"}"#, ""), move |_| reply(body));
        assert_eq!(batches, Err(expect));
    }
    let (batches, _) = collect(&paged(r#"{"style": "next_link"}"#, ""), |_| Response {
        status: 401,
        ..reply("expired")
    });
    assert_eq!(
        batches,
        Err(Error::Auth("https://api.example.com/v1/costs answered 401: expired".into()))
    );
}

#[test]
fn settings_that_cannot_work_are_refused_before_anything_is_asked() {
    let all = |change: &str| {
        format!(
            r#"{{"url": "https://h", "rows": "$[*]", "fields": {{"billed_cost": "$.c",
                "charge_period_start": "$.d", "billing_currency": "USD", "service_name": "S"}},
                {change}}}"#
        )
    };
    for (config, expect) in [
        ("{}".to_owned(), "the place of the rows is missing"),
        (
            r#"{"url": "u", "rows": "$[*]", "fields": {"billed_cost": "$.c"}}"#.into(),
            "fields.charge_period_start is missing",
        ),
        (
            r#"{"url": "u", "rows": "$[*]", "fields": {"bild_cost": "$.c"}}"#.into(),
            "there is no field 'bild_cost'",
        ),
        (all(r#""pages": 1"#), "there is no setting 'pages'"),
        (all(r#""paging": {"style": "offset", "parameter": "o"}"#), "paging.size is missing"),
        (
            all(r#""tags": {"team": "$.a[*]"}"#),
            "tags.team is one value, so that its path can have no star",
        ),
        (
            all(r#""tags": {"team": "$..a"}"#),
            "tags.team: '$..a' is not a path: a step is .name, ['name'], [0] or [*]; behind a \
             name can stand ?",
        ),
        (all(r#""auth": {"slot": "s", "place": "cookie"}"#), "auth.place cannot be \"cookie\""),
        (all(r#""divide_by": 0"#), "divide_by has to be a number from 1 to 1000000000, not 0"),
    ] {
        match HttpJson::check(&config) {
            Err(Error::Config(problem)) => assert_eq!(problem.message, expect),
            other => panic!("{config}: {other:?}"),
        }
    }
}

#[test]
fn amounts_in_cents_are_divided_exactly() {
    let config = paged(r#"{"style": "next_link"}"#, r#""divide_by": 100,"#);
    let (batches, _) = collect(&config, |_| reply(r#"{"rows": [{"c": 12345}, {"c": "-7"}]}"#));
    assert_eq!(costs(&batches.unwrap()), ["123.45", "-0.07"]);
}

#[test]
fn periods_quantities_and_prices_are_told_where_a_row_has_them() {
    let config = r#"{"url": "https://api.example.com/v1/costs", "rows": "$[*]",
        "fields": {"billed_cost": "$.net", "charge_period_start": "$.day",
        "billing_currency": "USD", "service_name": "S", "billing_period_start": "$.month",
        "pricing_quantity": "$.hours", "consumed_quantity": "$.seconds",
        "list_unit_price": "$.list", "contracted_unit_price": "$.price",
        "list_cost": "$.gross", "contracted_cost": "$.contracted"}, "divide_by": 100}"#;
    let answer = r#"[
        {"net": 800, "day": "2026-03-31", "month": "2026-03", "hours": 4, "seconds": 14400,
        "list": 250, "price": 200, "gross": 1000, "contracted": 800},
        {"net": 800, "day": "2026-03-31", "list": null},
        {"net": 800, "day": "2026-03-31", "month": "March"},
        {"net": 800, "day": "2026-03-31", "hours": "four"},
        {"net": 800, "day": "2026-03-31", "gross": "a lot"}
    ]"#;
    let (batches, _) = collect(config, move |_| reply(answer));
    let batches = batches.unwrap();
    let full = Charge {
        charge_period_start: "2026-03-31".into(),
        // 800 cents; 4 hours at 2.00 are 8.00, and at 2.50 they are 10.00.
        billed_cost: "8".into(),
        effective_cost: "8".into(),
        billing_currency: "USD".into(),
        service_name: "S".into(),
        charge_category: "Usage".into(),
        billing_period_start: Some("2026-03-01".into()),
        pricing_quantity: Some("4".into()),
        consumed_quantity: Some("14400".into()),
        list_unit_price: Some("2.5".into()),
        contracted_unit_price: Some("2".into()),
        list_cost: Some("10".into()),
        contracted_cost: Some("8".into()),
        ..Charge::default()
    };
    let bare = Charge {
        billing_period_start: None,
        pricing_quantity: None,
        consumed_quantity: None,
        list_unit_price: None,
        contracted_unit_price: None,
        list_cost: None,
        contracted_cost: None,
        ..full.clone()
    };
    assert_eq!(charges(&batches), [full, bare]);
    let reasons: Vec<&str> = batches
        .iter()
        .flat_map(|batch| &batch.rejected)
        .map(|rejected| rejected.reason.as_str())
        .collect();
    assert_eq!(
        reasons,
        [
            "its billing_period_start is 'March', and that is no date",
            "its pricing_quantity is 'four', and that is no number",
            "its list_cost is 'a lot', and that is no number",
        ]
    );
}
