//! AWS Cost Explorer by the official SDK, within a budget of requests.

mod filter;

use crate::aws::{self, Access, Ask};
use crate::failure::{Failure, Kind};
use crate::runtime::block_on;
use aws_sdk_costexplorer::Client;
use aws_sdk_costexplorer::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_costexplorer::config::retry::RetryConfig;
use aws_sdk_costexplorer::config::{self, ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_costexplorer::error::BoxError;
use aws_sdk_costexplorer::operation::get_cost_and_usage::GetCostAndUsageOutput;
use aws_sdk_costexplorer::types;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

const ASK: Ask = Ask { service: "AWS Cost Explorer", action: "ce:GetCostAndUsage" };

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

/// Who answers what a plugin asks of Cost Explorer: AWS, or a script.
pub trait Costs: Send + Sync {
    fn get_cost_and_usage(&self, query: &Query) -> Result<Page, Failure>;
}

impl Costs for CostExplorer {
    fn get_cost_and_usage(&self, query: &Query) -> Result<Page, Failure> {
        CostExplorer::get_cost_and_usage(self, query)
    }
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
    /// As AWS wrote it; empty where it wrote none.
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

/// One run's access to Cost Explorer: AWS charges for each request, so there are so many of them.
pub struct CostExplorer {
    access: Access,
    budget: u32,
    sent: Sent,
    client: OnceLock<Client>,
}

/// Counts what goes out, repetitions included.
#[derive(Clone, Debug, Default)]
struct Sent(Arc<AtomicU32>);

impl Intercept for Sent {
    fn name(&self) -> &'static str {
        "Sent"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

impl CostExplorer {
    /// At most `budget` requests are made.
    pub fn new(access: Access, budget: u32) -> CostExplorer {
        CostExplorer { access, budget, sent: Sent::default(), client: OnceLock::new() }
    }

    pub fn get_cost_and_usage(&self, query: &Query) -> Result<Page, Failure> {
        let left = self.budget.saturating_sub(self.sent.0.load(Ordering::Relaxed));
        if left == 0 {
            return Err(self.used_up());
        }
        let asked = request(query)?;
        // A repetition costs as well: the last requests of a budget are not repeated.
        let retries = RetryConfig::standard().with_max_attempts(left.min(aws::ATTEMPTS));
        let call = self.client().get_cost_and_usage();
        let output = block_on(async {
            let call = call
                .time_period(asked.period)
                .granularity(asked.granularity)
                .set_metrics(Some(query.metrics.clone()))
                .set_group_by((!asked.groups.is_empty()).then_some(asked.groups))
                .set_filter(asked.filter)
                .set_next_page_token(query.next.clone());
            call.customize()
                .config_override(config::Config::builder().retry_config(retries))
                .send()
                .await
        });
        let output = output.map_err(|error| aws::failure(&self.access, ASK, &error))?;
        Ok(page(output, &query.metrics))
    }

    fn client(&self) -> &Client {
        self.client.get_or_init(|| {
            let found = block_on(aws::configuration(&self.access));
            let mut config = config::Builder::from(&found).interceptor(self.sent.clone());
            if let Some(endpoint) = &self.access.endpoint {
                config = config.endpoint_url(endpoint);
            }
            Client::from_conf(config.build())
        })
    }

    fn used_up(&self) -> Failure {
        let (budget, source) = (self.budget, &self.access.source);
        let message = format!(
            "the {budget} requests that source '{source}' may make of AWS Cost Explorer in one run are used up"
        );
        Failure::new(Kind::Config, message).hint(format!(
            "each request costs about 0.01 USD; collect a shorter period or fewer groups, or raise the budget:\n[sources.{source}.aws]\ncalls = {}",
            budget.saturating_mul(2)
        ))
    }
}

struct Asked {
    period: types::DateInterval,
    granularity: types::Granularity,
    groups: Vec<types::GroupDefinition>,
    filter: Option<types::Expression>,
}

fn request(query: &Query) -> Result<Asked, Failure> {
    let period = types::DateInterval::builder().start(&query.start).end(&query.end).build();
    let period = period.map_err(|error| {
        Failure::new(Kind::Config, format!("the period cannot be asked for: {error}"))
    })?;
    let group = |group: &Group| {
        let (kind, key) = match group {
            Group::Dimension(name) => (types::GroupDefinitionType::Dimension, name),
            Group::Tag(key) => (types::GroupDefinitionType::Tag, key),
            Group::CostCategory(name) => (types::GroupDefinitionType::CostCategory, name),
        };
        types::GroupDefinition::builder().r#type(kind).key(key).build()
    };
    Ok(Asked {
        period,
        granularity: match query.granularity {
            Granularity::Daily => types::Granularity::Daily,
            Granularity::Monthly => types::Granularity::Monthly,
        },
        groups: query.group_by.iter().map(group).collect(),
        filter: query.filter.as_deref().map(filter::parse).transpose()?,
    })
}

/// A time without groups is one row, of its total.
fn page(output: GetCostAndUsageOutput, asked: &[String]) -> Page {
    let mut rows = Vec::new();
    for time in output.results_by_time.unwrap_or_default() {
        let (start, end) =
            time.time_period.map(|period| (period.start, period.end)).unwrap_or_default();
        let row =
            |keys: Vec<String>, metrics: std::collections::HashMap<String, types::MetricValue>| {
                let metric = |name: &String| {
                    let value = metrics.get(name)?;
                    Some(Metric {
                        name: name.clone(),
                        amount: value.amount.clone().unwrap_or_default(),
                        unit: value.unit.clone().unwrap_or_default(),
                    })
                };
                Row {
                    start: start.clone(),
                    end: end.clone(),
                    estimated: time.estimated,
                    keys,
                    metrics: asked.iter().filter_map(metric).collect(),
                }
            };
        let total = time.total.filter(|total| !total.is_empty());
        let groups = time.groups.unwrap_or_default();
        match total {
            Some(total) if groups.is_empty() => rows.push(row(Vec::new(), total)),
            _ => rows.extend(groups.into_iter().map(|group| {
                row(group.keys.unwrap_or_default(), group.metrics.unwrap_or_default())
            })),
        }
    }
    Page { rows, next: output.next_page_token.filter(|token| !token.is_empty()) }
}
