//! Days that somebody asks for, in files that tell no billing periods.

use super::{Bills, of_source, stated};
use ledger::Ledger;
use pipeline::source::DeliveryExtent;

#[test]
fn days_that_were_asked_for_are_as_the_files_have_them() {
    let both = ",2026-01-01,compute,a,1,USD\n,2026-01-02,compute,a,2,USD";
    let one = ",2026-01-02,compute,a,2,USD";
    for (extent, days) in [
        (None, vec!["- 2026-01-02 USD 2.00"]),
        (Some(DeliveryExtent::BillingPeriod), vec!["- 2026-01-02 USD 2.00"]),
        (Some(DeliveryExtent::Day), vec!["- 2026-01-01 USD 1.00", "- 2026-01-02 USD 2.00"]),
    ] {
        let (mut bills, mut ledger) = (Bills::new(), Ledger::in_memory().unwrap());
        bills.extent = extent;
        bills.run(&mut ledger, &[("a.csv", both)]);
        // Nobody asked for the first day.
        let report = bills.run(&mut ledger, &[("a.csv", one)]);
        assert_eq!((of_source(&report).withdrawn.len(), stated(&ledger).len()), (0, 2));
        bills.asked = Some(("2026-01-02", "2026-02-01"));
        bills.run(&mut ledger, &[("a.csv", one)]);
        assert_eq!(stated(&ledger).len(), 2);
        bills.asked = Some(("2026-01-01", "2026-02-01"));
        let report = bills.run(&mut ledger, &[("a.csv", one)]);
        assert_eq!(stated(&ledger), days, "{extent:?}");
        let sums = of_source(&report).withdrawn.iter().map(|gone| gone.billed.rounded_text(2));
        let gone = if days.len() == 1 { vec!["1.00".to_owned()] } else { Vec::new() };
        assert_eq!(sums.collect::<Vec<_>>(), gone, "{extent:?}");
        assert_eq!(ledger.verify(&mut |_| {}).unwrap().findings, []);
    }
}
