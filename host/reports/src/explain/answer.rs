//! The answer: accounts, rules, resources and weights that add up.

use crate::explain::query::ExplainDepth;
use crate::measure::Hour;
use domain::account::Account;
use domain::axis::Axis;
use domain::entry::{EntryKind, Posting, RuleVersion};
use domain::money::{Currency, Sum};
use domain::period::{Day, Month, Period};
use domain::port::{PluginIdentity, TriedRule};
use domain::recipient::Recipient;
use domain::run::{RunId, SourceDay};
use domain::sharing::Sharing;
use ledger::EntryId;
use std::ops::RangeInclusive;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    pub subject: Subject,
    /// Only charges of this service, where asked for.
    pub service_name: Option<String>,
    pub axis: Axis,
    pub period: Period,
    pub depth: ExplainDepth,
    pub totals: Vec<(Currency, Sum)>,
    /// By account and currency.
    pub accounts: Vec<ExplainedAccount>,
    /// Where the charges came from.
    pub sources: Vec<ExplainedSource>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A team, or an account that stands in for one.
    Account(Account),
    /// Everything with this resource id or resource name.
    Resource(String),
    Entry(EntryFacts),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryFacts {
    pub id: EntryId,
    pub kind: EntryKind,
    pub source_day: SourceDay,
    pub posting_day: Day,
    pub run: RunId,
    pub reverses: Option<EntryId>,
    pub reversed_by: Option<EntryId>,
    /// Hex.
    pub hash: String,
    pub postings: Vec<Posting>,
    /// Whether the entry counts, and is not taken back or takes back.
    pub stands: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExplainedAccount {
    pub account: Account,
    pub currency: Currency,
    pub amount: Sum,
    pub rules: Vec<ExplainedRule>,
    /// Of all rules together.
    pub largest: Vec<LargestResource>,
    pub rest_resources: u64,
    pub rest_amount: Sum,
}

/// A resource's part of an account, by whatever rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LargestResource {
    pub dimensions: Vec<(String, String)>,
    pub amount: Sum,
}

/// A part that was posted in a later month than that of its charges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Correction {
    pub charge_month: Month,
    pub way: CorrectionWay,
}

/// A correction takes back what was posted, by the rule before, and posts anew, by the rule after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CorrectionWay {
    TakenBack,
    PostedAnew,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExplainedRule {
    /// Nothing for what was posted in the month of its charges.
    pub correction: Option<Correction>,
    /// Nothing where no rule claimed the charges.
    pub version: Option<RuleVersion>,
    pub name: String,
    /// The first line of the rule's doc comment.
    pub doc: String,
    pub amount: Sum,
    /// All that the rule shared in the period, if the account has a part of it.
    pub shared: Option<Sum>,
    pub charges: u64,
    pub resources: Vec<ExplainedResource>,
    pub rest_resources: u64,
    pub rest_amount: Sum,
    /// How shared costs were spread, where the day's costs decided it.
    pub weights: Vec<ExplainedWeights>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExplainedResource {
    pub dimensions: Vec<(String, String)>,
    pub tags: Vec<(String, String)>,
    pub charges: u64,
    /// The cost of these charges over all bearers.
    pub charged: Sum,
    /// The account's part of it.
    pub amount: Sum,
    /// How the charges were priced, by what they have in common. It is the price of all of them,
    /// and not of the account's part.
    pub priced: Vec<ExplainedTerms>,
    /// The rules that were tried, with the values that they read.
    pub tried: Vec<TriedRule>,
}

/// Charges of one billing period, price and invoice. What is not there is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExplainedTerms {
    /// Its first day.
    pub billing_period: Option<Day>,
    /// In which the first and the last of the charges start.
    pub hours: Option<RangeInclusive<Hour>>,
    pub list_unit_price: Option<String>,
    pub contracted_unit_price: Option<String>,
    pub pricing_unit: Option<String>,
    pub invoice_id: Option<String>,
    pub invoice_issuer_name: Option<String>,
    /// The sum of the pricing quantities that are known.
    pub pricing_quantity: Option<String>,
    pub charges: u64,
    /// Charges whose pricing quantity is not known.
    pub unknown_charges: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExplainedWeights {
    pub day: Day,
    /// The rule's decision, such as `by_cost all teams`.
    pub decision: String,
    /// A recipient's weight; its share is the weight divided by `total`.
    pub weights: Vec<(Recipient, i64)>,
    pub total: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExplainedSource {
    pub source: String,
    pub plugin: PluginIdentity,
    pub currency: Currency,
    pub amount: Sum,
}

impl ExplainedAccount {
    pub(super) fn new(account: Account, currency: Currency) -> ExplainedAccount {
        ExplainedAccount {
            account,
            currency,
            amount: Sum::ZERO,
            rules: Vec::new(),
            largest: Vec::new(),
            rest_resources: 0,
            rest_amount: Sum::ZERO,
        }
    }

    /// The part that corrects earlier months.
    pub fn corrections(&self) -> Sum {
        let corrected = self.rules.iter().filter(|rule| rule.correction.is_some());
        corrected.map(|rule| rule.amount).sum()
    }
}

impl ExplainedRule {
    /// The part of the shared cost in percent.
    pub fn share_percent(&self) -> Option<String> {
        self.amount.percent_of(self.shared?)
    }
}

impl LargestResource {
    /// Its name, or its id, or its service; with the service beside the first two.
    pub fn name(&self) -> String {
        let named = |wanted: &str| {
            let found = self.dimensions.iter().find(|(name, _)| name == wanted);
            found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
        };
        let service = named("service_name").unwrap_or("no service");
        match named("resource_name").or(named("resource_id")) {
            Some(name) => format!("{name} ({service})"),
            None => service.to_owned(),
        }
    }
}

impl CorrectionWay {
    pub fn name(self) -> &'static str {
        match self {
            CorrectionWay::TakenBack => "taken back",
            CorrectionWay::PostedAnew => "posted anew",
        }
    }
}

impl ExplainedWeights {
    /// In the smallest whole numbers of the same ratios.
    pub(super) fn new(day: Day, decision: String, sharing: Sharing) -> ExplainedWeights {
        let divisor = sharing
            .shares
            .weights()
            .fold(0, |divisor, weight| common_divisor(divisor, weight.unsigned_abs()))
            .max(1);
        let smaller = |weight: i64| weight / i64::try_from(divisor).unwrap_or(1);
        let total = smaller(sharing.shares.total());
        ExplainedWeights {
            day,
            decision,
            weights: sharing
                .recipients
                .into_iter()
                .zip(sharing.shares.weights().map(smaller))
                .collect(),
            total,
        }
    }
}

fn common_divisor(left: u64, right: u64) -> u64 {
    if right == 0 { left } else { common_divisor(right, left % right) }
}
