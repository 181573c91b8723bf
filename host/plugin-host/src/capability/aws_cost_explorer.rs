//! The power `aws-cost-explorer`: queries within a budget of calls.

use super::State;
use crate::power::Power;
use crate::wit::bindings::{aws_cost_explorer as wit, types};
use reach::aws_cost_explorer as host;

fn query(query: wit::Query) -> host::CostQuery {
    let group = |group: wit::Group| match group {
        wit::Group::Dimension(name) => host::CostGroup::Dimension(name),
        wit::Group::Tag(key) => host::CostGroup::Tag(key),
        wit::Group::CostCategory(name) => host::CostGroup::CostCategory(name),
    };
    host::CostQuery {
        start: query.start,
        end: query.end,
        granularity: match query.granularity {
            wit::Granularity::Daily => host::CostGranularity::Daily,
            wit::Granularity::Monthly => host::CostGranularity::Monthly,
        },
        metrics: query.metrics,
        group_by: query.group_by.into_iter().map(group).collect(),
        filter: query.filter,
        next: query.next,
    }
}

fn row(row: host::CostRow) -> wit::Row {
    let metric = |metric: host::CostMetric| wit::Metric {
        name: metric.name,
        amount: metric.amount,
        unit: metric.unit,
    };
    wit::Row {
        start: row.start,
        end: row.end,
        estimated: row.estimated,
        keys: row.keys,
        metrics: row.metrics.into_iter().map(metric).collect(),
    }
}

impl wit::Host for State {
    fn get_cost_and_usage(
        &mut self,
        asked: wit::Query,
    ) -> wasmtime::Result<Result<wit::Page, types::Error>> {
        let cost_explorer = self.clients.cost_explorer.clone();
        self.reach_out(Power::AwsCostExplorer, cost_explorer, |cost_explorer| {
            let page = cost_explorer.get_cost_and_usage(&query(asked))?;
            Ok(wit::Page { rows: page.rows.into_iter().map(row).collect(), next: page.next })
        })
    }
}
