//! The cost of each rule on given resources: how often it must run, how much work a run is, and
//! which of the values that it reads makes remembered decisions rare.
//!
//! The measurement works as an allocation run does, with a memo for each rule. It is made twice:
//! once against the clock, and once counting operations, because counting slows the engine down.

use crate::charge_view::{Charge, ChargeRead};
use crate::decider::{DecisionPlace, KeyTable, TextCache};
use crate::evaluate::{RuleAnswer, try_rule};
use crate::memo::{Key, Leaf, TrieSlot, Tries};
use crate::options::RuleOptions;
use crate::set::RuleSet;
use domain::diagnostic::Diagnostic;
use domain::dictionary::{Dictionary, ResourceId};
use domain::period::Day;
use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The work of one rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleWork {
    pub rule: String,
    /// Resources for which the rule was asked, by memo or by running it.
    pub asked: u64,
    /// Distinct combinations of the values that it read. It ran once for each.
    pub keys: u64,
    /// Calls of its functions by the host.
    pub calls: u64,
    /// Steps of the script engine.
    pub operations: u64,
    /// Nanoseconds by the caller's clock.
    pub nanos: u64,
    /// Each field or tag that it read, with the number of distinct values. The largest comes first.
    pub reads: Vec<(String, usize)>,
    /// It reads an amount or a date, so an allocation run asks it for each charge or day.
    pub per_charge: bool,
}

/// Runs the attribution rules that are valid on a day, on every resource of a dictionary.
///
/// `now` is the caller's clock, in nanoseconds. This crate has none.
pub fn run(
    dir: &Path,
    options: &RuleOptions,
    dictionary: &Dictionary,
    day: Day,
    now: &dyn Fn() -> u64,
) -> Result<Vec<RuleWork>, Vec<Diagnostic>> {
    let timed = RuleSet::load(dir, options)?;
    let mut counting = RuleSet::load(dir, options)?;
    let operations = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&operations);
    counting.engine.on_progress(move |_| {
        counter.fetch_add(1, Ordering::Relaxed);
        None
    });
    let mut work = Bench::new(&timed).run(dictionary, day, now);
    let counted =
        Bench::new(&counting).run(dictionary, day, &|| operations.load(Ordering::Relaxed));
    // The second measurement read the counter instead of the clock, so its nanoseconds are
    // operations.
    work.iter_mut().zip(counted).for_each(|(work, counted)| work.operations = counted.nanos);
    Ok(work)
}

struct Bench<'a> {
    set: &'a RuleSet,
    tries: Tries,
    roots: Vec<TrieSlot>,
    keys: KeyTable,
    texts: TextCache,
    work: Vec<RuleWork>,
    values: Vec<BTreeMap<Key, (String, HashSet<u32>)>>,
}

impl<'a> Bench<'a> {
    fn new(set: &'a RuleSet) -> Bench<'a> {
        let work = |id: &String| RuleWork { rule: id.clone(), ..RuleWork::default() };
        Bench {
            set,
            tries: Tries::default(),
            roots: vec![TrieSlot::EMPTY; set.rules.len()],
            keys: KeyTable::default(),
            texts: TextCache::default(),
            work: set.rules.iter().map(|rule| work(&rule.id)).collect(),
            values: vec![BTreeMap::new(); set.rules.len()],
        }
    }

    /// Measures with `meter`, which is read before and after each run of a rule.
    fn run(mut self, dictionary: &Dictionary, day: Day, meter: &dyn Fn() -> u64) -> Vec<RuleWork> {
        let set = self.set;
        for number in 0..dictionary.resource_count() {
            let place = DecisionPlace {
                dictionary,
                resource: ResourceId(u32::try_from(number).unwrap_or(u32::MAX)),
                day,
                line: None,
            };
            let mut charge = None;
            for index in set.active(set.stretch(day)) {
                if self.ask(place, *index as usize, &mut charge, meter) != Leaf::PASS {
                    break;
                }
            }
        }
        for (work, values) in self.work.iter_mut().zip(self.values) {
            work.reads = values.into_values().map(|(name, values)| (name, values.len())).collect();
            work.reads
                .sort_by(|left, right| right.1.cmp(&left.1).then_with(|| left.0.cmp(&right.0)));
        }
        let tried: HashSet<u32> = set.active(set.stretch(day)).iter().copied().collect();
        (0..)
            .zip(self.work)
            .filter(|(index, _)| tried.contains(index))
            .map(|(_, work)| work)
            .collect()
    }

    fn ask(
        &mut self,
        place: DecisionPlace<'_>,
        index: usize,
        charge: &mut Option<Charge>,
        meter: &dyn Fn() -> u64,
    ) -> Leaf {
        let (Some(rule), Some(root), Some(work)) =
            (self.set.rules.get(index), self.roots.get_mut(index), self.work.get_mut(index))
        else {
            return Leaf::PASS;
        };
        work.asked += 1;
        let keys = &self.keys;
        if let Some(known) = self.tries.walk(*root, |key| keys.value(key, place)) {
            return known;
        }
        let charge = charge.get_or_insert_with(|| self.texts.charge(place));
        let before = meter();
        let trial =
            try_rule(&self.set.engine, &self.set.options.limits, rule, charge, place.asked_day());
        work.nanos += meter().saturating_sub(before);
        work.keys += 1;
        work.calls += trial.calls();
        work.per_charge |= matches!(trial.answer, RuleAnswer::NeedsLine);
        let mut steps = Vec::with_capacity(trial.reads.len());
        for read in
            trial.reads.iter().take_while(|read| !read.is_amount() && **read != ChargeRead::Day)
        {
            let (key, value) = self.keys.step(read, place);
            steps.push((key, value));
            if let Some(values) = self.values.get_mut(index) {
                values.entry(key).or_insert_with(|| (read.name(), HashSet::new())).1.insert(value);
            }
        }
        let leaf = match trial.answer {
            RuleAnswer::NoMatch | RuleAnswer::Pass => Leaf::PASS,
            RuleAnswer::NeedsLine => Leaf::PER_CHARGE,
            RuleAnswer::Decided(_) | RuleAnswer::Failed(_) => Leaf::outcome(0),
        };
        *root = self.tries.learn(*root, &steps, leaf);
        leaf
    }
}
