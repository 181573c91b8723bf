//! What the pipeline would set aside, or could not make sense of.

use domain::charge::RawCharge;
use domain::decimal;
use domain::mapping::{Feed, Mapping, Origin};
use domain::money::Currency;
use domain::period::{DateOrder, parse_instant};
use domain::port::Delivery;

/// The parts of a charge that it may lack, by name.
fn optional(charge: &RawCharge) -> [(&'static str, &str); 7] {
    [
        ("billing_period_start", &charge.billing_period_start),
        ("pricing_quantity", &charge.pricing_quantity),
        ("consumed_quantity", &charge.consumed_quantity),
        ("list_unit_price", &charge.list_unit_price),
        ("contracted_unit_price", &charge.contracted_unit_price),
        ("list_cost", &charge.list_cost),
        ("contracted_cost", &charge.contracted_cost),
    ]
}

/// Refuses a charge that the pipeline would set aside.
pub fn charge(charge: &RawCharge) -> Result<(), String> {
    let costs = [("billed_cost", &charge.billed_cost), ("effective_cost", &charge.effective_cost)];
    for (name, amount) in costs {
        if decimal::parse(amount.as_bytes()).is_err() {
            return Err(format!("{name} '{amount}' is no amount"));
        }
    }
    if Currency::parse(charge.billing_currency.as_bytes()).is_err() {
        return Err(format!(
            "billing_currency '{}' is no currency such as EUR",
            charge.billing_currency
        ));
    }
    instant("charge_period_start", &charge.charge_period_start)?;
    for (name, text) in optional(charge).into_iter().filter(|(_, text)| !text.is_empty()) {
        told_field(name, text)?;
    }
    Ok(())
}

fn told_field(name: &str, text: &str) -> Result<(), String> {
    match name {
        "billing_period_start" => instant(name, text),
        _ if decimal::parse(text.as_bytes()).is_ok() => Ok(()),
        "pricing_quantity" | "consumed_quantity" => Err(format!("{name} '{text}' is no quantity")),
        _ => Err(format!("{name} '{text}' is no amount")),
    }
}

fn instant(name: &str, text: &str) -> Result<(), String> {
    parse_instant(text.as_bytes(), DateOrder::Iso)
        .map(|_| ())
        .map_err(|error| format!("{name}: {error}"))
}

/// The name of a feed that a charge may lack.
fn optional_feed(feed: Feed) -> Option<&'static str> {
    match feed {
        Feed::BillingPeriodStart => Some("billing_period_start"),
        Feed::PricingQuantity => Some("pricing_quantity"),
        Feed::ConsumedQuantity => Some("consumed_quantity"),
        Feed::ListUnitPrice => Some("list_unit_price"),
        Feed::ContractedUnitPrice => Some("contracted_unit_price"),
        Feed::ListCost => Some("list_cost"),
        Feed::ContractedCost => Some("contracted_cost"),
        _ => None,
    }
}

/// Refuses deliveries that contradict each other or the mapped tables.
pub fn deliveries(found: &[Delivery], mappings: &[Mapping]) -> Result<(), String> {
    for (number, delivery) in found.iter().enumerate() {
        if found[..number].iter().any(|known| known == delivery) {
            return Err(format!("it found the delivery '{}' twice", delivery.name));
        }
    }
    for mapping in mappings {
        for from in &mapping.feeds {
            if let (Some(name), Origin::Constant(text)) = (optional_feed(from.feed), &from.origin) {
                told_field(name, text)
                    .map_err(|fault| format!("its mapping of '{}': {fault}", mapping.table))?;
            }
        }
        let Some(period) = mapping.billing_period.filter(|_| !found.is_empty()) else { continue };
        let counts = |delivery: &Delivery| {
            delivery.left_out.is_none() && delivery.billing_period == Some(period)
        };
        if !found.iter().any(counts) {
            return Err(format!(
                "its mapping of '{}' states the billing period {period}, and no delivery that \
                 counts does",
                mapping.table
            ));
        }
    }
    Ok(())
}

/// What came beyond the fields that every charge has, in words for the author.
pub fn told(charges: &[RawCharge], mappings: &[Mapping], found: &[Delivery]) -> String {
    let of_charges = charges.iter().flat_map(|charge| {
        optional(charge).into_iter().filter(|(_, text)| !text.is_empty()).map(|(name, _)| name)
    });
    let of_mappings = mappings
        .iter()
        .flat_map(|mapping| mapping.feeds.iter().filter_map(|from| optional_feed(from.feed)));
    let mut names: Vec<&str> = Vec::new();
    for name in of_charges.chain(of_mappings) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let mut words = String::new();
    if !names.is_empty() {
        words = format!(", with {}", names.join(", "));
    }
    if !found.is_empty() {
        let left_out = found.iter().filter(|delivery| delivery.left_out.is_some()).count();
        words.push_str(&format!("; {} deliveries, {left_out} left out", found.len()));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::mapping::FeedFrom;
    use domain::period::Day;

    fn good() -> RawCharge {
        RawCharge {
            charge_period_start: "2026-03-31T00:00:00Z".into(),
            billed_cost: "8.00".into(),
            effective_cost: "6.00".into(),
            billing_currency: "USD".into(),
            ..RawCharge::default()
        }
    }

    #[test]
    fn what_a_charge_tells_has_to_be_what_it_is_called() {
        assert_eq!(charge(&good()), Ok(()));
        let told = RawCharge {
            billing_period_start: "2026-03-01".into(),
            consumed_quantity: "14400".into(),
            list_cost: "10.00".into(),
            ..good()
        };
        assert_eq!(charge(&told), Ok(()));
        let words = super::told(&[good(), told], &[], &[]);
        assert_eq!(words, ", with billing_period_start, consumed_quantity, list_cost");
        let month = RawCharge { billing_period_start: "March".into(), ..good() };
        assert!(charge(&month).is_err_and(|fault| fault.starts_with("billing_period_start: ")));
        let hours = RawCharge { pricing_quantity: "4 h".into(), ..good() };
        assert_eq!(charge(&hours), Err("pricing_quantity '4 h' is no quantity".into()));
        let price = RawCharge { list_unit_price: "free".into(), ..good() };
        assert_eq!(charge(&price), Err("list_unit_price 'free' is no amount".into()));
    }

    fn day(text: &str) -> Option<Day> {
        Some(text.parse().unwrap())
    }

    fn delivery(name: &str, period: &str, left_out: Option<&str>) -> Delivery {
        Delivery {
            name: name.into(),
            billing_period: day(period),
            left_out: left_out.map(str::to_owned),
        }
    }

    fn mapping(period: &str, constant: (Feed, &str)) -> Mapping {
        Mapping {
            table: "march.csv".into(),
            feeds: vec![FeedFrom { feed: constant.0, origin: Origin::Constant(constant.1.into()) }],
            tag_columns: Vec::new(),
            tag_maps: Vec::new(),
            skips: Vec::new(),
            nulls: Vec::new(),
            date_order: DateOrder::Iso,
            tag_prefixes: Vec::new(),
            short_rows: false,
            billing_period: day(period),
        }
    }

    #[test]
    fn a_mapped_billing_period_is_that_of_a_delivery_that_counts() {
        let found = [
            delivery("run-2", "2026-03-01", None),
            delivery("run-1", "2026-03-01", Some("a newer run has the same month")),
            delivery("run-0", "2026-02-01", Some("it is not complete")),
        ];
        let march = mapping("2026-03-01", (Feed::BillingPeriodStart, "2026-03-01"));
        assert_eq!(deliveries(&found, std::slice::from_ref(&march)), Ok(()));
        assert_eq!(deliveries(&[], std::slice::from_ref(&march)), Ok(()));
        let words = told(&[], &[march], &found);
        assert_eq!(words, ", with billing_period_start; 3 deliveries, 2 left out");
        let february = mapping("2026-02-01", (Feed::ListCost, "1"));
        assert_eq!(
            deliveries(&found, &[february]),
            Err(
                "its mapping of 'march.csv' states the billing period 2026-02-01, and no delivery \
                 that counts does"
                    .into()
            )
        );
        let again = [found[0].clone(), found[0].clone()];
        assert_eq!(deliveries(&again, &[]), Err("it found the delivery 'run-2' twice".into()));
        let cost = mapping("2026-03-01", (Feed::ListCost, "much"));
        assert_eq!(
            deliveries(&found, &[cost]),
            Err("its mapping of 'march.csv': list_cost 'much' is no amount".into())
        );
    }
}
