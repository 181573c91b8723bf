//! The day of a case: the facts that it gives, and the shares that follow from them.

use crate::case_costs::{GivenCost, MissingCost, missing};
use crate::case_file::GivenDay;
use crate::cases::CaseOutcome;
use crate::code::CASE_FAILED;
use crate::set::RuleSet;
use domain::decision::Decision;
use domain::diagnostic::Diagnostic;
use domain::driver::facts::{
    Basis, CostBasis, CostQuestion, DriverFilter, Facts, PluginCall, Pool, UsageQuery,
};
use domain::money::{Money, Sum};
use domain::period::Day;
use domain::port::Rules;
use domain::recipient::{Recipient, Target};
use domain::spread::{Spread, share};
use domain::usage::{Quantity, is_for};
use std::collections::BTreeMap;

/// The facts of a day, as the case gives them.
pub(crate) struct CaseFacts<'a> {
    pub(crate) set: &'a RuleSet,
    pub(crate) day: &'a GivenDay,
    pub(crate) currency: &'a str,
    pub(crate) on: Day,
}

impl CaseFacts<'_> {
    /// The costs that the decision asks for, and the case does not give.
    pub(crate) fn missing(&self, decision: &Decision) -> Option<MissingCost> {
        let questions = decision.spread().map(Spread::team_costs).unwrap_or_default();
        questions.into_iter().find_map(|question| missing(&self.day.costs, question))
    }

    /// Of every team with any cost.
    fn costs(&self, counts: impl Fn(&GivenCost) -> bool) -> BTreeMap<String, i128> {
        let mut costs = BTreeMap::new();
        for cost in &self.day.costs {
            let team = self.team(&cost.team).map_or_else(|| cost.team.clone(), |known| known.team);
            let nanos = if counts(cost) { i128::from(cost.amount.nanos()) } else { 0 };
            *costs.entry(team).or_default() += nanos;
        }
        costs
    }
}

impl Facts for CaseFacts<'_> {
    fn currency(&self) -> &str {
        self.currency
    }

    fn team_costs(&self, question: &CostQuestion) -> BTreeMap<String, i128> {
        self.costs(|cost| cost.counts_for(question))
    }

    fn direct_costs(&self, filter: &DriverFilter, basis: Basis) -> BTreeMap<String, i128> {
        let basis = match basis {
            Basis::Effective => CostBasis::Direct,
            Basis::Billed => CostBasis::Billed,
            Basis::Contracted => CostBasis::Contracted,
            Basis::List => CostBasis::List,
        };
        let question = CostQuestion { basis, ..CostQuestion::direct(filter.clone()) };
        self.costs(|cost| cost.counts_for(&question))
    }

    fn usage(&self, query: &UsageQuery) -> Option<BTreeMap<Vec<String>, Quantity>> {
        let mut by_key: BTreeMap<Vec<String>, Quantity> = BTreeMap::new();
        for usage in self.day.usage.iter().filter(|usage| usage.metric == query.metric) {
            let key = |name: &str| {
                usage
                    .keys
                    .iter()
                    .find(|(key, _)| key == name)
                    .map_or("", |(_, value)| value.as_str())
            };
            if is_for(&usage.keys, self.currency)
                && query.filter.iter().all(|(name, value)| key(name) == value)
            {
                let values = query.key.iter().map(|name| key(name).to_owned()).collect();
                by_key.entry(values).or_default().0 += usage.value.0;
            }
        }
        Some(by_key)
    }

    /// Cost centers are left out: a case says shares by team.
    fn team(&self, name: &str) -> Option<Target> {
        self.set.team(name, self.on).map(|team| Target::team(team.team))
    }

    fn cell(&self, table: &str, key: &[String]) -> Option<String> {
        self.set.cell(table, key, self.on)
    }

    fn plugin(&self, call: &PluginCall<'_>) -> Result<Vec<u64>, Diagnostic> {
        Err(Diagnostic::new(
            CASE_FAILED,
            format!(
                "cases do not run plugins such as {}; expect {{ decision = … }} instead",
                call.plugin
            ),
        ))
    }
}

/// Splits the day's amount by a decision, as a run would.
pub(crate) fn shares(facts: &CaseFacts<'_>, rule: &str, decision: &Decision) -> CaseOutcome {
    let amount = Sum::from(facts.day.amount.unwrap_or(Money::ZERO));
    let spread = match decision {
        Decision::Assign(recipient) => Spread::fixed(vec![(recipient.clone(), 1)]),
        Decision::Spread(spread) => (**spread).clone(),
        Decision::Exclude { .. } => return CaseOutcome::Decided(decision.clone(), None),
    };
    let pool = Pool::new(Recipient::Pool(rule.to_owned()), rule, amount);
    let mut shares: BTreeMap<String, Sum> = BTreeMap::new();
    match share(&spread, &pool, facts) {
        Err(finding) => return CaseOutcome::Refused(finding.message),
        Ok(None) => drop(shares.insert(share_name(&pool.stands), amount)),
        Ok(Some(sharing)) => sharing.shares_of(amount).split(amount, |target, part| {
            *shares.entry(share_name(&sharing.recipients[target])).or_default() += part
        }),
    }
    // A case lists only those who get something.
    shares.retain(|_, part| !part.is_zero());
    CaseOutcome::Shares(shares)
}

fn share_name(recipient: &Recipient) -> String {
    match recipient {
        Recipient::Pool(rule) => format!("pool {rule}"),
        other => other.describe(),
    }
}
