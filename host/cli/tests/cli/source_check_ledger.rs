//! `source check` beside a ledger: it says beforehand what a run would restate and take back.

use crate::scene::{SETTINGS, Scene};
use serde_json::Value;
use std::fs;

const HEADER: &str = "BillingPeriodStart,ChargePeriodStart,BilledCost,EffectiveCost,\
                      BillingCurrency,ChargeCategory,ServiceName,ResourceId,Tags";

/// A bill of March: day, billed and effective cost of each charge.
fn march(charges: &[(&str, &str, &str)]) -> String {
    let line = |(day, billed, effective): &(&str, &str, &str)| {
        format!(
            "2026-03-01,2026-03-{day},{billed},{effective},USD,Usage,Compute,vm,\
             \"{{\"\"team\"\": \"\"search\"\"}}\"\n"
        )
    };
    let lines: String = charges.iter().map(line).collect();
    format!("{HEADER}\n{lines}")
}

/// A ledger with three days of March.
fn scene() -> Scene {
    let scene = Scene::with_rules();
    scene.write(
        "bills/march.csv",
        &march(&[("01", "10", "9"), ("02", "20", "19"), ("03", "30.5", "29.5")]),
    );
    scene.run("run").expect(0);
    scene
}

fn warnings(stderr: &str) -> Vec<&str> {
    stderr.lines().filter(|line| line.starts_with("warning: ")).collect()
}

#[test]
fn it_says_as_the_run_does_what_is_restated_and_taken_back() {
    let scene = scene();
    // The second day costs 5 more, the third is missing, and the fourth is new.
    scene.write(
        "bills/march.csv",
        &march(&[("01", "10", "9"), ("02", "25", "24"), ("04", "1", "1")]),
    );
    let ledger = fs::read(scene.path("apportion.db")).expect("a ledger");
    let text = scene.run("source check").expect(0);
    let json = scene.run("source check --format json").expect(0).json()[0]["ledger"].clone();
    assert_eq!(fs::read(scene.path("apportion.db")).expect("a ledger"), ledger);
    let sentences = [
        "1 day of the billing period of 2026-03-01 restated: USD billed 25.000000000, \
         20.000000000 before, effective 24.000000000, 19.000000000 before",
        "1 day of the billing period of 2026-03-01 taken back, which the source does not have any \
         more: USD billed 30.500000000, effective 29.500000000",
        "  if its files are never a whole billing period, write: delivery = \"day\"",
    ];
    let below = format!("\n{:16}", "");
    let counts = "  ledger        1 day new, 2 changed, 1 unchanged";
    text.says(&format!("{counts}{below}{}", sentences.join(&below)));
    let run = scene.run("run --format json").expect(0).json()["sources"][0].clone();
    for figure in ["days", "restated", "withdrawn", "days_kept"] {
        assert_eq!(json[figure], run[figure], "{figure}");
    }
    // The next check has nothing to say.
    let settled = scene.run("source check").expect(0).stdout;
    assert!(settled.contains("  ledger        0 days new, 0 changed, 3 unchanged\n"), "{settled}");
    assert!(!settled.contains("restated") && !settled.contains("taken back"), "{settled}");
}

#[test]
fn the_run_says_it_in_the_same_words() {
    let scene = scene();
    scene.write("bills/march.csv", &march(&[("01", "10", "9"), ("02", "20", "18")]));
    let said = |text: &str| -> Vec<String> {
        let words = ["restated", "taken back", "delivery = "];
        let lines = text.lines().filter(|line| words.iter().any(|word| line.contains(word)));
        lines.map(|line| line.trim_start().to_owned()).collect()
    };
    let check = said(&scene.run("source check").expect(0).stdout);
    assert_eq!(check.len(), 3);
    assert_eq!(check, said(&scene.run("run").expect(0).stdout));
}

/// Most of the period would go, and only rows tell it. Until now a check knew nothing of it.
#[test]
fn a_period_that_would_shrink_is_refused_beforehand() {
    let scene = scene();
    scene.write("bills/march.csv", &march(&[("03", "30.5", "29.5")]));
    let check = scene.run("source check").fails_with(3, "N102", "1 source would fail");
    assert!(
        check.stdout.contains("  fails with    F211: of the billing period"),
        "{}",
        check.stdout
    );
    let run = scene.run("run").fails_with(3, "N101", "1 source failed");
    assert_eq!(warnings(&check.stderr), warnings(&run.stderr));
}

/// The same bill was posted by a source that the settings do not have any more.
#[test]
fn charges_that_the_ledger_has_of_another_source_are_refused_beforehand() {
    let scene = scene();
    scene.write("apportion.toml", &SETTINGS.replace("[sources.aws]", "[sources.copy]"));
    let check = scene.run("source check").fails_with(3, "N102", "1 source would fail");
    let same = "the source 'aws' has the same charges of 3 days, from 2026-03-01 to 2026-03-03, \
                60.500000000 USD";
    assert!(check.stderr.contains(same), "{}", check.stderr);
    let run = scene.run("run").fails_with(3, "N101", "1 source failed");
    assert_eq!(warnings(&check.stderr), warnings(&run.stderr));
    assert!(check.stderr.contains("repeats = \"count\""), "{}", check.stderr);
}

#[test]
fn a_ledger_that_cannot_be_read_is_named_and_fails_no_check() {
    let scene = scene();
    let whole = fs::read(scene.path("apportion.db")).expect("a ledger");
    let (part, mut torn) = (whole.len() / 8, whole.clone());
    torn[part..].fill(0);
    for (bytes, code) in [(b"no ledger at all".repeat(99), "L103"), (torn, "L201")] {
        fs::write(scene.path("apportion.db"), bytes).expect("a file");
        let check = scene.run("source check").expect(0);
        let [warning] = warnings(&check.stderr)[..] else { panic!("{}", check.stderr) };
        assert!(warning.contains(code), "{warning}");
        let words = ": the ledger was not read, and nothing is compared with it: ";
        assert!(warning.contains(words), "{warning}");
        assert!(check.stdout.contains("  charges       3 of 1 resource\n"), "{}", check.stdout);
        assert!(check.stdout.contains("  ledger        not read\n"), "{}", check.stdout);
        let json = scene.run("source check --format json").expect(0).json();
        assert_eq!(json[0]["ledger"], Value::Null);
    }
    fs::write(scene.path("apportion.db"), whole).expect("a ledger");
    scene.run("source check").expect(0).says("0 days new, 0 changed, 3 unchanged");
}

/// The setting that the refusal names is checked beforehand, as the run does it.
#[test]
fn a_former_name_is_checked_as_the_run_takes_it() {
    let scene = scene();
    let renamed = SETTINGS.replace("[sources.aws]", "[sources.copy]\nformerly = [\"aws\"]");
    scene.write("apportion.toml", &renamed);
    let said = "3 days taken back under a former name, since it states them itself";
    scene.run("source check").expect(0).says(said);
    scene.run("run").expect(0).says(said);
    scene.run("ledger verify").expect(0);
}

#[test]
fn it_checks_the_days_that_it_is_asked_for() {
    let scene = scene();
    let checked = scene.run("source check --from 2026-03-02 --to 2026-03-02 --format json");
    let checked = checked.expect(0).json()[0].clone();
    // Of three.
    assert_eq!(checked["charges"], 1);
}
