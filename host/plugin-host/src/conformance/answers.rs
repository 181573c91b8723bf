//! Answers of a script for powers other than `http`: lists of a cluster, costs and accounts of AWS,
//! page by page, or a fault.

use super::fault::ServerFault;
use reach::aws_cost_explorer::{self as costs, CostPages};
use reach::aws_organizations::{self as organizations, AccountPages};
use reach::failure::{Failure, FailureKind};
use reach::kubernetes::{self as cluster, ClusterLists};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Rows of a page where the plugin does not say how many it wants.
const PAGE: usize = 2;
/// A plugin that trusts the server would otherwise page for ever when paging is at fault.
const NEXT: &str = "1";

/// The answers as the script's file `answers` has them.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answers {
    /// Objects of a cluster by resource, such as `nodes`.
    #[serde(default)]
    kubernetes: BTreeMap<String, Vec<Value>>,
    #[serde(default)]
    aws_cost_explorer: Vec<ScriptedCost>,
    #[serde(default)]
    aws_organizations: Vec<ScriptedAccount>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ScriptedCost {
    start: String,
    end: String,
    #[serde(default)]
    estimated: bool,
    #[serde(default)]
    keys: Vec<String>,
    /// Amount and unit by the metric.
    metrics: BTreeMap<String, [String; 2]>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ScriptedAccount {
    id: String,
    name: String,
    status: String,
    #[serde(default)]
    tags: BTreeMap<String, String>,
    #[serde(default)]
    units: Vec<String>,
}

/// The other side of these powers in one collection.
pub struct ScriptedClients {
    answers: Answers,
    /// The fault, and the number of requests before it.
    fault: Option<(ServerFault, usize)>,
    asked: AtomicUsize,
}

/// How a request is answered.
enum AnswerTurn {
    Well,
    Changed(fn(&[u8]) -> Vec<u8>),
    /// With the first page again, as if more were to come.
    Again,
}

impl ScriptedClients {
    pub fn new(answers: Answers, fault: Option<(ServerFault, usize)>) -> ScriptedClients {
        ScriptedClients { answers, fault, asked: AtomicUsize::new(0) }
    }

    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }

    fn turn(&self) -> Result<AnswerTurn, Failure> {
        let before = self.asked.fetch_add(1, Ordering::Relaxed);
        match self.fault.as_ref().filter(|(_, well)| before >= *well).map(|(fault, _)| fault) {
            None => Ok(AnswerTurn::Well),
            Some(ServerFault::Status(429, wait)) => {
                Err(Failure::new(FailureKind::RateLimited(*wait), "the server was asked too often"))
            }
            Some(ServerFault::Status(401, _)) => {
                Err(Failure::new(FailureKind::Auth, "the server does not know who asks"))
            }
            Some(ServerFault::Status(..)) => {
                Err(Failure::new(FailureKind::Unavailable, "the server is down"))
            }
            Some(ServerFault::Late) => {
                Err(Failure::new(FailureKind::Transient, "the server did not answer in time"))
            }
            Some(ServerFault::Body(change)) => Ok(AnswerTurn::Changed(*change)),
            Some(ServerFault::Again) => Ok(AnswerTurn::Again),
        }
    }
}

/// A page of all rows, and where the next one begins.
fn page<T: Clone>(
    all: &[T],
    next: Option<&str>,
    size: usize,
    turn: &AnswerTurn,
) -> Result<(Vec<T>, Option<String>), Failure> {
    let is_again = matches!(turn, AnswerTurn::Again);
    let begin = match next.filter(|_| !is_again) {
        None => 0,
        Some(text) => text.parse::<usize>().map_err(|_| {
            Failure::new(FailureKind::Config, format!("'{text}' is no place that a page ended at"))
        })?,
    };
    let end = begin.saturating_add(size.max(1)).min(all.len());
    let next =
        if is_again { Some(NEXT.to_owned()) } else { (end < all.len()).then(|| end.to_string()) };
    Ok((all.get(begin..end).unwrap_or_default().to_vec(), next))
}

impl ClusterLists for ScriptedClients {
    fn list(&self, query: &cluster::ListQuery) -> Result<cluster::ListPage, Failure> {
        let turn = self.turn()?;
        let all =
            self.answers.kubernetes.get(&query.resource).map(Vec::as_slice).unwrap_or_default();
        let (objects, next) = page(all, query.next.as_deref(), query.limit as usize, &turn)?;
        let objects = Value::Array(objects).to_string().into_bytes();
        Ok(cluster::ListPage {
            objects: if let AnswerTurn::Changed(change) = turn {
                change(&objects)
            } else {
                objects
            },
            next,
        })
    }

    fn version(&self) -> Result<String, Failure> {
        Ok("v1.34.0".into())
    }
}

impl CostPages for ScriptedClients {
    fn get_cost_and_usage(&self, query: &costs::CostQuery) -> Result<costs::CostPage, Failure> {
        let turn = self.turn()?;
        let wanted = |row: &&ScriptedCost| row.start >= query.start && row.start < query.end;
        let all: Vec<ScriptedCost> =
            self.answers.aws_cost_explorer.iter().filter(wanted).cloned().collect();
        let (rows, next) = page(&all, query.next.as_deref(), PAGE, &turn)?;
        let is_changed = matches!(turn, AnswerTurn::Changed(_));
        let metric = |(name, [amount, unit]): (String, [String; 2])| {
            // These answers are typed: none can be malformed, but each amount can be missing.
            costs::CostMetric {
                name,
                amount: if is_changed { "none".into() } else { amount },
                unit,
            }
        };
        let row = |row: ScriptedCost| {
            let metrics = row
                .metrics
                .into_iter()
                .filter(|(name, _)| query.metrics.contains(name))
                .map(metric)
                .collect();
            costs::CostRow {
                start: row.start,
                end: row.end,
                estimated: row.estimated,
                keys: row.keys,
                metrics,
            }
        };
        Ok(costs::CostPage { rows: rows.into_iter().map(row).collect(), next })
    }
}

impl AccountPages for ScriptedClients {
    fn accounts(&self, next: Option<&str>) -> Result<organizations::AccountPage, Failure> {
        let turn = self.turn()?;
        let (accounts, next) = page(&self.answers.aws_organizations, next, PAGE, &turn)?;
        let account = |account: ScriptedAccount| {
            let tags = account.tags.into_iter().collect();
            organizations::OrganizationAccount {
                id: account.id,
                name: account.name,
                status: account.status,
                tags,
                units: account.units,
            }
        };
        Ok(organizations::AccountPage {
            accounts: accounts.into_iter().map(account).collect(),
            next,
        })
    }
}
