//! Header and settings → the mapping of a report.

use crate::columns::{Columns, tag_columns, tag_maps};
use crate::cost::{TYPE, billed, effective};
use crate::options::{Options, Split};
use crate::quantity;
use crate::split::split_usage;
use apportion_plugin_sdk::table_decode::TableInfo;
use apportion_plugin_sdk::{Choice, Error, Mapping, Origin, Problem, Rows, Value};
use table_settings::{FeedColumn, charges, naming_the_plugin};

/// The rows of a table: charges, and with `split = "usage"` usage.
pub fn map(table: &TableInfo, options: &Options) -> Result<Vec<Rows>, Error> {
    let columns = Columns::new(table);
    if columns.find("line_item_unblended_cost").is_none() {
        let names = "line_item_unblended_cost or lineItem/UnblendedCost";
        let problem = Problem::new(format!(
            "{} has no column {names}, so it is no Cost and Usage Report",
            table.name
        ));
        let problem = problem
            .hint("narrow the source's `paths` to the report's own files")
            .table(&table.name)
            .column("line_item_unblended_cost");
        return Err(naming_the_plugin("aws-cur", table, Error::MissingColumn(problem)));
    }
    let usual = |target: &FeedColumn| Ok(origin(&columns, options, target.name));
    let mut mapping = charges::map(table, &options.charges, &usual)?;
    // AWS adds columns to running reports: older rows then lack the last one.
    mapping.short_rows = true;
    add_tags(&columns, &mut mapping);
    let mut rows = Vec::new();
    if options.split == Split::Usage {
        rows.extend(split_usage(&columns, options).map(Rows::MappedUsage));
    }
    rows.push(Rows::Mapped(mapping));
    Ok(rows)
}

fn origin(columns: &Columns<'_>, options: &Options, field: &str) -> Option<Origin> {
    match field {
        "billed_cost" => billed(columns, options),
        "effective_cost" => effective(columns, options),
        "billing_currency" => columns.first(&["line_item_currency_code"]),
        "billing_period_start" => columns.first(&["bill_billing_period_start_date"]),
        "charge_period_start" => {
            columns.first(&["line_item_usage_start_date", "bill_billing_period_start_date"])
        }
        "service_name" => columns.first(&["product_product_name", "line_item_product_code"]),
        "charge_category" => by_type(columns, CATEGORIES),
        "charge_class" => by_type(columns, &[(&["Refund"], "Correction")]),
        "tags" => columns.first(&["resource_tags"]),
        "provider_name" | "publisher_name" => Some(Origin::Constant("AWS".into())),
        "invoice_issuer_name" => {
            columns.first(&["line_item_legal_entity", "bill_invoicing_entity"])
        }
        "invoice_id" => columns.first(&["bill_invoice_id"]),
        "billing_account_id" => columns.first(&["bill_payer_account_id"]),
        "billing_account_name" => columns.first(&["bill_payer_account_name"]),
        "sub_account_id" => columns.first(&["line_item_usage_account_id"]),
        "sub_account_name" => columns.first(&["line_item_usage_account_name"]),
        "region_id" => columns.first(&["product_region_code", "product_region"]),
        "region_name" => columns.first(&["product_location"]),
        "availability_zone" => columns.first(&["line_item_availability_zone"]),
        "resource_id" => columns.first(&["line_item_resource_id"]),
        "resource_type" => columns.first(&["product_product_family"]),
        "charge_description" => columns.first(&["line_item_line_item_description"]),
        "sku_id" => columns.first(&["product_sku"]),
        "sku_meter" => columns.first(&["line_item_usage_type"]),
        "sku_price_id" => columns.first(&["pricing_rate_code"]),
        "pricing_unit" | "consumed_unit" => columns.first(&["pricing_unit"]),
        "commitment_discount_id" => {
            columns.first(&["savings_plan_savings_plan_a_r_n", "reservation_reservation_a_r_n"])
        }
        "commitment_discount_status" => by_type(columns, STATUSES),
        _ => quantity::origin(columns, field),
    }
}

type ByType = [(&'static [&'static str], &'static str)];

const CATEGORIES: &ByType = &[
    (&["Tax"], "Tax"),
    (
        &[
            "Credit",
            "Refund",
            "EdpDiscount",
            "PrivateRateDiscount",
            "BundledDiscount",
            "Discount",
            "DistributorDiscount",
        ],
        "Credit",
    ),
    (&["Fee", "RIFee", "SavingsPlanUpfrontFee", "SavingsPlanRecurringFee"], "Purchase"),
    (&[], "Usage"),
];

const STATUSES: &ByType = &[
    (&["DiscountedUsage", "SavingsPlanCoveredUsage"], "Used"),
    (&["RIFee", "SavingsPlanRecurringFee"], "Unused"),
];

/// The first text whose types include the line's type. A text without types fits all.
fn by_type(columns: &Columns<'_>, texts: &ByType) -> Option<Origin> {
    let header = columns.find(TYPE)?;
    let choice = |(types, text): &(&[&str], &str)| {
        let value = Value::Constant((*text).into());
        if types.is_empty() { Choice::always(value) } else { Choice::when(header, types, value) }
    };
    Some(Origin::FirstOf(texts.iter().map(choice).collect()))
}

/// Adds the columns of tags. AWS puts a prefix before tags that users made, and the mapping drops
/// it.
fn add_tags(columns: &Columns<'_>, mapping: &mut Mapping) {
    mapping.tag_prefixes = vec!["user:".into(), "user_".into()];
    mapping.tag_maps = tag_maps(columns);
    for tag in tag_columns(columns) {
        if !mapping
            .tag_columns
            .iter()
            .any(|known| known.key == tag.key || known.column == tag.column)
        {
            mapping.tag_columns.push(tag);
        }
    }
}

#[cfg(test)]
#[path = "tests/map.rs"]
mod tests;
