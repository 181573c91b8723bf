//! Who owes what: the ledger's figures by any dimension and span of time.
//!
//! What postings say (team, service, rule, source, account) is read from balances, by posting day. Everything else is
//! derived from the charges, by the day of the charge. Both add up to the same total, to the nano; only corrections of
//! closed months, posted on a later day than that of their charges, stand in different spans. Providers, prepaid costs
//! and rounding are not costs that somebody bears, so they are left out.

use crate::derive::{self, Bearer, BearerId, Bearers, Portion, RulesOf, Scope};
use domain::account::Account;
use domain::decision::Target;
use domain::diagnostic::{Diagnostic, did_you_mean};
use domain::dictionary::{Dictionary, ResourceId};
use domain::field::Field;
use domain::money::{Currency, Sum};
use domain::period::{Day, Period};
use ledger::{Balance, BalanceFilter, Bucket, Reader};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::str::FromStr;

/// What costs are grouped or filtered by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum GroupBy {
    /// The team, or the account for what no team bears: `unallocated`, `suspense`, `pool/<rule>`, `excluded/<rule>`.
    Team,
    ServiceName,
    Environment,
    Application,
    CostCenter,
    Rule,
    Source,
    Account,
    Dimension(Field),
    Tag(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Granularity {
    Daily,
    /// Weeks start on Monday; the first one is cut at the period's start.
    Weekly,
    Monthly,
    Total,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CostQuery {
    pub period: Period,
    pub granularity: Granularity,
    pub group_by: Vec<GroupBy>,
    /// Values of the same key are alternatives; different keys must all hold. The empty value means "none".
    pub filter: Vec<(GroupBy, String)>,
}

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

const NAMES: &[(&str, GroupBy)] = &[
    ("team", GroupBy::Team),
    ("service_name", GroupBy::ServiceName),
    ("service", GroupBy::ServiceName),
    ("environment", GroupBy::Environment),
    ("application", GroupBy::Application),
    ("cost_center", GroupBy::CostCenter),
    ("rule", GroupBy::Rule),
    ("source", GroupBy::Source),
    ("account", GroupBy::Account),
];

impl FromStr for GroupBy {
    type Err = Diagnostic;

    fn from_str(name: &str) -> Result<GroupBy, Diagnostic> {
        if let Some((_, group)) = NAMES.iter().find(|(known, _)| *known == name) {
            return Ok(group.clone());
        }
        match (name.strip_prefix("tag:"), Field::by_name(name)) {
            (Some(""), _) => {
                Err(Diagnostic::new(domain::code::QUERY_INVALID, "'tag:' names no tag")
                    .hint("write `tag:team`"))
            }
            (Some(tag), _) => Ok(GroupBy::Tag(tag.into())),
            (None, Some(field)) => Ok(GroupBy::Dimension(field)),
            (None, None) => Err(unknown_group(name)),
        }
    }
}

fn unknown_group(name: &str) -> Diagnostic {
    let known = NAMES.iter().map(|(name, _)| *name).chain(Field::all().map(Field::name));
    let hint = match did_you_mean(name, known) {
        Some(close) => format!("did you mean `{close}`?"),
        None => "group by team, service_name, environment, application, cost_center, rule, source, account, a FOCUS column such as region_id, or tag:<key>".into(),
    };
    Diagnostic::new(
        domain::code::QUERY_INVALID,
        format!("costs have no '{name}' to group or filter by"),
    )
    .hint(hint)
}

impl fmt::Display for GroupBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GroupBy::Dimension(field) => f.write_str(field.name()),
            GroupBy::Tag(key) => write!(f, "tag:{key}"),
            named => f.write_str(
                NAMES.iter().find(|(_, group)| group == named).map_or("", |(name, _)| name),
            ),
        }
    }
}

impl GroupBy {
    /// Whether postings carry it.
    fn is_posted(&self) -> bool {
        matches!(
            self,
            GroupBy::Team
                | GroupBy::ServiceName
                | GroupBy::Rule
                | GroupBy::Source
                | GroupBy::Account
                | GroupBy::Dimension(Field::SERVICE_NAME)
        )
    }
}

impl Granularity {
    pub fn name(self) -> &'static str {
        match self {
            Granularity::Daily => "daily",
            Granularity::Weekly => "weekly",
            Granularity::Monthly => "monthly",
            Granularity::Total => "total",
        }
    }

    pub fn by_name(name: &str) -> Option<Granularity> {
        [Granularity::Daily, Granularity::Weekly, Granularity::Monthly, Granularity::Total]
            .into_iter()
            .find(|known| known.name() == name)
    }

    fn bucket(self) -> Bucket {
        match self {
            Granularity::Daily => Bucket::Day,
            Granularity::Weekly => Bucket::Week,
            Granularity::Monthly => Bucket::Month,
            Granularity::Total => Bucket::Whole,
        }
    }

    fn span_start(self, day: Day, period: Period) -> Option<Day> {
        match self {
            Granularity::Daily => Some(day),
            Granularity::Weekly => Some(day.week_start().max(period.start())),
            Granularity::Monthly => Some(day.month().first_day().max(period.start())),
            Granularity::Total => None,
        }
    }
}

/// Answers a query; one that must run rules again is refused (see `costs_with_rules`).
pub fn costs(ledger: &Reader, query: &CostQuery) -> Result<CostTable, Diagnostic> {
    answer(ledger, query, None)
}

/// Answers every query: decisions of rules that read amounts or dates are taken anew where charges must be looked at.
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
    if asked.into_iter().all(GroupBy::is_posted) {
        posted(ledger, query, &mut groups)?;
    } else {
        derived(ledger, query, rules_of, &mut groups)?;
    }
    Ok(groups.table())
}

/// The same answer worked out from the charges, whatever is asked: for checking one way against the other.
pub fn derived_costs(
    ledger: &Reader,
    query: &CostQuery,
    rules_of: Option<&RulesOf<'_>>,
) -> Result<CostTable, Diagnostic> {
    let mut groups = Groups::new(query);
    derived(ledger, query, rules_of, &mut groups)?;
    Ok(groups.table())
}

impl CostQuery {
    /// The balances that can have a part in the answer. Postings that a filter by team, account or
    /// source leaves out are not read.
    fn balances(&self) -> BalanceFilter {
        let values = |group: GroupBy| -> Vec<&String> {
            let of_group = self.filter.iter().filter(|(known, _)| *known == group);
            of_group.map(|(_, value)| value).collect()
        };
        let (teams, accounts) = (values(GroupBy::Team), values(GroupBy::Account));
        let mut balances = BalanceFilter::of(self.period).by(self.granularity.bucket());
        if !accounts.is_empty() {
            balances = balances
                .accounts(accounts.into_iter().filter_map(|path| Account::parse(path).ok()));
        } else if !teams.is_empty() {
            balances = balances.accounts(teams.into_iter().flat_map(|team| named(team)));
        }
        let sources = values(GroupBy::Source);
        if !sources.is_empty() {
            balances = balances.sources(sources.into_iter().cloned());
        }
        balances
    }
}

/// The accounts that go by a team's name: the team, and an account that stands in for one.
fn named(team: &str) -> impl Iterator<Item = Account> {
    [Some(Account::Team(team.to_owned())), Account::parse(team).ok()].into_iter().flatten()
}

/// Whether a team ever bore a cost.
pub fn has_team(ledger: &Reader, team: &str) -> Result<bool, Diagnostic> {
    let of_team = BalanceFilter::of(Period::all()).accounts([Account::Team(team.to_owned())]);
    Ok(!ledger.balances(&of_team)?.is_empty())
}

/// Teams that ever bore a cost.
pub fn teams(ledger: &Reader) -> Result<BTreeSet<String>, Diagnostic> {
    let balances = ledger.balances(&BalanceFilter::of(Period::all()))?;
    Ok(balances
        .into_iter()
        .filter_map(|balance| balance.account.team().map(str::to_owned))
        .collect())
}

/// The team, or who stands in for one.
pub fn team_text(account: &Account) -> String {
    account.team().map_or_else(|| account.to_string(), str::to_owned)
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

    /// The group of what `text` says, nothing if a filter leaves it out.
    fn number(&mut self, text: &dyn Fn(&GroupBy) -> String) -> Option<u32> {
        let filter = &self.query.filter;
        let holds = |group: &GroupBy| {
            let value = text(group);
            filter.iter().any(|(other, wanted)| other == group && *wanted == value)
        };
        if !filter.iter().all(|(group, _)| holds(group)) {
            return None;
        }
        let keys: Vec<String> = self.query.group_by.iter().map(text).collect();
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
        Scope { period: query.period, source_day: None },
        rules_of,
        &mut take,
    )
}

/// What a charge is known by.
struct Charge<'a> {
    dictionary: &'a Dictionary,
    resource: ResourceId,
    source: &'a str,
}

impl Charge<'_> {
    fn text(&self, bearer: &Bearer, group: &GroupBy) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_shown() {
        for (name, shown) in [
            ("team", "team"),
            ("service", "service_name"),
            ("region_id", "region_id"),
            ("tag:a:b", "tag:a:b"),
        ] {
            assert_eq!(
                name.parse::<GroupBy>().map(|group| group.to_string()),
                Ok(shown.to_owned())
            );
        }
    }

    #[test]
    fn unknown_names_are_refused_with_the_closest() {
        let refused = |name: &str| {
            name.parse::<GroupBy>()
                .map_or_else(|error| error.to_string(), |group| group.to_string())
        };
        assert_eq!(
            refused("enviroment"),
            "N202: costs have no 'enviroment' to group or filter by\n  hint: did you mean `environment`?"
        );
        assert_eq!(refused("tag:"), "N202: 'tag:' names no tag\n  hint: write `tag:team`");
    }

    #[test]
    fn weeks_are_cut_at_the_start_of_the_period() {
        let day = |text: &str| text.parse::<Day>().unwrap_or_else(|error| panic!("{error}"));
        // 2026-01-01 is a Thursday.
        let period = Period::new(day("2026-01-01"), day("2026-02-01"))
            .unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(
            Granularity::Weekly.span_start(day("2026-01-03"), period),
            Some(day("2026-01-01"))
        );
        assert_eq!(
            Granularity::Weekly.span_start(day("2026-01-08"), period),
            Some(day("2026-01-05"))
        );
        assert_eq!(
            Granularity::Monthly.span_start(day("2026-01-08"), period),
            Some(day("2026-01-01"))
        );
    }
}
