//! Invented charges, as fast as a guest can make them: `rows` in pages of `page_rows`, as Arrow or
//! typed by `form`.
//!
//! Each charge has ten texts and three tags, and some of them change from row to row. The first
//! page is empty, so its time is the cost of a start.

use apportion_plugin_sdk::{
    Batch, Charge, Collector, Dimension, Error, Field, Kind, Manifest, Request, Rows, Tag,
    register_collector,
};
use arrow_array::{ArrayRef, RecordBatch, StringArray};
use arrow_buffer::{Buffer, OffsetBuffer, ScalarBuffer};
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
            tags: vec![
                tag("team", TEAMS[(row % 8) as usize]),
                tag("environment", "production"),
                tag("cost-center", "4711"),
            ],
            ..Charge::default()
        };
        Rows::Charges(self.page().map(charge).collect())
    }

    fn arrow(&self) -> Result<Rows, Error> {
        let page = self.page();
        let count = (page.end - page.start) as usize;
        let constant = |value: &str| Arc::new(StringArray::new_repeated(value, count)) as ArrayRef;
        let mut columns: Vec<(&str, ArrayRef)> =
            CONSTANT.iter().map(|(name, value)| (*name, constant(value))).collect();
        let (days, tags): (Vec<String>, Vec<String>) =
            ((0..31).map(day).collect(), (0..8).map(tags).collect());
        columns.push((
            "charge_period_start",
            texts(page.clone(), 20, |row, buffer| buffer.push_str(&days[(row % 31) as usize])),
        ));
        let costs = texts(page.clone(), 9, |row, buffer| {
            digits(row % 90, 1, 10, buffer);
            buffer.push('.');
            digits(row % 999_983, 6, 10, buffer);
        });
        columns.extend([("billed_cost", Arc::clone(&costs)), ("effective_cost", costs)]);
        columns.push((
            "resource_id",
            texts(page.clone(), 70, |row, buffer| {
                buffer.push_str("arn:aws:ec2:eu-central-1:123456789012:instance/i-");
                digits(row % 20_000, 12, 16, buffer);
            }),
        ));
        columns.push((
            "tags",
            texts(page, 80, |row, buffer| buffer.push_str(&tags[(row % 8) as usize])),
        ));
        let broken = |error: arrow_schema::ArrowError| Error::Bug(error.to_string());
        let batch = RecordBatch::try_from_iter(columns).map_err(broken)?;
        let mut writer = StreamWriter::try_new(Vec::new(), batch.schema_ref()).map_err(broken)?;
        writer.write(&batch).and_then(|()| writer.finish()).map_err(broken)?;
        writer.into_inner().map(Rows::Arrow).map_err(broken)
    }
}

/// One text for each row, written into one buffer.
fn texts(page: std::ops::Range<u64>, width: usize, write: impl Fn(u64, &mut String)) -> ArrayRef {
    let count = (page.end - page.start) as usize;
    let mut buffer = String::with_capacity(count * width);
    let mut ends = Vec::with_capacity(count + 1);
    ends.push(0_i32);
    for row in page {
        write(row, &mut buffer);
        ends.push(buffer.len() as i32);
    }
    let offsets = OffsetBuffer::new(ScalarBuffer::from(ends));
    Arc::new(StringArray::new(offsets, Buffer::from_vec(buffer.into_bytes()), None))
}

/// Writes a number with at least `width` digits.
fn digits(mut number: u64, width: usize, base: u64, buffer: &mut String) {
    let mut found = [b'0'; 20];
    let mut at = found.len();
    while number > 0 || found.len() - at < width {
        at -= 1;
        found[at] = b"0123456789abcdef"[(number % base) as usize];
        number /= base;
    }
    found[at..].iter().for_each(|digit| buffer.push(char::from(*digit)));
}

const TEAMS: [&str; 8] =
    ["search", "payments", "checkout", "catalog", "identity", "platform", "mobile", "web"];

fn tags(row: u64) -> String {
    let mut text = String::with_capacity(80);
    // Writing to a text does not fail.
    let _ = write!(
        text,
        r#"{{"team":"{}","environment":"production","cost-center":"4711"}}"#,
        TEAMS[(row % 8) as usize]
    );
    text
}

impl Collector for Maker {
    fn manifest() -> Manifest {
        Manifest::new(
            Kind::Collector,
            "bench-source",
            env!("CARGO_PKG_VERSION"),
            "Charges out of nothing",
        )
        .stream("charges", "made up")
    }

    fn open(request: Request) -> Result<Maker, Error> {
        let config: Value = serde_json::from_str(&request.config)
            .map_err(|error| Error::config(error.to_string()))?;
        let number = |name: &str| {
            config[name].as_u64().ok_or_else(|| Error::config(format!("`{name}` is no number")))
        };
        let is_arrow = config["form"].as_str() == Some("arrow");
        Ok(Maker {
            is_arrow,
            made: 0,
            rows: number("rows")?,
            page_rows: number("page_rows")?,
            has_begun: false,
        })
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
