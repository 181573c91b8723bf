//! Cloud costs → charges: the costs that OpenCost read from bills of clouds.

use crate::options::Options;
use crate::row::{Found, Object, number, object, text, window};
use crate::wants_charges;
use apportion_plugin_sdk::{Charge, Dimension, Error, Field, Tag};

/// OpenCost's names of a billed cost, and of an effective cost with commitments.
const BILLED: &str = "invoicedCost";
const EFFECTIVE: &str = "amortizedNetCost";

const DIMENSIONS: [(&str, Field); 8] = [
    ("provider", Field::ProviderName),
    ("invoiceEntityID", Field::BillingAccountId),
    ("invoiceEntityName", Field::BillingAccountName),
    ("accountID", Field::SubAccountId),
    ("accountName", Field::SubAccountName),
    ("regionID", Field::RegionId),
    ("availabilityZone", Field::AvailabilityZone),
    ("providerID", Field::ResourceId),
];

pub fn read(
    place: &str,
    costs: &Object,
    set: Option<&Object>,
    options: &Options,
    found: &mut Found,
) -> Result<(), Error> {
    wants_charges(options, "cloud costs")?;
    for (name, value) in costs {
        let Some(row) = value.as_object() else { continue };
        found.rows += 1;
        let location = format!("{place} {name}");
        match charge(name, row, set, options) {
            Ok((charge, is_long)) => {
                if is_long {
                    found.warn(format!(
                        "{place}: a window is longer than a day, and all of it is \
                        of its first day: ask OpenCost for accumulate=day"
                    ));
                }
                found.charges.push(charge);
            }
            Err(reason) => found.reject(&location, reason, value),
        }
    }
    Ok(())
}

fn charge(
    name: &str,
    row: &Object,
    set: Option<&Object>,
    options: &Options,
) -> Result<(Charge, bool), String> {
    let window = window(row, set)?;
    let cost = |metric: &str| {
        let cost = object(row, metric)
            .filter(|cost| cost.contains_key("cost"))
            .ok_or_else(|| format!("it has no {metric}"))?;
        number(cost, "cost")
            .map(|cost| cost.to_string())
            .map_err(|reason| format!("{metric}: {reason}"))
    };
    let empty = Object::new();
    let properties = object(row, "properties").unwrap_or(&empty);
    let known =
        |property: &str| text(properties, property).filter(|value| !value.starts_with("__"));
    let mut dimensions: Vec<Dimension> = DIMENSIONS
        .iter()
        .filter_map(|(property, field)| {
            Some(Dimension { field: *field, value: known(property)?.to_owned() })
        })
        .collect();
    if let Some(category) = known("category") {
        let value = match category {
            "Network" => "Networking",
            "Management" => "Management and Governance",
            other => other,
        };
        dimensions.push(Dimension { field: Field::ServiceCategory, value: value.to_owned() });
    }
    let labels = object(properties, "labels")
        .into_iter()
        .flatten()
        .filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)));
    let constants = options.constants.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    let tags = constants
        .chain(labels)
        .map(|(key, value)| Tag { key: key.to_owned(), value: value.to_owned() })
        .collect();
    let charge = Charge {
        charge_period_start: window.start,
        billed_cost: cost(options.billed.unwrap_or(BILLED))?,
        effective_cost: cost(options.effective.unwrap_or(EFFECTIVE))?,
        billing_currency: options.currency.clone(),
        // The cost of a whole provider or account has no single service.
        service_name: known("service").or_else(|| known("provider")).unwrap_or(name).to_owned(),
        charge_category: "Usage".into(),
        dimensions,
        tags,
        ..Charge::default()
    };
    Ok((charge, window.is_long))
}
