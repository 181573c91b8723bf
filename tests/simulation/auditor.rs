//! The second model: it computes the balance of every account from plain maps and whole numbers
//! alone. It knows the meaning of the rules, and shares no code with the product.

use crate::world::{Days, Line, TEAMS};
use domain::period::Day;
use std::collections::BTreeMap;

/// The meaning of the rules. Support is shared by these weights, tax by the day's direct cost, and
/// idle by the pool's weights.
#[derive(Clone, Copy)]
pub struct Meaning {
    pub support: [(&'static str, i128); 2],
}

const IDLE: [(&str, i128); 2] = [("search", 1), ("web", 2)];

/// Nanos by account and currency.
pub type Balances = BTreeMap<(String, String), i128>;

/// The days that the ledger was told of each source, with their charges.
#[derive(Clone, Default)]
pub struct Auditor {
    told: BTreeMap<(&'static str, &'static str), Days>,
}

/// Splits an amount by weights. Each target gets the difference of two cuts, so nothing is left
/// over.
fn split(amount: i128, weights: &[(&str, i128)], mut give: impl FnMut(&str, i128)) {
    let total: i128 = weights.iter().map(|(_, weight)| weight).sum();
    let (mut upto, mut before) = (0, 0);
    for (name, weight) in weights {
        upto += weight;
        let cut = amount * upto / total;
        give(name, cut - before);
        before = cut;
    }
}

impl Auditor {
    pub fn told(&mut self, source: &'static str, currency: &'static str, stated: &Days) {
        let known = self.told.entry((source, currency)).or_default();
        for (day, lines) in stated {
            known.insert(*day, lines.clone());
        }
    }

    pub fn balances(&self, meaning: Meaning) -> Balances {
        let mut balances = Balances::new();
        let mut days: BTreeMap<(&str, Day), Vec<(&str, &Line)>> = BTreeMap::new();
        for ((source, currency), told) in &self.told {
            for (day, line) in told.iter().flat_map(|(day, lines)| lines.iter().map(|l| (*day, l)))
            {
                let (billed, effective) = (i128::from(line.billed), i128::from(line.effective));
                add(&mut balances, format!("provider/{source}"), currency, -billed);
                add(&mut balances, format!("prepaid/{source}"), currency, billed - effective);
                days.entry((currency, day)).or_default().push((source, line));
            }
        }
        for ((currency, _), lines) in days {
            day(&mut balances, currency, &lines, meaning);
        }
        balances.retain(|_, amount| *amount != 0);
        balances
    }
}

fn add(balances: &mut Balances, account: String, currency: &str, amount: i128) {
    *balances.entry((account, currency.to_owned())).or_default() += amount;
}

/// Distributes all charges of one day in one currency. Direct costs are those of all sources. The
/// pool's money is split for each source by itself.
fn day(balances: &mut Balances, currency: &str, lines: &[(&str, &Line)], meaning: Meaning) {
    let direct = |team: &str| -> i128 {
        lines
            .iter()
            .map(|(_, line)| line)
            .filter(|line| line.team == team)
            .map(|line| i128::from(line.effective))
            .sum()
    };
    let costs: Vec<(&str, i128)> =
        TEAMS.iter().map(|team| (*team, direct(team))).filter(|(_, cost)| *cost > 0).collect();
    let mut idle: BTreeMap<&str, i128> = BTreeMap::new();
    for (source, line) in lines {
        let amount = i128::from(line.effective);
        let mut team = |name: &str, share| add(balances, format!("team/{name}"), currency, share);
        match (line.service, line.team) {
            // No team has a cost to share the tax by, so it waits in the pool.
            ("Tax", _) if costs.is_empty() => {
                add(balances, "pool/shared/tax".into(), currency, amount);
            }
            ("Tax", _) => split(amount, &costs, team),
            ("Support", _) => split(amount, &meaning.support, team),
            ("Idle", _) => *idle.entry(source).or_default() += amount,
            (_, "") => add(balances, "unallocated".into(), currency, amount),
            (_, name) => team(name, amount),
        }
    }
    for amount in idle.into_values() {
        split(amount, &IDLE, |name, share| add(balances, format!("team/{name}"), currency, share));
    }
}
