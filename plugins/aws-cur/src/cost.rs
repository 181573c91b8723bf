//! The billed and the effective cost of a line.

use crate::columns::Columns;
use crate::options::{Cost, Effective, Options};
use crate::split::split_charges;
use apportion_plugin_sdk::{Choice, Origin, Term, Value};

/// The column with the type of a line.
pub const TYPE: &str = "line_item_line_item_type";

pub fn billed(columns: &Columns<'_>, options: &Options) -> Option<Origin> {
    in_one(split_charges(columns, options).unwrap_or_else(|| line_cost(columns, options.cost)))
}

/// The line's own cost. Net columns only exist where there is a private agreement.
fn line_cost(columns: &Columns<'_>, cost: Cost) -> Vec<Choice> {
    let names: &[&str] = match cost {
        Cost::Unblended => &["line_item_unblended_cost"],
        Cost::Net => &["line_item_net_unblended_cost", "line_item_unblended_cost"],
        Cost::Blended => &["line_item_blended_cost"],
    };
    names
        .iter()
        .filter_map(|name| columns.find(name))
        .map(|header| Choice::always(Value::Column(header.into())))
        .collect()
}

/// The line's cost when payments for commitments are spread over the usage that they covered.
pub fn effective(columns: &Columns<'_>, options: &Options) -> Option<Origin> {
    let own = || {
        let mut choices = Vec::new();
        let line_type = columns.find(TYPE).filter(|_| options.effective == Effective::Amortized);
        if let Some(line_type) = line_type {
            choices.extend(commitments(columns, options, line_type));
        }
        choices.extend(line_cost(columns, options.cost));
        choices
    };
    in_one(split_charges(columns, options).unwrap_or_else(own))
}

/// Types of lines whose effective cost stands in columns of their own, with these columns.
const NEEDS: [(&[&str], &[&str]); 5] = [
    (
        &["SavingsPlanCoveredUsage", "SavingsPlanNegation", "SavingsPlanUpfrontFee"],
        &["savings_plan_savings_plan_effective_cost"],
    ),
    (
        &["SavingsPlanRecurringFee"],
        &["savings_plan_total_commitment_to_date", "savings_plan_used_commitment"],
    ),
    (&["DiscountedUsage"], &["reservation_effective_cost"]),
    (
        &["RIFee"],
        &[
            "reservation_unused_amortized_upfront_fee_for_billing_period",
            "reservation_unused_recurring_fee",
        ],
    ),
    // Only the reservation of a fee tells that it was paid for a commitment.
    (&["Fee"], &["reservation_reservation_a_r_n"]),
];

/// Types of lines whose effective cost cannot be known, each with the columns that the report
/// lacks for it.
pub fn unknown(columns: &Columns<'_>, options: &Options) -> Vec<(&'static str, Vec<&'static str>)> {
    if options.effective == Effective::Billed || split_charges(columns, options).is_some() {
        return Vec::new();
    }
    let has_reservations = columns.find("reservation_effective_cost").is_some();
    let mut unknown = Vec::new();
    for (types, names) in NEEDS {
        let lacking: Vec<&str> =
            names.iter().copied().filter(|name| columns.find(name).is_none()).collect();
        if !lacking.is_empty() && (types != ["Fee"] || has_reservations) {
            unknown.extend(types.iter().map(|line_type| (*line_type, lacking.clone())));
        }
    }
    unknown
}

fn commitments(columns: &Columns<'_>, options: &Options, line_type: &str) -> Vec<Choice> {
    let mut choices = Vec::new();
    let column =
        |name: &str, net_name: &str| net(columns, options, name, net_name).map(str::to_owned);
    let zero = || Value::Constant("0".into());
    let when = |types: &[&str], value: Value| Choice::when(line_type, types, value);
    if let Some(covered) = column(
        "savings_plan_savings_plan_effective_cost",
        "savings_plan_net_savings_plan_effective_cost",
    ) {
        choices.push(when(&["SavingsPlanCoveredUsage"], Value::Column(covered)));
        choices.push(when(&["SavingsPlanNegation", "SavingsPlanUpfrontFee"], zero()));
    }
    let commitment = columns
        .find("savings_plan_total_commitment_to_date")
        .zip(columns.find("savings_plan_used_commitment"));
    if let Some((total, used)) = commitment {
        // Without one of the two the rest would be a guess.
        let unused = Value::Sum(vec![Term::plus(total), Term::minus(used)]);
        let unused = when(&["SavingsPlanRecurringFee"], unused);
        choices.push(unused.and_filled(total).and_filled(used));
    }
    let reserved = column("reservation_effective_cost", "reservation_net_effective_cost");
    if let Some(reserved) = &reserved {
        choices.push(when(&["DiscountedUsage"], Value::Column(reserved.clone())));
    }
    let upfront = column(
        "reservation_unused_amortized_upfront_fee_for_billing_period",
        "reservation_net_unused_amortized_upfront_fee_for_billing_period",
    );
    let recurring =
        column("reservation_unused_recurring_fee", "reservation_net_unused_recurring_fee");
    if let Some((upfront, recurring)) = upfront.zip(recurring) {
        // Where nothing was paid upfront, AWS writes 0. An empty column is not known, as above.
        let unused =
            when(&["RIFee"], Value::Sum(vec![Term::plus(&upfront), Term::plus(&recurring)]));
        choices.push(unused.and_filled(upfront).and_filled(recurring));
    }
    if let (Some(reservation), Some(_)) = (columns.find("reservation_reservation_a_r_n"), reserved)
    {
        choices.push(when(&["Fee"], zero()).and_filled(reservation));
    }
    choices.extend(strict(columns, options, line_type));
    choices
}

/// Lines whose effective cost is not there. Their billed cost would be a guess, so a text that is
/// no amount stands for it: the host sets the row aside and shows the text.
fn strict(columns: &Columns<'_>, options: &Options, line_type: &str) -> Vec<Choice> {
    let lacking = unknown(columns, options);
    let mut choices = Vec::new();
    for (types, names) in NEEDS {
        for own in types {
            let missing = lacking.iter().find(|(known, _)| known == own);
            let text = match missing {
                Some((_, names)) => format!("unknown without {}", names.join(" and ")),
                // An empty column of a reservation means that a fee is of none.
                None if *own == "Fee" => continue,
                None => format!("unknown: {} is empty", names.join(" or ")),
            };
            choices.push(Choice::when(line_type, &[*own], Value::Constant(text)));
        }
    }
    choices
}

/// The column with the discounts of a private agreement, if the settings ask for net costs and it
/// exists; otherwise the usual column.
pub fn net<'a>(
    columns: &Columns<'a>,
    options: &Options,
    name: &str,
    net_name: &str,
) -> Option<&'a str> {
    let net = columns.find(net_name).filter(|_| options.cost == Cost::Net);
    net.or_else(|| columns.find(name))
}

/// One origin of all choices. A single choice that always fits becomes a plain column, which is
/// faster.
fn in_one(choices: Vec<Choice>) -> Option<Origin> {
    match choices.as_slice() {
        [] => None,
        [Choice { when, value: Value::Column(header) }] if when.is_empty() => {
            Some(Origin::Column(header.clone()))
        }
        _ => Some(Origin::FirstOf(choices)),
    }
}
