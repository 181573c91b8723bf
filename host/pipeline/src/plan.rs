//! A plan: the changes that other rules, or other charges, would make to the money.
//!
//! A scratch copy of the ledger goes through the same run as the ledger would, and the two states
//! are compared. So a plan cannot differ from the postings that its application makes. It goes by
//! the day of the charge: a change in a closed month counts for that month, although it is posted
//! on a later day.

pub mod document;
pub mod moves;
pub mod redecided;

use crate::history::Changes;
use crate::progress::Progress;
use crate::report::{Conservation, conservation};
use crate::run::{RunOptions, Terms, run_on_terms};
use crate::standing::Standing;
use domain::axis::Axis;
use domain::diagnostic::Diagnostic;
use domain::hint::Hint;
use domain::money::{Currency, Sum};
use domain::period::{Day, Month, Period};
use ledger::{Balance, BalanceFilter, Ledger, Reader};
use moves::{RuleCosts, RuleMove};
use redecided::DecisionChanges;
use reports::costs::read::team_text;
use reports::stored::RulesOf;
use std::collections::{BTreeMap, BTreeSet};

const DAY_MS: i64 = 86_400_000;

pub struct PlanOptions<'a> {
    /// The run to try out. It collects sources whose settings are not those of their charges.
    pub run: RunOptions<'a>,
    /// Why other such sources are not collected, each by its name.
    pub uncollected: Vec<String>,
    /// Makes the stored rules again, for decisions that hang on single charges.
    pub rules_of: &'a RulesOf<'a>,
    /// The charge days to show. The rules go over all days.
    pub period: Period,
    /// Counts only charges that were collected up to the end of this day.
    pub as_of: Option<Day>,
}

/// The changes of a run that has not been made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub at_ms: i64,
    pub version: String,
    pub period: Period,
    pub as_of: Option<Day>,
    /// The ledger's identity.
    pub ledger: String,
    /// Digests of the rules that stand and of those that were tried.
    pub generation_before: Option<String>,
    pub generation: String,
    /// The rules, tables and settings that differ.
    pub changes: Changes,
    /// Sources that were collected anew into the scratch copy, because their settings differ.
    pub collected: Vec<String>,
    /// Sources of which only a run can tell the change, each with the reason.
    pub uncollected: Vec<String>,
    /// Digest of the charges and usage that the plan was made on.
    pub inputs: String,
    /// Digest of the entries that would stand.
    pub outcome: String,
    /// In the period.
    pub source_days: u64,
    pub charges: u64,
    pub entries_posted: u64,
    pub entries_reversed: u64,
    pub entries_unchanged: u64,
    pub teams: Vec<Change>,
    pub services: Vec<Change>,
    pub rules: Vec<Change>,
    pub rule_moves: Vec<RuleMove>,
    /// The amount that moves between teams, by currency: the sum of all increases or of all
    /// decreases, whichever is larger. Nothing if no team's cost changes.
    pub moved: Vec<(Currency, Sum)>,
    /// The same for charges outside of the period. The rules go over these as well.
    pub moved_elsewhere: Vec<(Currency, Sum)>,
    pub redecided: DecisionChanges,
    /// Closed months in the period. Their changes are posted in the next open month.
    pub closed: Vec<Month>,
    /// Of the charges in the period.
    pub conservation: Vec<Conservation>,
    pub suspense: Vec<String>,
    pub unresolved: Vec<String>,
}

/// The cost of a team, a service or a rule, before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// A team, a service or a rule. An account without a team has its own name here. Empty if there
    /// is none.
    pub name: String,
    pub currency: Currency,
    pub before: Sum,
    pub after: Sum,
}

impl Change {
    pub fn change(&self) -> Sum {
        self.after - self.before
    }
}

impl Plan {
    /// Whether a team's cost changes, in the period or elsewhere.
    pub fn moves_money(&self) -> bool {
        !self.moved.is_empty() || !self.moved_elsewhere.is_empty()
    }
}

/// Runs the rules over a scratch copy, and compares it with the ledger.
pub fn plan(
    scratch: &mut Ledger,
    options: PlanOptions<'_>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Plan, Diagnostic> {
    let PlanOptions { run, mut uncollected, rules_of, period, as_of } = options;
    let before = State::read(scratch, period)?;
    let Some(identity) = scratch.identity()? else {
        return Err(Diagnostic::new(
            reports::code::NOTHING_TO_EXPLAIN,
            "no run has ended in this ledger, so there is nothing that a plan could be made on",
        )
        .hint(Hint::text("collect first: ").then(Hint::command("run"))));
    };
    let (inputs, decided) = (scratch.inputs_digest()?, redecided::decided(scratch, period)?);
    let (generation_before, mut facts) = (posted_generation(scratch)?, run.rules.facts().to_vec());
    if let Some(last) = scratch.last_posted_run()? {
        facts.extend(scratch.rules(last.generation)?);
    }
    let changes = Changes::to_rules(scratch, run.rules)?;
    let (at_ms, version) = (run.at_ms, run.version.clone());
    let generation = run.rules.generation().to_owned();
    let known_until_ms = as_of.map(|day| i64::from(day.plus(1).epoch_days()) * DAY_MS);
    let standing = Standing::default();
    let terms = Terms { standing: &standing, known_until_ms, accept: &|_| Ok(()) };
    let report = run_on_terms(scratch, run, terms, progress)?;
    let after = State::read(scratch, period)?;
    let stored = scratch.source_days(period)?;
    let moved_elsewhere =
        moved(&before.all_teams.minus(&before.teams), &after.all_teams.minus(&after.teams));
    let mut collected = Vec::new();
    for source in &report.sources {
        match &source.failure {
            None => collected.push(source.name.clone()),
            Some(failure) => uncollected.push(format!("{}: {failure}", source.name)),
        }
    }
    Ok(Plan {
        at_ms,
        version,
        period,
        as_of,
        ledger: identity,
        generation_before,
        generation,
        changes,
        collected,
        uncollected,
        inputs,
        outcome: scratch.standing_digest()?,
        source_days: stored.iter().filter(|day| day.totals.charges > 0).count() as u64,
        charges: stored.iter().map(|day| day.totals.charges).sum(),
        entries_posted: report.entries_posted,
        entries_reversed: report.entries_reversed,
        entries_unchanged: report.entries_unchanged,
        teams: before.teams.changes(&after.teams),
        services: before.services.changes(&after.services),
        rules: before.rules.changes(&after.rules),
        rule_moves: before.by_rule.moves(&after.by_rule, facts.iter()),
        moved: moved(&before.teams, &after.teams),
        moved_elsewhere,
        redecided: redecided::compare(scratch, &decided, period, rules_of)?,
        closed: closed(scratch, &stored.iter().map(|day| day.source_day.day.month()).collect())?,
        conservation: conservation(scratch, Axis::Charge, period)?,
        suspense: report.suspense,
        unresolved: report.unresolved,
    })
}

/// Digest of the rules and settings that the ledger stands by. Nothing before the first run.
pub fn posted_generation(ledger: &Reader) -> Result<Option<String>, Diagnostic> {
    let last = ledger.last_posted_run()?;
    let generation = last.map(|run| ledger.generation(run.generation)).transpose()?.flatten();
    Ok(generation.map(|generation| generation.digest().to_owned()))
}

fn closed(ledger: &Reader, months: &BTreeSet<Month>) -> Result<Vec<Month>, Diagnostic> {
    Ok(ledger.closed_months()?.into_iter().filter(|month| months.contains(month)).collect())
}

/// Sums by name and currency.
#[derive(Default)]
struct Costs(BTreeMap<(String, Currency), Sum>);

impl Costs {
    fn add(&mut self, name: String, currency: Currency, amount: Sum) {
        *self.0.entry((name, currency)).or_default() += amount;
    }

    fn of(&self, key: &(String, Currency)) -> Sum {
        self.0.get(key).copied().unwrap_or_default()
    }

    fn minus(&self, part: &Costs) -> Costs {
        Costs(self.0.iter().map(|(key, amount)| (key.clone(), *amount - part.of(key))).collect())
    }

    /// All names with a cost on either side.
    fn changes(&self, after: &Costs) -> Vec<Change> {
        let keys: BTreeSet<_> = self.0.keys().chain(after.0.keys()).collect();
        let change = |key: &(String, Currency)| Change {
            name: key.0.clone(),
            currency: key.1,
            before: self.of(key),
            after: after.of(key),
        };
        keys.into_iter()
            .map(change)
            .filter(|change| !change.before.is_zero() || !change.after.is_zero())
            .collect()
    }
}

/// By currency, the sum of all increases or of all decreases, whichever is larger.
fn moved(before: &Costs, after: &Costs) -> Vec<(Currency, Sum)> {
    let mut sums: BTreeMap<Currency, (Sum, Sum)> = BTreeMap::new();
    for change in before.changes(after).into_iter().filter(|change| change.after != change.before) {
        let (more, less) = sums.entry(change.currency).or_default();
        if change.after > change.before {
            *more += change.change()
        } else {
            *less += -change.change()
        }
    }
    sums.into_iter().map(|(currency, (more, less))| (currency, more.max(less))).collect()
}

fn charged_in(period: Period) -> BalanceFilter {
    BalanceFilter::of(period).on(Axis::Charge)
}

/// The costs of all teams, in the period and in all.
#[derive(Default)]
struct State {
    teams: Costs,
    services: Costs,
    rules: Costs,
    by_rule: RuleCosts,
    all_teams: Costs,
}

impl State {
    fn read(ledger: &Reader, period: Period) -> Result<State, Diagnostic> {
        let mut state = State::default();
        let is_borne = |balance: &Balance| balance.account.is_cost();
        for balance in ledger.balances(&charged_in(period))?.into_iter().filter(is_borne) {
            let (currency, amount) = (balance.currency, balance.amount);
            state.by_rule.add(&balance);
            state.teams.add(team_text(&balance.account), currency, amount);
            state.services.add(balance.service_name.unwrap_or_default(), currency, amount);
            state.rules.add(
                balance.rule.map_or_else(String::new, |version| version.rule),
                currency,
                amount,
            );
        }
        let all = ledger.balances(&charged_in(Period::all()))?;
        for balance in all.into_iter().filter(is_borne) {
            state.all_teams.add(team_text(&balance.account), balance.currency, balance.amount);
        }
        Ok(state)
    }
}
