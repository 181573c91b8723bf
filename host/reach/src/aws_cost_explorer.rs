//! AWS Cost Explorer by the official SDK, within a budget of calls.

use crate::failure::{Failure, Kind};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Group {
    Dimension(String),
    Tag(String),
    CostCategory(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Granularity {
    Daily,
    Monthly,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    pub start: String,
    pub end: String,
    pub granularity: Granularity,
    pub metrics: Vec<String>,
    pub group_by: Vec<Group>,
    pub filter: Option<String>,
    pub next: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metric {
    pub name: String,
    pub amount: String,
    pub unit: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub start: String,
    pub end: String,
    pub estimated: bool,
    pub keys: Vec<String>,
    pub metrics: Vec<Metric>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    pub rows: Vec<Row>,
    pub next: Option<String>,
}

pub struct CostExplorer {}

impl CostExplorer {
    pub fn get_cost_and_usage(&self, _query: &Query) -> Result<Page, Failure> {
        Err(Failure::new(Kind::Config, "there is no account"))
    }
}
