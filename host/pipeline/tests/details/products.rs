//! List and contracted costs that a bill does not say: quantity × unit price.

use super::{run, stored};
use domain::charge::KeptDetails;
use domain::run::RunState;
use ledger::Ledger;

fn lines(kept: KeptDetails, bill: &str) -> Vec<String> {
    let mut ledger = Ledger::in_memory().unwrap();
    assert_eq!(run(&mut ledger, kept, bill).state, RunState::Complete);
    assert_eq!(ledger.verify(&mut |_| {}).unwrap().findings, []);
    stored(&ledger)
}

#[test]
fn a_cost_that_is_not_said_is_quantity_times_price() {
    let bill = "
        2026-03-01 compute a 1 - - 0.05 0.0464 24 24 Hours -
        2026-03-01 refund a -2 - - 0.2 0.2 -10 -10 GB -
        2026-03-01 free a 0 - - 0.2 0.1 0 0 GB -
        2026-03-01 storage a 1 - - 2 1 123456789012345678901 1 B -
        2026-03-01 calls a 1 - - 0.0000000003 0.0000000005 3 3 Calls -
        2026-03-01 stated a 1 3.5 4.5 0.2 0.2 10 10 GB -
        2026-03-01 half b 1 3.5 - 0.2 0.3 10 10 GB -
    ";
    assert_eq!(
        lines(KeptDetails::default(), bill),
        [
            // 9e-10 and 1.5e-9, which is half-way and goes to the even nano.
            "- calls a 1 0.000000001 0.000000002 0.0000000003 0.0000000005 3 3 Calls -",
            // 24 × 0.05 and 24 × 0.0464.
            "- compute a 1 1.2 1.1136 0.05 0.0464 24 24 Hours -",
            "- free a 0 0 0 0.2 0.1 0 0 GB -",
            "- half b 1 3.5 3 0.2 0.3 10 10 GB -",
            "- refund a -2 -2 -2 0.2 0.2 -10 -10 GB -",
            "- stated a 1 3.5 4.5 0.2 0.2 10 10 GB -",
            "- storage a 1 246913578024691357802 123456789012345678901 2 1 \
             123456789012345678901 1 B -",
        ]
    );
}

#[test]
fn without_quantity_or_price_a_cost_stays_unknown() {
    let bill = "
        2026-03-01 compute a 1 - - - 0.0464 24 24 Hours -
        2026-03-01 storage a 1 - - 0.2 0.2 - 10 GB -
    ";
    assert_eq!(
        lines(KeptDetails::default(), bill),
        ["- compute a 1 - 1.1136 - 0.0464 24 24 Hours -", "- storage a 1 - - 0.2 0.2 - 10 GB -",]
    );
    // One of the two is not kept.
    let prices = KeptDetails { prices: true, ..KeptDetails::NONE };
    let whole = "2026-03-01 compute a 1 - - 0.05 0.0464 24 24 Hours -";
    assert_eq!(lines(prices, whole), ["- compute a 1 - - 0.05 0.0464 - - Hours -"]);
    let quantities = KeptDetails { quantities: true, ..KeptDetails::NONE };
    assert_eq!(lines(quantities, whole), ["- compute a 1 - - - - 24 24 Hours -"]);
}
