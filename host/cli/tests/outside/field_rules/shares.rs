//! By which weights a cost is shared, and at which price usage is billed.

use crate::decimal::scaled;
use crate::field_rules::{FieldEstate, costs, gives, replace, says, try_estates};
use crate::scene::Scene;

const CARD_IN_TWO_CURRENCIES: &str = "R07b-rate-card-two-currencies";

pub const ESTATES: &[FieldEstate] = &[
    FieldEstate { folder: "R01-by-cost-ignores-shared", answer: support_by_all_that_teams_bear },
    FieldEstate { folder: "R02-monthly-fee-by-day-one", answer: a_fee_by_the_month },
    FieldEstate { folder: "R06-usage-gap-is-zero", answer: a_gap_is_not_zero },
    FieldEstate { folder: "R07-rate-card-twice", answer: usage_is_billed_once },
    FieldEstate { folder: CARD_IN_TWO_CURRENCIES, answer: a_price_without_currency_is_not_guessed },
    FieldEstate { folder: CARD_IN_TWO_CURRENCIES, answer: a_price_has_a_currency },
    FieldEstate { folder: "R08-rate-card-zero-pool", answer: a_pool_of_zero_is_still_billed },
    FieldEstate { folder: "R15-cents", answer: exact_forms_add_up },
    FieldEstate { folder: "R15-cents", answer: cents_add_up },
    FieldEstate { folder: "R19-keep-explodes", answer: weights_that_cancel_out_stop_the_run },
];

#[test]
fn weights_and_prices_give_their_answers() {
    try_estates(ESTATES);
}

/// 300 at 100 to 450 to 450.
fn support_by_all_that_teams_bear(scene: &Scene) {
    replace(scene, "rules/shared/support.rhai", "by_cost()", "by_cost(#{ basis: \"allocated\" })");
    gives(
        scene,
        "--group-by team,service_name",
        &[
            "2026-03,payments,Storage,USD,100",
            "2026-03,payments,Support,USD,30",
            "2026-03,search,Node,USD,450",
            "2026-03,search,Support,USD,135",
            "2026-03,web,Node,USD,450",
            "2026-03,web,Support,USD,135",
        ],
    );
}

/// 320 at 300 to 2,900.
fn a_fee_by_the_month(scene: &Scene) {
    replace(scene, "rules/shared/support.rhai", "by_cost()", "by_cost(#{ window: \"month\" })");
    gives(
        scene,
        "--group-by team,service_name",
        &[
            "2026-04,atlas,Compute,USD,300",
            "2026-04,atlas,Support,USD,30",
            "2026-04,boreas,Compute,USD,2900",
            "2026-04,boreas,Support,USD,290",
        ],
    );
}

/// One of two sources says nothing on the third. The cost waits in the pool, or falls back by the
/// rule's word.
fn a_gap_is_not_zero(scene: &Scene) {
    let by_day = "--group-by team --granularity daily";
    gives(
        scene,
        by_day,
        &[
            "2026-03-02,atlas,USD,50",
            "2026-03-02,boreas,USD,50",
            "2026-03-03,pool/net/nat,USD,100",
            "2026-03-04,atlas,USD,50",
            "2026-03-04,boreas,USD,50",
        ],
    );
    says(&scene.run("usage").expect(0), &["gap: ub says nothing of egress on 2026-03-03"]);
    replace(
        scene,
        "rules/net/nat.rhai",
        "by_usage(\"egress\")",
        "by_usage(\"egress\", #{}, #{ when_zero: split(#{ atlas: 1, boreas: 3 }) })",
    );
    scene.run("run").expect(0);
    let third = costs(scene, &format!("{by_day} --from 2026-03-03 --to 2026-03-03"));
    assert_eq!(third, ["2026-03-03,atlas,USD,25", "2026-03-03,boreas,USD,75"]);
}

/// 300 and 900 requests at 0.1 are 30 and 90. The other 180 stay with the two gateways, as 2 to 1.
fn usage_is_billed_once(scene: &Scene) {
    gives(
        scene,
        "--group-by team",
        &[
            "2026-03,atlas,USD,30",
            "2026-03,boreas,USD,90",
            "2026-03,edge,USD,60",
            "2026-03,plat,USD,120",
        ],
    );
}

fn a_price_without_currency_is_not_guessed(scene: &Scene) {
    let run = scene.run("run").fails_with(3, "N101", "costs could not be passed on");
    says(&run, &["R211: a/gw prices req at 0.1, which names no currency", "currency: \"USD\""]);
    let rows = costs(scene, "--group-by team");
    assert_eq!(rows, ["2026-03,pool/a/gw,EUR,10", "2026-03,pool/a/gw,USD,200"]);
}

/// 30 and 90 of 200 dollars. The euros have no price.
fn a_price_has_a_currency(scene: &Scene) {
    replace(
        scene,
        "rules/a/gw.rhai",
        "remainder: \"platform\"",
        "remainder: \"platform\", currency: \"USD\"",
    );
    gives(
        scene,
        "--group-by team",
        &[
            "2026-03,atlas,USD,30",
            "2026-03,boreas,USD,90",
            "2026-03,platform,EUR,10",
            "2026-03,platform,USD,80",
        ],
    );
}

/// A cost of 1,000 and a credit of 1,000.
fn a_pool_of_zero_is_still_billed(scene: &Scene) {
    gives(
        scene,
        "--group-by team",
        &["2026-03,atlas,USD,30", "2026-03,boreas,USD,90", "2026-03,platform,USD,-120"],
    );
    // The lines stay within the bill: 30 / 2 and 90 / 2 each, and the rest of 1,000 and of -1,000.
    assert_eq!(
        costs(scene, "--group-by team,service_name"),
        [
            "2026-03,atlas,Credits,USD,15",
            "2026-03,atlas,Gateway,USD,15",
            "2026-03,boreas,Credits,USD,45",
            "2026-03,boreas,Gateway,USD,45",
            "2026-03,platform,Credits,USD,-1060",
            "2026-03,platform,Gateway,USD,940",
        ]
    );
}

/// 98 and 2 of 182.25, and 100 in seven. Nanos that are over go round.
fn exact_forms_add_up(scene: &Scene) {
    gives(
        scene,
        "--group-by team",
        &[
            "2026-03,atlas,USD,178.605",
            "2026-03,boreas,USD,3.645",
            "2026-04,t1,USD,14.285714285",
            "2026-04,t2,USD,14.285714286",
            "2026-04,t3,USD,14.285714286",
            "2026-04,t4,USD,14.285714285",
            "2026-04,t5,USD,14.285714286",
            "2026-04,t6,USD,14.285714286",
            "2026-04,t7,USD,14.285714286",
        ],
    );
    let json = scene.run("costs --group-by team --format json").expect(0).json();
    assert_eq!(json["totals"][0]["amount"], "282.250000000");
    assert_eq!(json["costs"][0]["cost"]["amount"], "178.605000000");
}

/// 50 by 100 and -99.999999999 would be 5,000,000,000,000 for the one.
fn weights_that_cancel_out_stop_the_run(scene: &Scene) {
    scene.run("run").fails_with(1, "R212", "a/fee shares 50 by weights of both signs");
    assert!(costs(scene, "--group-by team").is_empty());
    replace(scene, "rules/a/fee.rhai", "\"keep\"", "\"zero\"");
    gives(scene, "--group-by team", &["2026-03,atlas,USD,150", "2026-03,boreas,USD,-99.999999999"]);
    replace(scene, "rules/a/fee.rhai", "\"zero\"", "\"stay\"");
    gives(
        scene,
        "--group-by team",
        &["2026-03,atlas,USD,100", "2026-03,boreas,USD,-99.999999999", "2026-03,pool/a/fee,USD,50"],
    );
}

/// The text form: each amount is within a cent of the exact one, and each column adds up.
fn cents_add_up(scene: &Scene) {
    scene.run("run").expect(0);
    let column = |month: &str| -> Vec<i128> {
        let text = scene
            .run(&format!("costs --group-by team --from {month} --to {month}"))
            .expect(0)
            .stdout;
        let cells = text.lines().filter_map(|line| line.split_whitespace().nth(1));
        cells.filter(|cell| cell.contains('.')).map(|cell| scaled(cell, 2)).collect()
    };
    // 178.605 and 3.645 of 182.25: the one or the other has the cent.
    let march = column("2026-03");
    assert!([[17860, 365, 18225], [17861, 364, 18225]].iter().any(|cents| march == cents));
    // 100 in seven: the two that are a nano short have no cent more, nor has a third.
    let april = column("2026-04");
    let (total, shares) = april.split_last().expect("a total");
    assert_eq!((*total, shares.iter().sum::<i128>()), (10000, 10000), "{shares:?}");
    assert_eq!(shares.iter().filter(|share| **share == 1428).count(), 3, "{shares:?}");
    assert_eq!((shares[0], shares[3]), (1428, 1428));
}
