//! Deliveries state and take back money by billing period, day and currency.

use crate::scene::Scene;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;

const HEADER: &str = "BillingPeriodStart,ChargePeriodStart,BilledCost,EffectiveCost,\
                      BillingCurrency,ChargeCategory,ServiceName,ResourceId,Tags\n";

/// A bill in FOCUS of one team: billing period, day, cost and currency of each charge.
fn bill(charges: &[(&str, &str, &str, &str)]) -> String {
    let line = |(period, day, cost, currency): &(&str, &str, &str, &str)| {
        format!(
            "{period}-01T00:00:00Z,{day}T00:00:00Z,{cost},{cost},{currency},Usage,Compute,{day},\
             \"{{\"\"team\"\": \"\"search\"\"}}\"\n"
        )
    };
    std::iter::once(HEADER.to_owned()).chain(charges.iter().map(line)).collect()
}

/// A source that reads the folder `bills`.
fn scene(settings: &str) -> Scene {
    let scene = Scene::with_rules();
    scene.write(
        "apportion.toml",
        &format!(
            "[sources.bills]\nplugin = \"focus-file\"\npaths = [\"bills\"]\n\
             grants = [\"table-decode\"]\n{settings}"
        ),
    );
    scene
}

/// Effective cost by month of posting and currency.
fn months(scene: &Scene) -> BTreeMap<String, String> {
    let costs = ["costs", "--granularity", "monthly", "--group-by", "team", "--format", "json"];
    let json = scene.run_with(&costs, &[]).expect(0).json();
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let row = |row: &Value| {
        let (cost, start) = (&row["cost"], text(&row["period_start"]));
        let amount = text(&cost["amount"]).trim_end_matches('0').trim_end_matches('.').to_owned();
        (format!("{} {}", &start[..7], text(&cost["currency"])), amount)
    };
    json["costs"].as_array().expect("rows").iter().map(row).collect()
}

fn expect_months(scene: &Scene, expected: &[(&str, &str)]) {
    let expected: BTreeMap<String, String> = expected
        .iter()
        .map(|(month, amount)| ((*month).to_owned(), (*amount).to_owned()))
        .collect();
    assert_eq!(months(scene), expected);
}

#[test]
fn a_correction_in_a_later_bill_changes_the_earlier_month_by_its_own_amount() {
    // The later bill comes beside the earlier one, or in its place.
    for place in ["bills/march.csv", "bills/bill.csv"] {
        let scene = scene("");
        scene.write(
            "bills/bill.csv",
            &bill(&[
                ("2026-01", "2026-01-15", "100", "USD"),
                ("2026-01", "2026-01-16", "50", "USD"),
                ("2026-01", "2026-01-16", "9", "EUR"),
            ]),
        );
        scene.run("run").expect(0);
        scene.write(
            place,
            &bill(&[
                ("2026-03", "2026-03-02", "10", "USD"),
                ("2026-03", "2026-01-15", "-7", "USD"),
                ("2026-03", "2026-01-16", "-0.5", "USD"),
                ("2026-03", "2026-01-16", "1", "GBP"),
            ]),
        );
        scene.run("run").expect(0);
        // 100 - 7 + 50 - 0.5.
        let expected = [
            ("2026-01 EUR", "9"),
            ("2026-01 GBP", "1"),
            ("2026-01 USD", "142.5"),
            ("2026-03 USD", "10"),
        ];
        expect_months(&scene, &expected);
        // The same again changes nothing.
        let again = scene.run("run --format json").expect(0).json();
        assert_eq!(again["entries"]["posted"], 0, "{place}");
        expect_months(&scene, &expected);
        scene.run("ledger verify").expect(0);
    }
}

#[test]
fn a_day_of_two_billing_periods_is_restated_by_each_of_them() {
    let scene = scene("");
    let february = |cost| {
        bill(&[("2026-02", "2026-02-27", "400", "USD"), ("2026-02", "2026-02-28", cost, "USD")])
    };
    scene.write("bills/february.csv", &february("500"));
    scene.write(
        "bills/march.csv",
        &bill(&[("2026-03", "2026-02-28", "5", "USD"), ("2026-03", "2026-03-02", "20", "USD")]),
    );
    scene.run("run").expect(0);
    expect_months(&scene, &[("2026-02 USD", "905"), ("2026-03 USD", "20")]);
    scene.write("bills/february.csv", &february("510"));
    scene.run("run").expect(0);
    expect_months(&scene, &[("2026-02 USD", "915"), ("2026-03 USD", "20")]);
    // The hour is gone from the next report of March. February's own money stays.
    scene.write("bills/march.csv", &bill(&[("2026-03", "2026-03-02", "21", "USD")]));
    scene.run("run").expect(0);
    expect_months(&scene, &[("2026-02 USD", "910"), ("2026-03 USD", "21")]);
    // The file of February has expired, which says nothing of February.
    fs::remove_file(scene.path("bills/february.csv")).expect("it was there");
    scene.run("run").expect(0);
    expect_months(&scene, &[("2026-02 USD", "910"), ("2026-03 USD", "21")]);
    scene.run("ledger verify").expect(0);
}

#[test]
fn a_day_and_a_currency_that_are_gone_from_their_period_are_taken_back() {
    let scene = scene("");
    scene.write(
        "bills/march.csv",
        &bill(&[
            ("2026-03", "2026-03-01", "10", "USD"),
            ("2026-03", "2026-03-02", "20", "USD"),
            ("2026-03", "2026-03-02", "8", "EUR"),
            ("2026-03", "2026-03-03", "30", "USD"),
        ]),
    );
    scene.run("run").expect(0);
    scene.write(
        "bills/march.csv",
        &bill(&[("2026-03", "2026-03-01", "10", "USD"), ("2026-03", "2026-03-02", "21", "USD")]),
    );
    let run = scene.run("run").expect(0);
    assert!(run.stdout.contains("taken back"), "{}", run.stdout);
    expect_months(&scene, &[("2026-03 USD", "31")]);
    scene.run("ledger verify").expect(0);
}

#[test]
fn files_that_are_never_a_whole_period_state_their_days_alone() {
    let scene = scene("delivery = \"day\"\n");
    scene.write("bills/day.csv", &bill(&[("2026-03", "2026-03-01", "10", "USD")]));
    scene.run("run").expect(0);
    scene.write("bills/day.csv", &bill(&[("2026-03", "2026-03-02", "20", "USD")]));
    scene.run("run").expect(0);
    expect_months(&scene, &[("2026-03 USD", "30")]);
}

#[test]
fn a_correction_of_a_closed_month_is_posted_in_the_open_one() {
    let scene = scene("");
    scene.write("bills/jan.csv", &bill(&[("2026-01", "2026-01-15", "100", "USD")]));
    scene.run("run").expect(0);
    scene.run("period close 2026-01").expect(0);
    scene.write(
        "bills/march.csv",
        &bill(&[("2026-03", "2026-01-15", "-7", "USD"), ("2026-03", "2026-03-02", "10", "USD")]),
    );
    scene.run("run").expect(0);
    expect_months(&scene, &[("2026-01 USD", "100"), ("2026-02 USD", "-7"), ("2026-03 USD", "10")]);
}

#[test]
fn rows_of_days_that_were_not_asked_for_are_counted_and_said() {
    let scene = scene("");
    scene.write(
        "bills/march.csv",
        &bill(&[
            ("2026-03", "2026-01-15", "-7", "USD"),
            ("2026-03", "2026-02-28", "5", "USD"),
            ("2026-03", "2026-03-02", "10", "USD"),
        ]),
    );
    let run = scene.run("run --from 2026-03").expect(0);
    assert!(run.stdout.contains("2 rows of other days left out"), "{}", run.stdout);
    expect_months(&scene, &[("2026-03 USD", "10")]);
}

#[test]
fn rows_give_the_same_ledger_however_they_are_split_over_files() {
    let rows = [
        ("2026-01", "2026-01-15", "100", "USD"),
        ("2026-01", "2026-01-16", "50", "EUR"),
        ("2026-02", "2026-01-15", "-7", "USD"),
        ("2026-02", "2026-02-01", "3", "USD"),
        ("2026-02", "2026-02-01", "4", "USD"),
    ];
    let expected = [("2026-01 EUR", "50"), ("2026-01 USD", "93"), ("2026-02 USD", "7")];
    // Each number says which of three files has the row.
    for split in [[0, 0, 0, 0, 0], [0, 1, 2, 0, 1], [2, 2, 1, 0, 0], [1, 0, 1, 2, 2]] {
        let scene = scene("");
        for file in 0..3 {
            let of_file: Vec<_> =
                rows.iter().zip(split).filter(|(_, of)| *of == file).map(|(row, _)| *row).collect();
            if !of_file.is_empty() {
                scene.write(&format!("bills/{file}.csv"), &bill(&of_file));
            }
        }
        scene.run("run").expect(0);
        expect_months(&scene, &expected);
    }
}

/// Three runs of March and two of April, each with its month to date. The newest of each month
/// counts, and the others are named.
#[test]
fn the_newest_run_of_each_month_of_an_export_counts() {
    let scene = scene("");
    let march: Vec<_> = ["01", "02", "03"]
        .map(|day| ("2026-03", format!("2026-03-{day}"), "10"))
        .into_iter()
        .collect();
    let part = |days: usize, cost: &str| {
        let rows: Vec<_> = march
            .iter()
            .take(days)
            .map(|(period, day, _)| (*period, day.as_str(), cost, "USD"))
            .collect();
        bill(&rows)
    };
    let folder = "bills/acme/20260301-20260331";
    scene.write(&format!("{folder}/202603020310/a/part_0_0001.csv"), &part(1, "10"));
    scene.write(&format!("{folder}/202603040310/c/part_0_0001.csv"), &part(3, "12"));
    scene.write(&format!("{folder}/202603030310/b/part_0_0001.csv"), &part(2, "11"));
    let april = "bills/acme/20260401-20260430";
    let row = |cost| bill(&[("2026-04", "2026-04-01", cost, "USD")]);
    scene.write(&format!("{april}/202604020310/d/part_0_0001.csv"), &row("1"));
    scene.write(&format!("{april}/202604030310/e/part_0_0001.csv"), &row("2"));
    let check = scene.run("source check --format json").expect(0).json()[0].clone();
    let text = scene.run("source check").expect(0).stdout;
    let run = scene.run("run").expect(0).stdout;
    // One line for the one reason, of the run and of the check before it.
    let left_out: Vec<&str> =
        run.lines().filter_map(|line| line.strip_prefix("    left out: ")).collect();
    assert_eq!(left_out.len(), 1, "{run}");
    assert!(left_out[0].ends_with(": a newer run of the same period counts"), "{run}");
    assert!(text.contains(&format!("  left out      {}\n", left_out[0])), "{text}");
    // 3 × 12.
    expect_months(&scene, &[("2026-03 USD", "36"), ("2026-04 USD", "2")]);
    let deliveries = check["deliveries"].as_array().expect("deliveries");
    let named = |is_left_out: bool| -> Vec<&str> {
        let found = deliveries.iter().filter(|found| found["left_out"].is_string() == is_left_out);
        let mut names: Vec<&str> =
            found.filter_map(|found| found["name"].as_str()?.split('/').nth(3)).collect();
        names.sort();
        names
    };
    assert_eq!(named(false), ["202603040310", "202604030310"]);
    assert_eq!(named(true), ["202603020310", "202603030310", "202604020310"]);
    assert_eq!(
        deliveries.iter().filter(|found| found["billing_period"] == "2026-04-01").count(),
        2
    );
}

#[test]
fn the_same_charges_in_two_files_are_refused_or_meant() {
    let march = bill(&[("2026-03", "2026-03-02", "10", "USD")]);
    let scene = scene("");
    scene.write("bills/march.csv", &march);
    scene.write("bills/march copy.csv", &march);
    let check = scene.run("source check").expect(3);
    let run = scene.run("run").expect(3);
    for stderr in [&check.stderr, &run.stderr] {
        for words in ["bills/march.csv", "bills/march copy.csv", "repeats = \"count\""] {
            assert!(stderr.contains(words), "'{words}' is not in\n{stderr}");
        }
    }
    expect_months(&scene, &[]);
    let settings = scene.read("apportion.toml");
    scene.write("apportion.toml", &format!("{settings}repeats = \"count\"\n"));
    scene.run("run").expect(0);
    expect_months(&scene, &[("2026-03 USD", "20")]);
}
