//! Costs of teams and of everything, explained and in pages, and the usage that shares them.

use super::{TestServer, estate, eur, refused, usd};
use serde_json::{Value, json};

#[tokio::test]
async fn a_team_sees_its_costs_by_span_service_environment_and_application() {
    let served = TestServer::new();
    let body = served.good("/api/v1/costs/team/payments", "TeamCosts").await;
    // USD: 10 in January; 2.5 and a third of the network's 3 in February.
    let expect = json!({
        "team": "payments",
        "axis": "posting",
        "period": { "start_date": null, "end_date": null },
        "granularity": "monthly",
        "total": [eur("1.000000000"), usd("13.500000000")],
        "costs": [
            { "period_start": "2026-01-01", "cost": usd("10.000000000") },
            { "period_start": "2026-02-01", "cost": eur("1.000000000") },
            { "period_start": "2026-02-01", "cost": usd("3.500000000") },
        ],
        "breakdown": {
            "by_service": [
                { "key": "Compute", "cost": eur("1.000000000") },
                { "key": "Compute", "cost": usd("12.500000000") },
                { "key": "Network", "cost": usd("1.000000000") },
            ],
            "by_environment": [
                { "key": "", "cost": eur("1.000000000") },
                { "key": "prod", "cost": usd("10.000000000") },
                { "key": "dev", "cost": usd("2.500000000") },
                { "key": "", "cost": usd("1.000000000") },
            ],
            "by_application": [
                { "key": "", "cost": eur("1.000000000") },
                { "key": "shop", "cost": usd("10.000000000") },
                { "key": "", "cost": usd("3.500000000") },
            ],
        },
    });
    assert_eq!(body, expect);
}

/// What `GET /api/v1/costs` shows as a team can be asked for as a team.
#[tokio::test]
async fn cost_that_no_team_bears_is_asked_for_by_its_account() {
    let served = TestServer::new();
    let body = served.good("/api/v1/costs/team/unallocated", "TeamCosts").await;
    // The only charge of another service than Compute and Network.
    assert_eq!(body["total"], json!([usd("0.000000001")]));
    let expect = json!([{ "period_start": "2026-02-01", "cost": usd("0.000000001") }]);
    assert_eq!(body["costs"], expect);
    let by_service = json!([{ "key": "Other", "cost": usd("0.000000001") }]);
    assert_eq!(body["breakdown"]["by_service"], by_service);
}

#[tokio::test]
async fn both_dates_are_included_and_weeks_start_on_monday() {
    let served = TestServer::new();
    let path =
        "/api/v1/costs/team/payments?start_date=2026-01-30&end_date=2026-02-02&granularity=weekly";
    let body = served.good(path, "TeamCosts").await;
    assert_eq!(body["period"], json!({ "start_date": "2026-01-30", "end_date": "2026-02-02" }));
    // 2026-01-30 is a Friday, so the first week is cut there; 2026-02-02 is a Monday.
    let expect = json!([
        { "period_start": "2026-01-30", "cost": usd("10.000000000") },
        { "period_start": "2026-02-02", "cost": usd("2.500000000") },
    ]);
    assert_eq!(body["costs"], expect);
    let empty = served.good("/api/v1/costs/team/payments?start_date=2027-01-01", "TeamCosts").await;
    assert_eq!(empty["total"], json!([]));
}

#[tokio::test]
async fn costs_are_grouped_and_filtered() {
    let served = TestServer::new();
    let body = served
        .good(
            "/api/v1/costs?group_by=team,service_name&filter=team:payments&end_date=2026-02-03",
            "Costs",
        )
        .await;
    let cost = |service: &str, amount: &str| {
        let keys = json!({ "team": "payments", "service_name": service });
        json!({ "period_start": null, "keys": keys, "cost": usd(amount) })
    };
    let expect = json!({
        "axis": "posting",
        "period": { "start_date": null, "end_date": "2026-02-03" },
        "granularity": "total",
        "group_by": ["team", "service_name"],
        "filter": ["team:payments"],
        "sort": "name",
        "top": null,
        "other": [],
        "costs": [
            cost("Compute", "12.500000000"),
            cost("Network", "1.000000000"),
        ],
        "totals": [usd("13.500000000")],
        "corrections": [],
        "next_page_token": null,
    });
    assert_eq!(body, expect);
    let by_tag = served
        .good(
            "/api/v1/costs?group_by=tag:environment&filter=team:search&filter=team:unallocated",
            "Costs",
        )
        .await;
    let expect = json!([
        { "period_start": null, "keys": { "tag:environment": "" }, "cost": usd("2.000000001") },
        { "period_start": null, "keys": { "tag:environment": "prod" }, "cost": usd("4.000000000") },
    ]);
    assert_eq!(by_tag["costs"], expect);
}

#[tokio::test]
async fn pages_hold_every_row_once() {
    let served = TestServer::new();
    let whole =
        served.good("/api/v1/costs?group_by=team,service_name&granularity=daily", "Costs").await;
    let whole = whole["costs"].as_array().expect("rows").clone();
    // Day and team: 01-30 payments, 02-02 payments and search, 02-03 payments, search and
    // unallocated, 02-04 payments.
    assert_eq!(whole.len(), 7);
    for limit in 1..=8 {
        let (mut rows, mut token) = (Vec::new(), String::new());
        loop {
            let path = "/api/v1/costs?group_by=team,service_name&granularity=daily";
            let page = served.good(&format!("{path}&limit={limit}{token}"), "Costs").await;
            let costs = page["costs"].as_array().expect("rows");
            assert!(
                costs.len() == limit || page["next_page_token"].is_null(),
                "only the last page is short"
            );
            rows.extend(costs.iter().cloned());
            match page["next_page_token"].as_str() {
                Some(next) => token = format!("&page_token={next}"),
                None => break,
            }
        }
        assert_eq!(rows, whole, "limit {limit}");
    }
}

/// The order of rows is that of amounts, so a limit gets the largest ones.
#[tokio::test]
async fn the_largest_groups_come_first_and_the_others_are_summed() {
    let served = TestServer::new();
    let by_team = "/api/v1/costs?group_by=team&filter=currency:USD";
    // USD: payments 13.5, search 6, and a nano that nobody bears.
    let row = |team: &str, amount: &str| {
        let (keys, cost) = (json!({ "team": team }), usd(amount));
        json!({ "period_start": null, "keys": keys, "cost": cost })
    };
    let all = [
        row("payments", "13.500000000"),
        row("search", "6.000000000"),
        row("unallocated", "0.000000001"),
    ];
    let first = served.good(&format!("{by_team}&sort=amount&limit=2"), "Costs").await;
    assert_eq!(first["costs"], json!(all[..2]));
    let token = first["next_page_token"].as_str().expect("a token");
    let next = format!("{by_team}&sort=amount&limit=2&page_token={token}");
    let second = served.good(&next, "Costs").await;
    assert_eq!((&second["costs"], &second["next_page_token"]), (&json!(all[2..]), &Value::Null));
    // A token belongs to its order.
    let other = served.get(&format!("{by_team}&limit=2&page_token={token}")).await.refusal();
    assert_eq!(other.2, "page_token: this token belongs to another query");
    let top = served.good(&format!("{by_team}&top=1"), "Costs").await;
    assert_eq!((&top["sort"], &top["top"]), (&json!("amount"), &json!(1)));
    assert_eq!(top["costs"], json!(all[..1]));
    let rest = json!([{ "period_start": null, "groups": 2, "cost": usd("6.000000001") }]);
    assert_eq!(top["other"], rest);
    assert_eq!(top["totals"], json!([usd("19.500000001")]));
    let without = served.good(&format!("{by_team}&filter=team!=payments"), "Costs").await;
    assert_eq!(
        (&without["costs"], &without["filter"][1]),
        (&json!(all[1..]), &json!("team!=payments"))
    );
}

#[tokio::test]
async fn quarters_are_those_of_the_calendar() {
    let served = TestServer::new();
    let path = "/api/v1/costs/team/payments?granularity=quarterly";
    let body = served.good(path, "TeamCosts").await;
    let expect = json!([
        { "period_start": "2026-01-01", "cost": eur("1.000000000") },
        { "period_start": "2026-01-01", "cost": usd("13.500000000") },
    ]);
    assert_eq!(body["costs"], expect);
}

/// Pages of two states would neither add up to the one nor to the other.
#[tokio::test]
async fn a_token_is_refused_once_a_run_has_posted() {
    let served = TestServer::new();
    for (path, schema) in
        [("costs?group_by=service_name", "Costs"), ("usage?group_by=team", "Usage")]
    {
        let first = served.good(&format!("/api/v1/{path}&limit=1"), schema).await;
        let token = first["next_page_token"].as_str().expect("a token");
        let next = format!("/api/v1/{path}&limit=1&page_token={token}");
        served.good(&next, schema).await;
        // A run that fails at its start changes nothing that is owed, and no page.
        let mut ledger =
            ledger::Ledger::open(&served.folder.path().join("apportion.db")).expect("a ledger");
        let start = ledger::RunStart { at_ms: 1, version: String::new() };
        drop(ledger.begin(&start).expect("a run"));
        served.good(&next, schema).await;
        served.run(estate::charges());
        let (status, code, detail, hint) = served.get(&next).await.refusal();
        assert_eq!((status, code.as_str()), (409, "S207"), "{path}");
        assert!(detail.starts_with("page_token: the ledger changed after the page before: run "));
        assert_eq!(hint, "leave page_token out, and read all pages again");
    }
    // A list of runs only grows at its head.
    let runs = served.good("/api/v1/runs?limit=1", "Runs").await;
    let token = runs["next_page_token"].as_str().expect("a token");
    served.run(estate::charges());
    served.good(&format!("/api/v1/runs?limit=1&page_token={token}"), "Runs").await;
}

#[tokio::test]
async fn a_token_is_only_good_for_its_query() {
    let served = TestServer::new();
    let page = served.good("/api/v1/costs?limit=1", "Costs").await;
    let token = page["next_page_token"].as_str().expect("a token").to_owned();
    let other =
        served.get(&format!("/api/v1/costs?limit=1&group_by=rule&page_token={token}")).await;
    let of_another = refused(
        400,
        "N202",
        "page_token: this token belongs to another query",
        "repeat the query that returned it, or leave the token out",
    );
    assert_eq!(other.refusal(), of_another);
    assert_eq!(served.get(&format!("/api/v1/runs?page_token={token}")).await.refusal(), of_another);
    for junk in ["zz", "0", "7b7d", "5b312c2278225d"] {
        let answer = served.get(&format!("/api/v1/costs?page_token={junk}")).await;
        assert_eq!(
            answer.refusal(),
            refused(
                400,
                "N202",
                "page_token: this is not a token of this API",
                "leave it out to get the first page"
            )
        );
    }
}

#[tokio::test]
async fn a_line_of_an_invoice_is_explained() {
    let served = TestServer::new();
    let line = "/api/v1/explain?what=payments&service_name=Network\
        &start_date=2026-02-01&end_date=2026-02-28";
    let explained = served.good(line, "Explanation").await;
    // A third of 3.
    assert_eq!(explained["totals"], json!([usd("1.000000000")]));
    assert_eq!(explained["subject"], json!({ "account": "team/payments" }));
    assert_eq!(
        explained["period"],
        json!({ "start_date": "2026-02-01", "end_date": "2026-02-28" })
    );
    let rule = &explained["accounts"][0]["rules"][0];
    assert_eq!(
        (&rule["rule"], &rule["charges"], &rule["shared"], &rule["share_percent"]),
        (&json!("shared/network"), &json!(1), &usd("3.000000000"), &json!("33.33"))
    );
    // A summary names the way to more, and lists no resource of a rule.
    assert_eq!(
        (&explained["depth"], &explained["deeper"], &rule["resources"]),
        (&json!("summary"), &json!("rules"), &json!([]))
    );
    let deeper = served.good(&format!("{line}&depth=resources"), "Explanation").await;
    let rule = &deeper["accounts"][0]["rules"][0];
    assert_eq!(rule["resources"][0]["charged"], usd("3.000000000"));
    assert_eq!(explained["sources"][0]["plugin"]["name"], "fixed");
    let whole = served.good("/api/v1/explain?what=payments", "Explanation").await;
    assert_eq!(whole["totals"], json!([eur("1.000000000"), usd("13.500000000")]));
    served.good("/api/v1/explain?what=entry:1", "Explanation").await;
    let refused_of = |path: &'static str| async { served.get(path).await.refusal() };
    assert_eq!(
        refused_of("/api/v1/explain?what=paymants").await,
        refused(
            404,
            "N201",
            "nothing in the ledger is called 'paymants'",
            "did you mean `payments`?"
        )
    );
    assert_eq!(
        refused_of("/api/v1/explain?what=payments&service_name=Netwerk").await,
        refused(
            404,
            "N201",
            "nothing was charged for the service 'Netwerk'",
            "did you mean 'Network'?"
        )
    );
    let (status, code, detail, _) = refused_of("/api/v1/explain").await;
    assert_eq!(
        (status, code.as_str(), detail.as_str()),
        (400, "N202", "what: it is not said what to explain")
    );
}

#[tokio::test]
async fn usage_is_shown_with_its_gaps_and_by_keys() {
    let served = TestServer::new();
    let usage = served.good("/api/v1/usage", "Usage").await;
    assert_eq!(
        usage["metrics"],
        json!([{
            "metric": "network.egress.bytes", "source": "aws", "unit": "B",
            "start_date": "2026-02-01", "end_date": "2026-02-04", "days": 2,
            "gaps": [{ "start_date": "2026-02-02", "end_date": "2026-02-03" }],
            "rows": 3, "total": "15.500000000",
        }])
    );
    assert_eq!(usage["groups"], json!([]));
    let first = served.good("/api/v1/usage?group_by=team&limit=1", "Usage").await;
    let group = |team: &str, total: &str| {
        let (metric, keys) = ("network.egress.bytes", json!({ "team": team }));
        json!([{ "metric": metric, "keys": keys, "total": total, "unit": "B" }])
    };
    assert_eq!(first["groups"], group("payments", "10.500000000"));
    let token = first["next_page_token"].as_str().expect("a token");
    let second = served
        .good(&format!("/api/v1/usage?group_by=team&limit=1&page_token={token}"), "Usage")
        .await;
    assert_eq!(
        (&second["groups"], &second["next_page_token"]),
        (&group("search", "5.000000000"), &Value::Null)
    );
    let other = served.good("/api/v1/usage?metric=nothing", "Usage").await;
    assert_eq!(other["metrics"], json!([]));
}
