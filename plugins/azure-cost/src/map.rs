//! The columns of an export. One column has a dozen spellings: by agreement, version and language.

use apportion_plugin_sdk::table_decode::TableInfo;
use apportion_plugin_sdk::{Choice, DateOrder, Error, Origin, Rows, TagColumn, Value};
use table_settings::charges;
use table_settings::{Fed, word};

/// The costs that the files of the source hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cost {
    #[default]
    Actual,
    Amortized,
    /// Each file holds one of the two costs; its name says which.
    Both,
}

#[derive(Debug, Default)]
pub struct Options {
    charges: charges::Options,
    cost: Cost,
}

impl Options {
    pub fn parse(config: &str) -> Result<Options, Error> {
        let mut cost = Cost::default();
        // Dates with slashes are American in exports.
        let usual =
            charges::Options { date_order: DateOrder::MonthDayYear, ..charges::Options::default() };
        let charges = charges::Options::parse(config, usual, &["cost", "mode"], |key, value| {
            if key == "cost" {
                cost = word(
                    key,
                    value,
                    &[
                        ("actual", Cost::Actual),
                        ("amortized", Cost::Amortized),
                        ("both", Cost::Both),
                    ],
                )?;
            }
            Ok(key == "cost" || key == "mode")
        })?;
        Ok(Options { charges, cost })
    }
}

/// Spellings of each field's column, as `plain` writes them; the first that exists is taken.
pub fn spellings(field: &str) -> &'static [&'static str] {
    match field {
        "billed_cost" | "effective_cost" => {
            &["costinbillingcurrency", "cost", "pretaxcost", "extendedcost"]
        }
        "billing_currency" => {
            &["billingcurrency", "billingcurrencycode", "currency", "currencycode"]
        }
        "charge_period_start" => &["date", "usagedatetime", "usagedate"],
        "service_name" => &["metercategory", "servicename", "consumedservice"],
        "service_subcategory" => &["metersubcategory"],
        "service_category" => &["servicefamily"],
        "tags" => &["tags"],
        "invoice_id" => &["invoiceid", "invoicenumber"],
        "billing_account_id" => &["billingaccountid"],
        "billing_account_name" => &["billingaccountname"],
        "sub_account_id" => &["subscriptionid", "subscriptionguid"],
        "sub_account_name" => &["subscriptionname"],
        "region_id" => {
            &["resourcelocation", "resourcelocationnormalized", "location", "meterregion"]
        }
        "availability_zone" => &["availabilityzone"],
        "resource_id" => &["resourceid", "instanceid", "instancename"],
        "resource_name" => &["resourcename"],
        "resource_type" => &["resourcetype", "consumedservice"],
        "charge_description" => &["product", "productname", "metername"],
        "sku_id" => &["meterid"],
        "sku_meter" => &["metername"],
        "sku_price_id" => &["partnumber"],
        "pricing_unit" => &["unitofmeasure"],
        "publisher_name" => &["publishername"],
        "commitment_discount_id" => &["benefitid", "reservationid"],
        "commitment_discount_name" => &["benefitname", "reservationname"],
        _ => &[],
    }
}

/// One spelling for `Kategorie der Verbrauchseinheit (MeterCategory)` and `meterCategory`.
pub fn plain(header: &str) -> String {
    let header = header.trim().trim_start_matches('\u{feff}');
    let inner = header
        .strip_suffix(')')
        .and_then(|header| header.rsplit_once('('))
        .map_or(header, |(_, inner)| inner);
    inner.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

fn find<'a>(table: &'a TableInfo, spelling: &str) -> Option<&'a str> {
    table
        .columns
        .iter()
        .find(|column| plain(&column.name) == spelling)
        .map(|column| column.name.as_str())
}

fn first(table: &TableInfo, spellings: &[&str]) -> Option<Origin> {
    let found: Vec<&str> = spellings.iter().filter_map(|spelling| find(table, spelling)).collect();
    match found.as_slice() {
        [] => None,
        [header] => Some(Origin::Column((*header).into())),
        several => Some(Origin::FirstOf(
            several.iter().map(|header| Choice::always(Value::Column((*header).into()))).collect(),
        )),
    }
}

pub fn map(table: &TableInfo, options: &Options) -> Result<Vec<Rows>, Error> {
    let cost = || {
        spellings("billed_cost")
            .iter()
            .find_map(|spelling| find(table, spelling))
            .map(|header| Origin::Column(header.into()))
    };
    let is_amortized = table.name.to_ascii_lowercase().contains("amortized");
    // Two files list the same usage, and each gives one of the two costs.
    let other = match options.cost {
        Cost::Both if is_amortized => Some("billed_cost"),
        Cost::Both => Some("effective_cost"),
        Cost::Actual | Cost::Amortized => None,
    };
    let usual = |fed: &Fed| {
        Ok(match fed.name {
            name if Some(name) == other => Some(Origin::Constant("0".into())),
            "billed_cost" | "effective_cost" => cost(),
            "charge_category" => by(table, "chargetype", CATEGORIES),
            "charge_class" => by(table, "chargetype", &[(&["Refund", "refund"], "Correction")]),
            "charge_frequency" => by(table, "frequency", FREQUENCIES),
            "provider_name" => Some(Origin::Constant("Microsoft".into())),
            "publisher_name" => first(table, spellings("publisher_name"))
                .or_else(|| Some(Origin::Constant("Microsoft".into()))),
            "commitment_discount_status" => status(table),
            name => first(table, spellings(name)),
        })
    };
    let mut mapping = charges::map(table, &options.charges, &usual)?;
    if let Some(group) = find(table, "resourcegroup").or_else(|| find(table, "resourcegroupname"))
        && !mapping.tag_columns.iter().any(|tag| tag.key == "resource_group")
    {
        mapping.tag_columns.push(TagColumn { key: "resource_group".into(), column: group.into() });
    }
    Ok(vec![Rows::Mapped(mapping)])
}

type ByValue = [(&'static [&'static str], &'static str)];

const CATEGORIES: &ByValue = &[
    (&["Purchase", "purchase"], "Purchase"),
    (&["Tax", "tax"], "Tax"),
    (&["Refund", "refund", "Credit", "credit"], "Credit"),
    (&["Adjustment", "RoundingAdjustment", "roundingadjustment"], "Adjustment"),
    (&[], "Usage"),
];

const FREQUENCIES: &ByValue = &[
    (&["OneTime", "onetime"], "One-Time"),
    (&["Recurring", "recurring"], "Recurring"),
    (&["UsageBased", "usagebased"], "Usage-Based"),
];

/// A text chosen by the value of a column. The text without values fits all, even without the
/// column.
fn by(table: &TableInfo, spelling: &str, texts: &ByValue) -> Option<Origin> {
    let header = find(table, spelling);
    let choice = |(values, text): &(&[&str], &str)| {
        let value = Value::Constant((*text).into());
        if values.is_empty() {
            Some(Choice::always(value))
        } else {
            Some(Choice::when(header?, values, value))
        }
    };
    let choices: Vec<Choice> = texts.iter().filter_map(choice).collect();
    (!choices.is_empty()).then_some(Origin::FirstOf(choices))
}

fn status(table: &TableInfo) -> Option<Origin> {
    let charge_type = find(table, "chargetype")?;
    let mut choices = vec![Choice::when(
        charge_type,
        &["UnusedReservation", "UnusedSavingsPlan"],
        Value::Constant("Unused".into()),
    )];
    if let Some(model) = find(table, "pricingmodel") {
        let used = Choice::when(charge_type, &["Usage"], Value::Constant("Used".into()));
        choices.push(used.and(model, &["Reservation", "SavingsPlan"]));
    }
    Some(Origin::FirstOf(choices))
}

#[cfg(test)]
mod tests {
    use super::*;
    use apportion_plugin_sdk::table_decode::Column;
    use apportion_plugin_sdk::{Feed, Field, Mapping};

    fn mapped(name: &str, header: &str, config: &str) -> Mapping {
        let columns = header
            .split(',')
            .map(|name| Column { name: name.into(), kind: "text".into() })
            .collect();
        let table = TableInfo { name: name.into(), format: "csv".into(), columns };
        match map(&table, &Options::parse(config).unwrap()).unwrap().remove(0) {
            Rows::Mapped(mapping) => mapping,
            other => panic!("{other:?}"),
        }
    }

    fn origin(mapping: &Mapping, feed: Feed) -> Option<Origin> {
        mapping.feeds.iter().find(|from| from.feed == feed).map(|from| from.origin.clone())
    }

    fn column(name: &str) -> Option<Origin> {
        Some(Origin::Column(name.into()))
    }

    #[test]
    fn all_spellings_of_a_column_are_one() {
        for (header, currency, cost, date) in [
            (
                "Date,CostInBillingCurrency,BillingCurrencyCode",
                "BillingCurrencyCode",
                "CostInBillingCurrency",
                "Date",
            ),
            (
                "date,costInBillingCurrency,billingCurrency,meterCategory",
                "billingCurrency",
                "costInBillingCurrency",
                "date",
            ),
            ("UsageDateTime,PreTaxCost,Currency", "Currency", "PreTaxCost", "UsageDateTime"),
            (
                "Datum (Date),Kosten (Cost),Währung (Currency)",
                "Währung (Currency)",
                "Kosten (Cost)",
                "Datum (Date)",
            ),
        ] {
            let mapping = mapped("export.csv", header, "");
            assert_eq!(origin(&mapping, Feed::BillingCurrency), column(currency), "{header}");
            assert_eq!(origin(&mapping, Feed::BilledCost), column(cost), "{header}");
            assert_eq!(origin(&mapping, Feed::EffectiveCost), column(cost), "{header}");
            assert_eq!(origin(&mapping, Feed::ChargePeriodStart), column(date), "{header}");
        }
    }

    #[test]
    fn of_two_files_each_gives_one_of_the_two_costs() {
        let header = "Date,Cost,BillingCurrency,ChargeType,PricingModel,ResourceGroup";
        let zero = Some(Origin::Constant("0".into()));
        let amortized = mapped("exports/AmortizedCost_1.csv", header, r#"{"cost": "both"}"#);
        assert_eq!(
            (origin(&amortized, Feed::BilledCost), origin(&amortized, Feed::EffectiveCost)),
            (zero.clone(), column("Cost"))
        );
        let actual = mapped("exports/ActualCost_1.csv", header, r#"{"cost": "both"}"#);
        assert_eq!(
            (origin(&actual, Feed::BilledCost), origin(&actual, Feed::EffectiveCost)),
            (column("Cost"), zero)
        );
        assert_eq!(
            actual.tag_columns,
            [TagColumn { key: "resource_group".into(), column: "ResourceGroup".into() }]
        );
    }

    #[test]
    fn a_column_that_is_not_there_leaves_no_trace() {
        let mapping = mapped("export.csv", "Date,Cost,Currency", "");
        assert_eq!(origin(&mapping, Feed::Dimension(Field::CommitmentDiscountStatus)), None);
        assert_eq!(origin(&mapping, Feed::Dimension(Field::ChargeFrequency)), None);
        assert!(origin(&mapping, Feed::Dimension(Field::ChargeCategory)).is_some());
    }
}
