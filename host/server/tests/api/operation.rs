//! Answers for operators: sources, runs, rules, health and figures.

use super::{TestServer, estate, eur, refused, usd};
use serde_json::{Value, json};

#[tokio::test]
async fn a_source_says_how_fresh_it_is_and_its_plugin_what_it_cost() {
    let served = TestServer::new();
    let body = served.good("/api/v1/sources", "Sources").await;
    let source = &body["sources"][0];
    // It was collected on 2026-02-05 at 06:07:08; the next time of "15 */6" is eight minutes later,
    // and has passed.
    assert_eq!(source["last_success"], json!({ "run": 1, "at": "2026-02-05T06:07:08.009Z" }));
    assert_eq!(
        (&source["due"], &source["schedule"]),
        (&json!("2026-02-05T06:15:00.000Z"), &json!("15 */6 * * *"))
    );
    assert_eq!(
        (&source["failure"], &source["attempts"], &source["gap_days"]),
        (&Value::Null, &json!(1), &json!(0))
    );
    assert_eq!(
        source["newest_day"],
        source["coverage"].as_array().and_then(|spans| spans.last()).expect("a span")["end_date"]
    );
    assert_eq!(body["plugin_costs"][0]["source"], "aws");
    assert_eq!(
        (&body["plugin_costs"][0]["runs"], &body["plugin_costs"][0]["cost"]["starts"]),
        (&json!(1), &json!(1))
    );
    let metrics = served.get("/metrics").await.text();
    for line in [
        "apportion_plugin_starts_total{plugin=\"fixed\",source=\"aws\"} 1",
        "apportion_plugin_denials_total{plugin=\"fixed\",source=\"aws\"} 0",
        "apportion_source_last_success_timestamp_seconds{source=\"aws\"} 1770271628.009",
        "apportion_source_failed{source=\"aws\"} 0",
    ] {
        assert!(metrics.lines().any(|known| known == line), "{line} is not in\n{metrics}");
    }
}

#[tokio::test]
async fn runs_are_listed_and_shown_with_the_rows_set_aside() {
    let served = TestServer::new();
    served.run(estate::charges().into_iter().take(6).collect());
    let digest = served.good("/api/v1/runs/1", "RunDetail").await;
    // All of the first run's charges: 10 + 2.5 + 4 + 3 and a nano, and 1 EUR. The second one found
    // what stood already.
    let moved = |id: i64| {
        if id == 1 { json!([eur("1.000000000"), usd("19.500000001")]) } else { json!([]) }
    };
    let run = |id: i64, state: &str, charges: u64, rejected: u64| {
        json!({
            "id": id, "state": state, "version": "0.1.0", "generation": "generation-one",
            "charges": charges, "rejected": rejected, "note": "",
            "moved": moved(id), "failed_sources": [],
            "started_at": "2026-02-05T06:07:08.009Z", "ended_at": "2026-02-05T06:07:09.509Z",
        })
    };
    let first = served.good("/api/v1/runs?limit=1", "Runs").await;
    assert_eq!(first["runs"], json!([run(2, "complete", 6, 0)]));
    let token = first["next_page_token"].as_str().expect("a second page");
    let second = served.good(&format!("/api/v1/runs?limit=1&page_token={token}"), "Runs").await;
    assert_eq!(second, json!({ "runs": [run(1, "incomplete", 6, 1)], "next_page_token": null }));
    assert_eq!(digest["rejected_by_source"], json!([{ "source": "aws", "count": 1 }]));
    let row = &digest["rejected_rows"][0];
    assert_eq!(row["source"], "aws");
    assert!(row["reason"].as_str().is_some_and(|reason| reason.contains("a lot")), "{row}");
    let missing = served.get("/api/v1/runs/7").await;
    assert_eq!(
        missing.refusal(),
        refused(404, "N201", "there is no run '7'", "/api/v1/runs lists the runs")
    );
}

#[tokio::test]
async fn rules_are_shown_with_the_findings_of_the_failed_reload() {
    let body = TestServer::without_ledger().good("/api/v1/rules", "Rules").await;
    assert_eq!(
        (&body["generation"], &body["generation_count"]),
        (&json!("generation-one"), &json!(3))
    );
    let rule = json!({
        "id": "direct/compute", "name": "Compute", "digest": "0".repeat(64),
        "priority": 100, "owner": "finops@example.com",
        "review_by": "2027-03-31", "description": "Compute has a payer.",
        "enabled": true, "from": null, "until": null,
    });
    assert_eq!(body["rules"][0], rule);
    let finding = json!({
        "code": "R101", "message": "expecting ';'",
        "location": { "file": "rules/direct/compute.rhai", "line": 4, "column": 7 },
        "excerpt": null, "hint": "end the line with ';'",
    });
    assert_eq!(body["diagnostics"], json!([finding]));
}

#[tokio::test]
async fn health_and_metrics_follow_the_ledger() {
    let served = TestServer::new();
    served.get("/readyz").await;
    served.get("/nowhere").await;
    let answer = served.get("/metrics").await;
    assert_eq!(answer.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    let text = answer.text();
    for line in [
        "apportion_runs{state=\"incomplete\"} 1",
        "apportion_runs{state=\"complete\"} 0",
        "apportion_last_run_timestamp_seconds 1770271629.509",
        "apportion_last_run_duration_seconds 1.5",
        "apportion_run_duration_seconds_bucket{le=\"1\"} 0",
        "apportion_run_duration_seconds_bucket{le=\"10\"} 1",
        "apportion_run_duration_seconds_sum 1.5",
        "apportion_last_run_set_aside_rows{source=\"aws\"} 1",
        // Four source-days: one each in USD on three days, one in EUR.
        "apportion_statements 4",
        "apportion_charges 6",
        // A collection for each of them, one for the charges that no rule took, and a distribution
        // of the network.
        "apportion_entries 6",
        "apportion_unborne_cost{account=\"unallocated\",currency=\"USD\"} 1e-9",
        "apportion_rules 2",
        "apportion_rule_generations_total 3",
        "apportion_rule_diagnostics 1",
        "apportion_http_requests_total{route=\"/readyz\",status=\"503\"} 1",
        "apportion_http_request_duration_seconds_count{route=\"/readyz\"} 1",
        "apportion_http_request_duration_seconds_bucket{route=\"unmatched\",le=\"+Inf\"} 1",
        // Seven rows of charges, three of usage.
        "apportion_plugin_rows_total{plugin=\"fixed\",source=\"aws\"} 10",
        "apportion_http_requests_total{route=\"unmatched\",status=\"404\"} 1",
        "apportion_build_info{version=\"0.1.0\"} 1",
    ] {
        assert!(text.lines().any(|known| known == line), "{line} is not in\n{text}");
    }
    served.run(estate::charges().into_iter().take(6).collect());
    assert!(served.get("/metrics").await.text().contains("apportion_runs{state=\"complete\"} 1\n"));
}

/// The rules on disk are broken, and the last good ones are in force.
#[tokio::test]
async fn a_server_that_is_not_ready_says_why() {
    let served = TestServer::new();
    let answer = served.get("/readyz").await;
    let meaning = "Rules, settings, sources or the ledger are to be mended; `reasons` says which.";
    let hint = "ask the operator of this server, whose log says more";
    assert_eq!(answer.refusal(), refused(503, "S206", meaning, hint));
    let rules = json!({
        "part": "rules", "code": "R101",
        "message": "rules/direct/compute.rhai:4:7: expecting ';'",
    });
    assert_eq!(answer.problem()["reasons"], json!([rules]));
    let config = served.folder.path().join("apportion.toml");
    std::fs::write(&config, "unknown_teams = \"secret-word\"\n").expect("the settings");
    let settings = json!({
        "part": "settings", "code": "C104",
        "message": "A setting has a value that cannot be used.",
    });
    let answer = served.get("/readyz").await;
    assert_eq!(answer.problem()["reasons"], json!([rules, settings]));
    assert!(!answer.text().contains("secret-word"), "{}", answer.text());
    std::fs::write(&config, crate::SETTINGS).expect("the settings");
    served.run_failing();
    let source = json!({
        "part": "source", "source": "aws", "code": "C104", "message": "the server is away",
    });
    assert_eq!(served.get("/readyz").await.problem()["reasons"], json!([rules, source]));
    served.run(estate::charges());
    assert_eq!(served.get("/readyz").await.problem()["reasons"], json!([rules]));
}

#[tokio::test]
async fn a_ledger_that_cannot_be_read_is_a_problem_whose_reason_stays_in_the_log() {
    let served = TestServer::without_ledger();
    assert_eq!(served.get("/healthz").await.text(), r#"{"status":"alive"}"#);
    let ready = served.get("/readyz").await;
    let ledger = json!({
        "part": "ledger", "code": "L101", "message": "There is no ledger at that path.",
    });
    assert_eq!(ready.problem()["reasons"][1], ledger);
    let answer = served.get("/api/v1/runs").await;
    assert_eq!(
        answer.refusal(),
        refused(
            503,
            "L101",
            "There is no ledger at that path.",
            "ask the operator of this server, whose log says more under the request_id"
        )
    );
    let path = served.folder.path().display().to_string();
    assert!(!answer.text().contains(&path));
    let log = served.log.text();
    assert!(
        log.contains(&path)
            && log.contains(answer.header("x-request-id"))
            && log.contains("method=GET path=/api/v1/runs}")
            && log.contains(": 503 "),
        "{log}"
    );
    std::fs::write(
        served.folder.path().join("apportion.db"),
        "not a database, but long enough to be looked at".repeat(200),
    )
    .expect("a file");
    let foreign = served.get("/api/v1/costs").await;
    assert_eq!(
        foreign.refusal(),
        refused(
            503,
            "L103",
            "The file is not an Apportion ledger.",
            "ask the operator of this server, whose log says more under the request_id"
        )
    );
}
