//! Compares what the ledger has with what the auditor says, on both axes.

use crate::auditor::Auditor;
use domain::axis::Axis;
use domain::period::{Day, Month, Period};
use domain::port::{RuleFacts, Rules};
use ledger::{BalanceFilter, Bucket, Reader};
use reports::costs::query::{CostQuery, Granularity, GroupBy};
use reports::costs::read::{CostTable, costs_with_rules};
use rule_engine::options::RuleOptions;
use rule_engine::set::RuleSet;
use std::collections::{BTreeMap, BTreeSet};

/// The most nanos by which a day's balance of an account may differ from the fraction: a millionth
/// of the currency's unit. Each share is cut at the nano, and weights that are shares themselves
/// carry such cuts on.
const DAY_BOUND: u128 = 1_000;
const MONTH_BOUND: u128 = 31 * DAY_BOUND;

/// By the first day of a span, account and currency. Amounts of the ledger are whole nanos.
pub type Balances = BTreeMap<(Day, String, String), i128>;

pub fn balances(ledger: &Reader, axis: Axis, bucket: Bucket) -> Balances {
    let filter = BalanceFilter::of(Period::all()).on(axis).by(bucket);
    let mut found = Balances::new();
    for balance in ledger.balances(&filter).unwrap_or_else(|error| panic!("{error}")) {
        let (account, currency) = (balance.account.to_string(), balance.currency.to_string());
        *found.entry((balance.bucket_start, account, currency)).or_default() +=
            balance.amount.nanos();
    }
    found.retain(|_, nanos| *nanos != 0);
    found
}

/// The balances of each day of charges, with those of the providers.
pub fn expected(auditor: &Auditor) -> Balances {
    let mut expected = Balances::new();
    let mut add = |day: Day, account: String, currency: &str, amount: i128| {
        *expected.entry((day, account, currency.to_owned())).or_default() += amount;
    };
    for ((day, currency), burdens) in &auditor.burdens {
        burdens.iter().for_each(|((account, _), amount)| {
            add(*day, account.clone(), currency, *amount);
        });
    }
    for currency in auditor.currencies() {
        for (source, day, line) in auditor.lines(currency) {
            let (billed, effective) = (i128::from(line.billed), i128::from(line.effective));
            add(day, format!("provider/{source}"), currency, -billed);
            add(day, format!("prepaid/{source}"), currency, billed - effective);
        }
    }
    expected
}

/// The first balance that is not as expected.
fn difference(found: &Balances, expected: &Balances, bound: u128) -> Option<String> {
    let keys: BTreeSet<_> = found.keys().chain(expected.keys()).collect();
    keys.into_iter().find_map(|key| {
        let nanos = found.get(key).copied().unwrap_or(0);
        let wanted = expected.get(key).copied().unwrap_or(0);
        let is_exact = key.1.starts_with("provider/") || key.1.starts_with("prepaid/");
        let is_near = wanted.abs_diff(nanos) <= if is_exact { 0 } else { bound };
        (!is_near).then(|| format!("{key:?} is {nanos} and not {wanted}"))
    })
}

/// The first difference by the day of charges.
pub fn charged_difference(found: &Balances, expected: &Balances) -> Option<String> {
    difference(found, expected, DAY_BOUND).or_else(|| {
        // Every entry balances, so the days' sums are exact.
        let mut sums: BTreeMap<(Day, &str), i128> = BTreeMap::new();
        for ((day, _, currency), nanos) in found {
            *sums.entry((*day, currency)).or_default() += nanos;
        }
        sums.into_iter().find(|(_, sum)| *sum != 0).map(|(day, sum)| format!("{day:?} has {sum}"))
    })
}

/// The months of posting: a change of a closed month is owed in the first open one after it.
#[derive(Default)]
pub struct PostedMonths {
    stood: BTreeMap<(Month, String, String), i128>,
    posted: Balances,
}

impl PostedMonths {
    pub fn follow(&mut self, charged: &Balances, closed: &BTreeSet<Month>) {
        let mut stands: BTreeMap<(Month, String, String), i128> = BTreeMap::new();
        for ((day, account, currency), amount) in charged {
            let key = (day.month(), account.clone(), currency.clone());
            *stands.entry(key).or_default() += amount;
        }
        let keys: BTreeSet<_> = self.stood.keys().chain(stands.keys()).cloned().collect();
        for key in keys {
            let of = |all: &BTreeMap<_, i128>| all.get(&key).copied().unwrap_or(0);
            let change = of(&stands) - of(&self.stood);
            let (mut month, account, currency) = key;
            while closed.contains(&month) {
                month = month.next();
            }
            *self.posted.entry((month.first_day(), account, currency)).or_default() += change;
        }
        self.stood = stands;
    }

    pub fn difference(&self, ledger: &Reader) -> Option<String> {
        let found = balances(ledger, Axis::Posting, Bucket::Month);
        difference(&found, &self.posted, MONTH_BOUND)
    }
}

fn rules_of(
    facts: &[RuleFacts],
    tables: &[(String, String)],
) -> Result<Box<dyn Rules>, domain::diagnostic::Diagnostic> {
    let texts: Vec<(String, String)> =
        facts.iter().map(|rule| (rule.version.rule.clone(), rule.source.clone())).collect();
    let rules = RuleSet::from_sources(&texts, tables, &RuleOptions::default());
    Ok(Box::new(rules.unwrap_or_else(|findings| panic!("{findings:?}"))))
}

fn asked(ledger: &Reader, axis: Axis) -> CostTable {
    let query = CostQuery {
        axis,
        period: Period::all(),
        granularity: Granularity::Monthly,
        group_by: vec![GroupBy::Account, GroupBy::Environment],
        filter: Vec::new(),
    };
    costs_with_rules(ledger, &query, &rules_of).unwrap_or_else(|error| panic!("{error}"))
}

/// By month, account with environment, and currency.
fn by_environment(table: &CostTable) -> Balances {
    let mut found = Balances::new();
    for row in &table.rows {
        let start = row.period_start.expect("a month");
        let key = (start.month().first_day(), row.keys.join(" "), row.currency.to_string());
        *found.entry(key).or_default() += row.amount.nanos();
    }
    found.retain(|_, nanos| *nanos != 0);
    found
}

/// The first difference of costs by the tag of their charges.
pub fn tag_difference(ledger: &Reader, auditor: &Auditor, is_open: bool) -> Option<String> {
    let mut expected = Balances::new();
    for ((day, currency), burdens) in &auditor.burdens {
        for ((account, environment), amount) in burdens {
            let group = format!("{account} {environment}");
            let key = (day.month().first_day(), group, (*currency).to_owned());
            *expected.entry(key).or_default() += amount;
        }
    }
    let charged = by_environment(&asked(ledger, Axis::Charge));
    let posted = by_environment(&asked(ledger, Axis::Posting));
    let sums = |balances: &Balances| {
        let mut sums: BTreeMap<(Day, String), i128> = BTreeMap::new();
        for ((month, group, currency), nanos) in balances {
            let account = group.split(' ').next().unwrap_or_default();
            *sums.entry((*month, format!("{account} {currency}"))).or_default() += nanos;
        }
        sums.retain(|_, nanos| *nanos != 0);
        sums
    };
    let mut accounts = balances(ledger, Axis::Posting, Bucket::Month);
    accounts.retain(|(_, account, _), _| !account.starts_with("pr"));
    difference(&charged, &expected, MONTH_BOUND)
        .or_else(|| (sums(&posted) != sums(&accounts)).then(|| "the tags do not add up".to_owned()))
        .or_else(|| {
            // A closed month keeps the rules of then by the one axis, and not by the other.
            (is_open && posted != charged).then(|| "the axes differ by tag".to_owned())
        })
}
