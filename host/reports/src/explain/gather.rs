//! Sums of portions by account, rule and resource.

use crate::bearer::{Bearer, Bearers};
use crate::explain::answer::{Correction, CorrectionWay};
use crate::explain::subject::SubjectKey;
use crate::measure::MeasuredSums;
use crate::portion::Portion;
use domain::account::Account;
use domain::charge::ChargeLine;
use domain::decision::OutcomeId;
use domain::dictionary::ResourceId;
use domain::entry::RuleVersion;
use domain::money::{Currency, Sum};
use domain::period::Day;
use domain::run::{RunId, SourceDay};
use ledger::GenerationId;
use std::collections::{BTreeMap, HashMap};

/// An account's part by one rule, apart for what corrects earlier months.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LineKey {
    pub account: Account,
    pub currency: Currency,
    pub correction: Option<Correction>,
    pub rule: Option<RuleVersion>,
}

#[derive(Default)]
pub struct Line {
    pub amount: Sum,
    pub charges: u64,
    pub resources: HashMap<ResourceId, ResourceSums>,
    /// Days on which the rule passed costs on. With an outcome it passed on the charges of that
    /// outcome; without one it passed on the cost that stood in its pool or with its team.
    pub spreads: BTreeMap<(Day, Option<OutcomeId>), (RunId, GenerationId)>,
}

/// One resource's part of a line.
pub struct ResourceSums {
    pub amount: Sum,
    pub charged: Sum,
    pub charges: u64,
    pub largest: ChargeLine,
    /// Pricing quantities by billing period and terms.
    pub priced: MeasuredSums,
    pub generation: GenerationId,
}

pub struct ExplanationSums<'a> {
    pub subject: &'a SubjectKey,
    /// Those that are asked for, in order; nothing for all.
    pub resources: Option<&'a [ResourceId]>,
    pub lines: BTreeMap<LineKey, Line>,
    pub sources: BTreeMap<SourceDay, Sum>,
    pub moved: MovedSums,
}

/// Everything that rules gave to anybody, by the number of the bearer: there are many portions.
#[derive(Default)]
pub struct MovedSums(Vec<Option<BearerSums>>);

struct BearerSums {
    bearer: Bearer,
    sums: Vec<(Currency, Option<Correction>, Sum)>,
}

/// One rule's amounts in one currency, apart for what corrects earlier months, by account.
pub type RuleSums = BTreeMap<(Option<RuleVersion>, Currency, Option<Correction>), AccountSums>;
pub type AccountSums = BTreeMap<Account, Sum>;

impl MovedSums {
    fn add(&mut self, portion: &Portion<'_>, bearers: &Bearers) {
        let (currency, correction) = (portion.source_day.currency, correction(portion));
        for (bearer, amount) in portion.borne {
            let at = bearer.0 as usize;
            if at >= self.0.len() {
                self.0.resize_with(at + 1, || None);
            }
            let new = || BearerSums { bearer: bearers.get(*bearer).clone(), sums: Vec::new() };
            let sums = &mut self.0[at].get_or_insert_with(new).sums;
            match sums.iter_mut().find(|sum| (sum.0, sum.1) == (currency, correction)) {
                Some((_, _, sum)) => *sum += *amount,
                None => sums.push((currency, correction, *amount)),
            }
        }
    }

    pub fn by_rule(self) -> RuleSums {
        let mut by_rule = RuleSums::new();
        for BearerSums { bearer, sums } in self.0.into_iter().flatten() {
            for (currency, correction, amount) in sums {
                let of_rule = by_rule.entry((bearer.rule.clone(), currency, correction));
                *of_rule.or_default().entry(bearer.account.clone()).or_default() += amount;
            }
        }
        by_rule
    }
}

impl ExplanationSums<'_> {
    pub fn take(&mut self, portion: &Portion<'_>, bearers: &Bearers) {
        let is_asked = |asked: &[ResourceId]| asked.binary_search(&portion.resource).is_ok();
        if !self.resources.is_none_or(is_asked) {
            return;
        }
        self.moved.add(portion, bearers);
        // Added up by line first: a team can bear parts under several targets, and the charges of a
        // portion count once.
        let mut by_bearer: BTreeMap<LineKey, Sum> = BTreeMap::new();
        for (bearer, amount) in self.subject.amounts(portion, bearers) {
            let Bearer { account, rule, .. } = bearers.get(bearer).clone();
            let (currency, correction) = (portion.source_day.currency, correction(portion));
            let key = LineKey { account, currency, correction, rule };
            *by_bearer.entry(key).or_default() += amount;
        }
        for (key, amount) in by_bearer {
            let collected = bearers.get(portion.collected);
            let spread = match (&collected.account, key.rule == collected.rule) {
                (Account::Pool(_), true) => Some(Some(portion.outcome)),
                (_, false) => Some(None),
                (_, true) => None,
            };
            self.lines.entry(key).or_default().add(portion, amount, spread);
            *self.sources.entry(portion.source_day.clone()).or_default() += amount;
        }
    }
}

fn correction(portion: &Portion<'_>) -> Option<Correction> {
    let charge_month = portion.source_day.day.month();
    let way = match portion.is_taken_back {
        true => CorrectionWay::TakenBack,
        false => CorrectionWay::PostedAnew,
    };
    let is_later = portion.day.month() != charge_month;
    (is_later || portion.is_taken_back).then_some(Correction { charge_month, way })
}

impl Line {
    fn add(&mut self, portion: &Portion<'_>, amount: Sum, spread: Option<Option<OutcomeId>>) {
        self.amount += amount;
        self.charges += portion.charges;
        if let Some(outcome) = spread {
            self.spreads
                .insert((portion.source_day.day, outcome), (portion.run, portion.generation));
        }
        let new = ResourceSums {
            amount: Sum::ZERO,
            charged: Sum::ZERO,
            charges: 0,
            largest: portion.largest.clone(),
            priced: MeasuredSums::default(),
            generation: portion.generation,
        };
        let seen = self.resources.entry(portion.resource).or_insert(new);
        seen.amount += amount;
        seen.charged += portion.effective;
        seen.charges += portion.charges;
        for measured in portion.measured {
            seen.priced.of(measured.key).add(measured);
        }
        let size = |line: &ChargeLine| line.effective_cost.nanos().unsigned_abs();
        if size(portion.largest) >= size(&seen.largest) {
            (seen.largest, seen.generation) = (portion.largest.clone(), portion.generation);
        }
    }
}
