//! Details of columnar files, whose numbers are no texts.

use super::{mapping, stored};
use crate::fakes::{rules, source, try_run, write_parquet};
use arrow_array::{ArrayRef, Decimal128Array, StringArray};
use domain::charge::KeptDetails;
use domain::field::Field;
use domain::mapping::{Feed, FeedFrom, Origin};
use domain::port::{Batch, GrantedTable, Rows};
use domain::run::RunState;
use domain::text_form::TextForm;
use ledger::Ledger;
use pipeline::source::Source;
use std::sync::Arc;
use test_support::fakes::FakeCollector;

/// A decimal column of ten places.
fn decimals(units: [Option<i128>; 4]) -> ArrayRef {
    let column = Decimal128Array::from(units.to_vec());
    Arc::new(column.with_precision_and_scale(38, 10).unwrap())
}

/// In units of 10⁻¹⁰: rows one and two have the same price, row three that of its negative, and row
/// four none. The list cost is the billed cost in row one, and is not known in row four.
#[test]
fn numbers_of_columnar_files_are_prices_and_costs_to_the_digit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bill.parquet");
    let columns: [(&str, ArrayRef); 6] = [
        ("start", Arc::new(StringArray::from(vec!["2026-03-01"; 4]))),
        ("service", Arc::new(StringArray::from(vec!["a", "b", "c", "d"]))),
        ("cost", decimals([11_136_000_000, 5, 10_000_000_000, 70_000_000_000].map(Some))),
        ("list", decimals([Some(11_136_000_000), Some(15), Some(-10_000_000_000), None])),
        ("quantity", decimals([Some(240_000_000_000), None, Some(0), Some(1)])),
        ("price", decimals([Some(464_000_000), Some(464_000_000), Some(-464_000_000), None])),
    ];
    write_parquet(&path, columns);
    let mut mapping = mapping("bill.parquet");
    mapping.feeds.retain(|from| from.feed != Feed::Dimension(Field::INVOICE_ID));
    let price = Origin::Column("price".into());
    mapping.feeds.push(FeedFrom { feed: Feed::ListUnitPrice, origin: price });
    let batch = Batch { rows: Rows::Mapped(mapping), ..Batch::default() };
    let mut bill = Source {
        collector: Box::new(FakeCollector::new(vec![batch])),
        kept: KeptDetails::ALL,
        ..source("bill", Vec::new())
    };
    let (name, form) = ("bill.parquet".into(), TextForm::default());
    bill.request.tables = vec![GrantedTable { name, path, form }];
    let mut ledger = Ledger::in_memory().unwrap();
    let report = try_run(&mut ledger, vec![bill], &rules()).unwrap();
    assert_eq!(report.state, RunState::Complete);
    // Half a nano goes to the even one: 0.0000000005 is nothing, and 0.0000000015 is two nanos.
    assert_eq!(
        stored(&ledger),
        [
            "- a  1.1136 1.1136 - 0.0464 - 24 - - -",
            "- b  0 0.000000002 - 0.0464 - - - - -",
            "- c  1 -1 - -0.0464 - 0 - - -",
            "- d  7 - - - - 0.0000000001 - - -",
        ]
    );
}
