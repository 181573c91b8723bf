//! The billed and the effective cost of a line.

use crate::columns::Columns;
use crate::options::{Cost, Options};
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
        if let Some(line_type) = columns.find(TYPE) {
            choices.extend(commitments(columns, options, line_type));
        }
        choices.extend(line_cost(columns, options.cost));
        choices
    };
    in_one(split_charges(columns, options).unwrap_or_else(own))
}

fn commitments(columns: &Columns<'_>, options: &Options, line_type: &str) -> Vec<Choice> {
    let mut choices = Vec::new();
    let mut when = |types: &[&str], value: Option<Value>| {
        choices.extend(value.map(|value| Choice::when(line_type, types, value)))
    };
    let column =
        |name: &str, net_name: &str| net(columns, options, name, net_name).map(str::to_owned);
    let zero = || Value::Constant("0".into());
    if let Some(covered) = column(
        "savings_plan_savings_plan_effective_cost",
        "savings_plan_net_savings_plan_effective_cost",
    ) {
        when(&["SavingsPlanCoveredUsage"], Some(Value::Column(covered)));
        when(&["SavingsPlanNegation", "SavingsPlanUpfrontFee"], Some(zero()));
    }
    let commitment = columns
        .find("savings_plan_total_commitment_to_date")
        .zip(columns.find("savings_plan_used_commitment"));
    when(
        &["SavingsPlanRecurringFee"],
        commitment.map(|(total, used)| Value::Sum(vec![Term::plus(total), Term::minus(used)])),
    );
    let reserved = column("reservation_effective_cost", "reservation_net_effective_cost");
    when(&["DiscountedUsage"], reserved.clone().map(Value::Column));
    let upfront = column(
        "reservation_unused_amortized_upfront_fee_for_billing_period",
        "reservation_net_unused_amortized_upfront_fee_for_billing_period",
    );
    let recurring =
        column("reservation_unused_recurring_fee", "reservation_net_unused_recurring_fee");
    when(
        &["RIFee"],
        upfront.zip(recurring).map(|(upfront, recurring)| {
            Value::Sum(vec![Term::plus(upfront), Term::plus(recurring)])
        }),
    );
    if let (Some(reservation), Some(_)) = (columns.find("reservation_reservation_a_r_n"), reserved)
    {
        choices.push(Choice::when(line_type, &["Fee"], zero()).and_filled(reservation));
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
