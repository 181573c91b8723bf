//! Typed charges from a plugin, laid out as the table that the gatherer reads.

use crate::columns::Reading;
use decode::{Batch, Cells};
use domain::charge::RawCharge;
use domain::field::Field;
use domain::mapping::{Feed, FeedFrom, Mapping, Origin};
use domain::period::DateOrder;
use foldhash::{HashMap, HashMapExt};

/// Columns of texts in one buffer.
pub struct Table {
    buffer: Vec<u8>,
    columns: HashMap<&'static str, Vec<(u32, u32)>>,
    fields: Vec<Field>,
    rows: usize,
}

const BILLED: &str = "billed-cost";
const EFFECTIVE: &str = "effective-cost";
const CURRENCY: &str = "billing-currency";
const START: &str = "charge-period-start";
const TAGS: &str = "tags";

impl Table {
    pub fn new(charges: &[RawCharge]) -> Table {
        let mut table = Table { buffer: Vec::new(), columns: HashMap::new(), fields: Vec::new(), rows: charges.len() };
        for charge in charges {
            for (field, _) in &charge.dimensions {
                if !table.fields.contains(field) {
                    table.fields.push(*field);
                }
            }
        }
        for charge in charges {
            table.put(BILLED, &charge.billed_cost);
            table.put(EFFECTIVE, &charge.effective_cost);
            table.put(CURRENCY, &charge.billing_currency);
            table.put(START, &charge.charge_period_start);
            table.put(TAGS, &tags_json(&charge.tags));
            for field in table.fields.clone() {
                let text = charge.dimensions.iter().find(|(known, _)| *known == field).map_or("", |(_, text)| text);
                table.put(field.name(), text);
            }
        }
        table
    }

    fn put(&mut self, column: &'static str, text: &str) {
        let start = self.buffer.len() as u32;
        self.buffer.extend_from_slice(text.as_bytes());
        self.columns.entry(column).or_default().push((start, self.buffer.len() as u32));
    }

    /// The mapping that reads this table.
    pub fn mapping(&self, source: &str) -> Mapping {
        let column = |feed, name: &str| FeedFrom { feed, origin: Origin::Column(name.into()) };
        let mut feeds = vec![
            column(Feed::BilledCost, BILLED),
            column(Feed::EffectiveCost, EFFECTIVE),
            column(Feed::BillingCurrency, CURRENCY),
            column(Feed::ChargePeriodStart, START),
            column(Feed::Tags, TAGS),
        ];
        feeds.extend(self.fields.iter().map(|field| column(Feed::Dimension(*field), field.name())));
        Mapping {
            table: source.into(),
            feeds,
            tag_columns: Vec::new(),
            skips: Vec::new(),
            nulls: Vec::new(),
            date_order: DateOrder::Iso,
            tag_prefixes: Vec::new(),
            short_rows: false,
        }
    }

    pub fn hand_out(&self, reading: &Reading, take: &mut dyn FnMut(&Batch<'_>)) {
        let ranges = |name: &str| self.columns.get(name).map_or(&[][..], Vec::as_slice);
        let columns: Vec<Cells<'_>> =
            reading.wanted().iter().map(|wanted| Cells::Text { buffer: &self.buffer, ranges: ranges(&wanted.name), quoted: false }).collect();
        let places: Vec<u64> = (0..self.rows as u64).collect();
        take(&Batch { rows: self.rows, columns: &columns, places: &places, unreadable: &[] });
    }
}

fn tags_json(tags: &[(String, String)]) -> String {
    let members: Vec<String> = tags.iter().map(|(key, value)| format!("{}:{}", serde_json::json!(key), serde_json::json!(value))).collect();
    format!("{{{}}}", members.join(","))
}
