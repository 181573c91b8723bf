//! Costs as they are shown.

use crate::costs::query::CostQuery;
use crate::costs::ranking::OtherRow;
use crate::costs::read::{CostRow, CostTable};
use crate::document::{AmountDocument, AxisText, DateText, MonthText, PeriodDocument, keyed};
use domain::money::{Currency, Sum};
use domain::period::Month;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Costs")]
pub struct CostsDocument {
    axis: AxisText,
    /// Of days by the axis.
    period: PeriodDocument,
    granularity: &'static str,
    group_by: Vec<String>,
    filter: Vec<String>,
    /// The order of costs. By name: by span, keys and currency. By amount: by currency and span,
    /// and then the groups with the largest amounts over the whole period first.
    sort: &'static str,
    /// So many groups of each currency have rows of their own.
    top: Option<usize>,
    /// A group whose costs cancel out to zero is left out.
    costs: Vec<CostDocument>,
    /// The groups behind the first ones that `top` asks for, of all pages together. With them, the
    /// costs add up to the totals.
    other: Vec<OtherCostDocument>,
    /// Of all pages together.
    totals: Vec<AmountDocument>,
    /// The part of the totals that corrects earlier months, by the month of its charges. None by
    /// the axis charge.
    corrections: Vec<CorrectionDocument>,
    next_page_token: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Cost")]
struct CostDocument {
    /// Null where granularity is total.
    period_start: Option<DateText>,
    /// A value for each name of group_by; the empty one is cost without a value. The team of cost
    /// that no team bears is unallocated, suspense, pool/<rule> or excluded/<rule>.
    keys: BTreeMap<String, String>,
    cost: AmountDocument,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "OtherCost")]
struct OtherCostDocument {
    /// Null where granularity is total.
    period_start: Option<DateText>,
    groups: usize,
    cost: AmountDocument,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Correction")]
struct CorrectionDocument {
    charge_period: MonthText,
    cost: AmountDocument,
}

impl CostsDocument {
    /// Of all rows.
    pub fn whole(table: &CostTable) -> CostsDocument {
        CostsDocument::page(table, &table.rows.iter().collect::<Vec<_>>(), None)
    }

    /// Of some rows, with the token that gets those after them.
    pub fn page(table: &CostTable, rows: &[&CostRow], next: Option<String>) -> CostsDocument {
        let CostQuery { axis, period, granularity, group_by, filter } = &table.query;
        let correction = |(month, currency, amount): &(Month, Currency, Sum)| CorrectionDocument {
            charge_period: (*month).into(),
            cost: AmountDocument::new(*currency, *amount),
        };
        let names: Vec<String> = group_by.iter().map(ToString::to_string).collect();
        CostsDocument {
            axis: (*axis).into(),
            period: (*period).into(),
            granularity: granularity.name(),
            filter: filter.iter().map(ToString::to_string).collect(),
            sort: table.ranking.sort.name(),
            top: table.ranking.top,
            other: table.others.iter().map(OtherCostDocument::from).collect(),
            costs: rows.iter().map(|row| CostDocument::new(&names, row)).collect(),
            totals: AmountDocument::list(&table.totals),
            corrections: table.corrections.iter().map(correction).collect(),
            group_by: names,
            next_page_token: next,
        }
    }
}

impl CostDocument {
    fn new(names: &[String], row: &CostRow) -> CostDocument {
        CostDocument {
            period_start: row.period_start.map(DateText::from),
            keys: keyed(names, &row.keys),
            cost: AmountDocument::new(row.currency, row.amount),
        }
    }
}

impl From<&OtherRow<CostRow>> for OtherCostDocument {
    fn from(OtherRow { groups, row }: &OtherRow<CostRow>) -> OtherCostDocument {
        OtherCostDocument {
            period_start: row.period_start.map(DateText::from),
            groups: *groups,
            cost: AmountDocument::new(row.currency, row.amount),
        }
    }
}
