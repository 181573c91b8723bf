//! A row of an export as JSON → its charge, and one for each of its credits.

use crate::settings::Credits;
use apportion_plugin_sdk::{Charge, Error, Field};
use json_api::{Api, Fault, Node, Rows, Service, Then, charge, dimension, sum, tag};
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
    if let Some(labels) = row.get("labels") {
        for label in labels.items()? {
            tag(charge, label.at("key")?.text()?, label.text_of("value")?);
        }
    }
    Ok(())
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
