//! The API's document: the committed copy is the served one, and it leaves nothing out.

use super::{StatusCode, TestServer};
use serde_json::Value;
use std::path::Path;

#[tokio::test]
async fn the_document_served_is_the_committed_one() {
    let path = Path::new("openapi.json");
    let text = format!("{:#}\n", server::document());
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, &text).expect("the golden file");
    }
    let golden = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        golden == text,
        "openapi.json is stale: run `UPDATE=1 cargo test -p server` and look at the difference"
    );
    let served = TestServer::without_ledger().get("/api/v1/openapi.json").await;
    assert_eq!(served.status, StatusCode::OK);
    assert_eq!(served.json(), serde_json::from_str::<Value>(&golden).expect("JSON"));
}

#[test]
fn every_operation_names_its_parameters_and_errors() {
    let document = server::document();
    let paths = document["paths"].as_object().expect("paths");
    assert_eq!(paths.len(), server::operations().len());
    for operation in server::operations() {
        let shown = &paths[operation.path][operation.method().to_lowercase()];
        let responses = shown["responses"].as_object().expect("responses");
        assert!(responses.contains_key("421"), "{}", operation.path);
        let parameters: Vec<&str> = shown["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|parameter| parameter["name"].as_str())
            .collect();
        for placeholder in
            operation.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        {
            assert!(
                parameters.contains(&placeholder),
                "{} does not describe {placeholder}",
                operation.path
            );
        }
        let strict = [
            "/api/v1/costs",
            "/api/v1/entries",
            "/api/v1/explain",
            "/api/v1/usage",
            "/api/v1/runs",
            "/api/v1/sources",
            "/api/v1/rules",
            "/api/v1/plan",
        ]
        .iter()
        .any(|path| operation.path.starts_with(path));
        assert_eq!(responses.contains_key("400"), strict, "{}", operation.path);
    }
}

/// Every documented query parameter is understood, and an unknown one gets 400.
#[tokio::test]
async fn parameters_that_are_described_are_taken() {
    let served = TestServer::new();
    let document = server::document();
    for (path, item) in document["paths"].as_object().expect("paths") {
        let path = path.replace("{team}", "payments").replace("{id}", "1");
        for parameter in item["get"]["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|parameter| parameter["in"] == "query")
        {
            let value = match parameter["name"].as_str().expect("a name") {
                "start_date" | "end_date" => "2026-02-01",
                "axis" => "charge",
                "team" => "payments",
                "account" => "team/payments",
                "rule" => "direct/compute",
                "source" => "aws",
                "run" => "1",
                "granularity" => "daily",
                "group_by" => "rule",
                "filter" => "team:payments",
                "what" => "payments",
                "service_name" => "Compute",
                "metric" if path == "/api/v1/costs" => "list_cost",
                "metric" => "network.egress.bytes",
                "sort" => "amount",
                "depth" => "resources",
                "top" | "limit" => "5",
                "page_token" => continue,
                other => panic!("{other} has no example here"),
            };
            let name = parameter["name"].as_str().expect("a name");
            let needed =
                if path == "/api/v1/explain" && name != "what" { "what=payments&" } else { "" };
            assert_eq!(
                served.get(&format!("{path}?{needed}{name}={value}")).await.status,
                StatusCode::OK,
                "{path}?{name}={value}"
            );
        }
        if item["get"]["responses"].get("400").is_some() {
            assert_eq!(
                served.get(&format!("{path}?nonsense=1")).await.status,
                StatusCode::BAD_REQUEST,
                "{path}"
            );
        }
    }
}

#[test]
fn references_lead_somewhere() {
    let document = server::document();
    let text = document.to_string();
    let mut found = 0;
    for part in text.split("\"$ref\":\"#").skip(1) {
        let pointer = part.split('"').next().unwrap_or_default();
        assert!(document.pointer(pointer).is_some(), "{pointer} leads nowhere");
        found += 1;
    }
    assert!(found > 20);
}
