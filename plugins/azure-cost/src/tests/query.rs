//! Whole collections by the query API, with Azure played by a closure.

use super::*;
use crate::AzureCost;
use apportion_plugin_sdk::http::{Method, Request as Asked, Response};
use apportion_plugin_sdk::{Collector, Error, Period, Rows as Form, fixture};

const COLUMNS: &str = r#"[{"name": "Cost", "type": "Number"}, {"name": "ServiceName",
    "type": "String"}, {"name": "ResourceGroup", "type": "String"},
    {"name": "UsageDate", "type": "Number"}, {"name": "TagKey", "type": "String"},
    {"name": "TagValue", "type": "String"}, {"name": "Currency", "type": "String"}]"#;

fn answer(rows: &str, next: &str) -> Result<Response, Error> {
    let body = format!(
        r#"{{"properties": {{"nextLink": {next}, "columns": {COLUMNS}, "rows": [{rows}]}}}}"#
    );
    Ok(Response { status: 200, headers: Vec::new(), body: body.into_bytes() })
}

fn collect(more: &str) -> Result<(Vec<String>, Vec<String>), Error> {
    fixture::run("azure", "2026-04-20T00:00:00Z");
    let config = format!(
        r#"{{"mode": "query", "scope": "/subscriptions/s-1", "group_by_tags": ["team"]{more}}}"#
    );
    let period = Some(Period { start: "2026-03-15".into(), end: "2026-04-03".into() });
    let mut azure = AzureCost::open(apportion_plugin_sdk::Request { config, period, state: None })?;
    let (mut charges, mut rejected) = (Vec::new(), Vec::new());
    while let Some(batch) = azure.next()? {
        let Form::Charges(page) = batch.rows else { panic!() };
        charges.extend(page.iter().map(|charge| {
            let tags: Vec<String> =
                charge.tags.iter().map(|tag| format!("{}={}", tag.key, tag.value)).collect();
            format!(
                "{} {} {} {} {}",
                &charge.charge_period_start[..10],
                charge.service_name,
                charge.billed_cost,
                charge.effective_cost,
                tags.join(" ")
            )
        }));
        rejected
            .extend(batch.rejected.iter().map(|row| format!("{}: {}", row.location, row.reason)));
    }
    Ok((charges, rejected))
}

/// Answers with pages of one month and one cost. The request for the second page has the body too.
fn pages(asked: &Asked) -> Result<Response, Error> {
    let body: serde_json::Value = serde_json::from_slice(asked.body.as_deref().unwrap()).unwrap();
    assert_eq!((asked.method, asked.repeatable), (Method::Post, true));
    let grouping = r#"[{"name":"ServiceName","type":"Dimension"},{"name":"ResourceGroup","type":"Dimension"},{"name":"team","type":"TagKey"}]"#;
    assert_eq!(body["dataset"]["grouping"].to_string(), grouping);
    let root = "https://management.azure.com/subscriptions/s-1/providers/Microsoft.CostManagement/query?api-version=2025-03-01";
    match (
        body["type"].as_str().unwrap(),
        body["timePeriod"]["from"].as_str().unwrap(),
        asked.url.strip_prefix(root).unwrap(),
    ) {
        ("ActualCost", "2026-03-15T00:00:00Z", "") => {
            assert_eq!(body["timePeriod"]["to"], "2026-03-31T23:59:59Z");
            answer(
                r#"[19.545363672276512000001, "VM", "shop", 20260315, "team", "red", "EUR"]"#,
                &format!("\"{root}&$skiptoken=2\""),
            )
        }
        ("ActualCost", "2026-03-15T00:00:00Z", "&$skiptoken=2") => answer(
            r#"[-1.5, "Storage", "", "20260331", "team", "", "EUR"], ["2", "VM",
                "", 20260316, null, null, "EUR"], [1, "VM", "", 20260231, null, null, "EUR"]"#,
            "null",
        ),
        ("ActualCost", "2026-04-01T00:00:00Z", "") => {
            assert_eq!(body["timePeriod"]["to"], "2026-04-02T23:59:59Z");
            answer("", "null")
        }
        ("AmortizedCost", "2026-03-15T00:00:00Z", "") => {
            answer(r#"[20, "VM", "shop", 20260315, "team", "red", "EUR"]"#, "null")
        }
        ("AmortizedCost", "2026-04-01T00:00:00Z", "") => answer("", "null"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn both_costs_are_asked_for_month_by_month_and_page_by_page() {
    fixture::http(pages);
    let (charges, rejected) = collect("").unwrap();
    let expect = [
        "2026-03-15 VM 19.545363672276512000001 0 resource_group=shop team=red",
        "2026-03-31 Storage -1.5 0 ",
        "2026-03-15 VM 0 20 resource_group=shop team=red",
    ];
    assert_eq!(charges, expect);
    let place = "/subscriptions/s-1/providers/Microsoft.CostManagement/query#/properties/rows";
    assert_eq!(
        rejected,
        [
            format!("{place}/1/0: it is not a number"),
            format!("{place}/2/3: 20260231 is not a day such as 20260331")
        ]
    );
}

#[test]
fn one_cost_alone_is_both() {
    fixture::http(pages);
    let (charges, _) = collect(r#", "costs": "actual""#).unwrap();
    assert_eq!(
        charges[0],
        "2026-03-15 VM 19.545363672276512000001 19.545363672276512000001 resource_group=shop \
         team=red"
    );
}

#[test]
fn a_page_that_names_itself_is_refused() {
    fixture::http(|asked| answer("", &format!("\"{}\"", asked.url)));
    assert!(
        matches!(collect(""), Err(Error::Unavailable(message)) if message.contains("go in a circle"))
    );
}

#[test]
fn settings_that_lead_elsewhere_are_refused() {
    let message = |config: &str| match Api::parse(config) {
        Err(Error::Config(problem)) => problem.message,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        message(r#"{"scope": "subscriptions/../x"}"#),
        "scope cannot be \"subscriptions/../x\""
    );
    assert_eq!(message(r#"{"scope": "s?x"}"#), "scope cannot be \"s?x\"");
    assert_eq!(message(r#"{"mode": "query"}"#), "the setting `scope` is missing");
    assert_eq!(
        message(r#"{"from": "files", "costs": "both"}"#),
        "files are of one of the two costs, and `costs` has to say which"
    );
    assert_eq!(message(r#"{"scop": "s"}"#), "there is no setting 'scop'");
}
