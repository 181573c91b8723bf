//! The decision on each resource with charges in a period, before and after, and the rules that
//! fell silent.
//!
//! Decisions are compared resource by resource. Charges are read only to know which resources have
//! any, and how much.

use domain::account::Account;
use domain::charge::ChargeLine;
use domain::decision::{Decision, Outcome, OutcomeId, Verdict};
use domain::diagnostic::Diagnostic;
use domain::dictionary::{Dictionary, ResourceId};
use domain::field::Field;
use domain::money::{Currency, Sum};
use domain::period::Period;
use domain::port::Decider;
use domain::recipient::Recipient;
use domain::run::SourceDay;
use ledger::segment::{ChargeLines, SegmentCharges};
use ledger::{GenerationId, Reader};
use reports::derive;
use reports::stored::{RulesOf, StoredGeneration, corrupt};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Resources that a plan names. All are counted.
const LARGEST: usize = 20;

/// The generation that decided each source-day.
pub type DayGenerations = BTreeMap<SourceDay, GenerationId>;

/// Resources with another decision than before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DecisionChanges {
    pub resources: u64,
    pub charges: u64,
    /// Effective cost of those charges.
    pub costs: Vec<(Currency, Sum)>,
    pub by_rule: Vec<RuleChange>,
    /// The most expensive ones, by the size of their cost.
    pub largest: Vec<ResourceChange>,
    /// Rules that matched a charge before and match none now.
    pub silent: Vec<String>,
    /// Rules that match a charge now and matched none before.
    pub woken: Vec<String>,
}

/// The resources that went from one rule to another, or got another decision of the same rule. An
/// empty name is no rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleChange {
    pub before: String,
    pub after: String,
    pub resources: u64,
    pub charges: u64,
    pub currency: Currency,
    pub cost: Sum,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceChange {
    pub resource: String,
    pub service_name: String,
    pub before: Ruling,
    pub after: Ruling,
    pub charges: u64,
    pub currency: Currency,
    pub cost: Sum,
}

/// The rule that decided, and the path of the account where the cost goes first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ruling {
    pub rule: String,
    pub to: String,
}

pub fn decided(ledger: &Reader, period: Period) -> Result<DayGenerations, Diagnostic> {
    let standing = derive::standing(ledger, period, None)?;
    Ok(standing
        .into_iter()
        .flat_map(|(generation, days)| days.into_iter().map(move |(day, _)| (day, generation)))
        .collect())
}

/// Compares the decisions that stood before with those that stand in `ledger` now.
pub fn compare(
    ledger: &Reader,
    before: &DayGenerations,
    period: Period,
    rules_of: &RulesOf<'_>,
) -> Result<DecisionChanges, Diagnostic> {
    let dictionary = ledger.dictionary()?;
    let mut pairs: BTreeMap<(GenerationId, GenerationId), Vec<SourceDay>> = BTreeMap::new();
    for (day, after) in decided(ledger, period)? {
        // A day without postings had no decisions that could have changed.
        let before = before.get(&day).copied().unwrap_or(after);
        pairs.entry((before, after)).or_default().push(day);
    }
    let mut changes = PairChanges::default();
    for ((before, after), days) in pairs {
        let (before, after) =
            (StoredGeneration::load(ledger, before)?, StoredGeneration::load(ledger, after)?);
        let (old_rules, new_rules) =
            (before.rules_if_needed(Some(rules_of))?, after.rules_if_needed(Some(rules_of))?);
        let mut sides = Sides {
            before: Side::new(&before, old_rules.as_ref().map(|rules| rules.decider())),
            after: Side::new(&after, new_rules.as_ref().map(|rules| rules.decider())),
        };
        let rules = [old_rules.as_deref(), new_rules.as_deref()].into_iter().flatten();
        let lines = ChargeLines::new(&dictionary, rules);
        let tallies = sides.tally(ledger, &dictionary, lines, &days)?;
        changes.add(&sides, &tallies);
    }
    Ok(changes.redecided(&dictionary))
}

#[derive(Clone, Copy, Default)]
struct Tally {
    charges: u64,
    effective: i128,
}

impl Tally {
    fn add(&mut self, other: Tally) {
        self.charges += other.charges;
        self.effective += other.effective;
    }
}

/// One generation's decisions. Those that hang on single charges are taken anew.
struct Side<'a> {
    stored: &'a StoredGeneration,
    decider: Option<Box<dyn Decider + 'a>>,
    outcomes: Vec<Outcome>,
    numbers: HashMap<Outcome, u32>,
}

impl<'a> Side<'a> {
    fn new(stored: &'a StoredGeneration, decider: Option<Box<dyn Decider + 'a>>) -> Side<'a> {
        let numbers = stored.outcomes.iter().cloned().zip(0..).collect();
        Side { stored, decider, outcomes: stored.outcomes.clone(), numbers }
    }

    /// The number of the outcome, unless it hangs on the single charge.
    fn fixed(&self, resource: u32) -> Result<Option<u32>, Diagnostic> {
        let decision = self.stored.decision(resource)?;
        Ok((decision != OutcomeId::PER_CHARGE).then_some(decision.0))
    }

    /// False also for resources that came after the generation: they have none of its charges.
    fn is_fixed(&self, resource: u32) -> bool {
        matches!(self.fixed(resource), Ok(Some(_)))
    }

    fn of_charge(
        &mut self,
        dictionary: &Dictionary,
        resource: u32,
        line: &ChargeLine,
    ) -> Result<u32, Diagnostic> {
        if let Some(fixed) = self.fixed(resource)? {
            return Ok(fixed);
        }
        let unknown = || corrupt(format!("resource {resource} needs rules that are not stored"));
        let decider = self.decider.as_mut().ok_or_else(unknown)?;
        let decided = decider.decide(dictionary, ResourceId(resource), line.day, Some(line));
        let outcome = decider.outcomes().get(decided.0 as usize).ok_or_else(unknown)?;
        if let Some(known) = self.numbers.get(outcome) {
            return Ok(*known);
        }
        let number = self.outcomes.len() as u32;
        self.numbers.insert(outcome.clone(), number);
        self.outcomes.push(outcome.clone());
        Ok(number)
    }

    fn rule(&self, outcome: u32) -> &str {
        match self.outcomes.get(outcome as usize).map(|outcome| &outcome.verdict) {
            Some(Verdict::Decided { rule, .. } | Verdict::Suspense { rule, .. }) => self
                .stored
                .facts
                .get(rule.0 as usize)
                .map_or("", |facts| facts.version.rule.as_str()),
            Some(Verdict::Unallocated) | None => "",
        }
    }

    fn ruling(&self, outcome: u32) -> Ruling {
        let rule = self.rule(outcome).to_owned();
        let account = match self.outcomes.get(outcome as usize).map(|outcome| &outcome.verdict) {
            Some(Verdict::Decided { decision: Decision::Assign(recipient), .. }) => {
                Account::of(recipient)
            }
            Some(Verdict::Decided { decision: Decision::Spread(_), .. }) => {
                Account::of(&Recipient::Pool(rule.clone()))
            }
            Some(Verdict::Decided { decision: Decision::Exclude { .. }, .. }) => {
                Account::Excluded(rule.clone())
            }
            Some(Verdict::Suspense { .. }) => Account::Suspense,
            Some(Verdict::Unallocated) | None => Account::Unallocated,
        };
        Ruling { rule, to: account.to_string() }
    }

    fn decision(&self, outcome: u32) -> Option<&Decision> {
        match self.outcomes.get(outcome as usize).map(|outcome| &outcome.verdict) {
            Some(Verdict::Decided { decision, .. }) => Some(decision),
            _ => None,
        }
    }
}

/// Resource, outcome before, outcome after.
type Key = (u32, u32, u32);

struct Sides<'a> {
    before: Side<'a>,
    after: Side<'a>,
}

impl Sides<'_> {
    /// The charges of some days, by both decisions on them.
    fn tally(
        &mut self,
        ledger: &Reader,
        dictionary: &Dictionary,
        mut lines: ChargeLines<'_>,
        days: &[SourceDay],
    ) -> Result<HashMap<Key, Tally>, Diagnostic> {
        let mut by_resource = vec![Tally::default(); dictionary.resource_count()];
        let mut is_fixed = Vec::with_capacity(by_resource.len());
        for resource in 0..by_resource.len() as u32 {
            is_fixed.push(self.before.is_fixed(resource) && self.after.is_fixed(resource));
        }
        let mut tallies: HashMap<Key, Tally> = HashMap::new();
        let mut columns = SegmentCharges::default();
        for day in days {
            for stored in ledger.segments(day)? {
                lines.decode(&stored.data, &mut columns)?;
                let charges = columns.resources.iter().zip(&columns.effective);
                for (row, (resource, effective)) in charges.enumerate() {
                    // Collected anew for this plan, so nothing was decided about it before.
                    if *resource as usize >= self.before.stored.resource_count() {
                        continue;
                    }
                    let one = Tally { charges: 1, effective: i128::from(*effective) };
                    if is_fixed.get(*resource as usize) == Some(&true) {
                        by_resource[*resource as usize].add(one);
                        continue;
                    }
                    let line = lines.line(day, &columns, row);
                    let (before, after) = (
                        self.before.of_charge(dictionary, *resource, &line)?,
                        self.after.of_charge(dictionary, *resource, &line)?,
                    );
                    tallies.entry((*resource, before, after)).or_default().add(one);
                }
            }
        }
        for (resource, tally) in (0..).zip(by_resource).filter(|(_, tally)| tally.charges > 0) {
            if let (Some(before), Some(after)) =
                (self.before.fixed(resource)?, self.after.fixed(resource)?)
            {
                tallies.entry((resource, before, after)).or_default().add(tally);
            }
        }
        Ok(tallies)
    }

    /// Whether another rule decided, or the same rule otherwise. A rule with another text and the
    /// same decision is the same.
    fn differ(&self, before: u32, after: u32) -> bool {
        let same = self.before.ruling(before) == self.after.ruling(after)
            && self.before.decision(before) == self.after.decision(after);
        !same
    }
}

/// PairChanges of all pairs of generations together.
#[derive(Default)]
struct PairChanges {
    changed: BTreeMap<(u32, Ruling, Ruling), Tally>,
    matched_before: BTreeSet<String>,
    matched_after: BTreeSet<String>,
}

impl PairChanges {
    fn add(&mut self, sides: &Sides<'_>, tallies: &HashMap<Key, Tally>) {
        let mut known: HashMap<(u32, u32), bool> = HashMap::new();
        for ((resource, before, after), tally) in tallies {
            let differ = *known.entry((*before, *after)).or_insert_with(|| {
                self.matched_before.insert(sides.before.rule(*before).to_owned());
                self.matched_after.insert(sides.after.rule(*after).to_owned());
                sides.differ(*before, *after)
            });
            if differ {
                let key = (*resource, sides.before.ruling(*before), sides.after.ruling(*after));
                self.changed.entry(key).or_default().add(*tally);
            }
        }
    }

    fn redecided(mut self, dictionary: &Dictionary) -> DecisionChanges {
        self.matched_before.remove("");
        self.matched_after.remove("");
        let mut costs: BTreeMap<Currency, Sum> = BTreeMap::new();
        let mut by_rule: BTreeMap<(&str, &str, Currency), (BTreeSet<u32>, Tally)> = BTreeMap::new();
        for ((resource, before, after), tally) in &self.changed {
            let currency = dictionary.currency(ResourceId(*resource));
            *costs.entry(currency).or_default() += Sum::from_nanos(tally.effective);
            let (resources, sum) =
                by_rule.entry((&before.rule, &after.rule, currency)).or_default();
            resources.insert(*resource);
            sum.add(*tally);
        }
        let by_rule =
            by_rule.into_iter().map(|((before, after, currency), (resources, tally))| RuleChange {
                before: before.to_owned(),
                after: after.to_owned(),
                resources: resources.len() as u64,
                charges: tally.charges,
                currency,
                cost: Sum::from_nanos(tally.effective),
            });
        DecisionChanges {
            resources: self
                .changed
                .keys()
                .map(|(resource, ..)| resource)
                .collect::<BTreeSet<_>>()
                .len() as u64,
            charges: self.changed.values().map(|tally| tally.charges).sum(),
            by_rule: by_rule.collect(),
            largest: self.largest(dictionary),
            costs: costs.into_iter().collect(),
            silent: self.matched_before.difference(&self.matched_after).cloned().collect(),
            woken: self.matched_after.difference(&self.matched_before).cloned().collect(),
        }
    }

    fn largest(&self, dictionary: &Dictionary) -> Vec<ResourceChange> {
        let mut order: Vec<_> = self.changed.iter().collect();
        order.sort_by_key(|(_, tally)| Reverse(tally.effective.unsigned_abs()));
        let shown =
            |((resource, before, after), tally): (&(u32, Ruling, Ruling), &Tally)| ResourceChange {
                resource: name(dictionary, ResourceId(*resource)),
                service_name: dictionary
                    .dimension_text(ResourceId(*resource), Field::SERVICE_NAME)
                    .to_owned(),
                before: before.clone(),
                after: after.clone(),
                charges: tally.charges,
                currency: dictionary.currency(ResourceId(*resource)),
                cost: Sum::from_nanos(tally.effective),
            };
        order.into_iter().take(LARGEST).map(shown).collect()
    }
}

/// The name that people know: its id, or its name, or the description of its charges.
fn name(dictionary: &Dictionary, resource: ResourceId) -> String {
    let fields = ["resource_id", "resource_name", "sku_id", "charge_description", "service_name"];
    let texts = fields
        .iter()
        .filter_map(|field| Field::by_name(field))
        .map(|field| dictionary.dimension_text(resource, field));
    texts.into_iter().find(|text| !text.is_empty()).unwrap_or_default().to_owned()
}
