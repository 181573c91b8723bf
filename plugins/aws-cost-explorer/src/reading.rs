//! A row of Cost Explorer → a charge, and a quantity where the settings ask for one.

use crate::eks::{Cluster, component};
use crate::options::{GroupBy, Meaning, Options};
use apportion_plugin_sdk::aws::cost_explorer::{Granularity, Group, Metric, Row};
use apportion_plugin_sdk::{Charge, Dimension, Field, Rejected, Tag, Usage};

/// The service of charges that are not grouped by service.
const ALL_SERVICES: &str = "AWS";
const PROVIDER: &str = "AWS";

/// A row as a charge and a quantity.
#[derive(Clone, Debug, PartialEq)]
pub struct Read {
    pub charge: Charge,
    pub usage: Option<Usage>,
}

/// The parts of a charge that the keys of a row give.
#[derive(Default)]
struct Said {
    service: Option<String>,
    category: Option<String>,
    dimensions: Vec<Dimension>,
    tags: Vec<Tag>,
    /// The same keys, for usage.
    keys: Vec<Tag>,
}

pub fn read(row: &Row, options: &Options, cluster: Option<&Cluster>) -> Result<Read, Rejected> {
    let refused =
        |reason: String| Rejected { location: location(row), reason, excerpt: excerpt(row) };
    let (billed, currency) = amount(row, &options.metric_billed).map_err(refused)?;
    let (effective, effective_currency) =
        amount(row, &options.metric_effective).map_err(refused)?;
    if currency != effective_currency {
        return Err(refused(format!(
            "{} is in {currency} and {} in {effective_currency}",
            options.metric_billed, options.metric_effective
        )));
    }
    let mut said = said(row, options).map_err(refused)?;
    if let Some(cluster) = cluster {
        let usage_type = said
            .dimensions
            .iter()
            .find(|dimension| dimension.field == Field::SkuMeter)
            .map(|meter| meter.value.as_str());
        let part =
            component(said.service.as_deref().unwrap_or_default(), usage_type.unwrap_or_default());
        for (key, value) in [("eks_cluster", cluster.name.as_str()), ("eks_component", part)] {
            said.tags.push(Tag { key: key.into(), value: value.into() });
            said.keys.push(Tag { key: key.into(), value: value.into() });
        }
    }
    let usage =
        if options.usage_quantity { usage(row, &said.keys).map_err(refused)? } else { None };
    said.dimensions.push(Dimension { field: Field::ProviderName, value: PROVIDER.into() });
    if options.granularity == Granularity::Monthly {
        let value = format!("The month from {} up to {}", row.start, row.end);
        said.dimensions.push(Dimension { field: Field::ChargeDescription, value });
    }
    let service = said.service.unwrap_or_else(|| ALL_SERVICES.into());
    // Cost Explorer lists taxes as a service.
    let category = said
        .category
        .unwrap_or_else(|| if service == "Tax" { "Tax".into() } else { "Usage".into() });
    let charge = Charge {
        charge_period_start: format!("{}T00:00:00Z", row.start),
        billed_cost: billed.to_owned(),
        effective_cost: effective.to_owned(),
        billing_currency: currency.to_owned(),
        service_name: service,
        charge_category: category,
        dimensions: said.dimensions,
        tags: said.tags,
        ..Charge::default()
    };
    Ok(Read { charge, usage })
}

pub fn location(row: &Row) -> String {
    format!("{} {}", row.start, row.keys.join(" · ")).trim_end().to_owned()
}

pub fn excerpt(row: &Row) -> String {
    let metrics: Vec<String> = row
        .metrics
        .iter()
        .map(|metric| format!("{} {} {}", metric.name, metric.amount, metric.unit))
        .collect();
    metrics.join(", ")
}

fn amount<'r>(row: &'r Row, name: &str) -> Result<(&'r str, &'r str), String> {
    let metric = find(row, name).ok_or_else(|| format!("AWS gave no {name}"))?;
    match (metric.amount.as_str(), metric.unit.as_str()) {
        ("", _) => Err(format!("{name} has no amount")),
        (_, "" | "N/A") => Err(format!("{name} has no currency")),
        (amount, unit) => Ok((amount, unit)),
    }
}

fn find<'r>(row: &'r Row, name: &str) -> Option<&'r Metric> {
    row.metrics.iter().find(|metric| metric.name == name)
}

fn said(row: &Row, options: &Options) -> Result<Said, String> {
    if row.keys.len() != options.group_by.len() {
        return Err(format!(
            "{} groups were asked for, and AWS gave {}",
            options.group_by.len(),
            row.keys.len()
        ));
    }
    let mut said = Said::default();
    for (group, key) in options.group_by.iter().zip(&row.keys) {
        let value = value(group, key)?;
        if value.is_empty() {
            continue;
        }
        match &group.meaning {
            Meaning::Service => said.service = Some(value.to_owned()),
            Meaning::RecordType => said.category = Some(category(value, options)?),
            Meaning::Field(field) => {
                said.dimensions.push(Dimension { field: *field, value: value.to_owned() })
            }
            Meaning::Tag(tag) => said.tags.push(Tag { key: tag.clone(), value: value.to_owned() }),
        }
        said.keys.push(Tag { key: key_of_usage(group), value: value.to_owned() });
    }
    Ok(said)
}

/// AWS writes tags and cost categories as `key$value`, and as `key$` where they have no value.
fn value<'k>(group: &GroupBy, key: &'k str) -> Result<&'k str, String> {
    match &group.group {
        Group::Dimension(name) => {
            Ok(if name == "REGION" && key == "NoRegion" || name == "AZ" && key == "NoAZ" {
                ""
            } else {
                key
            })
        }
        Group::Tag(name) | Group::CostCategory(name) => {
            let value = key.strip_prefix(name.as_str()).and_then(|rest| rest.strip_prefix('$'));
            value.ok_or_else(|| {
                format!("'{key}' is not a value of '{name}', which begins with '{name}$'")
            })
        }
    }
}

fn key_of_usage(group: &GroupBy) -> String {
    match &group.meaning {
        Meaning::Tag(tag) => tag.clone(),
        Meaning::Field(Field::SubAccountId) => "sub_account_id".into(),
        _ => group.name.to_ascii_lowercase(),
    }
}

fn category(record_type: &str, options: &Options) -> Result<String, String> {
    if let Some((_, category)) = options.record_types.iter().find(|(known, _)| known == record_type)
    {
        return Ok(category.clone());
    }
    let category = match record_type {
        "Usage"
        | "DiscountedUsage"
        | "SavingsPlanCoveredUsage"
        | "SavingsPlanNegation"
        | "FlatRateSubscription" => "Usage",
        "Upfront"
        | "Recurring"
        | "RIFee"
        | "Fee"
        | "SavingsPlanUpfrontFee"
        | "SavingsPlanRecurringFee"
        | "Subscription"
        | "Support"
        | "Support fee"
        | "Upfront reservation fee"
        | "Recurring reservation fee"
        | "Savings Plan Upfront Fee"
        | "Savings Plan Recurring Fee" => "Purchase",
        "Tax" => "Tax",
        "Credit"
        | "Refund"
        | "Credits"
        | "BundledDiscount"
        | "Bundled Discount"
        | "EdpDiscount"
        | "Enterprise Discount Program Discount"
        | "PrivateRateDiscount"
        | "Private Rate Card Discount"
        | "Discount"
        | "Solution Provider Program Discount"
        | "DistributorDiscount" => "Credit",
        "Adjustment" | "Rounding" | "Other out-of-cycle charges" => "Adjustment",
        unknown => {
            return Err(format!(
                "the record type '{unknown}' is not known; say what it is with \
                 config.record_types = {{ \"{unknown}\" = \"Usage\" }}"
            ));
        }
    };
    Ok(category.to_owned())
}

/// A metric has one unit, so each unit becomes a metric of its own.
fn usage(row: &Row, keys: &[Tag]) -> Result<Option<Usage>, String> {
    let quantity = find(row, "UsageQuantity").ok_or("AWS gave no UsageQuantity")?;
    if quantity.amount.is_empty() {
        return Err("UsageQuantity has no amount".into());
    }
    let unit = match quantity.unit.as_str() {
        "" | "N/A" => "mixed",
        unit => unit,
    };
    let plain: String = unit
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' })
        .collect();
    Ok(Some(Usage {
        metric: format!("aws.usage.{plain}"),
        period_start: format!("{}T00:00:00Z", row.start),
        keys: keys.to_vec(),
        value: quantity.amount.clone(),
        unit: unit.to_owned(),
    }))
}
