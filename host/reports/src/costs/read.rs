//! Costs read from balances, or derived from charges.

use crate::bearer::{Bearer, BearerId, Bearers};
use crate::costs::query::{CostQuery, Granularity, GroupBy};
use crate::derive::{self, Scope};
use crate::portion::Portion;
use crate::stored::RulesOf;
use domain::account::Account;
use domain::diagnostic::Diagnostic;
use domain::dictionary::{Dictionary, ResourceId};
use domain::field::Field;
use domain::money::{Currency, Sum};
use domain::period::{Day, Period};
use domain::recipient::Target;
use ledger::{Balance, BalanceFilter, Reader};
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
    /// By span, keys and currency.
    pub rows: Vec<CostRow>,
    pub totals: Vec<(Currency, Sum)>,
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
    let asked = query.group_by.iter().chain(query.filter.iter().map(|(group, _)| group));
    let mut groups = Groups::new(query);
    // Charges are many, so they are read only for properties that postings do not have.
    if asked.into_iter().all(GroupBy::is_posted) {
        posted(ledger, query, &mut groups)?;
    } else {
        derived(ledger, query, rules_of, &mut groups)?;
    }
    Ok(groups.table())
}

/// Whether this team, or this account without a team, ever bore a cost.
pub fn has_team(ledger: &Reader, team: &str) -> Result<bool, Diagnostic> {
    let account = Account::parse(team).ok().filter(Account::is_cost);
    let accounts = account.into_iter().chain([Account::Team(team.to_owned())]);
    let named = accounts.filter(|account| team_text(account) == team);
    Ok(!ledger.balances(&BalanceFilter::of(Period::all()).accounts(named))?.is_empty())
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
    let holds = |group: &GroupBy| {
        let value = text(group);
        query.filter.iter().any(|(other, wanted)| other == group && *wanted == value)
    };
    let is_in = query.filter.iter().all(|(group, _)| holds(group));
    is_in.then(|| query.group_by.iter().map(text).collect())
}

/// Sums by group, each group's keys kept once.
struct Groups<'a> {
    query: &'a CostQuery,
    numbers: HashMap<Vec<String>, u32>,
    sums: HashMap<(u32, Option<Day>, Currency), Sum>,
}

impl<'a> Groups<'a> {
    fn new(query: &'a CostQuery) -> Groups<'a> {
        Groups { query, numbers: HashMap::new(), sums: HashMap::new() }
    }

    /// The group of a row, given its text for each key. Nothing if a filter leaves the row out.
    fn number(&mut self, text: &dyn Fn(&GroupBy) -> String) -> Option<u32> {
        let keys = keys(self.query, text)?;
        let next = self.numbers.len() as u32;
        Some(*self.numbers.entry(keys).or_insert(next))
    }

    fn add(&mut self, group: u32, span_start: Option<Day>, currency: Currency, amount: Sum) {
        *self.sums.entry((group, span_start, currency)).or_default() += amount;
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
        CostTable { query: self.query.clone(), rows, totals: totals.into_iter().collect() }
    }
}

fn posted(ledger: &Reader, query: &CostQuery, groups: &mut Groups<'_>) -> Result<(), Diagnostic> {
    for balance in ledger.balances(&query.balances())? {
        if !balance.account.is_cost() {
            continue;
        }
        if let Some(group) = groups.number(&|group| posted_text(&balance, group)) {
            let span_start =
                (query.granularity != Granularity::Total).then_some(balance.bucket_start);
            groups.add(group, span_start, balance.currency, balance.amount);
        }
    }
    Ok(())
}

fn posted_text(balance: &Balance, group: &GroupBy) -> String {
    match group {
        GroupBy::Team => team_text(&balance.account),
        GroupBy::Account => balance.account.to_string(),
        GroupBy::Source => balance.source.clone(),
        GroupBy::Rule => {
            balance.rule.as_ref().map_or_else(String::new, |version| version.rule.clone())
        }
        GroupBy::ServiceName | GroupBy::Dimension(_) => {
            balance.service_name.clone().unwrap_or_default()
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
    let with_source = query
        .group_by
        .iter()
        .chain(query.filter.iter().map(|(group, _)| group))
        .any(|group| *group == GroupBy::Source);
    let mut known: HashMap<(ResourceId, BearerId), Option<u32>> = HashMap::new();
    let mut source = String::new();
    let mut take = |portion: &Portion<'_>, bearers: &Bearers| {
        if with_source && portion.source_day.source != source {
            // The known groups are those of the source before.
            known.clear();
            source.clone_from(&portion.source_day.source);
        }
        let span_start = query.granularity.span_start(portion.source_day.day, query.period);
        for (bearer, amount) in portion.borne.iter().filter(|(_, amount)| !amount.is_zero()) {
            let group = known.entry((portion.resource, *bearer)).or_insert_with(|| {
                let charge = Charge {
                    dictionary: &dictionary,
                    resource: portion.resource,
                    source: &portion.source_day.source,
                };
                groups.number(&|group| charge.text(bearers.get(*bearer), group))
            });
            if let Some(group) = *group {
                groups.add(group, span_start, portion.source_day.currency, *amount);
            }
        }
        Ok(())
    };
    derive::derive(
        ledger,
        &dictionary,
        Scope { period: query.period, source_day: None, measure: None },
        rules_of,
        &mut take,
    )
}

/// A charge with all that it can be grouped by.
pub(super) struct Charge<'a> {
    pub dictionary: &'a Dictionary,
    pub resource: ResourceId,
    pub source: &'a str,
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
            GroupBy::Source => self.source.to_owned(),
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
