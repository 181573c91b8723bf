//! A row of an export as JSON → its charge, and one for each of its credits.

use crate::settings::Credits;
use apportion_plugin_sdk::{Charge, Error, Field};
use json_api::{Api, Day, Fault, Node, Rows, Service, Then, charge, dimension, sum, tag};
use serde_json::Value;

/// The fields of nested members.
const DIMENSIONS: [(&str, &str, Field); 13] = [
    ("invoice", "month", Field::InvoiceId),
    ("project", "id", Field::SubAccountId),
    ("project", "name", Field::SubAccountName),
    ("location", "zone", Field::AvailabilityZone),
    ("resource", "global_name", Field::ResourceId),
    ("resource", "name", Field::ResourceName),
    ("sku", "description", Field::ChargeDescription),
    ("sku", "description", Field::SkuMeter),
    ("sku", "id", Field::SkuId),
    ("usage", "pricing_unit", Field::PricingUnit),
    ("usage", "unit", Field::ConsumedUnit),
    ("consumption_model", "description", Field::PricingCategory),
    ("subscription", "instance_id", Field::CommitmentDiscountId),
];

/// The charges of a row: its own, and one for each of its credits.
pub fn charges(row: &Node, how: Credits) -> Result<Vec<Charge>, Fault> {
    let gross = row.at("cost")?.amount()?;
    let credits = credits(row)?;
    let amounts =
        std::iter::once(gross.as_str()).chain(credits.iter().map(|credit| credit.amount.as_str()));
    let cost = match how {
        Credits::Net => {
            sum(amounts).ok_or_else(|| row.fault("its cost and credits cannot be added up"))?
        }
        Credits::Gross | Credits::Charges => gross.clone(),
    };
    let category = match row.text_of("cost_type")? {
        Some("tax") => "Tax",
        Some("adjustment" | "rounding_error") => "Adjustment",
        _ => "Usage",
    };
    let service = row
        .get("service")
        .map_or(Ok(None), |service| service.text_of("description"))?
        .unwrap_or("Google Cloud");
    let start = row.at("usage_start_time")?.day()?.midnight();
    let mut own = charge(start, cost, row.at("currency")?.text()?, service, category);
    describe(&mut own, row)?;
    measure(&mut own, row)?;
    let mut charges = vec![own];
    if how == Credits::Charges {
        let own = charges.clone();
        charges.extend(own.iter().flat_map(|own| credits.iter().map(|credit| credit.charge(own))));
    }
    Ok(charges)
}

struct Credit {
    amount: String,
    name: Option<String>,
}

impl Credit {
    /// The charge of a credit: like the charge that the credit is for.
    fn charge(&self, about: &Charge) -> Charge {
        let mut charge = about.clone();
        charge.charge_category = "Credit".into();
        charge.billed_cost.clone_from(&self.amount);
        charge.effective_cost.clone_from(&self.amount);
        // The quantity and the prices are those of the charge that the credit is for.
        charge.pricing_quantity = None;
        charge.consumed_quantity = None;
        charge.list_unit_price = None;
        charge.contracted_unit_price = None;
        charge.list_cost = None;
        charge.dimensions.retain(|dimension| dimension.field != Field::ChargeDescription);
        dimension(&mut charge, Field::ChargeDescription, self.name.as_deref());
        charge
    }
}

fn credits(row: &Node) -> Result<Vec<Credit>, Fault> {
    let Some(credits) = row.get("credits") else { return Ok(Vec::new()) };
    let read = |credit: Node| {
        let name =
            credit.text_of("full_name")?.or(credit.text_of("name")?).or(credit.text_of("type")?);
        Ok(Credit { amount: credit.at("amount")?.amount()?, name: name.map(str::to_owned) })
    };
    credits.items()?.into_iter().map(read).collect()
}

fn describe(charge: &mut Charge, row: &Node) -> Result<(), Fault> {
    for field in [Field::ProviderName, Field::PublisherName] {
        dimension(charge, field, Some("Google Cloud"));
    }
    dimension(
        charge,
        Field::InvoiceIssuerName,
        row.text_of("seller_name")?.or(Some("Google Cloud")),
    );
    dimension(charge, Field::BillingAccountId, row.text_of("billing_account_id")?);
    for (record, member, field) in DIMENSIONS {
        if let Some(record) = row.get(record) {
            dimension(charge, field, record.text_of(member)?);
        }
    }
    if let Some(location) = row.get("location") {
        dimension(
            charge,
            Field::RegionId,
            location.text_of("region")?.or(location.text_of("location")?),
        );
    }
    // From afar to near: of equal keys the last wins.
    let labels = [
        row.get("tags"),
        row.get("project").and_then(|project| project.get("labels")),
        row.get("labels"),
    ];
    for labels in labels.into_iter().flatten() {
        for label in labels.items()? {
            tag(charge, label.at("key")?.text()?, label.text_of("value")?);
        }
    }
    Ok(())
}

/// The billing period, quantities and prices.
fn measure(charge: &mut Charge, row: &Node) -> Result<(), Fault> {
    if let Some(invoice) = row.get("invoice") {
        charge.billing_period_start = invoice.text_of("month")?.and_then(first_day);
    }
    let amount = |record: &Node, name: &str| {
        let found = record.get(name).filter(|amount| !amount.value.is_null());
        found.map(|amount| amount.amount()).transpose()
    };
    if let Some(usage) = row.get("usage") {
        charge.pricing_quantity = amount(&usage, "amount_in_pricing_units")?;
        charge.consumed_quantity = amount(&usage, "amount")?;
    }
    charge.list_cost = amount(row, "cost_at_list")?;
    let Some(price) = row.get("price") else { return Ok(()) };
    // A price of several units at once would be read as that of one.
    if amount(&price, "pricing_unit_quantity")?.is_some_and(|units| ["1", "1.0"].contains(&&*units))
    {
        charge.list_unit_price = amount(&price, "list_price")?;
        charge.contracted_unit_price = amount(&price, "effective_price")?;
    }
    Ok(())
}

/// The first day of a month such as `202603`.
fn first_day(month: &str) -> Option<String> {
    Day::from_compact(&format!("{month}01")).map(|day| day.to_string())
}

/// Exports in JSON, with one row a line.
pub struct Lines {
    pub credits: Credits,
}

impl Service for Lines {
    type Kind = ();

    fn api(&self) -> Api {
        Api { name: "Google Cloud", credential: "nothing is asked" }
    }

    /// The lines as a list. A line that is not JSON stays text, and is later set aside as a broken
    /// row.
    fn file(&self, name: &str, bytes: &[u8]) -> Result<Value, Error> {
        let text = std::str::from_utf8(bytes)
            .map_err(|error| Error::config(format!("{name} is not UTF-8: {error}")))?;
        let lines =
            text.trim_start_matches('\u{feff}').lines().filter(|line| !line.trim().is_empty());
        Ok(lines
            .map(|line| serde_json::from_str(line).unwrap_or_else(|_| Value::String(line.into())))
            .collect())
    }

    fn kind(&self, _: &Node) -> Option<()> {
        Some(())
    }

    fn read(&mut self, (): (), answer: &Node, rows: &mut Rows) -> Result<Vec<Then<()>>, Fault> {
        for row in answer.items()? {
            rows.take(&row, |row| charges(row, self.credits));
        }
        Ok(Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(row: &str, how: Credits) -> Result<Vec<Charge>, String> {
        let row: Value = serde_json::from_str(row).unwrap();
        charges(&Node::root("export.json", &row), how).map_err(|fault| fault.reason)
    }

    const ROW: &str = r#"{"cost": 10.5, "currency": "USD", "usage_start_time": "2026-03-02",
        "invoice": {"month": "202604"}, "cost_at_list": 12, "credits": [{"amount": -1}],
        "usage": {"amount": 3600, "amount_in_pricing_units": 1.0, "pricing_unit": "hour"},
        "price": {"list_price": 12, "effective_price": 10.5, "pricing_unit_quantity": 1},
        "project": {"labels": [{"key": "team", "value": "a"}, {"key": "env", "value": "p"}]},
        "tags": [{"key": "team", "value": "z", "inherited": true, "namespace": "1"}],
        "labels": [{"key": "team", "value": "b"}]}"#;

    #[test]
    fn a_row_tells_its_billing_period_quantities_and_prices() {
        let charges = read(ROW, Credits::Charges).unwrap();
        let own = &charges[0];
        assert_eq!(own.billing_period_start.as_deref(), Some("2026-04-01"));
        assert_eq!(own.pricing_quantity.as_deref(), Some("1.0"));
        assert_eq!(own.consumed_quantity.as_deref(), Some("3600"));
        assert_eq!(own.list_cost.as_deref(), Some("12"));
        assert_eq!(own.list_unit_price.as_deref(), Some("12"));
        assert_eq!(own.contracted_unit_price.as_deref(), Some("10.5"));
        let credit = &charges[1];
        assert_eq!(credit.billed_cost, "-1");
        assert_eq!((credit.pricing_quantity.as_deref(), credit.list_cost.as_deref()), (None, None));
        assert_eq!(credit.billing_period_start, own.billing_period_start);
        let thousands =
            ROW.replace("\"pricing_unit_quantity\": 1", "\"pricing_unit_quantity\": 1000");
        assert_eq!(read(&thousands, Credits::Net).unwrap()[0].list_unit_price, None);
    }

    #[test]
    fn the_nearest_label_comes_last() {
        let charges = read(ROW, Credits::Net).unwrap();
        let tags: Vec<String> =
            charges[0].tags.iter().map(|tag| format!("{}={}", tag.key, tag.value)).collect();
        assert_eq!(tags, ["team=z", "team=a", "env=p", "team=b"]);
    }

    #[test]
    fn credits_that_cannot_be_read_set_their_row_aside() {
        for credits in [
            r#"[{"name": "a", "credit_amount": -4}]"#,
            r#"[{"amount": "-8,00"}]"#,
            r#"[{"amount": -1}, 7]"#,
            "\"garbage\"",
        ] {
            let row = ROW.replace(r#"[{"amount": -1}]"#, credits);
            assert!(read(&row, Credits::Net).is_err(), "{credits}");
        }
        assert!(read(&ROW.replace("\"cost\": 10.5", "\"cost\": null"), Credits::Net).is_err());
    }
}
