//! One bill: a FOCUS file of a cloud and month, in the columns that this cloud exports.

use crate::catalog::{self, Cloud};
use domain::period::{Day, Month};
use flate2::{Compression, GzBuilder};
use std::fs::File;
use std::io::{BufWriter, Result, Write};
use std::path::Path;

/// One charge on its way to the file. Amounts are 10⁻¹² units.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    pub day: Day,
    pub days: i32,
    pub category: &'static str,
    pub description: &'static str,
    pub service: &'a str,
    pub service_category: &'static str,
    /// Nothing: the organisation's own account.
    pub account: Option<usize>,
    pub region: &'a str,
    pub resource_id: &'a str,
    pub resource_name: &'a str,
    pub tags: &'a str,
    pub billed: i64,
    pub effective: i64,
    /// Id and status.
    pub commitment: Option<(&'static str, &'static str)>,
}

type Cell = fn(&mut String, &Cloud, &Row<'_>);

/// All columns with what stands in them; a cloud's export takes those of its version.
const COLUMNS: &[(&str, Cell)] = &[
    ("BilledCost", |text, _, row| decimal(text, row.billed)),
    ("BillingAccountId", |text, cloud, _| quoted(text, &format!("{}-organization", cloud.name))),
    ("BillingAccountName", |text, _, _| quoted(text, "Example Group, Ltd.")),
    ("BillingCurrency", |text, cloud, _| text.push_str(cloud.currency)),
    ("BillingPeriodEnd", |text, _, row| instant(text, row.day.month().next().first_day())),
    ("BillingPeriodStart", |text, _, row| instant(text, row.day.month().first_day())),
    ("ChargeCategory", |text, _, row| text.push_str(row.category)),
    ("ChargeClass", |_, _, _| {}),
    ("ChargeDescription", |text, _, row| quoted(text, row.description)),
    ("ChargeFrequency", |text, _, row| {
        text.push_str(if row.category == "Usage" { "Usage-Based" } else { "Recurring" })
    }),
    ("ChargePeriodEnd", |text, _, row| instant(text, row.day.plus(row.days))),
    ("ChargePeriodStart", |text, _, row| instant(text, row.day)),
    ("CommitmentDiscountId", |text, _, row| quoted(text, row.commitment.map_or("", |(id, _)| id))),
    ("CommitmentDiscountStatus", |text, _, row| {
        text.push_str(row.commitment.map_or("", |(_, status)| status))
    }),
    ("ContractedCost", |text, _, row| decimal(text, row.effective)),
    ("EffectiveCost", |text, _, row| decimal(text, row.effective)),
    ("InvoiceIssuerName", |text, cloud, _| quoted(text, cloud.issuer)),
    ("ListCost", |text, _, row| decimal(text, row.effective)),
    ("ProviderName", |text, cloud, _| quoted(text, cloud.provider)),
    ("PublisherName", |text, cloud, _| quoted(text, cloud.provider)),
    ("ServiceProviderName", |text, cloud, _| quoted(text, cloud.provider)),
    ("HostProviderName", |text, cloud, _| quoted(text, cloud.provider)),
    ("RegionId", |text, _, row| text.push_str(row.region)),
    ("ResourceId", |text, _, row| quoted(text, row.resource_id)),
    ("ResourceName", |text, _, row| quoted(text, row.resource_name)),
    ("ServiceCategory", |text, _, row| quoted(text, row.service_category)),
    ("ServiceName", |text, _, row| quoted(text, row.service)),
    ("SubAccountId", |text, cloud, row| {
        quoted(
            text,
            &row.account.map_or(String::new(), |account| catalog::account_id(cloud, account)),
        )
    }),
    ("SubAccountName", |text, _, row| {
        quoted(text, &row.account.map_or("organization".to_owned(), catalog::account_name))
    }),
    ("Tags", |text, _, row| quoted(text, row.tags)),
];

pub struct BillFile {
    out: Box<dyn Write>,
    cloud: &'static Cloud,
    columns: Vec<Cell>,
    line: String,
    charges: u64,
    billed: i128,
    effective: i128,
}

impl BillFile {
    pub fn create(folder: &Path, cloud: &'static Cloud, month: Month) -> Result<BillFile> {
        let file = BufWriter::new(File::create(
            folder.join(format!("{month}.csv{}", if cloud.is_packed { ".gz" } else { "" })),
        )?);
        // No time and no name in the packed file: the same seed makes the same bytes.
        let out: Box<dyn Write> = if cloud.is_packed {
            Box::new(GzBuilder::new().mtime(0).write(file, Compression::fast()))
        } else {
            Box::new(file)
        };
        let columns: Vec<&(&str, Cell)> =
            COLUMNS.iter().filter(|(name, _)| is_exported(cloud, name)).collect();
        let mut bill = BillFile {
            out,
            cloud,
            columns: columns.iter().map(|(_, cell)| *cell).collect(),
            line: String::new(),
            charges: 0,
            billed: 0,
            effective: 0,
        };
        let header: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
        writeln!(bill.out, "{}", header.join(","))?;
        Ok(bill)
    }

    pub fn write(&mut self, row: &Row<'_>) -> Result<()> {
        self.line.clear();
        for (number, cell) in self.columns.iter().enumerate() {
            if number > 0 {
                self.line.push(',');
            }
            cell(&mut self.line, self.cloud, row);
        }
        self.line.push('\n');
        self.charges += 1;
        self.billed += i128::from(row.billed);
        self.effective += i128::from(row.effective);
        self.out.write_all(self.line.as_bytes())
    }

    /// Billed so far.
    pub fn billed(&self) -> i128 {
        self.billed
    }

    /// Charges, billed and effective total.
    pub fn finish(mut self) -> Result<(u64, i128, i128)> {
        self.out.flush()?;
        Ok((self.charges, self.billed, self.effective))
    }
}

/// FOCUS 1.3 brought two names of providers, 1.4 took two away.
fn is_exported(cloud: &Cloud, column: &str) -> bool {
    match column {
        "ProviderName" | "PublisherName" => !cloud.is_newest,
        "ServiceProviderName" | "HostProviderName" => cloud.is_newest,
        _ => true,
    }
}

fn instant(text: &mut String, day: Day) {
    text.push_str(&day.to_string());
    text.push_str("T00:00:00Z");
}

fn quoted(text: &mut String, cell: &str) {
    if cell.contains([',', '"', '\n']) {
        text.push('"');
        text.push_str(&cell.replace('"', "\"\""));
        text.push('"');
    } else {
        text.push_str(cell);
    }
}

fn decimal(text: &mut String, amount: i64) {
    let digits = format!("{:013}", amount.unsigned_abs());
    let (whole, fraction) = digits.split_at(digits.len() - 12);
    let fraction = fraction.trim_end_matches('0');
    if amount < 0 {
        text.push('-');
    }
    text.push_str(whole);
    if !fraction.is_empty() {
        text.push('.');
        text.push_str(fraction);
    }
}

pub fn tags_json(tags: &[(&str, String)]) -> String {
    let members: Vec<String> =
        tags.iter().map(|(key, value)| format!("\"{key}\": \"{value}\"")).collect();
    format!("{{{}}}", members.join(", "))
}
