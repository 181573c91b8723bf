//! Sentences about deliveries that do not count, and about money that stands in the ledger and
//! changes. A run and a check before it say the same. No money goes without a word.

use domain::period::Day;
use domain::port::Delivery;
use installation::amount_text::counted;
use pipeline::report::SourceReport;
use pipeline::withdraw::{Restatement, Withdrawal};
use std::collections::BTreeMap;

/// Names that are shown of deliveries that are left out for one reason.
const LEFT_OUT_SHOWN: usize = 3;

/// The deliveries that do not count: one line for each reason.
pub fn left_out(deliveries: &[Delivery]) -> Vec<String> {
    let mut by_reason: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for delivery in deliveries {
        if let Some(reason) = &delivery.left_out {
            by_reason.entry(reason).or_default().push(&delivery.name);
        }
    }
    let line = |(reason, names): (&str, Vec<&str>)| {
        format!("{}: {reason}", shortened(&names, LEFT_OUT_SHOWN))
    };
    by_reason.into_iter().map(line).collect()
}

/// The first names, and how many there are beyond them.
pub fn shortened(names: &[&str], shown: usize) -> String {
    let first: Vec<&str> = names.iter().take(shown).copied().collect();
    match names.len().saturating_sub(shown) {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

/// The days that are restated or taken back, or would be.
pub fn of_standing_days(source: &SourceReport) -> Vec<String> {
    let mut lines: Vec<String> = source.restated.iter().map(restatement).collect();
    lines.extend(source.withdrawn.iter().map(withdrawal));
    if source.withdrawn.iter().any(|gone| gone.billing_period.is_some()) {
        lines.push(
            "  if its files are never a whole billing period, write: delivery = \"day\"".into(),
        );
    }
    if source.days_taken_over > 0 {
        let days = counted(source.days_taken_over, "day", "days");
        lines.push(format!("{days} taken back under a former name, since it states them itself"));
    }
    if source.days_kept > 0 {
        lines.push(format!(
            "{} that the source does not have any more stay, until all its rows can be read",
            counted(source.days_kept, "day", "days")
        ));
    }
    lines
}

/// The estimates that do not count any more.
pub fn of_estimates(source: &SourceReport) -> Option<String> {
    let estimates = counted(source.billed, "estimate", "estimates");
    let days = counted(source.days_taken_back, "day", "days");
    let are_some = source.billed > 0 || source.days_taken_back > 0;
    are_some.then(|| format!("{estimates} left out, which the bill has by now; {days} taken back"))
}

fn restatement(restatement: &Restatement) -> String {
    let Restatement { currency, billed, billed_before, effective, effective_before, .. } =
        restatement;
    format!(
        "{} restated: {currency} billed {billed}, {billed_before} before, effective \
         {effective}, {effective_before} before",
        days_of(restatement.days, restatement.billing_period)
    )
}

fn withdrawal(withdrawal: &Withdrawal) -> String {
    let Withdrawal { billing_period, currency, days, billed, effective } = withdrawal;
    format!(
        "{} taken back, which the source does not have any more: {currency} billed {billed}, \
         effective {effective}",
        days_of(*days, *billing_period)
    )
}

fn days_of(days: u64, billing_period: Option<Day>) -> String {
    let period =
        billing_period.map_or_else(String::new, |day| format!(" of the billing period of {day}"));
    format!("{}{period}", counted(days, "day", "days"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deliveries_that_are_left_out_share_a_line_by_reason() {
        let delivery = |name: &str, left_out: Option<&str>| Delivery {
            name: name.into(),
            billing_period: None,
            left_out: left_out.map(Into::into),
        };
        let older = Some("a newer run has the same month");
        let all: Vec<Delivery> = ["01", "02", "03", "04", "05"]
            .into_iter()
            .map(|run| delivery(run, older))
            .chain([
                delivery("06", None),
                delivery("half", Some("its manifest names a file that is missing")),
            ])
            .collect();
        assert_eq!(
            left_out(&all),
            [
                "01, 02, 03 and 2 more: a newer run has the same month",
                "half: its manifest names a file that is missing",
            ]
        );
    }

    #[test]
    fn long_lists_say_how_much_they_leave_out() {
        assert_eq!(shortened(&["a", "b"], 2), "a, b");
        assert_eq!(shortened(&["a", "b", "c"], 2), "a, b and 1 more");
        assert_eq!(shortened(&[], 2), "");
    }
}
