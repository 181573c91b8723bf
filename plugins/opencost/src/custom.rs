//! Custom costs → charges: the costs that OpenCost's own plugins collected from vendors.

use crate::options::Options;
use crate::row::{Found, Object, number, text, window};
use crate::wants_charges;
use apportion_plugin_sdk::{Charge, Dimension, Error, Field, Tag};
use serde_json::Value;

const DIMENSIONS: [(&str, Field); 7] = [
    ("account_name", Field::SubAccountName),
    ("zone", Field::RegionId),
    ("provider_id", Field::ResourceId),
    ("resource_name", Field::ResourceName),
    ("resource_type", Field::ResourceType),
    ("description", Field::ChargeDescription),
    ("usage_unit", Field::ConsumedUnit),
];

pub fn read(place: &str, data: &Object, options: &Options, found: &mut Found) -> Result<(), Error> {
    wants_charges(options, "custom costs")?;
    let costs = data.get("customCosts").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    for (at, value) in costs.iter().enumerate() {
        found.rows += 1;
        let location = format!("{place} customCosts[{at}]");
        let Some(row) = value.as_object() else {
            found.reject(&location, "it is no object".into(), value);
            continue;
        };
        match charge(row, data, options) {
            Ok((charge, is_long)) => {
                if is_long {
                    found.warn(format!(
                        "{place}: the window is longer than a day, and all of it \
                        is of its first day: ask OpenCost for one day"
                    ));
                }
                found.charges.push(charge);
            }
            Err(reason) => found.reject(&location, reason, value),
        }
    }
    Ok(())
}

fn charge(row: &Object, data: &Object, options: &Options) -> Result<(Charge, bool), String> {
    let window = window(data, None)?;
    let cost = |name: &str| {
        if row.contains_key(name) {
            number(row, name).map(|cost| cost.to_string())
        } else {
            Err(format!("it has no {name}"))
        }
    };
    let category =
        match text(row, "charge_category").unwrap_or("usage").to_ascii_lowercase().as_str() {
            "usage" => "Usage",
            "purchase" => "Purchase",
            "tax" => "Tax",
            "credit" => "Credit",
            "adjustment" => "Adjustment",
            other => {
                return Err(format!(
                    "charge_category: '{other}' is none of FOCUS: usage, purchase, tax, credit, \
                 adjustment"
                ));
            }
        };
    let domain =
        text(row, "domain").ok_or("it has no domain, so that nobody knows what it is for")?;
    let mut dimensions: Vec<Dimension> = DIMENSIONS
        .iter()
        .filter_map(|(name, field)| {
            Some(Dimension { field: *field, value: text(row, name)?.to_owned() })
        })
        .collect();
    dimensions.push(Dimension { field: Field::ProviderName, value: domain.to_owned() });
    let mut tags: Vec<Tag> = options
        .constants
        .iter()
        .map(|(key, value)| Tag { key: key.clone(), value: value.clone() })
        .collect();
    if let Some(source) = text(row, "cost_source") {
        tags.push(Tag { key: "cost_source".into(), value: source.to_owned() });
    }
    let charge = Charge {
        charge_period_start: window.start,
        billed_cost: cost(options.billed.unwrap_or("billedCost"))?,
        effective_cost: cost(options.effective.or(options.billed).unwrap_or("billedCost"))?,
        billing_currency: options.currency.clone(),
        service_name: domain.to_owned(),
        charge_category: category.to_owned(),
        dimensions,
        tags,
        ..Charge::default()
    };
    Ok((charge, window.is_long))
}
