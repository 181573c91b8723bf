//! The plugin that a table is meant for, by its header.

use crate::has;
use apportion_plugin_sdk::table_decode::TableInfo;
use apportion_plugin_sdk::{Error, Problem};

/// A format of bills.
struct Format {
    plugin: &'static str,
    noun: &'static str,
    /// Columns that together no other format has.
    marks: &'static [&'static str],
}

const FORMATS: [Format; 5] = [
    Format {
        plugin: "aws-cur",
        noun: "a Cost and Usage Report of AWS",
        marks: &["line_item_unblended_cost"],
    },
    Format {
        plugin: "focus-file",
        noun: "a FOCUS export",
        marks: &["BilledCost", "ChargePeriodStart"],
    },
    Format { plugin: "azure-cost", noun: "a cost export of Azure", marks: &["MeterCategory"] },
    Format {
        plugin: "gcp-billing",
        noun: "a billing export of Google Cloud",
        marks: &["usage_start_time", "sku.description"],
    },
    Format {
        plugin: "gcp-billing",
        noun: "a cost table of Google Cloud's console",
        marks: &["Usage start date", "SKU description"],
    },
];

/// The same error. Where columns are missing because the table is of another plugin, it says so.
pub fn naming_the_plugin(own: &str, table: &TableInfo, error: Error) -> Error {
    let Error::MissingColumn(problem) = error else { return error };
    let is_meant = |format: &Format| format.marks.iter().all(|mark| has(table, mark));
    match FORMATS.iter().find(|format| is_meant(format)) {
        Some(format) if format.plugin != own => {
            let message = format!("{}: it looks like {}", problem.message, format.noun);
            let hint = format!("plugin = \"{}\"", format.plugin);
            Error::MissingColumn(Problem { message, hint: Some(hint), ..problem })
        }
        _ => Error::MissingColumn(problem),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use apportion_plugin_sdk::table_decode::Column;

    #[test]
    fn a_table_of_another_plugin_is_known_by_its_header() {
        for (own, header, meant) in [
            ("focus-file", "lineItem/UnblendedCost,lineItem/UsageStartDate", Some("aws-cur")),
            ("gcp-billing", "line_item_unblended_cost,bill_type", Some("aws-cur")),
            ("azure-cost", "BilledCost,ChargePeriodStart,x_SkuMeterCategory", Some("focus-file")),
            ("aws-cur", "billed_cost,charge_period_start", Some("focus-file")),
            ("focus-file", "Date,MeterCategory,CostInBillingCurrency", Some("azure-cost")),
            ("aws-cur", "usage_start_time,sku.description,cost", Some("gcp-billing")),
            ("azure-cost", "usage_start_time,sku_description,cost", Some("gcp-billing")),
            ("focus-file", "Usage start date,SKU description,Cost (€)", Some("gcp-billing")),
            // Its own format without a column, and a table of nobody.
            ("azure-cost", "MeterCategory,CostInBillingCurrency", None),
            ("gcp-billing", "usage_start_time,sku.description", None),
            ("focus-file", "day,amount", None),
        ] {
            let columns =
                header.split(',').map(|name| Column { name: name.into(), kind: "text".into() });
            let (name, format) = ("bill.csv".into(), "csv".into());
            let table = TableInfo { name, format, columns: columns.collect() };
            let missing = Problem::new("no column").hint("columns = { }").column("cost");
            let Error::MissingColumn(problem) =
                naming_the_plugin(own, &table, Error::MissingColumn(missing))
            else {
                panic!()
            };
            let hint =
                meant.map_or("columns = { }".into(), |meant| format!("plugin = \"{meant}\""));
            assert_eq!(problem.hint, Some(hint), "{own} {header}");
            assert_eq!(problem.message.contains("it looks like"), meant.is_some());
            assert_eq!(problem.column.as_deref(), Some("cost"));
        }
    }
}
