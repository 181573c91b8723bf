//! AWS Cost Explorer by the official SDK, within a budget of requests.

mod filter;

use crate::aws::{self, AwsAccess, AwsAction};
use crate::failure::{Failure, FailureKind};
use crate::runtime::block_on;
use crate::secret::Blots;
use aws_sdk_costexplorer::Client;
use aws_sdk_costexplorer::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_costexplorer::config::retry::RetryConfig;
use aws_sdk_costexplorer::config::{self, ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_costexplorer::error::BoxError;
use aws_sdk_costexplorer::operation::get_cost_and_usage::GetCostAndUsageOutput;
use aws_sdk_costexplorer::types;
use domain::hint::Hint;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

const ASK: AwsAction = AwsAction { service: "AWS Cost Explorer", action: "ce:GetCostAndUsage" };

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CostGroup {
    Dimension(String),
    Tag(String),
    CostCategory(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CostGranularity {
    Daily,
    Monthly,
}

/// Answers a plugin's queries of Cost Explorer: AWS does, or a script.
pub trait CostPages: Send + Sync {
    fn get_cost_and_usage(&self, query: &CostQuery) -> Result<CostPage, Failure>;
}

impl CostPages for CostExplorer {
    fn get_cost_and_usage(&self, query: &CostQuery) -> Result<CostPage, Failure> {
        CostExplorer::get_cost_and_usage(self, query)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CostQuery {
    pub start: String,
    pub end: String,
    pub granularity: CostGranularity,
    pub metrics: Vec<String>,
    pub group_by: Vec<CostGroup>,
    pub filter: Option<String>,
    pub next: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CostMetric {
    pub name: String,
    /// As AWS wrote it. Empty if it wrote none.
    pub amount: String,
    pub unit: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CostRow {
    pub start: String,
    pub end: String,
    pub estimated: bool,
    pub keys: Vec<String>,
    pub metrics: Vec<CostMetric>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CostPage {
    pub rows: Vec<CostRow>,
    pub next: Option<String>,
}

/// Cost Explorer for one run. AWS charges for each request, so a budget bounds them.
pub struct CostExplorer {
    access: AwsAccess,
    budget: u32,
    sent: SentRequests,
    client: OnceLock<Client>,
    blots: Arc<Blots>,
}

/// Counts the requests that are sent, with all repetitions.
#[derive(Clone, Debug, Default)]
struct SentRequests(Arc<AtomicU32>);

impl Intercept for SentRequests {
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
    pub fn new(access: AwsAccess, budget: u32) -> CostExplorer {
        CostExplorer {
            access,
            budget,
            sent: SentRequests::default(),
            client: OnceLock::new(),
            blots: Arc::default(),
        }
    }

    pub fn get_cost_and_usage(&self, query: &CostQuery) -> Result<CostPage, Failure> {
        let left = self.budget.saturating_sub(self.sent.0.load(Ordering::Relaxed));
        if left == 0 {
            return Err(self.used_up());
        }
        let asked = request(query)?;
        // A repetition costs as much as a request, so attempts end with the budget.
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
        let sent = self.sent.0.load(Ordering::Relaxed);
        tracing::debug!(source = self.access.source, sent, ok = output.is_ok(), "costs were asked");
        let output =
            output.map_err(|error| aws::failure(&self.access, ASK, &self.blots, &error))?;
        Ok(page(output, &query.metrics))
    }

    fn client(&self) -> &Client {
        self.client.get_or_init(|| {
            let found = block_on(aws::configuration(&self.access, &self.blots));
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
            "the {budget} requests that source '{source}' may make of AWS Cost Explorer \
             in one run are used up"
        );
        let lines = format!("{}\ncalls = {}", self.access.section(), budget.saturating_mul(2));
        Failure::new(FailureKind::Config, message).hint(
            Hint::text(
                "each request costs about 0.01 USD; \
                 collect a shorter period or fewer groups, or raise the budget:\n",
            )
            .then(Hint::setting(lines)),
        )
    }
}

struct CostRequest {
    period: types::DateInterval,
    granularity: types::Granularity,
    groups: Vec<types::GroupDefinition>,
    filter: Option<types::Expression>,
}

fn request(query: &CostQuery) -> Result<CostRequest, Failure> {
    let period = types::DateInterval::builder().start(&query.start).end(&query.end).build();
    let period = period.map_err(|error| {
        Failure::new(FailureKind::Config, format!("the period cannot be asked for: {error}"))
    })?;
    let group = |group: &CostGroup| {
        let (kind, key) = match group {
            CostGroup::Dimension(name) => (types::GroupDefinitionType::Dimension, name),
            CostGroup::Tag(key) => (types::GroupDefinitionType::Tag, key),
            CostGroup::CostCategory(name) => (types::GroupDefinitionType::CostCategory, name),
        };
        types::GroupDefinition::builder().r#type(kind).key(key).build()
    };
    Ok(CostRequest {
        period,
        granularity: match query.granularity {
            CostGranularity::Daily => types::Granularity::Daily,
            CostGranularity::Monthly => types::Granularity::Monthly,
        },
        groups: query.group_by.iter().map(group).collect(),
        filter: query.filter.as_deref().map(filter::parse).transpose()?,
    })
}

/// The rows of an answer. A time without groups is one row with its total.
fn page(output: GetCostAndUsageOutput, asked: &[String]) -> CostPage {
    let mut rows = Vec::new();
    for time in output.results_by_time.unwrap_or_default() {
        let (start, end) =
            time.time_period.map(|period| (period.start, period.end)).unwrap_or_default();
        let row =
            |keys: Vec<String>, metrics: std::collections::HashMap<String, types::MetricValue>| {
                let metric = |name: &String| {
                    let value = metrics.get(name)?;
                    Some(CostMetric {
                        name: name.clone(),
                        amount: value.amount.clone().unwrap_or_default(),
                        unit: value.unit.clone().unwrap_or_default(),
                    })
                };
                CostRow {
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
    CostPage { rows, next: output.next_page_token.filter(|token| !token.is_empty()) }
}
