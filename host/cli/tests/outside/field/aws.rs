//! Reports of AWS.

use crate::field::{
    Answer, Case, FieldScene, MONEY, Money, as_it_is, expect_months, try_all, with,
};
use std::fs;
use test_support::outside::data;

/// Cases that need more than one folder over another.
pub const BY_HAND: [&str; 1] = ["81d-aws-late-hour-manifests-old-month-expired"];

const NO_FILE: &str = "grants = [\"table-decode\"]";
const FILE: &str = "grants = [\"table-decode\", \"file\"]";

/// 11 + 20 + 5 of the newer assembly. The older one has 10 + 20.
const NEWER_ASSEMBLY: Answer = Answer::Money(Money {
    totals: &[("USD", "36", "36")],
    by: &[("team", "kestrel", "USD", "36")],
    months: &[("2026-03", "USD", "36")],
    said: &["aaaa-old"],
    ..MONEY
});

const COST_CATEGORIES: Answer = Answer::Money(Money {
    totals: &[("USD", "42", "42")],
    by: &[
        ("tag:cost_category/Unit", "Platform", "USD", "40"),
        ("tag:cost_category/Unit", "Data", "USD", "2"),
    ],
    ..MONEY
});

const BILLED: &str = "config = { effective_cost = \"billed\" }";

/// 3.10 + 2.40 - 2.40 + 2 + 0 + 0.80 + 120 + 19.63 - 5 - 1.25 - 0.31 - 0.05.
const ALL_AS_BILLED: Answer =
    Answer::Money(Money { totals: &[("USD", "138.92", "138.92")], ..MONEY });

pub const CASES: &[Case] = &[
    // The unused part of the savings plan and of the reservation is their effective cost, and its
    // columns are not there.
    as_it_is(
        "02-aws-cur2-selected-columns",
        Answer::Refused {
            code: "F107",
            words: &[
                "RIFee",
                "SavingsPlanRecurringFee",
                "reservation_unused_recurring_fee",
                "savings_plan_used_commitment",
                "effective_cost = \"billed\"",
            ],
        },
    ),
    with("02-aws-cur2-selected-columns", &[("", BILLED)], ALL_AS_BILLED),
    // A tag of the resource comes before one of the account.
    as_it_is(
        "03-aws-cur2-tags-column",
        Answer::Money(Money {
            totals: &[("USD", "35", "35")],
            by: &[
                ("team", "kestrel", "USD", "10"),
                ("team", "osprey", "USD", "20"),
                ("team", "unallocated", "USD", "5"),
                ("tag:cost_category/Unit", "Platform", "USD", "15"),
                ("tag:cost_category/Unit", "", "USD", "20"),
            ],
            ..MONEY
        }),
    ),
    as_it_is("05-aws-cost-category", COST_CATEGORIES),
    as_it_is("05b-aws-cur2-cost-category", COST_CATEGORIES),
    as_it_is("07b-aws-parts-no-manifest-power", Answer::Refused { code: "P103", words: &[FILE] }),
    with("07b-aws-parts-no-manifest-power", &[(NO_FILE, FILE)], NEWER_ASSEMBLY),
    as_it_is("07d-aws-parts-synced-below-prefix", NEWER_ASSEMBLY),
    as_it_is(
        "08-aws-two-reports-one-bucket",
        Answer::Refused { code: "P103", words: &["in/cur2", "in/report", "report = \""] },
    ),
    with(
        "08-aws-two-reports-one-bucket",
        &[("", "config = { report = \"cur2\" }")],
        Answer::Money(Money {
            totals: &[("USD", "30", "30")],
            by: &[("service_name", "AmazonS3", "USD", "30")],
            ..MONEY
        }),
    ),
    with(
        "08-aws-two-reports-one-bucket",
        &[("", "config = { report = \"report\" }")],
        Answer::Money(Money {
            totals: &[("USD", "30", "30")],
            by: &[("service_name", "Amazon Elastic Compute Cloud", "USD", "30")],
            ..MONEY
        }),
    ),
    as_it_is(
        "09-aws-zip-among-gz",
        Answer::Money(Money {
            totals: &[("USD", "100", "100")],
            by: &[("team", "kestrel", "USD", "100")],
            ..MONEY
        }),
    ),
    // The usage that the savings plan covers (2.40) has no effective cost. The rest of the bill is
    // billed 138.92 - 2.40 and effective 19.02 - 1.70: 3.10 + (2.00 - 1.70) + 0.55 + (0.10 + 0.25)
    // + 19.63 - 5 - 1.25 - 0.31 - 0.05.
    as_it_is(
        "15-aws-sp-effective-cost-empty",
        Answer::Money(Money {
            set_aside: 1,
            totals: &[("USD", "136.52", "17.32")],
            said: &["savings_plan_savings_plan_effective_cost is empty"],
            ..MONEY
        }),
    ),
    with("15-aws-sp-effective-cost-empty", &[("", BILLED)], ALL_AS_BILLED),
    // The report of March has an hour of 28 February: 500 + 5 in February, 20 in March.
    as_it_is(
        "81b-aws-late-hour-next-report",
        Answer::Money(Money {
            totals: &[("USD", "25", "25")],
            by: &[("team", "kestrel", "USD", "525")],
            months: &[("2026-02", "USD", "505"), ("2026-03", "USD", "20")],
            ..MONEY
        }),
    ),
];

#[test]
fn reports_of_aws_give_their_answers() {
    try_all(CASES);
}

/// The report of February has expired when that of March comes, with an hour of 28 February. What
/// February's report said stays: 500 + 400 + 5 in February, 20 in March.
#[test]
fn a_report_that_has_expired_still_counts() {
    let field = FieldScene::open(BY_HAND[0], &[]);
    assert_eq!(field.collect().report()["failure"], serde_json::Value::Null);
    expect_months(&field, &[("2026-02", "USD", "900")]);
    fs::remove_dir_all(field.scene.path("in/r/20260201-20260301")).expect("it was there");
    let march = data().join("field/81b-aws-late-hour-next-report/second/cur.csv");
    let march = fs::read_to_string(march).expect("a report");
    field.scene.write("in/r/20260301-20260401/bb/r-1.csv", &march);
    field.scene.write(
        "in/r/20260301-20260401/r-Manifest.json",
        "{\"reportKeys\": [\"r/20260301-20260401/bb/r-1.csv\"]}",
    );
    assert_eq!(field.collect().report()["charges"], 2);
    expect_months(&field, &[("2026-02", "USD", "905"), ("2026-03", "USD", "20")]);
    field.scene.run("ledger verify").expect(0);
}
