//! Metrics of charges: the same query as for costs, with what charges do not say counted.

use super::{TestServer, estate, refused, usd};
use domain::charge::RawCharge;
use domain::field::Field;
use serde_json::{Value, json};

/// A charge of Compute unless told otherwise, with the figures that its bill has.
fn told(
    (day, service, team): (&str, &str, &str),
    (billed, list, contracted): (&str, &str, &str),
    (priced, unit): (&str, &str),
    (consumed, consumed_unit): (&str, &str),
) -> RawCharge {
    let charge = estate::charge(day, service, &[("team", team)], billed, "USD");
    let units = [("pricing_unit", unit), ("consumed_unit", consumed_unit)];
    let units = units
        .into_iter()
        .filter(|(_, unit)| !unit.is_empty())
        .map(|(name, unit)| (Field::by_name(name).expect("a field"), unit.to_owned()));
    let dimensions = charge.dimensions.iter().cloned().chain(units).collect();
    RawCharge {
        list_cost: list.into(),
        contracted_cost: contracted.into(),
        pricing_quantity: priced.into(),
        consumed_quantity: consumed.into(),
        dimensions,
        ..charge
    }
}

fn served() -> TestServer {
    let served = TestServer::without_ledger();
    let none = ("", "");
    served.run(vec![
        told(
            ("2026-01-30", "Compute", "payments"),
            ("10", "12.5", "11"),
            ("24", "Hours"),
            ("1440", "Minutes"),
        ),
        told(("2026-02-02", "Compute", "payments"), ("2.5", "3", ""), ("6", "Hours"), none),
        told(("2026-02-02", "Compute", "payments"), ("1", "", "1"), none, none),
        told(("2026-02-02", "Compute", "search"), ("4", "", ""), ("0.5", "GB"), none),
        // Payments and search share it, as 1 to 2.
        told(("2026-02-03", "Network", ""), ("3", "4.2", "3"), ("1e15", "B"), none),
    ]);
    served
}

/// Team, unit, value, charges and unknown charges of each row.
fn rows(document: &Value) -> Vec<String> {
    let row = |row: &Value| {
        let text = |name: &str| row[name].as_str().unwrap_or("null").to_owned();
        let team = row["keys"]["team"].as_str().unwrap_or_default().to_owned();
        let counts = [row["charges"].to_string(), row["unknown_charges"].to_string()].join(" of ");
        [team, text("unit"), text("value"), counts].join("|")
    };
    document["measures"].as_array().expect("rows").iter().map(row).collect()
}

async fn by_team(served: &TestServer, metric: &str) -> Vec<String> {
    rows(&served.good(&format!("/api/v1/costs?metric={metric}"), "Measures").await)
}

#[tokio::test]
async fn metrics_are_summed_by_team_and_unit() {
    let served = served();
    // 12.5 + 3, and the charge of 1 has no list cost.
    assert_eq!(
        by_team(&served, "list_cost").await,
        [
            "payments|USD|15.5|3 of 1",
            "pool/shared/network|USD|4.2|1 of 0",
            "search|USD|null|1 of 1"
        ]
    );
    // 11 + 1.
    assert_eq!(
        by_team(&served, "contracted_cost").await,
        ["payments|USD|12|3 of 1", "pool/shared/network|USD|3|1 of 0", "search|USD|null|1 of 1"]
    );
    // 10 + 2.5 + 1. Every charge has a billed cost, and pools keep theirs.
    assert_eq!(
        by_team(&served, "billed_cost").await,
        ["payments|USD|13.5|3 of 0", "pool/shared/network|USD|3|1 of 0", "search|USD|4|1 of 0"]
    );
    // 24 + 6 hours; a charge without a unit stands by itself.
    assert_eq!(
        by_team(&served, "pricing_quantity").await,
        [
            "payments||null|1 of 1",
            "payments|Hours|30|2 of 0",
            "pool/shared/network|B|1000000000000000|1 of 0",
            "search|GB|0.5|1 of 0",
        ]
    );
    assert_eq!(
        by_team(&served, "consumed_quantity").await,
        [
            "payments||null|2 of 2",
            "payments|Minutes|1440|1 of 0",
            "pool/shared/network||null|1 of 1",
            "search||null|1 of 1",
        ]
    );
}

#[tokio::test]
async fn a_metric_is_asked_for_like_costs() {
    let served = served();
    let path = "/api/v1/costs?metric=list_cost&group_by=service_name&filter=team:payments\
        &start_date=2026-01-01&end_date=2026-02-28&granularity=monthly";
    let measure = |start: &str, value: &str, charges: u64, unknown: u64| {
        json!({
            "period_start": start, "keys": { "service_name": "Compute" }, "unit": "USD",
            "value": value, "charges": charges, "unknown_charges": unknown,
        })
    };
    let expect = json!({
        "axis": "charge",
        "period": { "start_date": "2026-01-01", "end_date": "2026-02-28" },
        "granularity": "monthly",
        "group_by": ["service_name"],
        "filter": ["team:payments"],
        "metric": "list_cost",
        "sort": "name",
        "top": null,
        "other": [],
        "measures": [measure("2026-01-01", "12.5", 1, 0), measure("2026-02-01", "3", 2, 1)],
        "next_page_token": null,
    });
    assert_eq!(served.good(path, "Measures").await, expect);
    // The default has the name that `--metric` has for it.
    let named = served.good("/api/v1/costs?metric=effective_cost", "Costs").await;
    assert_eq!(named, served.good("/api/v1/costs", "Costs").await);
    // 10 + 2.5 + 1 + 4 + 3.
    assert_eq!(named["totals"], json!([usd("20.500000000")]));
}

#[tokio::test]
async fn pages_of_a_metric_hold_every_row_once() {
    let served = served();
    let path = "/api/v1/costs?metric=pricing_quantity&granularity=daily";
    let whole = rows(&served.good(path, "Measures").await);
    // 01-30 payments; 02-02 payments with and without a unit, and search; 02-03 the pool.
    assert_eq!(whole.len(), 5);
    for limit in 1..=6 {
        let (mut paged, mut token) = (Vec::new(), String::new());
        loop {
            let page = served.good(&format!("{path}&limit={limit}{token}"), "Measures").await;
            paged.extend(rows(&page));
            match page["next_page_token"].as_str() {
                Some(next) => token = format!("&page_token={next}"),
                None => break,
            }
        }
        assert_eq!(paged, whole, "limit {limit}");
    }
}

#[tokio::test]
async fn a_token_is_only_good_for_its_metric() {
    let served = served();
    let page = served.good("/api/v1/costs?metric=list_cost&limit=1", "Measures").await;
    let token = page["next_page_token"].as_str().expect("a token");
    for other in ["", "&metric=contracted_cost"] {
        let answer = served.get(&format!("/api/v1/costs?limit=1{other}&page_token={token}")).await;
        assert_eq!(
            answer.refusal(),
            refused(
                400,
                "N202",
                "page_token: this token belongs to another query",
                "repeat the query that returned it, or leave the token out",
            )
        );
    }
}
