//! Looks for a charge that breaks a property, and for the smallest one that does.
//!
//! What is tried is drawn from a seed that hangs on the names of rule and property only, so a report can be repeated.

use crate::case_file::{GivenCharge, GivenDay};
use crate::cases::{self, Got};
use crate::code::PROPERTY_FAILED;
use crate::compile::Rule;
use crate::folder::Source;
use crate::property_file::{Answer, Law, Property, Slot, Values};
use crate::set::RuleSet;
use domain::diagnostic::Diagnostic;
use domain::money::{Money, Sum};
use domain::port::Stage;

/// How a property was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PropertyRun {
    pub rule: String,
    pub name: String,
    pub seed: u64,
    /// Charges that were tried.
    pub tried: usize,
    pub holds: bool,
}

/// Where there are not more charges than this, all are tried; else so many are drawn.
const CHARGES: usize = 500;
/// Steps to a smaller charge. Each is strictly smaller, so there are never many.
const STEPS_MAX: usize = 200;

/// Texts that have broken programs before.
const ODD_TEXTS: [&str; 14] = [
    "",
    "a",
    "0",
    "-1",
    " ",
    "null",
    "a-b",
    "a/b.c:d",
    "A",
    "ü漢",
    "\"",
    "${x}",
    "a,b",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
];
const ODD_AMOUNTS: [&str; 8] =
    ["0", "1", "-1", "100", "-20", "0.000000001", "33.333333333", "9000000000"];
const ODD_DAYS: [&str; 4] = ["2026-03-01", "2024-02-29", "2026-12-31", "1999-01-01"];

/// What stands in each slot, in their order.
type Draw = Vec<String>;

pub(crate) fn run(
    set: &RuleSet,
    rule: &Rule,
    file: &Source,
    property: &Property,
) -> (PropertyRun, Option<Diagnostic>) {
    let seed = seed(&rule.id, &property.name);
    let trial = Trial { set, rule, property, texts: texts(set, rule) };
    let mut random = Random(seed);
    let all = trial.count();
    let mut tried = 0;
    let mut broken = None;
    while broken.is_none() && tried < all.unwrap_or(CHARGES) {
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

struct Trial<'a> {
    set: &'a RuleSet,
    rule: &'a Rule,
    property: &'a Property,
    /// What `{ any = true }` is drawn from.
    texts: Vec<String>,
}

/// The rule's own texts, and the keys of its tables, lead into its branches.
fn texts(set: &RuleSet, rule: &Rule) -> Vec<String> {
    const KEYS_MAX: usize = 20;
    let mut texts: Vec<String> = ODD_TEXTS.map(str::to_owned).into();
    for text in &rule.insight.texts {
        texts.extend([text.clone(), format!("{text}x"), format!("x{text}"), text.to_uppercase()]);
        if let Some(table) = set.tables.get(text) {
            let mut keys: Vec<&str> = table.keys().collect();
            keys.sort_unstable();
            texts.extend(keys.into_iter().take(KEYS_MAX).map(str::to_owned));
        }
    }
    texts
}

impl Trial<'_> {
    /// How many charges there can be, if that is few enough to try them all.
    fn count(&self) -> Option<usize> {
        if matches!(self.property.law, Law::IndependentOf(_)) {
            return None;
        }
        let sizes = self.property.slots.iter().map(|(_, values)| match values {
            Values::OneOf(values) => Some(values.len()),
            Values::Any => None,
        });
        let count = sizes.into_iter().try_fold(1_usize, |count, size| count.checked_mul(size?))?;
        (count <= CHARGES).then_some(count)
    }

    fn listed(&self, mut number: usize) -> Draw {
        let value = |(_, values): &(Slot, Values)| match values {
            Values::OneOf(values) => {
                let value = values.get(number % values.len()).cloned().unwrap_or_default();
                number /= values.len();
                value
            }
            Values::Any => String::new(),
        };
        self.property.slots.iter().map(value).collect()
    }

    fn drawn(&self, random: &mut Random) -> Draw {
        self.property.slots.iter().map(|(slot, values)| self.value(slot, values, random)).collect()
    }

    fn value(&self, slot: &Slot, values: &Values, random: &mut Random) -> String {
        match (values, slot) {
            (Values::OneOf(values), _) => random.one_of(values).cloned().unwrap_or_default(),
            (Values::Any, slot) if slot.is_amount() => {
                (*random.one_of(&ODD_AMOUNTS).unwrap_or(&"0")).to_owned()
            }
            (Values::Any, Slot::Day) => {
                (*random.one_of(&ODD_DAYS).unwrap_or(&"2026-03-01")).to_owned()
            }
            (Values::Any, Slot::Currency) => {
                (*random.one_of(&["USD", "EUR", "JPY"]).unwrap_or(&"USD")).to_owned()
            }
            (Values::Any, _) => random.one_of(&self.texts).cloned().unwrap_or_default(),
        }
    }

    /// The same charge with other values where they should not count.
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

    /// What the rule answers where the law does not hold.
    fn breaks(&self, draw: &Draw, other: &Draw) -> Option<String> {
        let got = self.answer(draw);
        let holds = match &self.property.law {
            Law::Always(answer) => is(&got, answer, false),
            Law::Never(answer) => !is(&got, answer, true) && !matches!(got, Got::Needs(_)),
            Law::Shares => self.shares_hold(&got, draw),
            Law::IndependentOf(_) => {
                let second = self.answer(other);
                if got.describe() != second.describe() {
                    return Some(format!("{} and {}", got.describe(), second.describe()));
                }
                !matches!(got, Got::Needs(_))
            }
        };
        (!holds).then(|| got.describe())
    }

    fn answer(&self, draw: &Draw) -> Got {
        let (charge, day) = given(self.property, draw);
        let got = if self.rule.header.stage == Stage::Attribution {
            cases::answer(self.set, self.rule, &charge, self.property.through_set)
        } else {
            Got::of_later_stage(self.set, self.rule)
        };
        match (&self.property.law, got) {
            (Law::Shares, Got::Decided(decision, by)) => cases::shares(
                self.set,
                by.as_deref().unwrap_or(&self.rule.id),
                &day,
                &charge.currency,
                &decision,
            ),
            (_, got) => got,
        }
    }

    fn shares_hold(&self, got: &Got, draw: &Draw) -> bool {
        let total = given(self.property, draw).1.amount.map(Sum::from).unwrap_or_default();
        match got {
            Got::Shares(shares) => {
                let same_sign =
                    shares.values().all(|part| part.nanos().signum() * total.nanos().signum() >= 0);
                same_sign && shares.values().copied().sum::<Sum>() == total
            }
            Got::NoMatch | Got::Pass | Got::Unallocated | Got::Decided(..) => true,
            Got::Failed(..) | Got::Refused(_) | Got::Needs(_) => false,
        }
    }

    fn finding(
        &self,
        file: &Source,
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

    /// Makes one value after the other simpler for as long as the law stays broken.
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

/// Values that are simpler than one, the simplest first.
fn simpler(slot: &Slot, values: &Values, current: &str) -> Vec<String> {
    let before = |list: &[&str]| {
        list.iter()
            .take_while(|value| **value != current)
            .map(|value| (*value).to_owned())
            .collect()
    };
    match (values, slot) {
        (Values::OneOf(values), _) => {
            values.iter().take_while(|value| *value != current).cloned().collect()
        }
        (Values::Any, slot) if slot.is_amount() => before(&ODD_AMOUNTS),
        (Values::Any, Slot::Day) => before(&ODD_DAYS),
        (Values::Any, Slot::Currency) => before(&["USD", "EUR", "JPY"]),
        (Values::Any, _) => {
            let letters: Vec<char> = current.chars().collect();
            let shorter = |length: usize| letters.iter().take(length).collect::<String>();
            let mut lengths = vec![0, letters.len() / 2, letters.len().saturating_sub(1)];
            lengths.dedup();
            lengths.into_iter().filter(|length| *length < letters.len()).map(shorter).collect()
        }
    }
}

/// `vacuous`: what is asked of decisions says nothing of other answers, so it never forbids them either.
fn is(got: &Got, answer: &Answer, forbidden: bool) -> bool {
    match (answer, got) {
        (Answer::TeamIn(teams), Got::Decided(decision, _)) => {
            let mut named = decision.teams().into_iter();
            let known = |team: &str| teams.iter().any(|known| known == team);
            if forbidden { named.any(known) } else { named.all(known) }
        }
        (Answer::TeamIn(_), Got::Failed(..) | Got::Needs(_)) => false,
        (Answer::TeamIn(_), _) => !forbidden,
        (Answer::Decision, Got::Decided(..))
        | (Answer::NoMatch, Got::NoMatch)
        | (Answer::Pass, Got::Pass) => true,
        (Answer::Error, Got::Failed(..)) | (Answer::Unallocated, Got::Unallocated) => true,
        _ => false,
    }
}

pub(crate) fn law_text(law: &Law) -> String {
    let answer = |answer: &Answer| match answer {
        Answer::Decision => "a decision".to_owned(),
        Answer::NoMatch => "no match".to_owned(),
        Answer::Pass => "pass".to_owned(),
        Answer::Error => "an error".to_owned(),
        Answer::Unallocated => "unallocated".to_owned(),
        Answer::TeamIn(teams) => format!("only teams of {}", teams.join(", ")),
    };
    match law {
        Law::Always(always) => format!("always {}", answer(always)),
        Law::Never(Answer::TeamIn(teams)) => format!("never a team of {}", teams.join(", ")),
        Law::Never(never) => format!("never {}", answer(never)),
        Law::Shares => "shares with the sign of the amount, which add up to it".to_owned(),
        Law::IndependentOf(slots) => format!(
            "the same answer whatever {} is",
            slots.iter().map(slot_name).collect::<Vec<_>>().join(" or ")
        ),
    }
}

fn slot_name(slot: &Slot) -> String {
    match slot {
        Slot::Field(field) => field.name().to_owned(),
        Slot::Tag(key) => format!("the tag {key}"),
        Slot::Currency => "billing_currency".to_owned(),
        Slot::Day => "charge_period_start".to_owned(),
        Slot::Billed => "billed_cost".to_owned(),
        Slot::Effective => "effective_cost".to_owned(),
        Slot::Amount => "amount".to_owned(),
        Slot::Cost(team) => team.clone(),
    }
}

fn given(property: &Property, draw: &Draw) -> (GivenCharge, GivenDay) {
    let mut charge = GivenCharge { currency: "USD".into(), ..GivenCharge::default() };
    let mut day = GivenDay { usage: property.usage.clone(), ..GivenDay::default() };
    // Amounts and days were parsed when the file was read.
    let amount = |text: &str| {
        domain::decimal::parse(text.as_bytes()).ok().map(|parsed| Money::from_nanos(parsed.nanos))
    };
    for ((slot, _), text) in property.slots.iter().zip(draw) {
        match slot {
            Slot::Field(field) => charge.dimensions.push((*field, text.clone())),
            Slot::Tag(key) => charge.tags.push((key.clone(), text.clone())),
            Slot::Currency => charge.currency.clone_from(text),
            Slot::Day => charge.line.day = text.parse().ok(),
            Slot::Billed => charge.line.billed = amount(text),
            Slot::Effective => charge.line.effective = amount(text),
            Slot::Amount => day.amount = amount(text),
            Slot::Cost(team) => day.costs.push((team.clone(), amount(text).unwrap_or_default())),
        }
    }
    (charge, day)
}

/// The charge as a case would give it; without what is empty.
fn written(property: &Property, draw: &Draw) -> String {
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let is_bare = |key: &str| {
        !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    };
    let pair = |key: &str, value: &str| {
        format!("{} = {}", if is_bare(key) { key.to_owned() } else { quoted(key) }, quoted(value))
    };
    let (mut fields, mut tags, mut costs, mut parts) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for ((slot, _), value) in property.slots.iter().zip(draw).filter(|(_, value)| !value.is_empty())
    {
        match slot {
            Slot::Tag(key) => tags.push(pair(key, value)),
            Slot::Cost(team) => costs.push(pair(team, value)),
            Slot::Amount => parts.push(pair("amount", value)),
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

/// FNV-1a: no more than a number that differs from property to property and never from day to day.
fn seed(rule: &str, name: &str) -> u64 {
    rule.bytes().chain([0]).chain(name.bytes()).fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// SplitMix64.
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
