//! Bills in FOCUS.

use crate::field::{
    Answer, Case, FieldScene, MONEY, Money, as_it_is, expect_months, try_all, with,
};

/// One charge in a form of Parquet that few programs write.
const ONE_CHARGE: Answer = Answer::Money(Money {
    totals: &[("USD", "1.5", "1.25")],
    by: &[("team", "kestrel", "USD", "1.25")],
    months: &[("2026-03", "USD", "1.25")],
    ..MONEY
});

const BILLED: &str = "config = { empty_effective_cost = \"billed\" }";

const CORRECTION: &str = "54b-focus-correction-next-month";

pub const CASES: &[Case] = &[
    // 10 + 21. The 30 of 3 March are in the provisional bill alone.
    as_it_is(
        "12b-focus-provisional-final",
        Answer::Money(Money {
            totals: &[("USD", "31", "31")],
            by: &[("team", "kestrel", "USD", "31")],
            months: &[("2026-03", "USD", "31")],
            ..MONEY
        }),
    ),
    as_it_is("50b-focus-parquet-types/brotli", ONE_CHARGE),
    as_it_is("50b-focus-parquet-types/date64", ONE_CHARGE),
    as_it_is("50b-focus-parquet-types/dec32", ONE_CHARGE),
    as_it_is("50b-focus-parquet-types/dec64", ONE_CHARGE),
    as_it_is("50b-focus-parquet-types/lz4", ONE_CHARGE),
    // 1 + 1 + 1 + 1.5, and 1.25 effective. A spreadsheet has cut one account to six digits.
    as_it_is(
        "51-focus-ids-as-numbers",
        Answer::Money(Money { totals: &[("USD", "4.5", "4.25")], said: &["1.23457E+11"], ..MONEY }),
    ),
    // 10 + 0 + 19. One row has no effective cost, and one has no billed cost.
    as_it_is(
        "52-focus-null-costs",
        Answer::Money(Money {
            set_aside: 2,
            totals: &[("USD", "29", "29")],
            said: &["empty_effective_cost = \"billed\""],
            ..MONEY
        }),
    ),
    // The row without an effective cost costs its billed cost, which is 0.
    with(
        "52-focus-null-costs",
        &[("", BILLED)],
        Answer::Money(Money { set_aside: 1, totals: &[("USD", "29", "29")], ..MONEY }),
    ),
    // January 100 - 7 + 50, March 10.
    as_it_is(
        CORRECTION,
        Answer::Money(Money {
            totals: &[("USD", "3", "3")],
            by: &[
                ("team", "kestrel", "USD", "153"),
                ("charge_class", "", "USD", "160"),
                ("charge_class", "Correction", "USD", "-7"),
            ],
            months: &[("2026-01", "USD", "143"), ("2026-03", "USD", "10")],
            ..MONEY
        }),
    ),
    as_it_is(
        "57b-tags-surrogate-pairs",
        Answer::Money(Money {
            totals: &[("USD", "112", "112")],
            by: &[
                ("team", "rocket-🚀", "USD", "16"),
                ("team", "rocket-🦄", "USD", "32"),
                ("team", "𠮷野", "USD", "64"),
            ],
            ..MONEY
        }),
    ),
    as_it_is(
        "60-encoding/cr-only",
        Answer::Money(Money {
            totals: &[("USD", "30", "30")],
            by: &[("team", "kestrel", "USD", "30")],
            ..MONEY
        }),
    ),
    // Nobody can say which teams these are. So they are none.
    as_it_is(
        "60-encoding/latin1-teams",
        Answer::Money(Money { set_aside: 2, said: &["F204", "encoding"], ..MONEY }),
    ),
    with(
        "60-encoding/latin1-teams",
        &[("", "encoding = \"latin-1\"")],
        Answer::Money(Money {
            totals: &[("USD", "30", "30")],
            by: &[("team", "Zürich", "USD", "10"), ("team", "Zörich", "USD", "20")],
            ..MONEY
        }),
    ),
    with(
        "60-encoding/latin1-teams",
        &[("", "encoding = \"windows-1252\"")],
        Answer::Money(Money {
            totals: &[("USD", "30", "30")],
            by: &[("team", "Zürich", "USD", "10"), ("team", "Zörich", "USD", "20")],
            ..MONEY
        }),
    ),
    // 9,500,000,000 + 9,000,000,000 rupiah are more than 64 bits of nanos.
    as_it_is(
        "64-focus-currencies",
        Answer::Money(Money {
            totals: &[
                ("IDR", "18500000000", "18500000000"),
                ("JPY", "1234.5", "1234.5"),
                ("KWD", "1.2345", "1.2345"),
                ("USD", "1", "1"),
                ("VND", "12000000000.5", "12000000000.5"),
            ],
            by: &[
                ("team", "kestrel", "IDR", "18500000000"),
                ("team", "kestrel", "JPY", "1234.5"),
                ("team", "kestrel", "KWD", "1.2345"),
                ("team", "kestrel", "USD", "1"),
                ("team", "kestrel", "VND", "12000000000.5"),
            ],
            ..MONEY
        }),
    ),
    as_it_is(
        "65-focus-same-file-twice",
        Answer::Refused {
            code: "F210",
            words: &["in/march.csv", "in/march (1).csv", "repeats = \"count\""],
        },
    ),
    with(
        "65-focus-same-file-twice",
        &[("", "repeats = \"count\"")],
        Answer::Money(Money {
            totals: &[("USD", "20", "20")],
            by: &[("team", "kestrel", "USD", "20")],
            ..MONEY
        }),
    ),
    with(
        "65-focus-same-file-twice",
        &[("[\"in\"]", "[\"in/march.csv\"]")],
        Answer::Money(Money {
            totals: &[("USD", "10", "10")],
            by: &[("team", "kestrel", "USD", "10")],
            ..MONEY
        }),
    ),
    // The file in its month's folder. What lies about is named, and not read.
    as_it_is(
        "70-bucket-litter",
        Answer::Money(Money {
            totals: &[("USD", "10", "10")],
            by: &[("team", "kestrel", "USD", "10")],
            said: &["6 files are not read", "1 manifest is not read"],
            ..MONEY
        }),
    ),
    as_it_is(
        "74-header-variants",
        Answer::Money(Money {
            totals: &[("USD", "10", "10")],
            by: &[
                ("team", "kestrel", "USD", "10"),
                ("service_name", "Lumen Compute", "USD", "10"),
                ("sub_account_id", "acc-1", "USD", "10"),
            ],
            ..MONEY
        }),
    ),
    as_it_is(
        "76-aws-focus-1-2-csv",
        Answer::Money(Money {
            set_aside: 1,
            totals: &[("USD", "0.0000006123", "0.0000006123")],
            said: &["empty_effective_cost = \"billed\""],
            ..MONEY
        }),
    ),
    with(
        "76-aws-focus-1-2-csv",
        &[("", BILLED)],
        Answer::Money(Money {
            totals: &[("USD", "0.7500006123", "0.7500006123")],
            by: &[
                ("charge_category", "Usage", "USD", "0.000000612"),
                ("charge_category", "Tax", "USD", "0.75"),
            ],
            ..MONEY
        }),
    ),
    // The 8 euros are dollars in the second delivery, and 9.
    as_it_is(
        "84-focus-currency-vanishes",
        Answer::Money(Money {
            totals: &[("USD", "19", "19")],
            by: &[("team", "kestrel", "USD", "19")],
            months: &[("2026-03", "USD", "19")],
            ..MONEY
        }),
    ),
];

#[test]
fn bills_in_focus_give_their_answers() {
    try_all(CASES);
}

/// A closed month stays as it was. The correction is posted in the next open one, as its own
/// amount.
#[test]
fn a_correction_of_a_closed_month_is_posted_in_the_open_one() {
    let field = FieldScene::open(CORRECTION, &[]);
    field.collect();
    field.scene.run("period close 2026-01").expect(0);
    assert!(field.deliver_again());
    field.collect();
    expect_months(
        &field,
        &[("2026-01", "USD", "150"), ("2026-02", "USD", "-7"), ("2026-03", "USD", "10")],
    );
    field.scene.run("ledger verify").expect(0);
}

/// A run that is asked for March does not take the correction of January, and says so.
#[test]
fn rows_outside_of_the_days_that_are_asked_for_are_counted() {
    let field = FieldScene::open(CORRECTION, &[]);
    field.collect();
    assert!(field.deliver_again());
    let run = field.scene.run("run --from 2026-03").expect(0);
    assert!(run.stdout.contains("1 row of other days left out"), "{}", run.stdout);
    expect_months(&field, &[("2026-01", "USD", "150"), ("2026-03", "USD", "10")]);
    let run = field.scene.run("run --from 2026-03 --format json").expect(0).json();
    assert_eq!(run["sources"][0]["rows_outside_period"], 1);
    // Asked for all days, the correction counts.
    field.scene.run("run").expect(0);
    expect_months(&field, &[("2026-01", "USD", "143"), ("2026-03", "USD", "10")]);
}
