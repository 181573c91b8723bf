//! Quantities and prices of a line, by their meaning in FOCUS.

use crate::columns::Columns;
use crate::cost::TYPE;
use crate::split::PARENT;
use apportion_plugin_sdk::{Choice, Origin, Value};

/// Lines that are usage, at prices of their own. The negation of a savings plan repeats the
/// quantity that it covers, and fees have no quantity that they are priced by.
const USAGE: [&str; 3] = ["Usage", "SavingsPlanCoveredUsage", "DiscountedUsage"];

/// A reservation's usage has no price of its own in the report: its unblended cost is zero.
const PRICED: [&str; 2] = ["Usage", "SavingsPlanCoveredUsage"];

pub fn origin(columns: &Columns<'_>, field: &str) -> Option<Origin> {
    match field {
        "pricing_quantity" | "consumed_quantity" => {
            of(columns, &USAGE, &["line_item_usage_amount"])
        }
        "list_unit_price" => of(columns, &USAGE, &["pricing_public_on_demand_rate"]),
        "list_cost" => of(columns, &USAGE, &["pricing_public_on_demand_cost"]),
        "contracted_unit_price" => {
            of(columns, &PRICED, &["line_item_net_unblended_rate", "line_item_unblended_rate"])
        }
        "contracted_cost" => {
            of(columns, &PRICED, &["line_item_net_unblended_cost", "line_item_unblended_cost"])
        }
        _ => None,
    }
}

/// A column of lines of some types. The rows of tasks and pods repeat a part of their instance, so
/// they have none.
fn of(columns: &Columns<'_>, types: &[&str], names: &[&str]) -> Option<Origin> {
    let line_type = columns.find(TYPE)?;
    let choice = |header: &str| {
        let choice = Choice::when(line_type, types, Value::Column(header.into()));
        match columns.find(PARENT) {
            Some(parent) => choice.and(parent, &[""]),
            None => choice,
        }
    };
    let choices: Vec<Choice> =
        names.iter().filter_map(|name| columns.find(name)).map(choice).collect();
    (!choices.is_empty()).then_some(Origin::FirstOf(choices))
}
