//! An explanation as it is shown.

use crate::document::{
    AmountDocument, AxisText, DateText, MonthText, PeriodDocument, PluginDocument,
};
use crate::explain::answer::{
    Correction, CorrectionWay, EntryFacts, ExplainedAccount, ExplainedRule, ExplainedSource,
    ExplainedWeights, Explanation, LargestResource, Subject,
};
use crate::explain::query::ExplainDepth;
use crate::explain::resource_document::ResourceDocument;
use domain::account::Account;
use domain::entry::Posting;
use domain::money::Sum;
use domain::recipient::Recipient;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// The sums of each level add up to the one above, to the last digit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Explanation")]
pub struct ExplanationDocument {
    subject: SubjectDocument,
    service_name: Option<String>,
    axis: AxisText,
    /// Of days by the axis.
    period: PeriodDocument,
    /// summary, rules, resources or all: each one has what the one before has, and more.
    depth: &'static str,
    /// The depth to ask for to see more. Null where this is all.
    deeper: Option<&'static str>,
    totals: Vec<AmountDocument>,
    accounts: Vec<AccountDocument>,
    sources: Vec<SourceCostDocument>,
}

/// An account, a resource or an entry.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[schemars(rename = "ExplainedSubject")]
struct SubjectDocument {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    account: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    resource: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "EntryDocument")]
    entry: Option<EntryDocument>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "ExplainedEntry")]
struct EntryDocument {
    id: i64,
    kind: &'static str,
    source: String,
    day: DateText,
    posting_day: DateText,
    run: i64,
    reverses: Option<i64>,
    reversed_by: Option<i64>,
    /// The entry's link in the chain.
    hash: String,
    /// Whether it counts.
    stands: bool,
    postings: Vec<PostingDocument>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "ExplainedPosting")]
struct PostingDocument {
    account: String,
    rule: Option<String>,
    service_name: Option<String>,
    cost: AmountDocument,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "ExplainedAccount")]
struct AccountDocument {
    account: String,
    cost: AmountDocument,
    rules: Vec<RuleDocument>,
    /// The ten largest of all rules together.
    largest: Vec<LargestDocument>,
    /// The resources that are not among the largest.
    rest: RestDocument,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "LargestResource")]
struct LargestDocument {
    dimensions: BTreeMap<String, String>,
    cost: AmountDocument,
    /// Decimal text: its part of the account's cost. Null of a cost of zero.
    percent: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "ExplainedRule")]
struct RuleDocument {
    /// Null for what was posted in the month of its charges.
    correction: Option<ExplainedCorrectionDocument>,
    /// Null where no rule claimed the charges.
    rule: Option<String>,
    digest: Option<String>,
    name: String,
    /// The first line of the rule's doc comment.
    description: String,
    cost: AmountDocument,
    /// Decimal text: its part of the account's cost. Null of a cost of zero.
    percent: Option<String>,
    /// All that the rule shared in the period, where it shared the cost.
    shared: Option<AmountDocument>,
    /// Decimal text: the account's part of it.
    share_percent: Option<String>,
    charges: u64,
    /// The largest ones; none above the depth resources.
    resources: Vec<ResourceDocument>,
    rest: RestDocument,
    /// How shared costs were spread, on the latest days; none in a summary.
    weights: Vec<WeightsDocument>,
}

/// A part that was posted in a later month than that of its charges.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "ExplainedCorrection")]
struct ExplainedCorrectionDocument {
    charge_period: MonthText,
    /// Whether it takes back what was posted, by the rule before; else it posts anew, by the rule
    /// after.
    taken_back: bool,
}

/// The rest that is not listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "ExplainedRest")]
struct RestDocument {
    resources: u64,
    cost: AmountDocument,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "ExplainedWeights")]
struct WeightsDocument {
    day: DateText,
    /// The decision of the rule in words.
    #[schemars(extend("example" = "by_cost all teams"))]
    decision: String,
    total: String,
    targets: Vec<WeightDocument>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "ExplainedWeight")]
struct WeightDocument {
    account: String,
    cost_center: Option<String>,
    environment: Option<String>,
    application: Option<String>,
    /// Its share is this divided by the total.
    weight: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "ExplainedSource")]
struct SourceCostDocument {
    source: String,
    cost: AmountDocument,
    plugin: PluginDocument,
}

impl From<&Explanation> for ExplanationDocument {
    fn from(explanation: &Explanation) -> ExplanationDocument {
        ExplanationDocument {
            subject: SubjectDocument::from(&explanation.subject),
            service_name: explanation.service_name.clone(),
            axis: explanation.axis.into(),
            period: explanation.period.into(),
            depth: explanation.depth.name(),
            deeper: explanation.depth.deeper().map(ExplainDepth::name),
            totals: AmountDocument::list(&explanation.totals),
            accounts: explanation.accounts.iter().map(AccountDocument::from).collect(),
            sources: explanation.sources.iter().map(SourceCostDocument::from).collect(),
        }
    }
}

impl From<&Subject> for SubjectDocument {
    fn from(subject: &Subject) -> SubjectDocument {
        let none = SubjectDocument::default();
        match subject {
            Subject::Account(account) => {
                SubjectDocument { account: Some(account.to_string()), ..none }
            }
            Subject::Resource(name) => SubjectDocument { resource: Some(name.clone()), ..none },
            Subject::Entry(entry) => SubjectDocument { entry: Some(entry.into()), ..none },
        }
    }
}

impl From<&EntryFacts> for EntryDocument {
    fn from(entry: &EntryFacts) -> EntryDocument {
        let day = &entry.source_day;
        let posting = |posting: &Posting| PostingDocument {
            account: posting.account.to_string(),
            rule: posting.rule.as_ref().map(|version| version.rule.clone()),
            service_name: posting.service_name.clone(),
            cost: AmountDocument::new(day.currency, Sum::from(posting.amount)),
        };
        EntryDocument {
            id: entry.id.0,
            kind: entry.kind.name(),
            source: day.source.clone(),
            day: day.day.into(),
            posting_day: entry.posting_day.into(),
            run: entry.run.0,
            reverses: entry.reverses.map(|id| id.0),
            reversed_by: entry.reversed_by.map(|id| id.0),
            hash: entry.hash.clone(),
            stands: entry.stands,
            postings: entry.postings.iter().map(posting).collect(),
        }
    }
}

impl From<&ExplainedAccount> for AccountDocument {
    fn from(account: &ExplainedAccount) -> AccountDocument {
        let currency = account.currency;
        AccountDocument {
            account: account.account.to_string(),
            cost: AmountDocument::new(currency, account.amount),
            rules: account.rules.iter().map(|rule| RuleDocument::new(rule, account)).collect(),
            largest: account.largest.iter().map(|it| LargestDocument::new(it, account)).collect(),
            rest: RestDocument {
                resources: account.rest_resources,
                cost: AmountDocument::new(currency, account.rest_amount),
            },
        }
    }
}

impl LargestDocument {
    fn new(resource: &LargestResource, account: &ExplainedAccount) -> LargestDocument {
        LargestDocument {
            dimensions: resource.dimensions.iter().cloned().collect(),
            cost: AmountDocument::new(account.currency, resource.amount),
            percent: resource.amount.percent_of(account.amount),
        }
    }
}

impl RuleDocument {
    fn new(rule: &ExplainedRule, account: &ExplainedAccount) -> RuleDocument {
        let currency = account.currency;
        let resource = |resource| ResourceDocument::new(resource, currency);
        let correction = |correction: &Correction| ExplainedCorrectionDocument {
            charge_period: correction.charge_month.into(),
            taken_back: correction.way == CorrectionWay::TakenBack,
        };
        RuleDocument {
            correction: rule.correction.as_ref().map(correction),
            rule: rule.version.as_ref().map(|version| version.rule.clone()),
            digest: rule.version.as_ref().map(|version| version.digest.clone()),
            name: rule.name.clone(),
            description: rule.doc.clone(),
            cost: AmountDocument::new(currency, rule.amount),
            percent: rule.amount.percent_of(account.amount),
            shared: rule.shared.map(|shared| AmountDocument::new(currency, shared)),
            share_percent: rule.share_percent(),
            charges: rule.charges,
            resources: rule.resources.iter().map(resource).collect(),
            rest: RestDocument {
                resources: rule.rest_resources,
                cost: AmountDocument::new(currency, rule.rest_amount),
            },
            weights: rule.weights.iter().map(WeightsDocument::from).collect(),
        }
    }
}

impl From<&ExplainedWeights> for WeightsDocument {
    fn from(weights: &ExplainedWeights) -> WeightsDocument {
        let share = |(recipient, weight): &(Recipient, i64)| {
            let target = recipient.target();
            WeightDocument {
                account: Account::of(recipient).to_string(),
                cost_center: target.and_then(|target| target.cost_center.clone()),
                environment: target.and_then(|target| target.environment.clone()),
                application: target.and_then(|target| target.application.clone()),
                weight: weight.to_string(),
            }
        };
        WeightsDocument {
            day: weights.day.into(),
            decision: weights.decision.clone(),
            total: weights.total.to_string(),
            targets: weights.weights.iter().map(share).collect(),
        }
    }
}

impl From<&ExplainedSource> for SourceCostDocument {
    fn from(source: &ExplainedSource) -> SourceCostDocument {
        SourceCostDocument {
            source: source.source.clone(),
            cost: AmountDocument::new(source.currency, source.amount),
            plugin: PluginDocument::from(&source.plugin),
        }
    }
}
