//! Searches for a charge that breaks a property, and then for the smallest such charge.
//!
//! The charges are drawn from a seed that depends only on the names of rule and property. So a
//! report can be repeated, and a test that failed yesterday fails today.
//!
//! The generator is written here instead of taken from a library for random numbers or property
//! tests: it is ten lines, its sequence is part of what users see (the seed in the message), and a
//! library may change its sequence with any version.

use crate::case_costs::GivenCost;
use crate::case_facts::{CaseFacts, shares};
use crate::case_file::{GivenCharge, GivenDay};
use crate::case_number::pair;
use crate::cases::{self, CaseOutcome};
use crate::charge_view::DetailValue;
use crate::code::PROPERTY_FAILED;
use crate::compile::Rule;
use crate::odd_values::{ODD_AMOUNTS, ODD_DAYS, ODD_DETAILS, ODD_TEXTS};
use crate::property_file::{ChargeSlot, ExpectedAnswer, Law, Property, SlotValues};
use crate::set::RuleSet;
use crate::text_file::TextFile;
use domain::diagnostic::Diagnostic;
use domain::figure::Figure;
use domain::money::{Money, Sum};
use domain::port::Stage;

/// The trial of a property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PropertyRun {
    pub rule: String,
    pub name: String,
    pub seed: u64,
    /// The number of charges that were tried.
    pub tried: usize,
    pub holds: bool,
}

/// If a property allows no more charges than this, all are tried. Otherwise this many are drawn.
const CHARGES: usize = 500;
/// Steps to a smaller charge. Each step makes the charge strictly smaller, so few are ever needed.
const STEPS_MAX: usize = 200;

/// One value for each slot, in the order of the slots.
type Draw = Vec<String>;

pub(crate) fn run(
    set: &RuleSet,
    rule: &Rule,
    file: &TextFile,
    property: &Property,
) -> (PropertyRun, Option<Diagnostic>) {
    let seed = seed(&rule.id, &property.name);
    let trial = PropertyTrial { set, rule, property, texts: texts(set, rule) };
    let mut random = Random(seed);
    let all = trial.count();
    let mut tried = 0;
    let mut broken = None;
    while broken.is_none() && tried < all.unwrap_or(CHARGES) {
        // The order of the draws must stay, or a seed in an old report would draw other charges.
        let draw = if all.is_some() { trial.listed(tried) } else { trial.drawn(&mut random) };
        let other = trial.varied(&draw, &mut random);
        tried += 1;
        broken = trial.breaks(&draw, &other).map(|_| (draw, other));
    }
    let run = PropertyRun {
        rule: rule.id.clone(),
        name: property.name.clone(),
        seed,
        tried,
        holds: broken.is_none(),
    };
    let finding = broken.map(|(draw, other)| trial.finding(file, draw, other, seed, tried));
    (run, finding)
}

struct PropertyTrial<'a> {
    set: &'a RuleSet,
    rule: &'a Rule,
    property: &'a Property,
    /// The texts that `{ any = true }` is drawn from.
    texts: Vec<String>,
}

/// The texts to draw from: odd ones, and the rule's own texts and table keys with small changes,
/// because those lead into the rule's branches.
fn texts(set: &RuleSet, rule: &Rule) -> Vec<String> {
    const KEYS_MAX: usize = 20;
    let mut texts: Vec<String> = ODD_TEXTS.map(str::to_owned).into();
    for text in &rule.insight.texts {
        texts.extend([text.clone(), format!("{text}x"), format!("x{text}"), text.to_uppercase()]);
        if let Some(table) = set.tables.get(text) {
            let mut keys: Vec<&str> = table.keys().collect();
            // A hash table has no order, and a seed must draw the same keys each time.
            keys.sort_unstable();
            texts.extend(keys.into_iter().take(KEYS_MAX).map(str::to_owned));
        }
    }
    texts
}

impl PropertyTrial<'_> {
    /// The number of possible charges, if there are few enough to try them all.
    fn count(&self) -> Option<usize> {
        if matches!(self.property.law, Law::IndependentOf(_)) {
            return None;
        }
        let sizes = self.property.slots.iter().map(|(_, values)| match values {
            SlotValues::OneOf(values) => Some(values.len()),
            SlotValues::Any => None,
        });
        let count = sizes.into_iter().try_fold(1_usize, |count, size| count.checked_mul(size?))?;
        (count <= CHARGES).then_some(count)
    }

    /// The charge of a number below [`PropertyTrial::count`].
    fn listed(&self, mut number: usize) -> Draw {
        let value = |(_, values): &(ChargeSlot, SlotValues)| match values {
            SlotValues::OneOf(values) => {
                let value = values.get(number % values.len()).cloned().unwrap_or_default();
                number /= values.len();
                value
            }
            SlotValues::Any => String::new(),
        };
        self.property.slots.iter().map(value).collect()
    }

    fn drawn(&self, random: &mut Random) -> Draw {
        self.property.slots.iter().map(|(slot, values)| self.value(slot, values, random)).collect()
    }

    fn value(&self, slot: &ChargeSlot, values: &SlotValues, random: &mut Random) -> String {
        match (values, slot) {
            (SlotValues::OneOf(values), _) => random.one_of(values).cloned().unwrap_or_default(),
            (SlotValues::Any, slot) if slot.is_amount() => {
                (*random.one_of(&ODD_AMOUNTS).unwrap_or(&"0")).to_owned()
            }
            (SlotValues::Any, ChargeSlot::Detail(_)) => {
                (*random.one_of(&ODD_DETAILS).unwrap_or(&"0")).to_owned()
            }
            (SlotValues::Any, ChargeSlot::Day) => {
                (*random.one_of(&ODD_DAYS).unwrap_or(&"2026-03-01")).to_owned()
            }
            (SlotValues::Any, ChargeSlot::Currency) => {
                (*random.one_of(&["USD", "EUR", "JPY"]).unwrap_or(&"USD")).to_owned()
            }
            (SlotValues::Any, _) => random.one_of(&self.texts).cloned().unwrap_or_default(),
        }
    }

    /// The same charge with other values in the slots that must not matter.
    fn varied(&self, draw: &Draw, random: &mut Random) -> Draw {
        let Law::IndependentOf(free) = &self.property.law else { return draw.clone() };
        let slots = self.property.slots.iter().zip(draw);
        slots
            .map(
                |((slot, values), value)| {
                    if free.contains(slot) {
                        self.value(slot, values, random)
                    } else {
                        value.clone()
                    }
                },
            )
            .collect()
    }

    /// The rule's answer, if it breaks the law.
    fn breaks(&self, draw: &Draw, other: &Draw) -> Option<String> {
        let got = self.answer(draw);
        let holds = match &self.property.law {
            Law::Always(answer) => is(&got, answer, false),
            Law::Never(answer) => !is(&got, answer, true) && !matches!(got, CaseOutcome::Needs(_)),
            Law::Shares => self.shares_hold(&got, draw),
            Law::IndependentOf(_) => {
                let second = self.answer(other);
                if got.describe() != second.describe() {
                    return Some(format!("{} and {}", got.describe(), second.describe()));
                }
                !matches!(got, CaseOutcome::Needs(_))
            }
        };
        (!holds).then(|| got.describe())
    }

    fn answer(&self, draw: &Draw) -> CaseOutcome {
        let (charge, day) = given(self.property, draw);
        let got = if self.rule.header.stage == Stage::Attribution {
            cases::answer(self.set, self.rule, &charge, self.property.through_set)
        } else {
            CaseOutcome::of_later_stage(self.set, self.rule, charge.day_for(self.rule))
        };
        match (&self.property.law, got) {
            (Law::Shares, CaseOutcome::Decided(decision, by)) => shares(
                &CaseFacts {
                    set: self.set,
                    day: &day,
                    currency: &charge.currency,
                    on: charge.day_for(self.rule),
                },
                by.as_deref().unwrap_or(&self.rule.id),
                &decision,
            ),
            (_, got) => got,
        }
    }

    fn shares_hold(&self, got: &CaseOutcome, draw: &Draw) -> bool {
        let total = given(self.property, draw).1.amount.map(Sum::from).unwrap_or_default();
        match got {
            CaseOutcome::Shares(shares) => {
                let same_sign =
                    shares.values().all(|part| part.nanos().signum() * total.nanos().signum() >= 0);
                same_sign && shares.values().copied().sum::<Sum>() == total
            }
            CaseOutcome::NoMatch | CaseOutcome::Pass | CaseOutcome::Unallocated => true,
            CaseOutcome::Decided(..) => true,
            CaseOutcome::Failed(..) | CaseOutcome::Refused(_) => false,
            CaseOutcome::Unanswered(_) | CaseOutcome::Needs(_) => false,
        }
    }

    fn finding(
        &self,
        file: &TextFile,
        draw: Draw,
        other: Draw,
        seed: u64,
        tried: usize,
    ) -> Diagnostic {
        let (draw, other) = self.smallest(draw, other);
        let got = self.breaks(&draw, &other).unwrap_or_default();
        let property = self.property;
        let message = format!(
            "\"{}\" does not hold: expected {}, got {got} (charge {tried} of seed {seed})",
            property.name,
            law_text(&property.law)
        );
        let line =
            file.text.lines().nth((property.line as usize).saturating_sub(1)).unwrap_or_default();
        let finding = Diagnostic::new(PROPERTY_FAILED, message)
            .at(&file.label, property.line, property.column)
            .excerpt(line);
        let charges = if draw == other {
            written(property, &draw)
        } else {
            format!("{}\nand {}", written(property, &draw), written(property, &other))
        };
        finding.hint(format!("the smallest that was found: {charges}"))
    }

    /// Makes one value after the other simpler, as long as the law stays broken.
    fn smallest(&self, mut draw: Draw, mut other: Draw) -> (Draw, Draw) {
        for _ in 0..STEPS_MAX {
            let Some(smaller) = self.smaller(&draw, &other) else { break };
            (draw, other) = smaller;
        }
        (draw, other)
    }

    fn smaller(&self, draw: &Draw, other: &Draw) -> Option<(Draw, Draw)> {
        for (at, (slot, values)) in self.property.slots.iter().enumerate() {
            for (from_other, current) in [(false, draw.get(at)?), (true, other.get(at)?)] {
                for simpler in simpler(slot, values, current) {
                    let (mut draw, mut other) = (draw.clone(), other.clone());
                    // Equal values are changed together. Otherwise the two charges would begin to
                    // differ in a slot that the law does not free.
                    let together = draw.get(at) == other.get(at);
                    if together || !from_other {
                        *draw.get_mut(at)? = simpler.clone();
                    }
                    if together || from_other {
                        *other.get_mut(at)? = simpler;
                    }
                    if self.breaks(&draw, &other).is_some() {
                        return Some((draw, other));
                    }
                }
            }
        }
        None
    }
}

/// The values that are simpler than the current one, the simplest first.
fn simpler(slot: &ChargeSlot, values: &SlotValues, current: &str) -> Vec<String> {
    let before = |list: &[&str]| {
        list.iter()
            .take_while(|value| **value != current)
            .map(|value| (*value).to_owned())
            .collect()
    };
    match (values, slot) {
        (SlotValues::OneOf(values), _) => {
            values.iter().take_while(|value| *value != current).cloned().collect()
        }
        (SlotValues::Any, slot) if slot.is_amount() => before(&ODD_AMOUNTS),
        (SlotValues::Any, ChargeSlot::Detail(_)) => before(&ODD_DETAILS),
        (SlotValues::Any, ChargeSlot::Day) => before(&ODD_DAYS),
        (SlotValues::Any, ChargeSlot::Currency) => before(&["USD", "EUR", "JPY"]),
        (SlotValues::Any, _) => {
            let letters: Vec<char> = current.chars().collect();
            let shorter = |length: usize| letters.iter().take(length).collect::<String>();
            let mut lengths = vec![0, letters.len() / 2, letters.len().saturating_sub(1)];
            lengths.dedup();
            lengths.into_iter().filter(|length| *length < letters.len()).map(shorter).collect()
        }
    }
}

/// Whether an outcome is the expected answer, or the forbidden one.
///
/// `team_in` speaks only about decisions. An outcome without a team fulfils `always` and does not
/// break `never`, so the answer for it depends on the side that asks.
fn is(got: &CaseOutcome, answer: &ExpectedAnswer, forbidden: bool) -> bool {
    match (answer, got) {
        (ExpectedAnswer::TeamIn(teams), CaseOutcome::Decided(decision, _)) => {
            let mut named = decision.teams().into_iter();
            let known = |team: &str| teams.iter().any(|known| known == team);
            if forbidden { named.any(known) } else { named.all(known) }
        }
        (ExpectedAnswer::TeamIn(_), CaseOutcome::Failed(..) | CaseOutcome::Needs(_)) => false,
        (ExpectedAnswer::TeamIn(_), _) => !forbidden,
        (ExpectedAnswer::Decision, CaseOutcome::Decided(..))
        | (ExpectedAnswer::NoMatch, CaseOutcome::NoMatch)
        | (ExpectedAnswer::Pass, CaseOutcome::Pass) => true,
        (ExpectedAnswer::Error, CaseOutcome::Failed(..)) => true,
        (ExpectedAnswer::Unallocated, CaseOutcome::Unallocated) => true,
        _ => false,
    }
}

pub(crate) fn law_text(law: &Law) -> String {
    let answer = |answer: &ExpectedAnswer| match answer {
        ExpectedAnswer::Decision => "a decision".to_owned(),
        ExpectedAnswer::NoMatch => "no match".to_owned(),
        ExpectedAnswer::Pass => "pass".to_owned(),
        ExpectedAnswer::Error => "an error".to_owned(),
        ExpectedAnswer::Unallocated => "unallocated".to_owned(),
        ExpectedAnswer::TeamIn(teams) => format!("only teams of {}", teams.join(", ")),
    };
    match law {
        Law::Always(always) => format!("always {}", answer(always)),
        Law::Never(ExpectedAnswer::TeamIn(teams)) => {
            format!("never a team of {}", teams.join(", "))
        }
        Law::Never(never) => format!("never {}", answer(never)),
        Law::Shares => "shares with the sign of the amount, which add up to it".to_owned(),
        Law::IndependentOf(slots) => format!(
            "the same answer whatever {} is",
            slots.iter().map(slot_name).collect::<Vec<_>>().join(" or ")
        ),
    }
}

fn slot_name(slot: &ChargeSlot) -> String {
    match slot {
        ChargeSlot::Field(field) => field.name().to_owned(),
        ChargeSlot::Tag(key) => format!("the tag {key}"),
        ChargeSlot::Currency => "billing_currency".to_owned(),
        ChargeSlot::Day => "charge_period_start".to_owned(),
        ChargeSlot::Billed => "billed_cost".to_owned(),
        ChargeSlot::Effective => "effective_cost".to_owned(),
        ChargeSlot::Detail(detail) => detail.name().to_owned(),
        ChargeSlot::Amount => "amount".to_owned(),
        ChargeSlot::Cost(team) => team.clone(),
    }
}

fn given(property: &Property, draw: &Draw) -> (GivenCharge, GivenDay) {
    let mut charge = GivenCharge { currency: "USD".into(), ..GivenCharge::default() };
    let mut day = GivenDay { usage: property.usage.clone(), ..GivenDay::default() };
    // The file's reader has checked amounts and days, so a parse cannot fail here.
    let amount = |text: &str| {
        domain::decimal::parse(text.as_bytes()).ok().map(|parsed| Money::from_nanos(parsed.nanos))
    };
    for ((slot, _), text) in property.slots.iter().zip(draw) {
        match slot {
            ChargeSlot::Field(field) => charge.dimensions.push((*field, text.clone())),
            ChargeSlot::Tag(key) => charge.tags.push((key.clone(), text.clone())),
            ChargeSlot::Currency => charge.currency.clone_from(text),
            ChargeSlot::Day => charge.line.day = text.parse().ok(),
            ChargeSlot::Billed => charge.line.billed = amount(text),
            ChargeSlot::Effective => charge.line.effective = amount(text),
            ChargeSlot::Detail(detail) => {
                let known = Figure::parse(text.as_bytes()).map(DetailValue::Known);
                charge.line.set_detail(*detail, known.unwrap_or(DetailValue::Unknown));
            }
            ChargeSlot::Amount => day.amount = amount(text),
            ChargeSlot::Cost(team) => {
                day.costs.push(GivenCost::plain(team, amount(text).unwrap_or_default()));
            }
        }
    }
    (charge, day)
}

/// The charge as a case would give it. Empty values are left out.
fn written(property: &Property, draw: &Draw) -> String {
    let (mut fields, mut tags, mut costs, mut parts) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for ((slot, _), value) in property.slots.iter().zip(draw).filter(|(_, value)| !value.is_empty())
    {
        match slot {
            ChargeSlot::Tag(key) => tags.push(pair(key, value)),
            ChargeSlot::Cost(team) => costs.push(pair(team, value)),
            ChargeSlot::Amount => parts.push(pair("amount", value)),
            other => fields.push(pair(&slot_name(other), value)),
        }
    }
    if !tags.is_empty() {
        fields.push(format!("tags = {{ {} }}", tags.join(", ")));
    }
    if !costs.is_empty() {
        parts.push(format!("costs = {{ {} }}", costs.join(", ")));
    }
    let charge = if fields.is_empty() {
        "charge = {}".to_owned()
    } else {
        format!("charge = {{ {} }}", fields.join(", "))
    };
    [vec![charge], parts].concat().join(", ")
}

/// The seed of a property, by FNV-1a. It differs from property to property, and never from day to
/// day.
fn seed(rule: &str, name: &str) -> u64 {
    // The zero keeps the names apart: `a`, `bc` and `ab`, `c` get different seeds.
    rule.bytes().chain([0]).chain(name.bytes()).fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The generator SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn one_of<'a, T>(&mut self, list: &'a [T]) -> Option<&'a T> {
        let at = self.next().checked_rem(list.len() as u64)?;
        list.get(usize::try_from(at).ok()?)
    }
}
