//! `source check`: it says beforehand what a run would count, and what it would refuse.

use crate::scene::{SETTINGS, Scene};
use serde_json::{Value, json};
use std::fs;

const HEADER: &str = "BilledCost,EffectiveCost,BillingCurrency,ChargePeriodStart,ChargeCategory,\
                      ServiceName,ProviderName,SubAccountId,ResourceId,Tags";

/// The files of the scene's own folder.
fn names(scene: &Scene) -> Vec<String> {
    let entries = fs::read_dir(scene.path("")).expect("a folder").flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn it_shows_what_counts_and_writes_nothing() {
    let scene = Scene::with_bill();
    let before = names(&scene);
    let check = scene.run("source check").expect(0);
    assert_eq!(names(&scene), before);
    assert_eq!(check.stderr, "aws: 1 file, read by focus-file 0.1.0\n");
    let lines: Vec<&str> = check.stdout.lines().collect();
    // `payments` and `pay` are one tag of one resource; so five charges are of four resources.
    for line in [
        "aws (focus-file 0.1.0)",
        "  tables        1",
        "  days          2026-01-05 to 2026-02-01",
        "  charges       5 of 4 resources",
        "  set aside     0 rows",
        "  2026-01       Purchase, 1 charge: USD billed 10.000000000, effective 10.000000000",
        "  2026-01       Usage, 2 charges: USD billed 90.000000000, effective 90.000000000",
        // 60 + 30 + 10 + 0.0000000005 + 0.00000001, and 60 + 30 + 10 + 5.25 + 0.125.
        "  total         USD billed 100.0000000105, effective 105.375",
        "  tags          team 2",
    ] {
        assert!(lines.contains(&line), "'{line}' is not in\n{}", check.stdout);
    }
    assert_eq!(scene.run("source check --quiet").expect(0).stdout, "");
}

#[test]
fn its_figures_are_those_of_the_run() {
    let scene = Scene::with_bill();
    scene.write(
        "bills/feb.csv",
        &format!(
            "{HEADER},InvoiceDetailId\n\
             7,7,EUR,2026-02-03,Tax,VAT,AWS,1,,,x\n\
             much,1,EUR,2026-02-03,Usage,S3,AWS,1,b,,y\n"
        ),
    );
    let survey = scene.run("source check --format json").expect(3).json()[0].clone();
    let run = scene.run("run --format json").expect(3).json()["sources"][0].clone();
    for figure in ["charges", "set_aside", "rejected", "totals"] {
        assert_eq!(survey[figure], run[figure], "{figure}");
    }
    assert_eq!(survey["rejected"][0]["reason"], "F201: BilledCost: 'much' is not a decimal number");
    assert_eq!(survey["read"], "rows");
    assert_eq!(survey["days"], json!({ "start_date": "2026-01-05", "end_date": "2026-02-03" }));
    let sums = survey["categories"].as_array().expect("sums");
    let tax = sums.iter().find(|sum| sum["charge_category"] == "Tax").expect("the tax");
    assert_eq!(
        *tax,
        json!({
            "month": "2026-02",
            "charge_category": "Tax",
            "charges": 1,
            "billed_cost": { "amount": "7.000000000", "currency": "EUR" },
            "effective_cost": { "amount": "7.000000000", "currency": "EUR" },
        })
    );
    assert_eq!(survey["tags"], json!([{ "key": "team", "resources": 2 }]));
    assert_eq!(survey["unused_columns"], json!(["InvoiceDetailId"]));
    assert_eq!((&survey["failure"], &survey["findings"]), (&Value::Null, &json!([])));
}

#[test]
fn rows_that_would_be_set_aside_make_it_exit_as_the_run_does() {
    let scene = Scene::with_rules();
    scene.write(
        "bills/jan.csv",
        &format!(
            "{HEADER}\n1,1,USD,2026-01-01,Usage,S3,AWS,1,b,\n\
             much,1,USD,2026-01-01,Usage,S3,AWS,1,b,\n"
        ),
    );
    let check = scene.run("source check").fails_with(
        3,
        "N102",
        "a run would be incomplete: 1 row would be set aside",
    );
    assert!(check.stderr.contains("`apportion run --allow-incomplete`"), "{}", check.stderr);
    let aside = "F201: bills/jan.csv:3:1: BilledCost: 'much' is not a decimal number";
    let check = check.says(&format!("  set aside     1 row\n                {aside}\n"));
    assert!(check.stdout.contains("  days          2026-01-01\n"), "{}", check.stdout);
    scene.run("run").fails_with(3, "N101", "1 row was set aside").says(aside);
}

#[test]
fn a_source_that_would_fail_is_told_and_the_others_are_shown() {
    let scene = Scene::with_bill();
    scene.write("broken/half.parquet", "PAR1");
    let broken = SETTINGS
        .replace("[sources.aws]", "[sources.broken]")
        .replace("[\"bills\"]", "[\"broken\"]")
        .replace("[tags.team]", "[tags.other]")
        .replace("synonyms = [\"team_name\"]\n", "");
    scene.write("apportion.toml", &format!("{SETTINGS}\n{broken}"));
    let check = scene.run("source check").fails_with(3, "N102", "1 source would fail");
    let run = scene.run("run").fails_with(3, "N101", " failed");
    let warning = |stderr: &str| -> Vec<String> {
        let found = stderr.lines().filter(|line| line.starts_with("warning: "));
        found.map(str::to_owned).collect()
    };
    assert_eq!(warning(&check.stderr), warning(&run.stderr));
    assert_eq!(warning(&check.stderr).len(), 1, "{}", check.stderr);
    let check = check.says("  charges       5 of 4 resources\n");
    assert!(check.stdout.contains("  fails with    F"), "{}", check.stdout);
}

#[test]
fn headers_alone_are_read_without_a_row() {
    let scene = Scene::with_rules();
    scene.write(
        "bills/jan.csv",
        &format!("{HEADER},x_Note\nmuch,1,USD,2026-01-01,Usage,S3,AWS,1,b,,n\n"),
    );
    let check = scene.run("source check aws --headers-only").expect(0);
    assert!(check.stdout.contains("  not used      x_Note\n"), "{}", check.stdout);
    assert!(!check.stdout.contains("charges"), "{}", check.stdout);
    let json = scene.run("source check --headers-only --format json").expect(0).json();
    assert_eq!(
        (&json[0]["read"], &json[0]["charges"], &json[0]["set_aside"]),
        (&"headers".into(), &0.into(), &0.into())
    );
}

#[test]
fn a_source_that_asks_a_service_is_not_collected() {
    let scene = Scene::with_bill();
    let service = "[sources.meter]\nplugin = \"opencost\"\ngrants = [\"http\"]\n\
                   config = { url = \"http://127.0.0.1:1\", mode = \"usage\" }\n\
                   [sources.meter.http]\nallow = [\"GET http://127.0.0.1:1/\"]\n\
                   networks = [\"127.0.0.1/32\"]\n";
    scene.write("apportion.toml", &format!("{SETTINGS}\n{service}"));
    // Nobody listens there, so that a question would fail.
    let check = scene.run("source check").expect(0);
    let check = check.says("  not collected it asks a service");
    // Several sources have a line each, before all that is said of them.
    let summary = "\
source  charges  set aside  days
aws           5          0  2026-01-05 to 2026-02-01  well
meter         -          -  -                         not collected

aws (focus-file 0.1.0)
";
    assert!(check.stdout.starts_with(summary), "{}", check.stdout);
    assert!(check.stdout.contains("`apportion source measure meter`"), "{}", check.stdout);
    let json = scene.run("source check meter --format json").expect(0).json();
    assert_eq!((&json[0]["read"], &json[0]["tables"]), (&"nothing".into(), &0.into()));
}

#[test]
fn usage_is_shown_by_metric() {
    let scene = Scene::with_rules();
    scene.write(
        "usage/use.csv",
        "period_start,metric,value,unit,team\n2026-03-01,seats,3,people,search\n\
         2026-03-02,seats,4,people,search\n",
    );
    scene.write(
        "apportion.toml",
        "[sources.seats]\nplugin = \"usage-file\"\npaths = [\"usage\"]\n\
         grants = [\"table-decode\"]\n",
    );
    scene
        .run("source check")
        .expect(0)
        .says("  usage         seats 7.000000000 people in 2 days\n");
}
