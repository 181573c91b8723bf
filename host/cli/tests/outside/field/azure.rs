//! Exports of Azure.

use crate::field::{Answer, Case, MONEY, Money, as_it_is, try_all, with};

const NO_FILE: &str = "grants = [\"table-decode\"]";
const FILE: &str = "grants = [\"table-decode\", \"file\"]";

/// The run of 4 March has 10 + 20.50 + 30. That of the day before has 10 + 20.
const NEWER_RUN: Answer = Answer::Money(Money {
    totals: &[("EUR", "60.50", "60.50")],
    by: &[("team", "kestrel", "EUR", "60.50")],
    months: &[("2026-03", "EUR", "60.50")],
    said: &["202603030310"],
    ..MONEY
});

pub const CASES: &[Case] = &[
    as_it_is("20-azure-month-to-date-twice", NEWER_RUN),
    with("20-azure-month-to-date-twice", &[(NO_FILE, FILE)], NEWER_RUN),
    as_it_is(
        "20b-azure-focus-month-to-date-twice",
        Answer::Money(Money {
            totals: &[("USD", "60.50", "60.50")],
            by: &[("team", "kestrel", "USD", "60.50")],
            months: &[("2026-03", "USD", "60.50")],
            said: &["202603030310"],
            ..MONEY
        }),
    ),
    // Every day has 10, and the run of 31 March has all 31 days.
    as_it_is(
        "20d-azure-month-of-daily-exports",
        Answer::Money(Money {
            totals: &[("EUR", "310", "310")],
            by: &[("team", "kestrel", "EUR", "310")],
            months: &[("2026-03", "EUR", "310")],
            said: &["202603010310"],
            ..MONEY
        }),
    ),
    as_it_is(
        "21c-azure-double-bom-subscription-first",
        Answer::Money(Money {
            totals: &[("EUR", "30", "30")],
            by: &[("sub_account_id", "sub-1", "EUR", "30")],
            ..MONEY
        }),
    ),
    // `1.234` is a thousand or one and a bit; `12,5` beside it says that nobody may guess.
    as_it_is("23-azure-german", Answer::Refused { code: "F112", words: &["decimal_comma = true"] }),
    // 12.5 + 1234.56 + 1234. `3.75` groups no thousands, and is set aside.
    with(
        "23-azure-german",
        &[("", "decimal_comma = true")],
        Answer::Money(Money {
            set_aside: 1,
            totals: &[("EUR", "2481.06", "2481.06")],
            by: &[("team", "kestrel", "EUR", "2481.06")],
            said: &["3.75"],
            ..MONEY
        }),
    ),
    as_it_is(
        "24b-azure-day-first-early-days-only",
        Answer::Refused { code: "P103", words: &["date_order"] },
    ),
    with(
        "24b-azure-day-first-early-days-only",
        &[("", "config = { date_order = \"dmy\" }")],
        Answer::Money(Money {
            totals: &[("EUR", "30", "30")],
            by: &[("team", "kestrel", "EUR", "30")],
            months: &[("2026-03", "EUR", "30")],
            ..MONEY
        }),
    ),
    // Read month first, the days are 3 May and 3 December.
    with(
        "24b-azure-day-first-early-days-only",
        &[("", "config = { date_order = \"mdy\" }")],
        Answer::Money(Money {
            totals: &[("EUR", "30", "30")],
            months: &[("2026-05", "EUR", "10"), ("2026-12", "EUR", "20")],
            ..MONEY
        }),
    ),
    as_it_is(
        "25-azure-portal-detail",
        Answer::Refused { code: "F110", words: &["skip_lines = 2"] },
    ),
    with(
        "25-azure-portal-detail",
        &[
            ("", "skip_lines = 2"),
            ("", "config = { constants = { billing_currency = \"EUR\" }, date_order = \"mdy\" }"),
        ],
        Answer::Money(Money {
            totals: &[("EUR", "10", "10")],
            by: &[("team", "kestrel", "EUR", "10")],
            months: &[("2026-03", "EUR", "10")],
            ..MONEY
        }),
    ),
    // Billed is the actual export, 10 + 0 + 3650. Effective is the amortized one, 10 + 6 + 4.
    as_it_is(
        "27-azure-actual-and-amortized-default",
        Answer::Money(Money {
            totals: &[("EUR", "3660", "20")],
            by: &[("team", "kestrel", "EUR", "16"), ("team", "unallocated", "EUR", "4")],
            ..MONEY
        }),
    ),
    // All rows are of 03/01/2026, which can be 1 March or 3 January.
    as_it_is("28-azure-tags", Answer::Refused { code: "P103", words: &["date_order"] }),
    // 1 + 2 + 8 + 16 + 64 have one team each, and 128 has no tags. The tags of 256 name two teams,
    // and those of 4 and 32 end with a character too many.
    with(
        "28-azure-tags",
        &[("", "config = { date_order = \"mdy\" }")],
        Answer::Money(Money {
            set_aside: 3,
            totals: &[("EUR", "219", "219")],
            by: &[("team", "kestrel", "EUR", "91"), ("team", "unallocated", "EUR", "128")],
            said: &["the tag 'team' comes twice in one cell, as 'kestrel' and as 'osprey'"],
            ..MONEY
        }),
    ),
];

#[test]
fn exports_of_azure_give_their_answers() {
    try_all(CASES);
}
