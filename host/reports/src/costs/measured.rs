//! Metrics of charges by any dimension: list and contracted cost, and quantities.
//!
//! A metric stands where the charge was collected into: with its team, or with the pool that shares
//! it. Pools share costs, and a quantity that was shared by costs would be a quantity of nothing.
//!
//! What charges do not say is counted as unknown and is never zero.

use crate::bearer::Bearers;
use crate::costs::query::{CostQuery, GroupBy};
use crate::costs::read::{Charge, keys};
use crate::derive::{self, Scope};
use crate::document::{AxisText, DateText, PeriodDocument, keyed};
use crate::measure::{Measure, MeasureKey, MeasuredSum, Metric};
use crate::portion::Portion;
use crate::stored::RulesOf;
use domain::axis::Axis;
use domain::code::QUERY_INVALID;
use domain::diagnostic::Diagnostic;
use domain::hint::Hint;
use domain::period::Day;
use ledger::Reader;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// One group in one span, with one unit.
#[derive(Clone, Debug)]
pub struct MeasuredRow {
    pub period_start: Option<Day>,
    /// In the order of `group_by`; empty where there is no value.
    pub keys: Vec<String>,
    /// The currency of a cost; the unit of a quantity, empty where charges name none.
    pub unit: String,
    pub measured: MeasuredSum,
}

#[derive(Clone, Debug)]
pub struct MeasuredTable {
    pub metric: Metric,
    pub query: CostQuery,
    /// By span, keys and unit.
    pub rows: Vec<MeasuredRow>,
}

impl MeasuredTable {
    /// Charges that do not say it.
    pub fn unknown(&self) -> u64 {
        self.rows.iter().map(|row| row.measured.unknown).sum()
    }

    pub fn charges(&self) -> u64 {
        self.rows.iter().map(|row| row.measured.charges()).sum()
    }
}

pub fn measured(
    ledger: &Reader,
    query: &CostQuery,
    metric: Metric,
    rules_of: &RulesOf<'_>,
) -> Result<MeasuredTable, Diagnostic> {
    if query.axis == Axis::Posting {
        let message =
            format!("{} goes by the day of the charge: only costs are posted", metric.name());
        let hint = Hint::text("leave the axis out, or ask for `charge`");
        return Err(Diagnostic::new(QUERY_INVALID, message).hint(hint));
    }
    let dictionary = ledger.dictionary()?;
    let mut sums: BTreeMap<(Option<Day>, Vec<String>, String), MeasuredSum> = BTreeMap::new();
    let mut take = |portion: &Portion<'_>, bearers: &Bearers| {
        let charge = Charge {
            dictionary: &dictionary,
            resource: portion.resource,
            source_day: portion.source_day,
        };
        let bearer = bearers.get(portion.collected);
        let text = |group: &GroupBy| charge.text(bearer, group);
        let Some(keys) = keys(query, &text) else { return Ok(()) };
        let start = query.granularity.span_start(portion.source_day.day, query.period);
        for measured in portion.measured {
            let unit = match measured.key {
                MeasureKey::Unit(unit) if !metric.is_cost() => dictionary.text(unit).to_owned(),
                _ => portion.source_day.currency.to_string(),
            };
            let sum = sums.entry((start, keys.clone(), unit));
            sum.or_insert_with(|| MeasuredSum::new(measured.key)).add(measured);
        }
        Ok(())
    };
    let scope =
        Scope { axis: query.axis, period: query.period, measure: Some(Measure::Metric(metric)) };
    derive::derive(ledger, &dictionary, scope, Some(rules_of), &mut take)?;
    let rows = sums.into_iter().map(|((period_start, keys, unit), measured)| MeasuredRow {
        period_start,
        keys,
        unit,
        measured,
    });
    Ok(MeasuredTable { metric, query: query.clone(), rows: rows.collect() })
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Measures")]
pub struct MeasuredDocument {
    axis: AxisText,
    period: PeriodDocument,
    granularity: &'static str,
    group_by: Vec<String>,
    filter: Vec<String>,
    metric: &'static str,
    /// By span, keys and unit.
    measures: Vec<MeasureDocument>,
    next_page_token: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Measure")]
struct MeasureDocument {
    /// Null where granularity is total.
    period_start: Option<DateText>,
    keys: BTreeMap<String, String>,
    /// The currency of a cost, or the unit of a quantity.
    unit: String,
    /// Decimal text: the sum over the charges that say it. Null if none does.
    value: Option<String>,
    charges: u64,
    /// Charges that do not say it; they add nothing to the value.
    unknown_charges: u64,
}

impl MeasuredDocument {
    /// Of all rows.
    pub fn whole(table: &MeasuredTable) -> MeasuredDocument {
        MeasuredDocument::page(table, &table.rows.iter().collect::<Vec<_>>(), None)
    }

    /// Of some rows, with the token that gets those after them.
    pub fn page(
        table: &MeasuredTable,
        rows: &[&MeasuredRow],
        next: Option<String>,
    ) -> MeasuredDocument {
        let CostQuery { axis, period, granularity, group_by, filter } = &table.query;
        let names: Vec<String> = group_by.iter().map(ToString::to_string).collect();
        let measure = |row: &&MeasuredRow| MeasureDocument {
            period_start: row.period_start.map(DateText::from),
            keys: keyed(&names, &row.keys),
            unit: row.unit.clone(),
            value: row.measured.value(),
            charges: row.measured.charges(),
            unknown_charges: row.measured.unknown,
        };
        MeasuredDocument {
            axis: (*axis).into(),
            period: (*period).into(),
            granularity: granularity.name(),
            filter: filter.iter().map(|(group, value)| format!("{group}:{value}")).collect(),
            metric: table.metric.name(),
            measures: rows.iter().map(measure).collect(),
            group_by: names,
            next_page_token: next,
        }
    }
}
