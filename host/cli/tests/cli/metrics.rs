//! What charges say beside their cost: `costs --metric`, and the prices, billing periods and hours
//! of `explain`.

use crate::scene::Scene;
use serde_json::{Value, json};

const HEADER: &str = "BillingPeriodStart,ChargePeriodStart,BilledCost,EffectiveCost,ListCost,\
                      ContractedCost,BillingCurrency,ChargeCategory,ServiceName,ResourceId,\
                      PricingQuantity,PricingUnit,ConsumedQuantity,ConsumedUnit,ListUnitPrice,\
                      ContractedUnitPrice,InvoiceId,Tags";

/// Month of the bill, hour, billed, effective, list and contracted cost, service, resource, pricing
/// and consumed quantity with their units, list and contracted price, invoice, team; `-` is
/// nothing. Two charges of payments and a correction of them in March's bill, two of search that
/// say less, and support, which both share.
const CHARGES: &str = "
    02 2026-02-05T07 10 8 12 10 EC2 i-1 24 Hours 1440 Minutes 0.5 0.4 INV-2 payments
    02 2026-02-05T09 5 4 6.5 5 EC2 i-1 12 Hours 720 Minutes 0.5 0.4 INV-2 payments
    03 2026-02-05T09 -1 -1 -1.25 -1 EC2 i-1 -2.5 Hours -150 Minutes 0.5 0.4 INV-3 payments
    03 2026-03-02T23 3 3 - 3 S3 b-1 1000000000000000 B - - - - INV-3 search
    03 2026-03-02T23 2 2 - - S3 b-2 - - - - - - - search
    02 2026-02-05T00 6 6 7 6 AWS_Support - 1 Plan - - 7 6 INV-2 -
";

fn bill() -> String {
    let line = |line: &str| {
        let words: Vec<String> = line
            .split_whitespace()
            .map(|word| if word == "-" { String::new() } else { word.replace('_', " ") })
            .collect();
        let costs = words[2..6].join(",");
        let rest = words[6..15].join(",");
        let tags = format!("\"{{\"\"team\"\": \"\"{}\"\"}}\"", words[15]);
        format!("2026-{}-01,{}:00:00Z,{costs},USD,Usage,{rest},{tags}\n", words[0], words[1])
    };
    let lines = CHARGES.lines().map(str::trim).filter(|line| !line.is_empty()).map(line);
    std::iter::once(format!("{HEADER}\n")).chain(lines).collect()
}

fn scene(details: &str) -> Scene {
    let scene = Scene::with_rules();
    let settings = scene.read("apportion.toml");
    let with_details = format!("grants = [\"table-decode\"]\ndetails = [{details}]");
    scene.write("apportion.toml", &settings.replace("grants = [\"table-decode\"]", &with_details));
    scene.write("bills/bill.csv", &bill());
    scene.run("run").expect(0);
    scene
}

const ALL: &str = "\"prices\", \"quantities\", \"invoice\", \"hours\"";

fn metric(scene: &Scene, metric: &str, more: &str) -> String {
    let command = format!("costs --metric {metric} --granularity total --format csv {more}");
    scene.run(&command).expect(0).stdout
}

#[test]
fn metrics_are_summed_where_their_charges_were_collected() {
    let scene = scene(ALL);
    let by_team = |name: &str| {
        let text = metric(&scene, name, "--group-by team");
        text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>()
    };
    // 12 + 6.5 - 1.25; the list cost of support is not shared; search says none, which is not zero.
    assert_eq!(
        by_team("list_cost"),
        [
            "total,payments,USD,17.25,3,0",
            "total,pool/shared/support,USD,7,1,0",
            "total,search,USD,,2,2",
        ]
    );
    // 10 + 5 - 1, and 3 of two charges.
    assert_eq!(
        by_team("contracted_cost"),
        [
            "total,payments,USD,14,3,0",
            "total,pool/shared/support,USD,6,1,0",
            "total,search,USD,3,2,1",
        ]
    );
    // 10 + 5 - 1, and 3 + 2.
    assert_eq!(
        by_team("billed_cost"),
        [
            "total,payments,USD,14,3,0",
            "total,pool/shared/support,USD,6,1,0",
            "total,search,USD,5,2,0",
        ]
    );
    // 24 + 12 - 2.5 hours. Bytes and what has no unit are sums of their own.
    assert_eq!(
        by_team("pricing_quantity"),
        [
            "total,payments,Hours,33.5,3,0",
            "total,pool/shared/support,Plan,1,1,0",
            "total,search,,,1,1",
            "total,search,B,1000000000000000,1,0",
        ]
    );
    // 1440 + 720 - 150.
    assert_eq!(
        by_team("consumed_quantity"),
        [
            "total,payments,Minutes,2010,3,0",
            "total,pool/shared/support,,,1,1",
            "total,search,,,2,2",
        ]
    );
    // 8 + 4 - 1 = 11 of payments and 6 of support, in February; search has 3 + 2 in March.
    assert_eq!(
        metric(&scene, "effective_cost", "--group-by team"),
        "period_of_posting,team,currency,amount\n\
         total,payments,USD,17.000000000\n\
         total,search,USD,5.000000000\n"
    );
}

#[test]
fn a_metric_takes_the_groups_filters_and_periods_of_costs() {
    let scene = scene(ALL);
    assert_eq!(
        metric(&scene, "list_cost", "--group-by service_name --filter team=payments"),
        "period_of_charge,service_name,unit,list_cost,charges,unknown_charges\n\
         total,EC2,USD,17.25,3,0\n"
    );
    let text = "costs --metric pricing_quantity --group-by team --granularity monthly";
    let json = scene.run(&format!("{text} --format json --from 2026-03")).expect(0).json();
    let measure = |unit: &str, value: Value, unknown: u64| {
        json!({
            "period_start": "2026-03-01", "keys": { "team": "search" }, "unit": unit,
            "value": value, "charges": 1, "unknown_charges": unknown,
        })
    };
    assert_eq!(
        json["measures"],
        json!([measure("", Value::Null, 1), measure("B", json!("1000000000000000"), 0)])
    );
    assert_eq!(
        (&json["metric"], &json["next_page_token"]),
        (&"pricing_quantity".into(), &Value::Null)
    );
    let output = scene.run(&format!("{text} --from 2026-03")).expect(0);
    let rows: Vec<Vec<&str>> =
        output.stdout.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(
        rows,
        [
            vec!["period", "team", "unit", "pricing_quantity", "charges", "unknown"],
            vec!["2026-03", "search", "-", "unknown", "1", "1"],
            vec!["2026-03", "search", "B", "1000000000000000", "1", "0"],
            vec![],
            vec!["by", "the", "day", "of", "the", "charge"],
        ]
    );
    let note = "1 of 2 charges have no pricing_quantity";
    assert!(output.stderr.contains(note), "{}", output.stderr);
    // The detail is kept already, so a setting would change nothing.
    let anew = "collected before it was kept: `apportion run --from 2026-03-01` collects them anew";
    assert!(output.stderr.contains(anew), "{}", output.stderr);
    assert!(!output.stderr.contains("details ="), "{}", output.stderr);
    let refused = scene.run("costs --metric list_costs").expect(2);
    for words in ["list_costs", "'list_cost'"] {
        assert!(refused.stderr.contains(words), "{}", refused.stderr);
    }
}

#[test]
fn what_is_not_kept_is_unknown_and_the_setting_is_said() {
    let scene = scene("\"invoice\"");
    let output =
        scene.run("costs --metric list_cost --group-by team --granularity total").expect(0);
    assert!(output.stdout.contains("unknown"), "{}", output.stdout);
    let words = ["6 of 6 charges have no list_cost", "details = [\"prices\"]", "apportion run"];
    for words in words {
        assert!(output.stderr.contains(words), "'{words}' is not in\n{}", output.stderr);
    }
}

/// The lines of an explanation that tell prices.
fn priced(scene: &Scene, what: &str) -> Vec<String> {
    let text = scene.run(&format!("explain {what}")).expect(0).stdout;
    let is_told = |line: &&str| line.contains("billing period") || line.contains("invoice");
    text.lines().filter(is_told).map(|line| line.trim().to_owned()).collect()
}

#[test]
fn an_explanation_names_the_billing_periods_and_hours_of_charges() {
    let kept = scene(ALL);
    // 24 + 12 hours of February's bill; the correction is of March's.
    assert_eq!(
        priced(&kept, "i-1"),
        [
            "36 Hours at 0.4 (list 0.5), invoice INV-2, billing period of 2026-02-01, \
             first at 2026-02-05T07:00Z, last at 2026-02-05T09:00Z",
            "-2.5 Hours at 0.4 (list 0.5), invoice INV-3, billing period of 2026-03-01, \
             at 2026-02-05T09:00Z",
        ]
    );
    assert_eq!(
        priced(&kept, "b-2"),
        ["1 charge, billing period of 2026-03-01, at 2026-03-02T23:00Z"]
    );
    let json = kept.run("explain i-1 --format json").expect(0).json();
    let charges = &json["accounts"][0]["rules"][0]["resources"][0]["priced"];
    let told = |at: usize| {
        let one = &charges[at];
        ["billing_period", "first_hour", "last_hour", "pricing_quantity"]
            .map(|name| one[name].clone())
    };
    assert_eq!(
        told(0),
        ["2026-02-01", "2026-02-05T07:00:00.000Z", "2026-02-05T09:00:00.000Z", "36"]
            .map(Value::from)
    );
    assert_eq!(
        told(1),
        ["2026-03-01", "2026-02-05T09:00:00.000Z", "2026-02-05T09:00:00.000Z", "-2.5"]
            .map(Value::from)
    );
}

#[test]
fn hours_that_are_not_kept_are_not_told() {
    let kept = scene("");
    assert_eq!(
        priced(&kept, "i-1"),
        ["2 charges, billing period of 2026-02-01", "1 charge, billing period of 2026-03-01"]
    );
    let json = kept.run("explain i-1 --format json").expect(0).json();
    let charges = &json["accounts"][0]["rules"][0]["resources"][0]["priced"];
    assert_eq!((&charges[0]["first_hour"], &charges[0]["last_hour"]), (&Value::Null, &Value::Null));
}
