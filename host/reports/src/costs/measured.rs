//! Metrics of charges by any dimension: list and contracted cost, and quantities.
//!
//! A metric stands where the charge was collected into: with its team, or with the pool that shares
//! it. Pools share costs, and a quantity that was shared by costs would be a quantity of nothing.
//!
//! What charges do not say is counted as unknown and is never zero.

use crate::bearer::Bearers;
use crate::costs::query::{CostQuery, GroupBy};
use crate::costs::ranking::{OtherRow, RankedRow, Ranking};
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
use std::cmp::Ordering;
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
    pub ranking: Ranking,
    pub rows: Vec<MeasuredRow>,
    /// The groups that have no rows of their own, by span and unit.
    pub others: Vec<OtherRow<MeasuredRow>>,
}

impl MeasuredTable {
    /// The same in another order, with the largest groups only.
    pub fn ranked(self, ranking: Ranking) -> MeasuredTable {
        let (rows, others) = ranking.rank(self.rows);
        MeasuredTable { ranking, rows, others, ..self }
    }

    fn sums(&self) -> impl Iterator<Item = &MeasuredSum> {
        let others = self.others.iter().map(|other| &other.row);
        self.rows.iter().chain(others).map(|row| &row.measured)
    }

    /// Charges that do not say it.
    pub fn unknown(&self) -> u64 {
        self.sums().map(|measured| measured.unknown).sum()
    }

    pub fn charges(&self) -> u64 {
        self.sums().map(MeasuredSum::charges).sum()
    }
}

impl RankedRow for MeasuredRow {
    fn period_start(&self) -> Option<Day> {
        self.period_start
    }

    fn keys(&self) -> &[String] {
        &self.keys
    }

    fn unit(&self) -> &str {
        &self.unit
    }

    fn by_amount(&self, other: &Self) -> Ordering {
        self.measured.sum.value().cmp(&other.measured.sum.value())
    }

    fn without_keys(&self) -> MeasuredRow {
        MeasuredRow { keys: Vec::new(), ..self.clone() }
    }

    fn add(&mut self, other: &MeasuredRow) {
        self.measured.add(&other.measured);
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
    let scope = Scope {
        axis: query.axis,
        period: query.period,
        measure: Some(Measure::Metric(metric)),
        resources: None,
    };
    derive::derive(ledger, &dictionary, scope, Some(rules_of), &mut take)?;
    let rows = sums.into_iter().map(|((period_start, keys, unit), measured)| MeasuredRow {
        period_start,
        keys,
        unit,
        measured,
    });
    Ok(MeasuredTable {
        metric,
        query: query.clone(),
        ranking: Ranking::default(),
        rows: rows.collect(),
        others: Vec::new(),
    })
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
    sort: &'static str,
    top: Option<usize>,
    measures: Vec<MeasureDocument>,
    /// The groups behind the first ones that `top` asks for, of all pages together.
    other: Vec<OtherMeasureDocument>,
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

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "OtherMeasure")]
struct OtherMeasureDocument {
    period_start: Option<DateText>,
    groups: usize,
    unit: String,
    value: Option<String>,
    charges: u64,
    unknown_charges: u64,
}

impl From<&OtherRow<MeasuredRow>> for OtherMeasureDocument {
    fn from(OtherRow { groups, row }: &OtherRow<MeasuredRow>) -> OtherMeasureDocument {
        OtherMeasureDocument {
            period_start: row.period_start.map(DateText::from),
            groups: *groups,
            unit: row.unit.clone(),
            value: row.measured.value(),
            charges: row.measured.charges(),
            unknown_charges: row.measured.unknown,
        }
    }
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
            filter: filter.iter().map(ToString::to_string).collect(),
            metric: table.metric.name(),
            sort: table.ranking.sort.name(),
            top: table.ranking.top,
            other: table.others.iter().map(OtherMeasureDocument::from).collect(),
            measures: rows.iter().map(measure).collect(),
            group_by: names,
            next_page_token: next,
        }
    }
}
