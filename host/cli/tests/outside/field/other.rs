//! Exports of Google Cloud, and answers of services.

use crate::field::{Answer, Case, MONEY, Money, as_it_is, try_all, with};

/// 10 - 2 and 5 - 0.
const NET: Answer = Answer::Money(Money {
    totals: &[("USD", "13", "13")],
    by: &[("team", "kestrel", "USD", "13")],
    ..MONEY
});

pub const CASES: &[Case] = &[
    // 10 - 1.25 - 0.75 with a label, 5 without, and 2.50 of tax without a project.
    as_it_is(
        "40b-gcp-parquet-nested",
        Answer::Money(Money {
            totals: &[("USD", "15.5", "15.5")],
            by: &[
                ("team", "kestrel", "USD", "8"),
                ("team", "unallocated", "USD", "7.5"),
                ("service_name", "Compute Engine", "USD", "15.5"),
                ("sub_account_id", "p1", "USD", "13"),
                ("sub_account_id", "", "USD", "2.5"),
                ("sku_id", "S1", "USD", "15.5"),
            ],
            ..MONEY
        }),
    ),
    as_it_is(
        "44-gcp-project-labels-tags",
        Answer::Money(Money {
            totals: &[("USD", "30", "30")],
            by: &[("team", "kestrel", "USD", "10"), ("team", "osprey", "USD", "20")],
            ..MONEY
        }),
    ),
    as_it_is("46-gcp-credits-flattened", NET),
    as_it_is("46b-gcp-credits-as-number", NET),
    with(
        "46b-gcp-credits-as-number",
        &[("", "config = { credits = \"gross\" }")],
        Answer::Money(Money {
            totals: &[("USD", "15", "15")],
            by: &[("team", "kestrel", "USD", "15")],
            ..MONEY
        }),
    ),
    // A list that breaks off, no list, a list without amounts, an amount with a comma, and credits
    // of a row that has no cost.
    as_it_is("46d-gcp-credits-broken", Answer::Money(Money { set_aside: 5, ..MONEY })),
    as_it_is(
        "87-gcp-console-cost-table",
        Answer::Refused { code: "F110", words: &["skip_lines = 4"] },
    ),
    // The invoice's own last row is a total, and no cost.
    with(
        "87-gcp-console-cost-table",
        &[
            ("", "skip_lines = 4"),
            ("", "decimal_comma = true"),
            ("", "config = { constants = { billing_currency = \"EUR\" } }"),
        ],
        Answer::Money(Money {
            totals: &[("EUR", "1234.50", "1234.50")],
            by: &[
                ("service_name", "Compute Engine", "EUR", "1234.50"),
                ("sub_account_name", "kestrel", "EUR", "1234.50"),
            ],
            months: &[("2026-03", "EUR", "1234.50")],
            ..MONEY
        }),
    ),
    // Any table is read by `csv`.
    with(
        "87-gcp-console-cost-table",
        &[
            ("gcp-billing", "csv"),
            ("", "skip_lines = 4"),
            ("", "decimal_comma = true"),
            ("", "[sources.bills.config]"),
            ("", "constants = { billing_currency = \"EUR\" }"),
            ("", "skip = [{ column = \"Usage start date\", values = [\"Total\"] }]"),
            ("", "[sources.bills.config.columns]"),
            ("", "billed_cost = \"Cost (€)\""),
            ("", "charge_period_start = \"Usage start date\""),
            ("", "service_name = \"Service description\""),
            ("", "sub_account_name = \"Project name\""),
        ],
        Answer::Money(Money {
            totals: &[("EUR", "1234.50", "1234.50")],
            by: &[
                ("service_name", "Compute Engine", "EUR", "1234.50"),
                ("sub_account_name", "kestrel", "EUR", "1234.50"),
            ],
            months: &[("2026-03", "EUR", "1234.50")],
            ..MONEY
        }),
    ),
    // There is more, and nobody says where.
    as_it_is(
        "90b-openai-has-more-without-next",
        Answer::Refused { code: "P201", words: &["has_more"] },
    ),
];

#[test]
fn exports_of_google_and_answers_of_services_give_their_answers() {
    try_all(CASES);
}
