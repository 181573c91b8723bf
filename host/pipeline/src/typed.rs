//! Typed charges from a plugin, laid out as the table that the gatherer reads.

use crate::columns::TableReading;
use decode::{Batch, Cells};
use domain::charge::{ChargeTable, RawCharge};
use domain::field::Field;
use domain::mapping::{Feed, FeedFrom, Mapping, Origin};
use domain::period::DateOrder;

/// Charges one by one as columns.
pub fn table(charges: &[RawCharge]) -> ChargeTable {
    // A table has the same columns in all rows, and a charge may lack some of them.
    let mut fields: Vec<Field> = Vec::new();
    for (field, _) in charges.iter().flat_map(|charge| &charge.dimensions) {
        if !fields.contains(field) {
            fields.push(*field);
        }
    }
    let core = [
        Feed::BilledCost,
        Feed::EffectiveCost,
        Feed::BillingCurrency,
        Feed::ChargePeriodStart,
        Feed::BillingPeriodStart,
        Feed::PricingQuantity,
        Feed::ConsumedQuantity,
        Feed::ListUnitPrice,
        Feed::ContractedUnitPrice,
        Feed::ListCost,
        Feed::ContractedCost,
        Feed::Tags,
    ];
    let mut table = ChargeTable { rows: charges.len(), ..ChargeTable::default() };
    for feed in core.into_iter().chain(fields.into_iter().map(Feed::Dimension)) {
        let cells = charges.iter().map(|charge| match feed {
            Feed::BilledCost => put(&mut table.buffer, &charge.billed_cost),
            Feed::EffectiveCost => put(&mut table.buffer, &charge.effective_cost),
            Feed::BillingCurrency => put(&mut table.buffer, &charge.billing_currency),
            Feed::ChargePeriodStart => put(&mut table.buffer, &charge.charge_period_start),
            Feed::BillingPeriodStart => put(&mut table.buffer, &charge.billing_period_start),
            Feed::PricingQuantity => put(&mut table.buffer, &charge.pricing_quantity),
            Feed::ConsumedQuantity => put(&mut table.buffer, &charge.consumed_quantity),
            Feed::ListUnitPrice => put(&mut table.buffer, &charge.list_unit_price),
            Feed::ContractedUnitPrice => put(&mut table.buffer, &charge.contracted_unit_price),
            Feed::ListCost => put(&mut table.buffer, &charge.list_cost),
            Feed::ContractedCost => put(&mut table.buffer, &charge.contracted_cost),
            Feed::Tags => put(&mut table.buffer, &tags_json(&charge.tags)),
            Feed::Dimension(field) => {
                let text = charge
                    .dimensions
                    .iter()
                    .find(|(known, _)| *known == field)
                    .map_or("", |(_, text)| text);
                put(&mut table.buffer, text)
            }
        });
        let cells = cells.collect();
        table.columns.push((feed, cells));
    }
    table
}

fn put(buffer: &mut Vec<u8>, text: &str) -> (u32, u32) {
    let start = buffer.len() as u32;
    buffer.extend_from_slice(text.as_bytes());
    (start, buffer.len() as u32)
}

/// The mapping that reads such a table. Its columns have the names of the fields that they feed.
pub fn mapping(table: &ChargeTable, source: &str) -> Mapping {
    let feeds = table
        .columns
        .iter()
        .map(|(feed, _)| FeedFrom { feed: *feed, origin: Origin::Column(name(*feed).into()) });
    Mapping {
        table: source.into(),
        feeds: feeds.collect(),
        tag_columns: Vec::new(),
        tag_maps: Vec::new(),
        skips: Vec::new(),
        nulls: Vec::new(),
        date_order: DateOrder::Iso,
        tag_prefixes: Vec::new(),
        short_rows: false,
        billing_period: None,
    }
}

fn name(feed: Feed) -> &'static str {
    match feed {
        Feed::BilledCost => "billed-cost",
        Feed::EffectiveCost => "effective-cost",
        Feed::BillingCurrency => "billing-currency",
        Feed::ChargePeriodStart => "charge-period-start",
        Feed::BillingPeriodStart => "billing-period-start",
        Feed::PricingQuantity => "pricing-quantity",
        Feed::ConsumedQuantity => "consumed-quantity",
        Feed::ListUnitPrice => "list-unit-price",
        Feed::ContractedUnitPrice => "contracted-unit-price",
        Feed::ListCost => "list-cost",
        Feed::ContractedCost => "contracted-cost",
        Feed::Tags => "tags",
        Feed::Dimension(field) => field.name(),
    }
}

/// `first` is the place of its first row.
pub fn hand_out(
    table: &ChargeTable,
    reading: &TableReading,
    first: u64,
    take: &mut dyn FnMut(&Batch<'_>),
) {
    let ranges = |wanted: &str| {
        table
            .columns
            .iter()
            .find(|(feed, _)| name(*feed) == wanted)
            .map_or(&[][..], |(_, cells)| cells.as_slice())
    };
    let columns: Vec<Cells<'_>> = reading
        .wanted()
        .iter()
        .map(|wanted| Cells::Text {
            buffer: &table.buffer,
            ranges: ranges(&wanted.name),
            quoted: false,
        })
        .collect();
    let places: Vec<u64> = (first..).take(table.rows).collect();
    take(&Batch { rows: table.rows, columns: &columns, places: &places, unreadable: &[] });
}

fn tags_json(tags: &[(String, String)]) -> String {
    let members: Vec<String> = tags
        .iter()
        .map(|(key, value)| format!("{}:{}", serde_json::json!(key), serde_json::json!(value)))
        .collect();
    format!("{{{}}}", members.join(","))
}
