//! WIT ↔ domain, both only here. Everything from a guest is checked and bounded on its way.

mod arrow;
mod config_hint;
mod json;
mod mapping;
mod problem;
mod row;

use crate::code;
use crate::limits::PluginLimits;
use crate::manifest::{Manifest, ManifestStream, PluginKind, PowerRequest};
use crate::power::Power;
use crate::printable::printable;
use crate::wit::bindings::types as wit;
pub use config_hint::setting_names;
use domain::charge::{RawCharge, RawUsage, RejectedRow};
use domain::field::Field;
use domain::period::{Day, Period};
use domain::port::{Batch, GrantedTable, Rows};
pub use problem::{of_error, of_problem};
use row::{ChargeRow, ChargeSlot};
use std::collections::BTreeSet;

/// Why a page was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BatchRefusal {
    /// It is not a page.
    Junk(String),
    /// There is too much of it.
    Output { what: &'static str, limit: u64 },
}

impl BatchRefusal {
    pub fn code(&self) -> domain::code::Code {
        match self {
            BatchRefusal::Junk(_) => domain::code::PLUGIN_JUNK,
            BatchRefusal::Output { .. } => code::PLUGIN_OUTPUT,
        }
    }

    pub fn message(&self) -> String {
        match self {
            BatchRefusal::Junk(reason) => {
                format!("returned junk from `next`: {}", printable(reason))
            }
            BatchRefusal::Output { what, limit } => {
                format!("was stopped in `next`: it returned more {what} than its limit of {limit}")
            }
        }
    }
}

/// Counts what one collection has handed over.
#[derive(Clone, Debug)]
pub struct OutputMeter {
    limits: PluginLimits,
    batches: u64,
    rows: u64,
    bytes: u64,
    batch_bytes: u64,
}

impl OutputMeter {
    pub fn new(limits: &PluginLimits) -> OutputMeter {
        OutputMeter { limits: limits.clone(), batches: 0, rows: 0, bytes: 0, batch_bytes: 0 }
    }

    /// Rows and bytes so far.
    pub fn counted(&self) -> (u64, u64) {
        (self.rows, self.bytes)
    }

    fn batch(&mut self) -> Result<(), BatchRefusal> {
        // Pages are counted too: a guest could hand over empty ones forever.
        self.batches += 1;
        self.batch_bytes = 0;
        below(self.batches, self.limits.batches, "pages")
    }

    pub fn rows(&mut self, rows: u64) -> Result<(), BatchRefusal> {
        self.rows = self.rows.saturating_add(rows);
        below(self.rows, self.limits.output_rows, "rows")
    }

    pub fn bytes(&mut self, bytes: usize) -> Result<(), BatchRefusal> {
        self.batch_bytes = self.batch_bytes.saturating_add(bytes as u64);
        self.bytes = self.bytes.saturating_add(bytes as u64);
        below(self.batch_bytes, self.limits.batch_bytes, "bytes at once")?;
        below(self.bytes, self.limits.output_bytes, "bytes")
    }
}

fn below(value: u64, limit: u64, what: &'static str) -> Result<(), BatchRefusal> {
    if value > limit { Err(BatchRefusal::Output { what, limit }) } else { Ok(()) }
}

/// The state of one collection while its pages come in.
pub struct Intake<'a> {
    pub output: OutputMeter,
    tables: &'a [GrantedTable],
    /// Tables and whether as usage.
    mapped: BTreeSet<(String, bool)>,
}

impl<'a> Intake<'a> {
    pub fn new(limits: &PluginLimits, tables: &'a [GrantedTable]) -> Intake<'a> {
        Intake { output: OutputMeter::new(limits), tables, mapped: BTreeSet::new() }
    }

    pub fn batch(&mut self, batch: wit::Batch) -> Result<Batch, BatchRefusal> {
        self.output.batch()?;
        let usage =
            batch.usage.into_iter().map(|usage| self.usage(usage)).collect::<Result<_, _>>()?;
        let rejected = batch
            .rejected
            .into_iter()
            .map(|rejected| self.rejected(rejected))
            .collect::<Result<_, _>>()?;
        self.output.bytes(batch.state.as_ref().map_or(0, String::len))?;
        let rows = match batch.rows {
            wit::Rows::Charges(charges) => Rows::Charges(self.charges(charges)?),
            wit::Rows::Json(bytes) => Rows::Charges(json::read(&bytes, &mut self.output)?),
            wit::Rows::Arrow(bytes) => Rows::Table(arrow::read(bytes, &mut self.output)?),
            wit::Rows::Mapped(mapping) => Rows::Mapped(self.mapping(mapping)?),
            wit::Rows::MappedUsage(mapping) => Rows::MappedUsage(self.usage_mapping(mapping)?),
        };
        Ok(Batch { rows, usage, rejected, state: batch.state, ..Batch::default() })
    }

    fn charges(&mut self, charges: Vec<wit::Charge>) -> Result<Vec<RawCharge>, BatchRefusal> {
        let mut converted = Vec::with_capacity(charges.len());
        for charge in charges {
            // Counted before it is kept, so that memory ends with the limit.
            self.output.rows(1)?;
            converted.push(self.charge(charge)?);
        }
        Ok(converted)
    }

    fn charge(&mut self, charge: wit::Charge) -> Result<RawCharge, BatchRefusal> {
        let mut row = ChargeRow::default();
        for (slot, value) in [
            (ChargeSlot::ChargePeriodStart, charge.charge_period_start),
            (ChargeSlot::BilledCost, charge.billed_cost),
            (ChargeSlot::EffectiveCost, charge.effective_cost),
            (ChargeSlot::BillingCurrency, charge.billing_currency),
            (ChargeSlot::Dimension(Field::SERVICE_NAME), charge.service_name),
            (ChargeSlot::Dimension(Field::CHARGE_CATEGORY), charge.charge_category),
        ] {
            row.set(slot, value, &mut self.output)?;
        }
        for (slot, value) in [
            (ChargeSlot::BillingPeriodStart, charge.billing_period_start),
            (ChargeSlot::PricingQuantity, charge.pricing_quantity),
            (ChargeSlot::ConsumedQuantity, charge.consumed_quantity),
            (ChargeSlot::ListUnitPrice, charge.list_unit_price),
            (ChargeSlot::ContractedUnitPrice, charge.contracted_unit_price),
            (ChargeSlot::ListCost, charge.list_cost),
            (ChargeSlot::ContractedCost, charge.contracted_cost),
        ] {
            if let Some(value) = value {
                row.set(slot, value, &mut self.output)?;
            }
        }
        for dimension in charge.dimensions {
            row.set(
                ChargeSlot::Dimension(field(dimension.field)),
                dimension.value,
                &mut self.output,
            )?;
        }
        let tags = charge.tags.into_iter().map(|tag| (tag.key, tag.value)).collect();
        row.set_tags(tags, &mut self.output)?;
        row.finish()
    }

    fn usage(&mut self, usage: wit::Usage) -> Result<RawUsage, BatchRefusal> {
        self.output.rows(1)?;
        let keys: usize = usage.keys.iter().map(|tag| tag.key.len() + tag.value.len()).sum();
        self.output.bytes(
            usage.metric.len()
                + usage.period_start.len()
                + usage.value.len()
                + usage.unit.len()
                + keys,
        )?;
        Ok(RawUsage {
            metric: usage.metric,
            period_start: usage.period_start,
            keys: usage.keys.into_iter().map(|tag| (tag.key, tag.value)).collect(),
            value: usage.value,
            unit: usage.unit,
        })
    }

    fn rejected(&mut self, rejected: wit::Rejected) -> Result<RejectedRow, BatchRefusal> {
        self.output.rows(1)?;
        self.output
            .bytes(rejected.location.len() + rejected.reason.len() + rejected.excerpt.len())?;
        Ok(RejectedRow {
            location: printable(&rejected.location),
            reason: printable(&rejected.reason),
            excerpt: printable(&rejected.excerpt),
        })
    }
}

/// Both sides list the fields in the same order, which a test compares.
fn field(field: wit::Field) -> Field {
    let found = Field::from_index(field as usize);
    assert!(found.is_some(), "every field of the contract is a field of the domain");
    found.unwrap_or(Field::SERVICE_NAME)
}

/// A period as a guest wrote it.
pub fn unread(period: &wit::Period) -> Result<Period, String> {
    let day = |text: &str| text.parse::<Day>().map_err(|error| printable(&error.to_string()));
    Period::new(day(&period.start)?, day(&period.end)?).map_err(|error| error.to_string())
}

/// An open end is the first or last day that a guest can read.
pub fn period(period: Period) -> wit::Period {
    let (first, last) = (Day::from_numbers(1, 1, 1), Day::from_numbers(9999, 12, 31));
    let start = first.map_or(period.start(), |first| period.start().max(first));
    let end = last.map_or(period.end(), |last| period.end().min(last));
    wit::Period { start: start.to_string(), end: end.to_string() }
}

/// The manifest, or its first fault.
pub fn manifest(manifest: wit::Manifest) -> Result<Manifest, String> {
    let mut powers = Vec::new();
    for request in manifest.powers {
        let power = Power::by_name(&request.power);
        let power = power.ok_or_else(|| {
            format!(
                "it asks for the power '{}', which this version does not have",
                printable(&request.power)
            )
        })?;
        powers.push(PowerRequest {
            power,
            reason: printable(&request.reason),
            optional: request.optional,
        });
    }
    let stream = |stream: wit::Stream| ManifestStream {
        name: printable(&stream.name),
        description: printable(&stream.description),
    };
    let checked = Manifest {
        name: manifest.name,
        version: manifest.version,
        description: printable(&manifest.description),
        kind: match manifest.kind {
            wit::Kind::Collector => PluginKind::Collector,
            wit::Kind::Allocator => PluginKind::Allocator,
        },
        powers,
        config_schema: manifest.config_schema,
        streams: manifest.streams.into_iter().map(stream).collect(),
        restatement_days: manifest.restatement_days,
    };
    match checked.fault() {
        Some(fault) => Err(fault),
        None => Ok(checked),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_contract_lists_the_fields_as_the_domain_does() {
        let wit = include_str!("../../../plugin-sdk/wit/since-v0.2.0/types.wit");
        let body = wit
            .split("enum field {")
            .nth(1)
            .and_then(|rest| rest.split('}').next())
            .unwrap_or_default();
        let names: Vec<String> = body
            .split(',')
            .map(|name| name.trim().replace('-', "_"))
            .filter(|name| !name.is_empty())
            .collect();
        let domain: Vec<&str> = Field::all().map(Field::name).collect();
        assert_eq!(names, domain);
    }

    #[test]
    fn nothing_that_is_shown_moves_the_cursor() {
        assert_eq!(printable("a\u{1b}[2Jb\nc"), "a\u{FFFD}[2Jb\u{FFFD}c");
        assert_eq!(printable(&"x".repeat(2_000)).chars().count(), 1_001);
    }
}
