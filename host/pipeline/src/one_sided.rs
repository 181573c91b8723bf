//! Days that have one kind of cost only, where other days of the source have both.
//!
//! Billed and effective cost can come from two exports, such as Azure's actual and amortized ones.
//! If one of them is a day older, its last day costs nobody anything.

use crate::code::COST_ONE_SIDED;
use crate::gather::ChargeDay;
use domain::diagnostic::Diagnostic;
use domain::hint::Hint;
use domain::period::Day;
use domain::run::DayTotals;
use std::collections::BTreeSet;

/// Days that are named.
const NAMED_MAX: usize = 3;

/// One warning for each kind of cost that days lack.
pub fn warnings<'t>(
    source: &str,
    totals: impl Iterator<Item = (&'t ChargeDay, &'t DayTotals)>,
) -> Vec<Diagnostic> {
    let (mut both, mut billed, mut effective) = (false, BTreeSet::new(), BTreeSet::new());
    for (day, totals) in totals {
        match (totals.billed.is_zero(), totals.effective.is_zero()) {
            (false, false) => both = true,
            (false, true) => drop(billed.insert(day.day)),
            (true, false) => drop(effective.insert(day.day)),
            (true, true) => {}
        }
    }
    let lacking = [("billed", "effective", billed), ("effective", "billed", effective)];
    let found = lacking.into_iter().filter(|(.., days)| both && !days.is_empty());
    found.map(|(has, lacks, days)| warning(source, has, lacks, &days)).collect()
}

fn warning(source: &str, has: &str, lacks: &str, days: &BTreeSet<Day>) -> Diagnostic {
    let named: Vec<String> = days.iter().take(NAMED_MAX).map(Day::to_string).collect();
    let more = if days.len() > NAMED_MAX { ", …" } else { "" };
    let message = format!(
        "{source}: {}{more} {} {has} cost and no {lacks} cost, and other days have both",
        named.join(", "),
        if days.len() == 1 { "has" } else { "have" }
    );
    Diagnostic::new(COST_ONE_SIDED, message).hint(Hint::text(format!(
        "see whether the files with the {lacks} costs are as new as the others"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::money::Sum;

    #[test]
    fn a_day_without_effective_cost_is_named() {
        let day = |day: i32, billed: i128, effective: i128| {
            let key = ChargeDay {
                day: Day::from_epoch(day),
                currency: "EUR".parse().unwrap(),
                billing_period: None,
            };
            let (billed, effective) = (Sum::from_nanos(billed), Sum::from_nanos(effective));
            (key, DayTotals { billed, effective, ..DayTotals::default() })
        };
        let texts = |days: &[(ChargeDay, DayTotals)]| -> Vec<String> {
            let days = days.iter().map(|(day, totals)| (day, totals));
            warnings("azure", days).into_iter().map(|warning| warning.message).collect()
        };
        assert_eq!(
            texts(&[day(0, 10, 10), day(1, 30, 0), day(2, 0, 0)]),
            ["azure: 1970-01-02 has billed cost and no effective cost, and other days have both"]
        );
        assert_eq!(texts(&[day(0, 10, 9), day(1, 30, 20)]), Vec::<String>::new());
        // A source of nothing but commitments.
        assert_eq!(texts(&[day(1, 30, 0)]), Vec::<String>::new());
    }
}
