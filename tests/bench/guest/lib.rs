//! Charges out of nothing, as fast as a guest can make them: `rows` in pages of `page_rows`, as Arrow or typed by `form`.
//!
//! Each has ten texts and three tags, some of which change from row to row. The first page is empty: it shows what starting costs.

use apportion_plugin_sdk::{Batch, Charge, Collector, Dimension, Error, Field, Kind, Manifest, Request, Rows, Tag, register_collector};
use arrow_array::{ArrayRef, RecordBatch, StringArray};
use arrow_ipc::writer::StreamWriter;
use serde_json::Value;
use std::fmt::Write;
use std::sync::Arc;

struct Maker {
    is_arrow: bool,
    made: u64,
    rows: u64,
    page_rows: u64,
    has_begun: bool,
}

const CONSTANT: [(&str, &str); 7] = [
    ("billing_currency", "USD"),
    ("service_name", "Amazon Elastic Compute Cloud"),
    ("charge_category", "Usage"),
    ("provider_name", "AWS"),
    ("sub_account_id", "123456789012"),
    ("region_id", "eu-central-1"),
    ("service_category", "Compute"),
];

fn day(row: u64) -> String {
    format!("2026-03-{:02}T00:00:00Z", row % 31 + 1)
}

fn cost(row: u64) -> String {
    format!("{}.{:06}", row % 90, row % 999_983)
}

fn resource(row: u64) -> String {
    format!("arn:aws:ec2:eu-central-1:123456789012:instance/i-{:012x}", row % 20_000)
}

impl Maker {
    fn page(&self) -> std::ops::Range<u64> {
        self.made..(self.made + self.page_rows).min(self.rows)
    }

    fn typed(&self) -> Rows {
        let tag = |key: &str, value: &str| Tag { key: key.into(), value: value.into() };
        let charge = |row: u64| Charge {
            charge_period_start: day(row),
            billed_cost: cost(row),
            effective_cost: cost(row),
            billing_currency: CONSTANT[0].1.into(),
            service_name: CONSTANT[1].1.into(),
            charge_category: CONSTANT[2].1.into(),
            dimensions: vec![
                Dimension { field: Field::ProviderName, value: CONSTANT[3].1.into() },
                Dimension { field: Field::SubAccountId, value: CONSTANT[4].1.into() },
                Dimension { field: Field::RegionId, value: CONSTANT[5].1.into() },
                Dimension { field: Field::ServiceCategory, value: CONSTANT[6].1.into() },
                Dimension { field: Field::ResourceId, value: resource(row) },
            ],
            tags: vec![tag("team", TEAMS[(row % 8) as usize]), tag("environment", "production"), tag("cost-center", "4711")],
        };
        Rows::Charges(self.page().map(charge).collect())
    }

    fn arrow(&self) -> Result<Rows, Error> {
        let texts = |text: &dyn Fn(u64) -> String| Arc::new(StringArray::from_iter_values(self.page().map(text))) as ArrayRef;
        let mut columns: Vec<(&str, ArrayRef)> =
            CONSTANT.iter().map(|(name, value)| (*name, Arc::new(StringArray::from_iter_values(self.page().map(|_| *value))) as ArrayRef)).collect();
        let costs = texts(&cost);
        columns.extend([("charge_period_start", texts(&day)), ("billed_cost", Arc::clone(&costs)), ("effective_cost", costs)]);
        columns.push(("resource_id", texts(&resource)));
        columns.push(("tags", texts(&|row| tags(row))));
        let broken = |error: arrow_schema::ArrowError| Error::Bug(error.to_string());
        let batch = RecordBatch::try_from_iter(columns).map_err(broken)?;
        let mut writer = StreamWriter::try_new(Vec::new(), batch.schema_ref()).map_err(broken)?;
        writer.write(&batch).and_then(|()| writer.finish()).map_err(broken)?;
        writer.into_inner().map(Rows::Arrow).map_err(broken)
    }
}

const TEAMS: [&str; 8] = ["search", "payments", "checkout", "catalog", "identity", "platform", "mobile", "web"];

fn tags(row: u64) -> String {
    let mut text = String::with_capacity(80);
    // Writing to a text does not fail.
    let _ = write!(text, r#"{{"team":"{}","environment":"production","cost-center":"4711"}}"#, TEAMS[(row % 8) as usize]);
    text
}

impl Collector for Maker {
    fn manifest() -> Manifest {
        Manifest::new(Kind::Collector, "bench-source", env!("CARGO_PKG_VERSION"), "Charges out of nothing").stream("charges", "made up")
    }

    fn open(request: Request) -> Result<Maker, Error> {
        let config: Value = serde_json::from_str(&request.config).map_err(|error| Error::config(error.to_string()))?;
        let number = |name: &str| config[name].as_u64().ok_or_else(|| Error::config(format!("`{name}` is no number")));
        let is_arrow = config["form"].as_str() == Some("arrow");
        Ok(Maker { is_arrow, made: 0, rows: number("rows")?, page_rows: number("page_rows")?, has_begun: false })
    }

    fn next(&mut self) -> Result<Option<Batch>, Error> {
        if !std::mem::replace(&mut self.has_begun, true) {
            return Ok(Some(Batch::new(Rows::Charges(Vec::new()))));
        }
        if self.made == self.rows {
            return Ok(None);
        }
        let rows = if self.is_arrow { self.arrow()? } else { self.typed() };
        self.made = self.page().end;
        Ok(Some(Batch::new(rows)))
    }
}

register_collector!(Maker);
