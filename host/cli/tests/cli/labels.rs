//! What answers say of themselves: their axis, the charges of a conservation, and the settings that
//! stored charges were read with.

use crate::scene::{SETTINGS, Scene};
use serde_json::json;

#[test]
fn costs_say_their_axis_in_every_form() {
    let scene = Scene::after_run();
    for (axis, words, header) in [
        ("posting", "by the day of posting", "period_of_posting"),
        ("charge", "by the day of the charge", "period_of_charge"),
    ] {
        let asked = |form: &str| {
            scene.run(&format!("costs --group-by team --axis {axis} --format {form}")).expect(0)
        };
        let text = asked("text").stdout;
        assert!(text.ends_with(&format!("\n\n{words}\n")), "{text}");
        let csv = asked("csv").stdout;
        assert_eq!(csv.lines().next(), Some(format!("{header},team,currency,amount").as_str()));
        assert_eq!(asked("json").json()["axis"], axis);
    }
    // Only costs are posted.
    let metric = "costs --metric billed_cost --group-by team";
    let text = scene.run(metric).expect(0).stdout;
    assert!(text.ends_with("\n\nby the day of the charge\n"), "{text}");
    let csv = scene.run(&format!("{metric} --format csv")).expect(0).stdout;
    assert!(csv.starts_with("period_of_charge,team,unit,billed_cost,"), "{csv}");
}

/// 60, 30 and 10 in January; 5.25, which no rule claims, and 0.125 in February.
#[test]
fn a_plan_shows_the_conservation_of_its_period() {
    let scene = Scene::after_run();
    let rest = "suspense 0.000000000 + rounding 0.000000000, difference 0.000000000\n";
    for (period, expect) in [
        ("", "conservation: USD charged 105.375000000 = teams 100.125000000 + "),
        (
            "--from 2026-01 --to 2026-01",
            "conservation of the charges of 2026-01-01 to 2026-01-31: USD charged 100.000000000 = \
             teams 100.000000000 + ",
        ),
        (
            "--period 2026-02-01",
            "conservation of the charges of 2026-02-01: USD charged 5.375000000 = teams \
             0.125000000 + ",
        ),
    ] {
        scene.run(&format!("plan {period}")).expect(0).says(expect).says(rest);
    }
    let plan = scene.run("plan --period 2026-02 --format json").expect(0).json();
    let conservation = &plan["conservation"][0];
    assert_eq!(
        (&conservation["charges"], &conservation["charged"], &conservation["unallocated"]),
        (&json!(2), &json!("5.375000000"), &json!("5.250000000"))
    );
    // A period without charges has nothing to conserve.
    let plan = scene.run("plan --period 2026-03 --format json").expect(0).json();
    assert_eq!(plan["conservation"], json!([]));
}

/// Tags are read with the bills, so a run over stored charges leaves a new setting of them out.
#[test]
fn settings_that_stored_charges_lack_are_named_by_the_run_and_by_the_next_plan() {
    let source = SETTINGS.split("[tags.team]").next().expect("a source");
    let synonym = SETTINGS.replace("team_name", "owner");
    let other = format!("{SETTINGS}\n[tags.environment]\nsynonyms = [\"env\"]\n");
    for (settings, kind, section) in [
        (source, "removed", "[tags.team]"),
        (synonym.as_str(), "changed", "[tags.team]"),
        (other.as_str(), "added", "[tags.environment]"),
    ] {
        let scene = Scene::after_run();
        let note = format!(
            "the charges of aws were read with other settings than now: {section}; `apportion run` \
             reads their bills anew"
        );
        let stored = scene.run("run --stored").expect(0);
        assert!(!stored.stderr.contains("other settings"), "{}", stored.stderr);
        scene.write("apportion.toml", settings);
        let cause = format!("{kind}: {section}\ncollected anew for this plan: aws\n");
        scene.run("plan").expect(0).says(&cause);
        let stored = scene.run("run --stored").expect(0);
        assert!(stored.stderr.contains(&note), "{}", stored.stderr);
        // The ledger stands by the new settings now, and its charges do not.
        scene.run("plan").expect(0).says("which the ledger stands by already").says(&cause);
        scene.run("run").expect(0);
        let stored = scene.run("run --stored").expect(0);
        assert!(!stored.stderr.contains("other settings"), "{}", stored.stderr);
        let plan = scene.run("plan").expect(0).stdout;
        assert!(!plan.contains(section), "{plan}");
    }
}
