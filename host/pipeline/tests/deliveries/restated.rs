//! What a run restates, and what a rehearsal says of it.

use super::*;
use ledger::Reader;
use pipeline::withdraw::Restatement;

/// Two days change, one of them only in its team; one day stays. Then the bill tells its period,
/// and the money moves there with a change of one day.
#[test]
fn restated_days_are_said_with_their_money_before_and_after() {
    let (bills, mut ledger) = (Bills::new(), Ledger::in_memory().unwrap());
    let said = |report: &RunReport| -> Vec<String> {
        let line = |of: &Restatement| {
            let period = of.billing_period.map_or("-".into(), |day| day.to_string());
            let (before, now) = (of.billed_before.rounded_text(2), of.billed.rounded_text(2));
            format!("{period} {} {} {before} {now}", of.days, of.currency)
        };
        of_source(report).restated.iter().map(line).collect()
    };
    let rows = |period: &str, costs: [(&str, &str); 3]| -> String {
        let days = ["2026-03-01", "2026-03-02", "2026-03-03"];
        let row = |(day, (team, cost))| format!("{period},{day},compute,{team},{cost},USD\n");
        days.into_iter().zip(costs).map(row).collect()
    };
    let first =
        bills.run(&mut ledger, &[("a.csv", &rows("", [("a", "1"), ("a", "2"), ("a", "4")]))]);
    assert_eq!(said(&first), Vec::<String>::new());
    let second = rows("", [("a", "1"), ("b", "2"), ("a", "4.5")]);
    let changed = bills.run(&mut ledger, &[("a.csv", &second)]);
    // 2 + 4 became 2 + 4.5.
    assert_eq!(said(&changed), ["- 2 USD 6.00 6.50"]);
    assert_eq!(said(&bills.run(&mut ledger, &[("a.csv", &second)])), Vec::<String>::new());
    let moved = bills
        .run(&mut ledger, &[("a.csv", &rows("2026-03-01", [("a", "1"), ("b", "2"), ("a", "5")]))]);
    assert_eq!(said(&moved), ["2026-03-01 1 USD 4.50 5.00"]);
    assert_eq!(of_source(&moved).withdrawn, []);
}

/// The file is cut after it was opened: its schema is known, and its statements are gone.
#[test]
fn a_ledger_that_breaks_while_it_is_read_is_told_and_fails_no_source() {
    let (bills, folder) = (Bills::new(), tempfile::tempdir().unwrap());
    let rows = "2026-03-01,2026-03-02,compute,a,10,USD";
    let path = folder.path().join("a.ledger");
    bills.run(&mut Ledger::open_or_create(&path).unwrap(), &[("a.csv", rows)]);
    let other = Reader::open(&path).unwrap();
    std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(8192).unwrap();
    let rehearsal =
        try_rehearsal(&other, vec![bills.source(&[("a.csv", rows)])], &rules()).unwrap();
    let source = of_source(&rehearsal.report);
    assert_eq!((source.charges, source.failure.is_none()), (1, true));
    let code = rehearsal.fault.map(|fault| fault.code);
    assert!(code.is_some_and(|code| code.text().starts_with('L')), "{code:?}");
}
