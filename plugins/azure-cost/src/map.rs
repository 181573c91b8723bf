//! The columns of an export. One column has a dozen spellings: by agreement, version and language.

use crate::settings::Basis;
use apportion_plugin_sdk::table_decode::TableInfo;
use apportion_plugin_sdk::{
    Choice, DateOrder, Error, Feed, Mapping, Origin, Rows, TagColumn, Value,
};
use table_settings::charges;
use table_settings::{FeedColumn, naming_the_plugin, settings, text, word};

/// The costs that the files of the source hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cost {
    /// Manifests, names and rows tell it.
    #[default]
    Told,
    Actual,
    Amortized,
    /// Each file holds one of the two costs. What is not known to be amortized is actual.
    Both,
}

#[derive(Debug)]
pub struct Options {
    charges: charges::Options,
    pub cost: Cost,
    /// The only export that is read, by the name of its folder.
    pub report: Option<String>,
    /// The order of dates with slashes, if the settings say it.
    pub date_order: Option<DateOrder>,
}

const COSTS_OF_FILES: &[(&str, Cost)] =
    &[("actual", Cost::Actual), ("amortized", Cost::Amortized), ("both", Cost::Both)];

impl Options {
    pub fn parse(config: &str) -> Result<Options, Error> {
        let (mut cost, mut report) = (Cost::default(), None);
        // Dates with slashes are American in exports.
        let usual =
            charges::Options { date_order: DateOrder::MonthDayYear, ..charges::Options::default() };
        let keys = &["cost", "mode", "report"];
        let charges = charges::Options::parse(config, usual, keys, |key, value| {
            match key {
                "cost" => cost = word(key, value, COSTS_OF_FILES)?,
                "report" => report = Some(text(key, value)?),
                "mode" => {}
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        let date_order = settings(config)?.get("date_order").map(|_| charges.date_order);
        Ok(Options { charges, cost, report, date_order })
    }
}

/// Spellings of the cost's column.
pub const COSTS: &[&str] = &["costinbillingcurrency", "cost", "pretaxcost", "extendedcost"];

/// Spellings of each field's column, as `plain` writes them; the first that exists is taken.
pub fn spellings(field: &str) -> &'static [&'static str] {
    match field {
        "billed_cost" | "effective_cost" => COSTS,
        "billing_currency" => {
            &["billingcurrency", "billingcurrencycode", "currency", "currencycode"]
        }
        "charge_period_start" => &["date", "usagedatetime", "usagedate"],
        "billing_period_start" => &["billingperiodstartdate"],
        "consumed_quantity" => &["quantity", "consumedquantity", "usagequantity"],
        "list_unit_price" => &["paygprice"],
        "contracted_unit_price" => &["unitprice"],
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

pub fn find<'a>(table: &'a TableInfo, spelling: &str) -> Option<&'a str> {
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

/// What an actual and an amortized export both have of the same usage. Only the actual one gives
/// it: all usage is in it, also what a commitment covers. In an amortized export alone there are
/// the unused hours of commitments, which nobody consumed.
const OF_ACTUAL: [Feed; 6] = [
    Feed::PricingQuantity,
    Feed::ConsumedQuantity,
    Feed::ListUnitPrice,
    Feed::ContractedUnitPrice,
    Feed::ListCost,
    Feed::ContractedCost,
];

/// The rows of a table. With a basis they give that one of the two costs, because another table
/// lists the same usage with the other one.
pub fn map(table: &TableInfo, options: &Options, basis: Option<Basis>) -> Result<Vec<Rows>, Error> {
    let cost = || {
        spellings("billed_cost")
            .iter()
            .find_map(|spelling| find(table, spelling))
            .map(|header| Origin::Column(header.into()))
    };
    // Prices in another currency than the cost would be taken for prices in the cost's.
    let is_in_other_currency =
        find(table, "pricingcurrency").is_some() || find(table, "pricingcurrencycode").is_some();
    let usual = |target: &FeedColumn| {
        Ok(match target.name {
            "billed_cost" | "effective_cost" => cost(),
            "list_unit_price" | "contracted_unit_price" if is_in_other_currency => None,
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
    let mut mapping = charges::map(table, &options.charges, &usual)
        .map_err(|error| naming_the_plugin("azure-cost", table, error))?;
    if let Some(basis) = basis {
        give_one_cost(&mut mapping, basis);
    }
    if let Some(group) = find(table, "resourcegroup").or_else(|| find(table, "resourcegroupname"))
        && !mapping.tag_columns.iter().any(|tag| tag.key == "resource_group")
    {
        mapping.tag_columns.push(TagColumn { key: "resource_group".into(), column: group.into() });
    }
    Ok(vec![Rows::Mapped(mapping)])
}

/// Leaves to the other table what it gives. Columns that the settings name are in both tables too.
fn give_one_cost(mapping: &mut Mapping, basis: Basis) {
    let other = match basis {
        Basis::Actual => Feed::EffectiveCost,
        Basis::Amortized => Feed::BilledCost,
    };
    for from in mapping.feeds.iter_mut().filter(|from| from.feed == other) {
        from.origin = Origin::Constant("0".into());
    }
    if basis == Basis::Amortized {
        mapping.feeds.retain(|from| !OF_ACTUAL.contains(&from.feed));
    }
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
    use apportion_plugin_sdk::Field;
    use apportion_plugin_sdk::table_decode::Column;

    fn mapped(header: &str, basis: Option<Basis>) -> Mapping {
        mapped_by(header, "", basis)
    }

    fn mapped_by(header: &str, config: &str, basis: Option<Basis>) -> Mapping {
        let columns = header
            .split(',')
            .map(|name| Column { name: name.into(), kind: "text".into() })
            .collect();
        let table = TableInfo { name: "export.csv".into(), format: "csv".into(), columns };
        match map(&table, &Options::parse(config).unwrap(), basis).unwrap().remove(0) {
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
            let mapping = mapped(header, None);
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
        let amortized = mapped(header, Some(Basis::Amortized));
        assert_eq!(
            (origin(&amortized, Feed::BilledCost), origin(&amortized, Feed::EffectiveCost)),
            (zero.clone(), column("Cost"))
        );
        let actual = mapped(header, Some(Basis::Actual));
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
    fn quantities_and_prices_are_taken_where_they_are_in_the_currency_of_the_cost() {
        let header = "Date,Cost,BillingCurrency,BillingPeriodStartDate,Quantity,UnitPrice,\
            PayGPrice,UnitOfMeasure";
        let mapping = mapped(header, None);
        for (feed, name) in [
            (Feed::BillingPeriodStart, "BillingPeriodStartDate"),
            (Feed::ConsumedQuantity, "Quantity"),
            (Feed::ContractedUnitPrice, "UnitPrice"),
            (Feed::ListUnitPrice, "PayGPrice"),
            (Feed::Dimension(Field::PricingUnit), "UnitOfMeasure"),
        ] {
            assert_eq!(origin(&mapping, feed), column(name));
        }
        // A price is for the unit, such as 100 hours, and the quantity is in hours.
        assert_eq!(origin(&mapping, Feed::PricingQuantity), None);
        let mapping = mapped(&format!("{header},PricingCurrency"), None);
        assert_eq!(origin(&mapping, Feed::ListUnitPrice), None);
        assert_eq!(origin(&mapping, Feed::ContractedUnitPrice), None);
        assert_eq!(origin(&mapping, Feed::ConsumedQuantity), column("Quantity"));
        let mapping =
            mapped("Date,ExtendedCost,Currency,Consumed Quantity,Subscription Name", None);
        assert_eq!(origin(&mapping, Feed::ConsumedQuantity), column("Consumed Quantity"));
        assert_eq!(
            origin(&mapping, Feed::Dimension(Field::SubAccountName)),
            column("Subscription Name")
        );
    }

    #[test]
    fn of_two_files_the_actual_one_gives_quantities_and_prices() {
        let header = "Date,Cost,BillingCurrency,Quantity,UnitPrice,PayGPrice,UnitOfMeasure,Hours";
        let config = r#"{"columns": {"pricing_quantity": "Hours", "billed_cost": "Cost",
            "effective_cost": "Cost", "list_cost": "Cost", "contracted_cost": "Cost"}}"#;
        let all = [
            Feed::PricingQuantity,
            Feed::ConsumedQuantity,
            Feed::ListUnitPrice,
            Feed::ContractedUnitPrice,
            Feed::ListCost,
            Feed::ContractedCost,
        ];
        for (basis, billed, effective, gives) in [
            (None, column("Cost"), column("Cost"), true),
            (Some(Basis::Actual), column("Cost"), Some(Origin::Constant("0".into())), true),
            (Some(Basis::Amortized), Some(Origin::Constant("0".into())), column("Cost"), false),
        ] {
            // Columns that the settings name are no exception.
            let mapping = mapped_by(header, config, basis);
            assert_eq!(origin(&mapping, Feed::BilledCost), billed, "{basis:?}");
            assert_eq!(origin(&mapping, Feed::EffectiveCost), effective, "{basis:?}");
            for feed in all {
                assert_eq!(origin(&mapping, feed).is_some(), gives, "{basis:?} {feed:?}");
            }
            // The unit stays: it describes the meter.
            assert_eq!(
                origin(&mapping, Feed::Dimension(Field::PricingUnit)),
                column("UnitOfMeasure")
            );
        }
    }

    #[test]
    fn a_column_that_is_not_there_leaves_no_trace() {
        let mapping = mapped("Date,Cost,Currency", None);
        assert_eq!(origin(&mapping, Feed::Dimension(Field::CommitmentDiscountStatus)), None);
        assert_eq!(origin(&mapping, Feed::Dimension(Field::ChargeFrequency)), None);
        assert!(origin(&mapping, Feed::Dimension(Field::ChargeCategory)).is_some());
    }
}
