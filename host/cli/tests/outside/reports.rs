//! Real Cost and Usage Reports on S3, in the folders that AWS writes them to. The files that their
//! manifests name are charged, to the last digit.

use crate::expected::expected;
use crate::scene::Scene;
use crate::scenes::stores::{cur, settings, total};
use crate::stores::{KEYS, make_bucket, of_server, put};
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde_json::Value;
use std::fs;
use std::io::{Read, Write};
use test_support::outside::data;
use test_support::server::counterpart::Server;

const USER: &str = "testing:testing";
const GRANTS: [&str; 3] = ["table-decode", "object-store", "file"];

/// A bucket with nothing in it, and a source that reads a prefix of it.
fn bucket(prefix: &str, config: &str) -> (Server, Scene) {
    let server = Server::start("moto", &[], &[]);
    make_bucket(&server, USER, "bills");
    let scene = Scene::with_rules();
    let source =
        settings("aws-cur", &[&format!("s3://bills/{prefix}/")], &GRANTS, &of_server(&server));
    scene.write(
        "apportion.toml",
        &source.replace("[sources.aws]\n", &format!("[sources.aws]\n{config}")),
    );
    (server, scene)
}

fn collected(scene: &Scene, exit: i32) -> Value {
    scene.run_with(&["run", "--format", "json"], &KEYS).expect(exit).json()["sources"][0].clone()
}

/// The first rows of a report, as AWS wrote it a week before.
fn provisional(report: &[u8]) -> Vec<u8> {
    let mut text = String::new();
    GzDecoder::new(report).read_to_string(&mut text).expect("a report");
    let first: Vec<&str> = text.lines().take(1_001).collect();
    let mut zipped = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    zipped.write_all(first.join("\n").as_bytes()).and_then(|()| zipped.finish()).expect("a report")
}

#[test]
fn a_real_report_of_the_first_version_is_what_its_last_manifest_names() {
    let data = data();
    let (server, scene) = bucket("koku-local", "");
    let report = fs::read(data.join("aws-cur-koku/koku-local-1.csv.gz")).expect("a report");
    let manifest =
        fs::read_to_string(data.join("aws-cur-koku/koku-local-Manifest.json")).expect("a manifest");
    let (month, assembly) =
        ("bills/koku-local/20180801-20180901", "16e57707-f9e3-49be-8be6-b84e684b5194");
    let earlier = "0a1b2c3d-0000-4000-8000-000000000001";
    let early_manifest = manifest.replace(assembly, earlier);
    put(&server, USER, &format!("{month}/{earlier}/koku-local-1.csv.gz"), &provisional(&report));
    put(
        &server,
        USER,
        &format!("{month}/{earlier}/koku-local-Manifest.json"),
        early_manifest.as_bytes(),
    );
    put(&server, USER, &format!("{month}/koku-local-Manifest.json"), early_manifest.as_bytes());
    let source = collected(&scene, 0);
    assert_eq!((&source["charges"], &source["set_aside"]), (&1_000.into(), &0.into()));
    put(&server, USER, &format!("{month}/{assembly}/koku-local-1.csv.gz"), &report);
    put(
        &server,
        USER,
        &format!("{month}/{assembly}/koku-local-Manifest.json"),
        manifest.as_bytes(),
    );
    put(&server, USER, &format!("{month}/koku-local-Manifest.json"), manifest.as_bytes());
    let source = collected(&scene, 0);
    let expected = expected(&data, "aws_cur_koku_local");
    assert_eq!((&source["charges"], &source["set_aside"]), (&expected["rows"], &0.into()));
    assert_eq!(source["totals"][0]["currency"], "USD");
    let exact = |text: &Value| {
        domain::decimal::parse(text.as_str().expect("text").as_bytes()).expect("a decimal")
    };
    for cost in ["billed_cost", "effective_cost"] {
        assert_eq!(
            exact(&source["totals"][0][cost]),
            exact(&expected["totals"]["USD"]["UnblendedCost"]),
            "{cost}"
        );
    }
    // The ledger has the whole report, up to the rounding of each day. Nothing of the earlier
    // assembly is left beside it.
    let standing: f64 = total(&scene).parse().expect("one currency");
    assert!((standing - 143_227.763_678_187_6).abs() < 0.000_001, "{standing}");
}

/// The guide of AWS does not tell the name of the list of files in a data export's manifest. Two
/// names are seen, and both are read.
#[test]
fn a_real_export_of_the_second_version_is_read_by_either_name_of_its_files() {
    let data = data();
    let (server, scene) =
        bucket("exports", "config = { constants = { billing_currency = 'USD' } }\n");
    let export = fs::read(data.join("aws-cur2-split/realworld_costs.parquet")).expect("an export");
    for (execution, list) in
        [("20251001T010101.000Z-a", "dataFiles"), ("20251002T010101.000Z-b", "reportKeys")]
    {
        let key = format!(
            "exports/split/data/BILLING_PERIOD=2025-09/{execution}/split-00001.snappy.parquet"
        );
        put(&server, USER, &format!("bills/{key}"), &export);
        let manifest = format!("{{\"{list}\": [\"s3://bills/{key}\"]}}");
        put(
            &server,
            USER,
            &format!(
                "bills/exports/split/metadata/BILLING_PERIOD=2025-09/{execution}/split-Manifest.json"
            ),
            manifest.as_bytes(),
        );
        // One row has no date and is set aside; a second execution does not double the others.
        let source = collected(&scene, 3);
        assert_eq!(
            (&source["charges"], &source["totals"][0]["billed_cost"]),
            (&2748.into(), &"0".into()),
            "{list}"
        );
        let metrics = source["usage"]["metrics"].as_array().expect("metrics").clone();
        let used = metrics
            .iter()
            .find(|metric| metric["metric"] == "aws.split_cost")
            .expect("split costs");
        // Each of 2748 quantities is rounded to billionths.
        let used: f64 = used["total"].as_str().expect("text").parse().expect("a number");
        assert!((used - 77.747_069_143_840_18).abs() < 0.000_001_4, "{list}: {used}");
    }
}

/// A manifest describes its whole month. A day that a later manifest does not have is taken back.
/// Other months stay.
#[test]
fn a_day_that_vanishes_from_a_report_is_taken_back() {
    let (server, scene) = bucket("cur", "");
    let write = |month: &str, assembly: &str, rows: &[(&str, &str)]| {
        let month = format!("cur/report/{month}");
        put(&server, USER, &format!("bills/{month}/{assembly}/report-1.csv"), cur(rows).as_bytes());
        let manifest = format!(
            "{{\"assemblyId\": \"{assembly}\", \"reportKeys\": [\"{month}/{assembly}/report-1.csv\"]}}"
        );
        put(&server, USER, &format!("bills/{month}/report-Manifest.json"), manifest.as_bytes());
    };
    let (march, april) = ("20260301-20260401", "20260401-20260501");
    write(march, "one", &[("2026-03-01", "10"), ("2026-03-02", "20"), ("2026-03-03", "5")]);
    write(april, "one", &[("2026-04-01", "3")]);
    collected(&scene, 0);
    assert_eq!(total(&scene), "38.000000000");
    write(march, "two", &[("2026-03-01", "10"), ("2026-03-03", "7")]);
    let days = collected(&scene, 0)["days"].clone();
    assert_eq!(
        (&days["new"], &days["changed"], &days["unchanged"]),
        (&0.into(), &2.into(), &2.into())
    );
    assert_eq!(total(&scene), "20.000000000");
    // A run for one month leaves the other as it is, whatever its manifest says.
    scene.run_with(&["run", "--from", "2026-04", "--to", "2026-04"], &KEYS).expect(0);
    assert_eq!(total(&scene), "20.000000000");
    scene.run_with(&["ledger", "verify"], &[]).expect(0);
}
