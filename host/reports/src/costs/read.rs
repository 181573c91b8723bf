//! Costs read from balances, or derived from charges.

use crate::bearer::{Bearer, BearerId, Bearers};
use crate::costs::filter::CostFilter;
use crate::costs::query::{CostQuery, GroupBy};
use crate::costs::ranking::{OtherRow, RankedRow, Ranking};
use crate::derive::{self, Scope};
use crate::portion::Portion;
use crate::stored::RulesOf;
use domain::account::Account;
use domain::axis::Axis;
use domain::diagnostic::Diagnostic;
use domain::dictionary::{Dictionary, ResourceId};
use domain::field::Field;
use domain::money::{Currency, Sum};
use domain::period::{Day, Month, Period};
use domain::recipient::Target;
use domain::run::SourceDay;
use ledger::{Balance, BalanceFilter, Reader};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// One group in one span and currency. A group whose costs cancel out to zero has no row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CostRow {
    pub period_start: Option<Day>,
    /// In the order of `group_by`; empty where there is no value.
    pub keys: Vec<String>,
    pub currency: Currency,
    pub amount: Sum,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CostTable {
    pub query: CostQuery,
    pub ranking: Ranking,
    pub rows: Vec<CostRow>,
    /// The groups that have no rows of their own, by span and currency.
    pub others: Vec<OtherRow<CostRow>>,
    pub totals: Vec<(Currency, Sum)>,
    /// By the month of the charges: the part of the totals that was posted in later months.
    pub corrections: Vec<(Month, Currency, Sum)>,
}

impl CostTable {
    /// The same costs in another order, with the largest groups only. The totals stay.
    pub fn ranked(self, ranking: Ranking) -> CostTable {
        let (rows, others) = ranking.rank(self.rows);
        CostTable { ranking, rows, others, ..self }
    }
}

impl RankedRow for CostRow {
    fn period_start(&self) -> Option<Day> {
        self.period_start
    }

    fn keys(&self) -> &[String] {
        &self.keys
    }

    fn unit(&self) -> &str {
        self.currency.code()
    }

    fn by_amount(&self, other: &Self) -> Ordering {
        self.amount.cmp(&other.amount)
    }

    fn without_keys(&self) -> CostRow {
        CostRow { keys: Vec::new(), ..self.clone() }
    }

    fn add(&mut self, other: &CostRow) {
        self.amount += other.amount;
    }
}

/// Answers a query; one that must run rules again is refused (see `costs_with_rules`).
pub fn costs(ledger: &Reader, query: &CostQuery) -> Result<CostTable, Diagnostic> {
    answer(ledger, query, None)
}

/// Answers every query. Rules that read amounts or dates are run again where charges are needed.
pub fn costs_with_rules(
    ledger: &Reader,
    query: &CostQuery,
    rules_of: &RulesOf<'_>,
) -> Result<CostTable, Diagnostic> {
    answer(ledger, query, Some(rules_of))
}

fn answer(
    ledger: &Reader,
    query: &CostQuery,
    rules_of: Option<&RulesOf<'_>>,
) -> Result<CostTable, Diagnostic> {
    let mut groups = Groups::new(query);
    // Charges are many, so they are read only for properties that postings do not have.
    if query.named().all(GroupBy::is_posted) {
        posted(ledger, query, &mut groups)?;
    } else {
        derived(ledger, query, rules_of, &mut groups)?;
    }
    Ok(groups.table())
}

/// Whether this team, or this account without a team, ever bore a cost.
pub fn has_team(ledger: &Reader, team: &str) -> Result<bool, Diagnostic> {
    let is_named = |account: &Account| account.is_cost() && team_text(account) == team;
    Ok(ledger.accounts()?.iter().any(is_named))
}

/// Teams that ever bore a cost.
pub fn teams(ledger: &Reader) -> Result<BTreeSet<String>, Diagnostic> {
    let balances = ledger.balances(&BalanceFilter::of(Period::all()))?;
    Ok(balances
        .into_iter()
        .filter_map(|balance| balance.account.team().map(str::to_owned))
        .collect())
}

/// The team's name, or the account's where no team bears the cost. A team of an old ledger that is
/// named like an account is shown as the account that it has.
pub fn team_text(account: &Account) -> String {
    let name = account.team().filter(|team| !Account::is_like(team));
    name.map_or_else(|| account.to_string(), str::to_owned)
}

/// The text of a row for each key. Nothing if a filter leaves the row out.
pub(super) fn keys(query: &CostQuery, text: &dyn Fn(&GroupBy) -> String) -> Option<Vec<String>> {
    let is_in = |filter: &CostFilter| {
        let value = text(&filter.group);
        let allows = |other: &CostFilter| {
            other.group == filter.group && !other.is_left_out && other.value == value
        };
        match filter.is_left_out {
            true => filter.value != value,
            // Values of one group are alternatives.
            false => query.filter.iter().any(allows),
        }
    };
    query.filter.iter().all(is_in).then(|| query.group_by.iter().map(text).collect())
}

/// Sums by group, each group's keys kept once.
struct Groups<'a> {
    query: &'a CostQuery,
    numbers: HashMap<Vec<String>, u32>,
    sums: HashMap<(u32, Option<Day>, Currency), Sum>,
    corrections: BTreeMap<(Month, Currency), Sum>,
}

impl<'a> Groups<'a> {
    fn new(query: &'a CostQuery) -> Groups<'a> {
        Groups {
            query,
            numbers: HashMap::new(),
            sums: HashMap::new(),
            corrections: BTreeMap::new(),
        }
    }

    /// The group of a row, given its text for each key. Nothing if a filter leaves the row out.
    fn number(&mut self, text: &dyn Fn(&GroupBy) -> String) -> Option<u32> {
        let keys = keys(self.query, text)?;
        let next = self.numbers.len() as u32;
        Some(*self.numbers.entry(keys).or_insert(next))
    }

    /// Adds an amount of a day, which may correct another month.
    fn add(
        &mut self,
        group: u32,
        day: Day,
        corrects: Option<Month>,
        currency: Currency,
        amount: Sum,
    ) {
        let span_start = self.query.granularity.span_start(day, self.query.period);
        *self.sums.entry((group, span_start, currency)).or_default() += amount;
        if let Some(month) = corrects {
            *self.corrections.entry((month, currency)).or_default() += amount;
        }
    }

    fn table(self) -> CostTable {
        let mut keys = vec![Vec::new(); self.numbers.len()];
        for (group, number) in self.numbers {
            keys[number as usize] = group;
        }
        let mut totals: BTreeMap<Currency, Sum> = BTreeMap::new();
        let mut rows = Vec::new();
        for ((group, period_start, currency), amount) in self.sums {
            *totals.entry(currency).or_default() += amount;
            if !amount.is_zero() {
                rows.push(CostRow {
                    period_start,
                    keys: keys[group as usize].clone(),
                    currency,
                    amount,
                });
            }
        }
        rows.sort();
        let corrections = self.corrections.into_iter().filter(|(_, amount)| !amount.is_zero());
        CostTable {
            query: self.query.clone(),
            ranking: Ranking::default(),
            rows,
            others: Vec::new(),
            totals: totals.into_iter().collect(),
            corrections: corrections
                .map(|((month, currency), sum)| (month, currency, sum))
                .collect(),
        }
    }
}

fn posted(ledger: &Reader, query: &CostQuery, groups: &mut Groups<'_>) -> Result<(), Diagnostic> {
    for balance in ledger.balances(&query.balances())? {
        if !balance.account.is_cost() {
            continue;
        }
        if let Some(group) = groups.number(&|group| posted_text(&balance, group)) {
            let corrects = balance.corrects.filter(|_| query.axis == Axis::Posting);
            groups.add(group, balance.bucket_start, corrects, balance.currency, balance.amount);
        }
    }
    Ok(())
}

fn posted_text(balance: &Balance, group: &GroupBy) -> String {
    match group {
        GroupBy::Team => team_text(&balance.account),
        GroupBy::Account => balance.account.to_string(),
        GroupBy::Source => balance.source.clone(),
        GroupBy::Currency => balance.currency.to_string(),
        GroupBy::Rule => {
            balance.rule.as_ref().map_or_else(String::new, |version| version.rule.clone())
        }
        GroupBy::ServiceName | GroupBy::Dimension(_) => {
            balance.service_name.clone().unwrap_or_default()
        }
        GroupBy::ChargePeriod => {
            balance.corrects.unwrap_or(balance.bucket_start.month()).to_string()
        }
        GroupBy::Environment | GroupBy::Application | GroupBy::CostCenter | GroupBy::Tag(_) => {
            String::new()
        }
    }
}

fn derived(
    ledger: &Reader,
    query: &CostQuery,
    rules_of: Option<&RulesOf<'_>>,
    groups: &mut Groups<'_>,
) -> Result<(), Diagnostic> {
    let dictionary = ledger.dictionary()?;
    let with_source = query.names(&GroupBy::Source) || query.names(&GroupBy::Currency);
    let with_month = query.names(&GroupBy::ChargePeriod);
    let mut known: HashMap<(ResourceId, BearerId), Option<u32>> = HashMap::new();
    let (mut source, mut month) = (None, None);
    let mut take = |portion: &Portion<'_>, bearers: &Bearers| {
        let source_day = portion.source_day;
        let charged = source_day.day.month();
        let of_day = (&source_day.source, source_day.currency);
        let is_other = source.as_ref().is_none_or(|(name, currency)| (name, *currency) != of_day);
        let is_other = with_source && is_other;
        if is_other || with_month && Some(charged) != month {
            // The known groups are those of the source, the currency or the month before.
            known.clear();
            source = Some((source_day.source.clone(), source_day.currency));
            month = Some(charged);
        }
        let corrects = Some(charged).filter(|charged| *charged != portion.day.month());
        for (bearer, amount) in portion.borne.iter().filter(|(_, amount)| !amount.is_zero()) {
            let group = known.entry((portion.resource, *bearer)).or_insert_with(|| {
                let charge =
                    Charge { dictionary: &dictionary, resource: portion.resource, source_day };
                groups.number(&|group| charge.text(bearers.get(*bearer), group))
            });
            if let Some(group) = *group {
                groups.add(group, portion.day, corrects, source_day.currency, *amount);
            }
        }
        Ok(())
    };
    derive::derive(
        ledger,
        &dictionary,
        Scope { axis: query.axis, period: query.period, measure: None, resources: None },
        rules_of,
        &mut take,
    )
}

/// A charge with all that it can be grouped by.
pub(super) struct Charge<'a> {
    pub dictionary: &'a Dictionary,
    pub resource: ResourceId,
    pub source_day: &'a SourceDay,
}

impl Charge<'_> {
    pub fn text(&self, bearer: &Bearer, group: &GroupBy) -> String {
        let dimension = |field| self.dictionary.dimension_text(self.resource, field).to_owned();
        let said = |part: fn(&Target) -> &Option<String>, tag: &str| {
            let by_rule = bearer.target.as_ref().and_then(|target| part(target).clone());
            by_rule.unwrap_or_else(|| self.dictionary.tag_text(self.resource, tag).to_owned())
        };
        match group {
            GroupBy::Team => team_text(&bearer.account),
            GroupBy::Account => bearer.account.to_string(),
            GroupBy::Source => self.source_day.source.clone(),
            GroupBy::Currency => self.source_day.currency.to_string(),
            GroupBy::ChargePeriod => self.source_day.day.month().to_string(),
            GroupBy::Rule => {
                bearer.rule.as_ref().map_or_else(String::new, |version| version.rule.clone())
            }
            GroupBy::ServiceName => dimension(Field::SERVICE_NAME),
            GroupBy::Dimension(field) => dimension(*field),
            GroupBy::Environment => said(|target| &target.environment, "environment"),
            GroupBy::Application => said(|target| &target.application, "application"),
            GroupBy::CostCenter => said(|target| &target.cost_center, "cost_center"),
            GroupBy::Tag(key) => self.dictionary.tag_text(self.resource, key).to_owned(),
        }
    }
}
