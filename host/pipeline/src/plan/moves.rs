//! The rules of every stage through which other money goes than before, with their teams.
//!
//! A rule that nobody touched can move money too: support follows the costs of others, and a team
//! that serves others passes on what it bears.

use super::{Change, Costs, moved};
use domain::account::Account;
use domain::money::{Currency, Sum};
use domain::port::RuleFacts;
use ledger::Balance;
use reports::costs::read::team_text;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// A rule, and all that it moves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleMove {
    /// Empty for costs without a rule.
    pub rule: String,
    /// Empty for a rule that neither side has.
    pub stage: &'static str,
    /// By currency: the sum of all increases or of all decreases, whichever is larger.
    pub moved: Vec<(Currency, Sum)>,
    /// What each team, and each pool that the rule fills, bears by the rule. Only those that
    /// change, the largest first.
    pub teams: Vec<Change>,
}

/// The costs of teams by the rules that posted them.
#[derive(Default)]
pub(super) struct RuleCosts(BTreeMap<String, Costs>);

impl RuleCosts {
    pub(super) fn add(&mut self, balance: &Balance) {
        let rule = balance.rule.as_ref().map_or("", |version| version.rule.as_str());
        // A pool on the way from its own rule to the teams is no place where cost stays.
        if matches!(&balance.account, Account::Pool(own) if own == rule) {
            return;
        }
        let costs = self.0.entry(rule.to_owned()).or_default();
        costs.add(team_text(&balance.account), balance.currency, balance.amount);
    }

    /// In the order of the facts, of which the first ones win.
    pub(super) fn moves<'a>(
        &self,
        after: &RuleCosts,
        facts: impl Iterator<Item = &'a RuleFacts>,
    ) -> Vec<RuleMove> {
        let mut known = BTreeSet::new();
        let mut order: Vec<(&str, &'static str)> = facts
            .map(|rule| (rule.version.rule.as_str(), rule.stage.name()))
            .filter(|(rule, _)| known.insert(*rule))
            .collect();
        let names: BTreeSet<&str> =
            self.0.keys().chain(after.0.keys()).map(String::as_str).collect();
        order.extend(names.difference(&known).map(|rule| (*rule, "")));
        let none = Costs::default();
        let a_move = |(rule, stage): (&str, &'static str)| {
            let before = self.0.get(rule).unwrap_or(&none);
            let after = after.0.get(rule).unwrap_or(&none);
            let mut teams = before.changes(after);
            teams.retain(|change| !change.change().is_zero());
            teams.sort_by_key(|change| Reverse(change.change().nanos().abs()));
            let moved = moved(before, after);
            (!teams.is_empty()).then(|| RuleMove { rule: rule.to_owned(), stage, moved, teams })
        };
        order.into_iter().filter_map(a_move).collect()
    }
}
