//! Months that are closed, and deliveries that overlap.

use crate::field_rules::{FieldEstate, costs, deliver, gives, replace, says, try_estates};
use crate::scene::Scene;
use crate::server::{Server, json};

const CLOSED: &str = "R03-closed-month-two-answers";
const OVERLAP: &str = "R04-overlapping-exports";
const UNGUARDED: &str = "R14-close-without-guard";

pub const ESTATES: &[FieldEstate] = &[
    FieldEstate { folder: CLOSED, answer: a_closed_month_has_one_answer },
    FieldEstate { folder: CLOSED, answer: a_closed_month_is_explained_by_the_rules_of_then },
    FieldEstate { folder: OVERLAP, answer: charges_of_two_exports_are_refused },
    FieldEstate { folder: OVERLAP, answer: charges_of_two_exports_count_if_both_are_owed },
    FieldEstate { folder: UNGUARDED, answer: a_month_that_is_not_ready_stays_open },
    FieldEstate { folder: UNGUARDED, answer: a_month_is_closed_for_a_reason },
];

#[test]
fn closed_months_and_deliveries_give_their_answers() {
    try_estates(ESTATES);
}

/// May is closed with 100 and 300 of cost, and 40 of support. Then 100 of May come late.
fn restated(scene: &Scene) {
    deliver(scene, "v1/may.csv", "bills/may.csv");
    scene.run("run").expect(0);
    scene.run("period close 2026-05").expect(0);
    deliver(scene, "v2/may.csv", "bills/may.csv");
    scene.run("run").expect(0);
}

/// By the day of posting, May keeps 110 and 330. June has its own 50 and 50, the late 100, and
/// the 6 of support that go from the one team to the other: 40 at 200 to 300 are 16 and 24.
fn a_closed_month_has_one_answer(scene: &Scene) {
    restated(scene);
    let posted = |group: &str| costs(scene, &format!("--group-by {group}"));
    let charged = |group: &str| costs(scene, &format!("--axis charge --group-by {group}"));
    let teams = [
        "2026-05,atlas,USD,110",
        "2026-05,boreas,USD,330",
        "2026-06,atlas,USD,156",
        "2026-06,boreas,USD,44",
    ];
    assert_eq!(posted("team"), teams);
    let accounts = teams.map(|row| row.replacen(',', ",team/", 1));
    assert_eq!(posted("account"), accounts);
    assert_eq!(posted("environment"), ["2026-05,,USD,440", "2026-06,,USD,200"]);
    assert_eq!(
        posted("team,region_id"),
        [
            "2026-05,atlas,eu,USD,110",
            "2026-05,boreas,eu,USD,330",
            "2026-06,atlas,eu,USD,56",
            "2026-06,atlas,us,USD,100",
            "2026-06,boreas,eu,USD,44",
        ]
    );
    assert_eq!(
        posted("team,service_name"),
        [
            "2026-05,atlas,Compute,USD,100",
            "2026-05,atlas,Support,USD,10",
            "2026-05,boreas,Compute,USD,300",
            "2026-05,boreas,Support,USD,30",
            "2026-06,atlas,Compute,USD,150",
            "2026-06,atlas,Support,USD,6",
            "2026-06,boreas,Compute,USD,50",
            "2026-06,boreas,Support,USD,-6",
        ]
    );
    assert_eq!(
        charged("team"),
        [
            "2026-05,atlas,USD,216",
            "2026-05,boreas,USD,324",
            "2026-06,atlas,USD,50",
            "2026-06,boreas,USD,50",
        ]
    );
    assert_eq!(charged("environment"), ["2026-05,,USD,540", "2026-06,,USD,100"]);
    served(scene);
}

/// One answer of the API has one total by every breakdown.
fn served(scene: &Scene) {
    let server = Server::start(scene);
    let path = "/api/v1/costs/team/atlas?start_date=2026-05-01&end_date=2026-05-31";
    for (axis, amount, support) in
        [("posting", "110.000000000", "10.000000000"), ("charge", "216.000000000", "16.000000000")]
    {
        let answer = json(&server.get(&format!("{path}&axis={axis}")));
        assert_eq!(answer["axis"], axis);
        assert_eq!(answer["total"][0]["amount"], amount);
        for breakdown in ["by_environment", "by_application"] {
            assert_eq!(answer["breakdown"][breakdown][0]["cost"]["amount"], amount, "{breakdown}");
        }
        let service = &answer["breakdown"]["by_service"][1];
        assert_eq!(service["key"], "Support");
        assert_eq!(service["cost"]["amount"], support);
    }
}

fn a_closed_month_is_explained_by_the_rules_of_then(scene: &Scene) {
    restated(scene);
    let line = "explain atlas --service Support --from 2026-06 --to 2026-06 --depth rules";
    let explained = scene.run(line).expect(0);
    says(
        &explained,
        &[
            "total: 6.000000000 USD",
            "correction of 2026-05, taken back, by shared/support",
            "-10.000000000 USD of 1 charge",
            "correction of 2026-05, posted anew, by shared/support",
            "16.000000000 USD of 1 charge",
        ],
    );
    let may = "explain atlas --from 2026-05 --to 2026-05";
    let before = scene.run(may).expect(0).stdout;
    assert!(before.contains("total: 110.000000000 USD"), "{before}");

    // All support is now paid by the other team: 16 less for the one, in June.
    replace(scene, "rules/shared/support.rhai", "by_cost()", "assign(\"boreas\")");
    scene.run("run").expect(0);
    assert_eq!(
        costs(scene, "--group-by team"),
        [
            "2026-05,atlas,USD,110",
            "2026-05,boreas,USD,330",
            "2026-06,atlas,USD,140",
            "2026-06,boreas,USD,60",
        ]
    );
    let environments = costs(scene, "--group-by environment");
    assert_eq!(environments, ["2026-05,,USD,440", "2026-06,,USD,200"]);
    assert_eq!(scene.run(may).expect(0).stdout, before);
}

/// Twelve days of 10, of which nine lie in an earlier export as well.
fn charges_of_two_exports_are_refused(scene: &Scene) {
    let run = scene.run("run").fails_with(3, "N101", "1 source failed");
    let names = ["F210: ", "bills/once-0601-0609.csv", "bills/month-to-date.csv"];
    says(&run, &names);
    says(&run, &["the same charges of 8 other days", "repeats = \"count\""]);
    assert!(costs(scene, "--group-by team").is_empty());

    replace(scene, "apportion.toml", "[\"bills\"]", "[\"bills/month-to-date.csv\"]");
    gives(scene, "--group-by team", &["2026-06,atlas,USD,120"]);
}

fn charges_of_two_exports_count_if_both_are_owed(scene: &Scene) {
    replace(scene, "apportion.toml", "[\"bills\"]", "[\"bills\"]\nrepeats = \"count\"");
    gives(scene, "--group-by team", &["2026-06,atlas,USD,210"]);
}

/// October has a row set aside and 20 in suspense.
fn a_month_that_is_not_ready_stays_open(scene: &Scene) {
    deliver(scene, "v1/b.csv", "bills/b.csv");
    scene.run("run").expect(3);
    for (month, why) in [
        ("2026-10", "run 1 set aside 1 row of bills; 20 USD stand in suspense"),
        ("2026-11", "the last run, 1, is incomplete; run 1 set aside 1 row of bills"),
        ("2099-01", "it is not over before 2099-02-01T00:00:00Z (UTC); it has no charges"),
        ("0001-01", "it has no charges"),
    ] {
        let close = scene.run(&format!("period close {month}"));
        let close = close.fails_with(1, "L204", &format!("{month} is not ready to be closed: "));
        says(&close, &[why, "--because \"the reason\""]);
    }
    // Nothing was closed. So the 9 that come later are of November.
    deliver(scene, "v2/b.csv", "bills/b.csv");
    scene.run("run").expect(3);
    assert_eq!(
        costs(scene, "--group-by team"),
        ["2026-10,atlas,USD,10", "2026-10,suspense,USD,20", "2026-11,atlas,USD,16"]
    );
}

fn a_month_is_closed_for_a_reason(scene: &Scene) {
    deliver(scene, "v1/b.csv", "bills/b.csv");
    scene.run("run").expect(3);
    let close = ["period", "close", "2026-10", "--because", "agreed with finance"];
    says(&scene.run_with(&close, &[]).expect(0), &["2026-10 is closed"]);
    says(&scene.run("period list").expect(0), &["2026-10", "agreed with finance"]);
}
