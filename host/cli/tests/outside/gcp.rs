//! Google Cloud's billing export in BigQuery: an emulator has a table with nested credits and
//! labels.

use crate::scenes::asking::{collect, grouped, nanos};
use crate::scenes::gcp::source;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use test_support::server::counterpart::{Server, free_port};

fn text(name: &str) -> Value {
    json!({ "name": name, "type": "STRING" })
}

/// Sends the emulator a request to make or fill a table.
fn post(port: u16, path: &str, body: &Value) {
    let body = body.to_string();
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("a server");
    let head = format!(
        "POST /bigquery/v2/projects/billing{path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\ncontent-type: application/json\r\n"
    );
    write!(stream, "{head}content-length: {}\r\n\r\n{body}", body.len()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(
        answer.starts_with("HTTP/1.1 2") && !answer.contains("\"insertErrors\":[{"),
        "{path}: {answer}"
    );
}

fn record(name: &str, mode: &str, fields: Vec<Value>) -> Value {
    json!({ "name": name, "type": "RECORD", "mode": mode, "fields": fields })
}

fn fill(port: u16) {
    post(
        port,
        "/datasets",
        &json!({ "datasetReference": { "projectId": "billing", "datasetId": "export" } }),
    );
    let pair = || vec![text("key"), text("value")];
    let fields = vec![
        text("billing_account_id"),
        record("service", "NULLABLE", vec![text("id"), text("description")]),
        record("sku", "NULLABLE", vec![text("id"), text("description")]),
        json!({ "name": "usage_start_time", "type": "TIMESTAMP" }),
        record("project", "NULLABLE", vec![text("id"), text("name")]),
        record("location", "NULLABLE", vec![text("location"), text("region"), text("zone")]),
        record("labels", "REPEATED", pair()),
        record("usage", "NULLABLE", vec![text("unit"), text("pricing_unit")]),
        json!({ "name": "cost", "type": "NUMERIC" }),
        text("currency"),
        text("cost_type"),
        record(
            "credits",
            "REPEATED",
            vec![text("name"), json!({ "name": "amount", "type": "NUMERIC" })],
        ),
        record("invoice", "NULLABLE", vec![text("month")]),
    ];
    let table = json!({ "tableReference": { "projectId": "billing", "datasetId": "export", "tableId": "gcp_billing_export_v1" }, "schema": { "fields": fields } });
    post(port, "/datasets/export/tables", &table);
    let row = |time: &str, service: &str, team: Option<&str>, cost: &str, credits: &[&str]| {
        let labels: Vec<Value> =
            team.iter().map(|team| json!({ "key": "team", "value": team })).collect();
        let credits: Vec<Value> =
            credits.iter().map(|amount| json!({ "name": "CUD", "amount": amount })).collect();
        json!({ "json": {
            "billing_account_id": "A", "service": { "id": "1", "description": service }, "sku": { "id": "s", "description": "N2" }, "usage_start_time": time,
            "project": { "id": "p-1", "name": "P" }, "location": { "location": "europe-west1", "region": "europe-west1", "zone": null }, "labels": labels,
            "usage": { "unit": "seconds", "pricing_unit": "hour" }, "cost": cost, "currency": "USD", "cost_type": "regular", "credits": credits, "invoice": { "month": "202610" },
        } })
    };
    let rows = [
        row(
            "2026-10-01T00:00:00Z",
            "Compute Engine",
            Some("red"),
            "1.10",
            &["-0.30", "-0.000000001"],
        ),
        row("2026-10-01T23:30:00Z", "Compute Engine", Some("blue"), "4.000000005", &["-4"]),
        row("2026-10-02T01:00:00Z", "Cloud Storage", None, "2.20", &[]),
        row("2026-09-30T23:00:00Z", "Cloud Storage", None, "999", &[]),
    ];
    post(port, "/datasets/export/tables/gcp_billing_export_v1/insertAll", &json!({ "rows": rows }));
}

/// Gross 1.10 + 4.000000005 + 2.20 = 7.300000005; credits −0.30 − 0.000000001 − 4 = −4.300000001;
/// net 3.000000004. Usage before the first day is not asked for.
#[test]
fn rows_of_a_table_in_bigquery_with_their_credits_and_labels() {
    let grpc = free_port().to_string();
    let server = Server::start("bigquery", &[], &[("GRPC_PORT", &grpc)]);
    fill(server.port);
    for (credits, billed, charges, compute) in [
        ("net", "3.000000004", 3, "0.800000004"),
        ("gross", "7.300000005", 3, "5.100000005"),
        ("charges", "3.000000004", 6, "0.800000004"),
    ] {
        let (scene, source) = collect(
            &source(
                &server.url(),
                &format!("partitioned = false, page_rows = 2, credits = '{credits}'"),
            ),
            0,
        );
        assert_eq!(
            (&source["charges"], &source["set_aside"]),
            (&charges.into(), &0.into()),
            "{credits}"
        );
        assert_eq!(
            (&source["totals"][0]["billed_cost"], &source["totals"][0]["effective_cost"]),
            (&billed.into(), &billed.into()),
            "{credits}"
        );
        let services = grouped(&scene, "service_name");
        assert_eq!(
            (services["Compute Engine"], services["Cloud Storage"]),
            (nanos(compute), nanos("2.2")),
            "{credits}"
        );
        let red = if credits == "gross" { "1.10" } else { "0.799999999" };
        assert_eq!(grouped(&scene, "tag:team")["red"], nanos(red), "{credits}");
        if credits == "charges" {
            assert_eq!(grouped(&scene, "charge_category")["Credit"], nanos("-4.300000001"));
        }
    }
}
