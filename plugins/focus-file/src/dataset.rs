//! The FOCUS dataset and version of a table, told by its columns, because no bill names them.

use apportion_plugin_sdk::table_decode::TableInfo;
use apportion_plugin_sdk::{Error, Problem};
use table_settings::has;

/// FOCUS datasets without charges. Each has columns that only it has.
const OTHERS: [(&str, [&str; 2]); 3] = [
    ("Contract Commitment", ["ContractCommitmentId", "ContractCommitmentPeriodStart"]),
    ("Invoice Detail", ["InvoiceDetailId", "InvoiceIssueStatus"]),
    ("Billing Period", ["BillingPeriodStatus", "BillingPeriodStart"]),
];

/// Columns that came with each version, the newest first.
const VERSIONS: [(&str, &[&str]); 4] = [
    ("1.4", &["InvoiceDetailId", "CommitmentProgramEligibilityDetails"]),
    (
        "1.3",
        &[
            "ServiceProviderName",
            "HostProviderName",
            "ContractApplied",
            "AllocatedMethodId",
            "AllocatedResourceId",
        ],
    ),
    ("1.2", &["InvoiceId", "BillingAccountType", "SubAccountType", "PricingCurrency"]),
    (
        "1.1",
        &[
            "CapacityReservationId",
            "CommitmentDiscountQuantity",
            "ServiceSubcategory",
            "SkuMeter",
            "SkuPriceDetails",
        ],
    ),
];

/// The oldest version that has all the columns of the table.
pub fn version(table: &TableInfo) -> &'static str {
    if has(table, "ServiceProviderName") && !has(table, "ProviderName") {
        return "1.4";
    }
    let newest =
        VERSIONS.iter().find(|(_, columns)| columns.iter().any(|column| has(table, column)));
    newest.map_or("1.0", |(version, _)| version)
}

/// Refuses a dataset whose rows are not charges, and bills in another form.
pub fn refuse_others(table: &TableInfo) -> Result<(), Error> {
    if has(table, "lineItem/UnblendedCost") {
        let message = format!(
            "{} is a Cost and Usage Report and not FOCUS: beside a FOCUS export it would count the \
             same money twice",
            table.name
        );
        let problem = Problem::new(message).hint("plugin = \"aws-cur\"");
        return Err(Error::Config(problem.table(&table.name).column("lineItem/UnblendedCost")));
    }
    if has(table, "ChargePeriodStart") {
        return Ok(());
    }
    match OTHERS.iter().find(|(_, columns)| columns.iter().all(|column| has(table, column))) {
        None => Ok(()),
        Some((dataset, _)) => Err(Error::Config(
            Problem::new(format!(
                "{} is the FOCUS dataset {dataset}, whose rows are not charges",
                table.name
            ))
            .hint(
                "leave the file out of this source: its files should be those of the \
                    dataset Cost and Usage",
            )
            .table(&table.name),
        )),
    }
}
