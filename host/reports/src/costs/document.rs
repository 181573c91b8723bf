//! Costs as they are shown.

use crate::costs::query::CostQuery;
use crate::costs::read::{CostRow, CostTable};
use crate::document::{AmountDocument, DateText, PeriodDocument, keyed};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Costs")]
pub struct CostsDocument {
    period: PeriodDocument,
    granularity: &'static str,
    group_by: Vec<String>,
    filter: Vec<String>,
    /// By span, keys and currency. A group whose costs cancel out to zero is left out.
    costs: Vec<CostDocument>,
    /// Of all pages together.
    totals: Vec<AmountDocument>,
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

impl CostsDocument {
    /// Of all rows.
    pub fn whole(table: &CostTable) -> CostsDocument {
        CostsDocument::page(table, &table.rows.iter().collect::<Vec<_>>(), None)
    }

    /// Of some rows, with the token that gets those after them.
    pub fn page(table: &CostTable, rows: &[&CostRow], next: Option<String>) -> CostsDocument {
        let CostQuery { period, granularity, group_by, filter } = &table.query;
        let names: Vec<String> = group_by.iter().map(ToString::to_string).collect();
        CostsDocument {
            period: (*period).into(),
            granularity: granularity.name(),
            filter: filter.iter().map(|(group, value)| format!("{group}:{value}")).collect(),
            costs: rows.iter().map(|row| CostDocument::new(&names, row)).collect(),
            totals: AmountDocument::list(&table.totals),
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
