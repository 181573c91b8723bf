//! Credits that were flattened, one in each row.

use super::{Folder, refused, run};
use domain::mapping::{Choice, Feed, Mapping, Origin, Term, Value};
use domain::port::{Batch, Rows};
use ledger::Ledger;
use pipeline::code::COST_REPEATED;
use pipeline::source::{RepeatPolicy, Source};
use test_support::fakes::FakeCollector;

/// The billed cost is the cost with its credit.
fn with_credits(mut mapping: Mapping, credit: &str) -> Mapping {
    let term = |column: &str| Term { column: column.into(), subtract: false, member: None };
    let sum = Choice { when: Vec::new(), value: Value::Sum(vec![term("cost"), term(credit)]) };
    for from in &mut mapping.feeds {
        if matches!(from.feed, Feed::BilledCost | Feed::EffectiveCost) {
            from.origin = Origin::FirstOf(vec![sum.clone()]);
        }
    }
    mapping
}

fn source(folder: &Folder, credit: &str, bill: &str) -> Source {
    let of = folder.source("gcp", &[("export.csv", bill)]);
    let header: Vec<&str> = bill.trim().lines().next().unwrap().split(',').collect();
    let mapping = with_credits(super::mapping("export.csv", &header), credit);
    let batch = Batch { rows: Rows::Mapped(mapping), ..Batch::default() };
    Source { collector: Box::new(FakeCollector::new(vec![batch])), ..of }
}

#[test]
fn a_cost_that_stands_once_for_each_credit_is_refused() {
    for dot in [".", "_"] {
        let header = format!("start,service,account,cost,credits{dot}name,credits{dot}amount");
        let bill = format!(
            "{header}
             2026-03-02,compute,p,10,SUD,-2
             2026-03-02,compute,p,10,CUD,-1
             2026-03-02,compute,p,10,free,-0.5
             2026-03-02,storage,p,5,,"
        );
        let (folder, amount) = (Folder::new(), format!("credits{dot}amount"));
        let report = run(vec![source(&folder, &amount, &bill)]);
        // 10 twice more, beside 10 − 2 − 1 − 0.5 + 5.
        assert_eq!(
            refused(&report, COST_REPEATED),
            Some(format!(
                "export.csv: 2 rows differ from another one in the columns credits{dot}* alone: a \
                 charge with several credits stands there once for each of them, and \
                 20.000000000 of its cost would count again"
            ))
        );
        let mut meant = source(&folder, &amount, &bill);
        meant.repeats = RepeatPolicy::Count;
        let mut ledger = Ledger::in_memory().unwrap();
        crate::fakes::try_run(&mut ledger, vec![meant], &crate::fakes::rules()).unwrap();
        // 8 + 9 + 9.5 + 5.
        assert_eq!(ledger.statements("gcp").unwrap()[0].1.billed.rounded_text(2), "31.50");
    }
}

#[test]
fn one_credit_a_row_counts_each_cost_once() {
    let header = "start,service,account,cost,credits.name,credits.amount";
    for rows in [
        // One credit a charge; charges of the same cost differ in something else.
        "2026-03-02,compute,p,10,SUD,-2\n2026-03-02,compute,q,10,CUD,-2",
        "2026-03-02,compute,p,10,SUD,-2\n2026-03-03,compute,p,10,CUD,-1",
        // Charges that are equal, each with the same credit, or one of them without.
        "2026-03-02,compute,p,10,SUD,-2\n2026-03-02,compute,p,10,SUD,-2",
        "2026-03-02,compute,p,10,SUD,-2\n2026-03-02,compute,p,10,,",
        // A cost of nothing repeats nothing.
        "2026-03-02,compute,p,0,SUD,-2\n2026-03-02,compute,p,0.00,CUD,-1",
    ] {
        let folder = Folder::new();
        let report = run(vec![source(&folder, "credits.amount", &format!("{header}\n{rows}"))]);
        assert_eq!(refused(&report, COST_REPEATED), None, "{rows}");
        assert_eq!(report.sources[0].charges, 2, "{rows}");
        // Only rows that are equal in all are doubtful.
        let is_told = rows == "2026-03-02,compute,p,10,SUD,-2\n2026-03-02,compute,p,10,SUD,-2";
        let warnings: Vec<&str> =
            report.sources[0].warnings.iter().map(|warning| warning.message.as_str()).collect();
        let told = "export.csv: 1 row is equal to another one in all columns, with credits: if \
                    that is one charge with two equal credits, 10.000000000 of its cost counts \
                    twice";
        let expect = if is_told { vec![told] } else { Vec::new() };
        assert_eq!(warnings, expect, "{rows}");
    }
}

/// The credits of a charge stand in two files, whose columns have other orders.
#[test]
fn credits_in_two_files_repeat_the_cost_too() {
    let first = "start,service,account,cost,credit.name,credit.amount
                 2026-03-02,compute,p,10,SUD,-2
                 2026-03-02,storage,p,7,SUD,-1";
    let second = "credit.amount,credit.name,start,cost,service,account
                  -1,CUD,2026-03-02,10,compute,p";
    let folder = Folder::new();
    let files = [("a.csv", first), ("b.csv", second)];
    let of = folder.source("gcp", &files);
    let batch = |(name, bill): (&str, &str)| {
        let header: Vec<&str> = bill.lines().next().unwrap().split(',').collect();
        let mapping = with_credits(super::mapping(name, &header), "credit.amount");
        Batch { rows: Rows::Mapped(mapping), ..Batch::default() }
    };
    let collector = Box::new(FakeCollector::new(files.map(batch).into()));
    let report = run(vec![Source { collector, ..of }]);
    let refused = refused(&report, COST_REPEATED).unwrap_or_default();
    assert!(
        refused.starts_with("b.csv: 1 row differs from another one in the columns credit.* alone"),
        "{refused}"
    );
    assert!(refused.ends_with("10.000000000 of its cost would count again"), "{refused}");
}
