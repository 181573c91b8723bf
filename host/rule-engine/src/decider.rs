//! Decides for one run, and remembers each decision under the values that it was based on.
//!
//! A script takes microseconds, a month has millions of charges, and few combinations of values
//! differ in what rules read. So scripts must run rarely. There are two levels of memo:
//!
//! 1. A trie over the whole rule set holds the final outcome. It answers for a resource if all
//!    values that the rules read together have occurred together before. This is the path of nearly
//!    every resource, so it costs one walk however many rules there are.
//! 2. A trie for each rule holds that rule's own answer. It is asked where the first level has no
//!    answer, and only rules whose own values are new are run. Without this level, one new value
//!    that the last rule reads would run all rules before it again.
//!
//! The answer for a resource holds for all of its charges only if no rule read the date or an
//! amount of a charge. Otherwise the outcome is [`OutcomeId::PER_CHARGE`], and the pipeline asks
//! again with each charge. A second bank of tries answers then, which has the date as a key too.
//! Amounts are never a key, because nearly every amount is different: such a rule runs for every
//! charge.
//!
//! A decider works for one dictionary, which may grow while it is in use.

use crate::charge_view::{Charge, ChargeRead, ChargeView, LineValues};
use crate::evaluate::{RuleAnswer, ask, failure_finding, stage_finding, try_rule};
use crate::memo::{Key, Leaf, TrieSlot, Tries};
use crate::set::RuleSet;
use domain::charge::ChargeLine;
use domain::decision::{Decision, Outcome, OutcomeId, RuleIndex, Verdict};
use domain::dictionary::{Dictionary, ResourceId, Symbol};
use domain::field::Field;
use domain::period::Day;
use domain::port::{Decider, Explanation, Rules, TriedRule};
use rhai::ImmutableString;
use rustc_hash::FxHashMap;
use std::collections::HashMap;
use std::sync::Mutex;

/// Edges of a bank. An edge takes some 20 bytes, so a bank stays under 100 MB. Beyond that the bank
/// is emptied, which costs time and changes no decision.
const ENTRIES_MAX: usize = 4_000_000;
/// Cached texts. Each takes 16 bytes and the text.
const TEXTS_MAX: usize = 500_000;
/// Distinct texts of failures that are kept apart.
const FAILURES_MAX: usize = 10_000;

const CURRENCY: Key = Field::COUNT as Key;
const DAY: Key = CURRENCY + 1;
const FIRST_TAG: Key = DAY + 1;

pub(crate) struct MemoDecider<'a> {
    set: &'a RuleSet,
    outcomes: Outcomes,
    keys: KeyTable,
    /// Answers for resources as such.
    timeless: MemoBank,
    /// Answers for single charges, with the date as a key.
    dated: MemoBank,
    texts: TextCache,
    calls: u64,
    path: ReadPath,
}

/// The resource, day and perhaps the single charge that a decision is for.
#[derive(Clone, Copy)]
pub(crate) struct DecisionPlace<'d> {
    pub(crate) dictionary: &'d Dictionary,
    pub(crate) resource: ResourceId,
    pub(crate) day: Day,
    pub(crate) line: Option<&'d ChargeLine>,
}

impl DecisionPlace<'_> {
    /// The day that rules are asked about.
    pub(crate) fn asked_day(&self) -> Day {
        self.line.map_or(self.day, |line| line.day)
    }
}

/// The tries of both levels.
struct MemoBank {
    tries: Tries,
    /// A trie over all rules for each stretch, because each stretch has other valid rules.
    set_roots: Vec<TrieSlot>,
    /// A trie for each rule. Where rows of tables hold for a time only, one for each stretch.
    rule_roots: Vec<TrieSlot>,
}

/// All outcomes of the run, each once. An [`OutcomeId`] is an index into the list.
struct Outcomes {
    list: Vec<Outcome>,
    numbers: HashMap<Outcome, u32>,
    failures: usize,
}

/// Numbers tag keys, and looks up a resource's value under any key.
#[derive(Default)]
pub(crate) struct KeyTable {
    numbers: FxHashMap<String, Key>,
    tags: Vec<(String, Symbol)>,
    /// How many symbols the dictionary had when the tag keys were last looked up.
    symbols_seen: usize,
}

/// Texts of the dictionary in the form that scripts use.
#[derive(Default)]
pub(crate) struct TextCache {
    by_symbol: Vec<Option<ImmutableString>>,
    count: usize,
}

/// The values that the rules have read for one resource so far, each key once. It becomes a path of
/// the set's trie.
#[derive(Default)]
struct ReadPath {
    steps: Vec<(Key, u32)>,
    /// The stamp of the last resource that a key was read for. A new stamp forgets all keys at
    /// once.
    seen: Vec<u32>,
    stamp: u32,
}

impl<'a> MemoDecider<'a> {
    pub(crate) fn new(set: &'a RuleSet) -> MemoDecider<'a> {
        let unallocated = Outcome { verdict: Verdict::Unallocated };
        MemoDecider {
            set,
            outcomes: Outcomes {
                list: vec![unallocated.clone()],
                numbers: HashMap::from([(unallocated, 0)]),
                failures: 0,
            },
            keys: KeyTable::default(),
            timeless: MemoBank::new(set),
            dated: MemoBank::new(set),
            texts: TextCache::default(),
            calls: 0,
            path: ReadPath::default(),
        }
    }

    fn bank(&mut self, place: DecisionPlace<'_>) -> &mut MemoBank {
        if place.line.is_some() { &mut self.dated } else { &mut self.timeless }
    }

    /// Asks the rules in order and runs those whose values are new.
    fn decide_anew(&mut self, place: DecisionPlace<'_>, stretch: usize) -> OutcomeId {
        let set = self.set;
        let mut charge: Option<Charge> = None;
        // Once a rule has read an amount, the outcome depends on this charge alone: it is not
        // learned.
        let mut remembers = true;
        self.path.start();
        for index in set.active(stretch) {
            let mut leaf = self.rule_leaf(place, *index, &mut charge);
            if leaf == Leaf::PER_CHARGE {
                // The values so far lead to a rule that needs the charge. That much can be learned.
                if remembers {
                    self.remember(place, stretch, leaf);
                }
                if place.line.is_none() {
                    return OutcomeId::PER_CHARGE;
                }
                remembers = false;
                // `rule_leaf` may have answered from the trie, so the rule must run for this
                // charge.
                leaf = self.run_rule(place, *index, &mut charge).0;
            }
            if leaf != Leaf::PASS {
                if remembers {
                    self.remember(place, stretch, leaf);
                }
                return OutcomeId(leaf.number());
            }
        }
        // No rule claimed it. Outcome 0 is "unallocated", and is learned like any other.
        if remembers {
            self.remember(place, stretch, Leaf::outcome(0));
        }
        OutcomeId::UNALLOCATED
    }

    /// The rule's answer from its own trie, or from running it. The values that it is based on are
    /// added to the path either way, because they are part of the set's key.
    fn rule_leaf(
        &mut self,
        place: DecisionPlace<'_>,
        index: u32,
        charge: &mut Option<Charge>,
    ) -> Leaf {
        let bank = if place.line.is_some() { &self.dated } else { &self.timeless };
        let at = self.set.rule_slot(place.asked_day(), index);
        let root = bank.rule_roots.get(at).copied().unwrap_or(TrieSlot::EMPTY);
        let (keys, path) = (&self.keys, &mut self.path);
        let known = bank.tries.walk(root, |key| {
            let value = keys.value(key, place);
            path.note(key, value);
            value
        });
        if let Some(leaf) = known {
            return leaf;
        }
        let (leaf, reads) = self.run_rule(place, index, charge);
        // Which values a rule reads after an amount can depend on the amount. So only the reads
        // before the amount become keys.
        let steady = reads.iter().position(ChargeRead::is_amount);
        let leaf = if steady.is_some() { Leaf::PER_CHARGE } else { leaf };
        let steps: Vec<(Key, u32)> = reads
            .iter()
            .take(steady.unwrap_or(reads.len()))
            // Without a charge a read of the day has no value, and the leaf is PER_CHARGE anyway.
            .filter(|read| place.line.is_some() || **read != ChargeRead::Day)
            .map(|read| self.keys.step(read, place))
            .collect();
        for (key, value) in &steps {
            self.path.note(*key, *value);
        }
        let bank = self.bank(place);
        if let Some(root) = bank.rule_roots.get_mut(at) {
            *root = bank.tries.learn(*root, &steps, leaf);
        }
        leaf
    }

    fn run_rule(
        &mut self,
        place: DecisionPlace<'_>,
        index: u32,
        charge: &mut Option<Charge>,
    ) -> (Leaf, Vec<ChargeRead>) {
        let set = self.set;
        let Some(rule) = set.rules.get(index as usize) else { return (Leaf::PASS, Vec::new()) };
        // Made at the first rule that really runs: most resources never need it.
        let charge = charge.get_or_insert_with(|| self.texts.charge(place));
        let trial = try_rule(&set.engine, &set.options.limits, rule, charge, place.asked_day());
        self.calls += trial.calls();
        let rule_index = RuleIndex(index);
        let leaf = match trial.answer {
            RuleAnswer::NoMatch | RuleAnswer::Pass => Leaf::PASS,
            RuleAnswer::NeedsLine => Leaf::PER_CHARGE,
            RuleAnswer::Decided(decision) => {
                self.outcomes.number(Verdict::Decided { rule: rule_index, decision })
            }
            RuleAnswer::Failed(failure) => {
                let finding = failure_finding(rule, &failure, &trial.reads, charge);
                self.outcomes.failure(rule_index, &rule.id, finding.to_string())
            }
        };
        (leaf, trial.reads)
    }

    fn remember(&mut self, place: DecisionPlace<'_>, stretch: usize, leaf: Leaf) {
        // The path is lent out while the bank, a part of `self` too, is changed.
        let steps = std::mem::take(&mut self.path.steps);
        let bank = self.bank(place);
        if let Some(root) = bank.set_roots.get_mut(stretch) {
            *root = bank.tries.learn(*root, &steps, leaf);
        }
        self.path.steps = steps;
    }
}

impl Decider for MemoDecider<'_> {
    fn decide(
        &mut self,
        dictionary: &Dictionary,
        resource: ResourceId,
        day: Day,
        line: Option<&ChargeLine>,
    ) -> OutcomeId {
        let place = DecisionPlace { dictionary, resource, day, line };
        let stretch = self.set.stretch(day);
        self.keys.catch_up(dictionary);
        let bank = if line.is_some() { &self.dated } else { &self.timeless };
        let root = bank.set_roots.get(stretch).copied().unwrap_or(TrieSlot::EMPTY);
        let keys = &self.keys;
        // With a charge at hand, `PER_CHARGE` is no answer: an amount decides, so the rules run.
        match bank.tries.walk(root, |key| keys.value(key, place)) {
            Some(Leaf::PER_CHARGE) if line.is_none() => OutcomeId::PER_CHARGE,
            Some(leaf) if leaf != Leaf::PER_CHARGE => OutcomeId(leaf.number()),
            _ => {
                // Only here, where a decision is not known, can a bank have grown.
                if bank.tries.entries() > ENTRIES_MAX {
                    *self.bank(place) = MemoBank::new(self.set);
                }
                self.decide_anew(place, stretch)
            }
        }
    }

    fn later_stages(&mut self, day: Day) -> Vec<OutcomeId> {
        let set = self.set;
        let mut asked = Vec::new();
        for index in set.later(set.stretch(day)) {
            let Some(rule) = set.rules.get(*index as usize) else { continue };
            self.calls += 1;
            let rule_index = RuleIndex(*index);
            let leaf = match ask(&set.engine, &set.options.limits, rule, day) {
                Ok(None) => continue,
                Ok(Some(spread)) => self.outcomes.number(Verdict::Decided {
                    rule: rule_index,
                    decision: Decision::from(spread),
                }),
                Err(failure) => self.outcomes.failure(
                    rule_index,
                    &rule.id,
                    stage_finding(rule, &failure).to_string(),
                ),
            };
            asked.push(OutcomeId(leaf.number()));
        }
        asked
    }

    fn outcomes(&self) -> &[Outcome] {
        &self.outcomes.list
    }

    fn calls(&self) -> u64 {
        self.calls
    }

    /// Runs the rules again without any memo. `matched` is true for the rule that decided or
    /// failed.
    fn explain(
        &mut self,
        dictionary: &Dictionary,
        resource: ResourceId,
        day: Day,
        line: Option<&ChargeLine>,
    ) -> Explanation {
        let set = self.set;
        let charge = self.texts.charge(DecisionPlace { dictionary, resource, day, line });
        let mut explanation = Explanation::default();
        for index in set.active(set.stretch(day)) {
            let (Some(rule), Some(facts)) =
                (set.rules.get(*index as usize), set.facts().get(*index as usize))
            else {
                continue;
            };
            let trial = try_rule(&set.engine, &set.options.limits, rule, &charge, day);
            self.calls += trial.calls();
            let (matched, at) = match &trial.answer {
                RuleAnswer::NoMatch | RuleAnswer::Pass => (false, trial.line),
                RuleAnswer::Decided(_) => (true, trial.line),
                RuleAnswer::NeedsLine => (true, 0),
                RuleAnswer::Failed(failure) => (true, failure.line),
            };
            let read = trial.reads.iter().map(|read| (read.name(), charge.text(read))).collect();
            explanation.tried.push(TriedRule {
                rule: facts.version.clone(),
                matched,
                read,
                line: at,
            });
            if matched {
                break;
            }
        }
        explanation
    }
}

impl MemoBank {
    fn new(set: &RuleSet) -> MemoBank {
        MemoBank {
            tries: Tries::default(),
            set_roots: vec![TrieSlot::EMPTY; set.stretches()],
            rule_roots: vec![TrieSlot::EMPTY; set.rule_slots()],
        }
    }
}

impl Outcomes {
    fn number(&mut self, verdict: Verdict) -> Leaf {
        let outcome = Outcome { verdict };
        if let Some(number) = self.numbers.get(&outcome) {
            return Leaf::outcome(*number);
        }
        let number = u32::try_from(self.list.len()).unwrap_or(u32::MAX);
        let leaf = Leaf::outcome(number);
        self.list.push(outcome.clone());
        self.numbers.insert(outcome, number);
        leaf
    }

    /// Numbers a failure. A rule can fail on every charge, each time with another text: beyond a
    /// bound all further texts become one, so that they do not fill the memory.
    fn failure(&mut self, rule: RuleIndex, id: &str, text: String) -> Leaf {
        let known = self.list.len();
        let text = if self.failures < FAILURES_MAX {
            text
        } else {
            format!("{id}.rhai: the rule failed on more than {FAILURES_MAX} different inputs")
        };
        let leaf = self.number(Verdict::Suspense { rule, diagnostic: text });
        self.failures += self.list.len() - known;
        leaf
    }
}

impl KeyTable {
    /// Looks up again the tag keys that the dictionary did not have: it may have grown.
    fn catch_up(&mut self, dictionary: &Dictionary) {
        let count = dictionary.symbol_count();
        // This runs for every resource, and the dictionary grows rarely.
        if count == self.symbols_seen {
            return;
        }
        self.symbols_seen = count;
        for (text, symbol) in self.tags.iter_mut().filter(|(_, symbol)| *symbol == Symbol::NONE) {
            *symbol = dictionary.find_symbol(text).unwrap_or(Symbol::NONE);
        }
    }

    /// A read as one step of a path: its key, and the resource's value.
    pub(crate) fn step(&mut self, read: &ChargeRead, place: DecisionPlace<'_>) -> (Key, u32) {
        let key = match read {
            ChargeRead::Field(field) => field.index() as Key,
            ChargeRead::Currency => CURRENCY,
            // Amounts are no keys: callers leave them out before they come here.
            ChargeRead::Day
            | ChargeRead::Billed
            | ChargeRead::Effective
            | ChargeRead::Detail(_) => DAY,
            ChargeRead::Tag(text) => self.tag(text, place.dictionary),
        };
        (key, self.value(key, place))
    }

    fn tag(&mut self, text: &str, dictionary: &Dictionary) -> Key {
        if let Some(key) = self.numbers.get(text) {
            return *key;
        }
        let key = FIRST_TAG + self.tags.len() as Key;
        self.tags.push((text.to_owned(), dictionary.find_symbol(text).unwrap_or(Symbol::NONE)));
        self.numbers.insert(text.to_owned(), key);
        key
    }

    /// The resource's value under a key, as a number. Equal numbers mean equal texts.
    #[inline]
    pub(crate) fn value(&self, key: Key, place: DecisionPlace<'_>) -> u32 {
        let DecisionPlace { dictionary, resource, day, line } = place;
        if let Some(field) = Field::from_index(key as usize) {
            return dictionary.dimension(resource, field).0;
        }
        match key {
            CURRENCY => {
                let [a, b, c] = dictionary.currency(resource).bytes();
                // Three letters fit into the number, so currencies need no table.
                u32::from_le_bytes([a, b, c, 0])
            }
            DAY => line.map_or(day, |line| line.day).epoch_days() as u32,
            _ => match self.tags.get((key - FIRST_TAG) as usize) {
                Some((_, symbol)) if *symbol != Symbol::NONE => {
                    dictionary.tag(dictionary.resource_tags(resource), *symbol).0
                }
                _ => Symbol::NONE.0,
            },
        }
    }
}

impl TextCache {
    /// The charge that scripts are run on.
    pub(crate) fn charge(&mut self, place: DecisionPlace<'_>) -> Charge {
        let DecisionPlace { dictionary, resource, line, .. } = place;
        if self.count > TEXTS_MAX {
            *self = TextCache::default();
        }
        let fields = Field::all()
            .map(|field| self.text(dictionary, dictionary.dimension(resource, field)))
            .collect();
        let tags = dictionary.tags(dictionary.resource_tags(resource));
        let tags = tags
            .iter()
            .map(|(key, value)| (self.text(dictionary, *key), self.text(dictionary, *value)))
            .collect();
        let currency = ImmutableString::from(dictionary.currency(resource).code());
        Charge::new(ChargeView {
            fields,
            currency,
            tags,
            line: LineValues::from(line),
            reads: Mutex::default(),
        })
    }

    /// The script's form of a text. Rhai shares it by a reference count, so each text is made once.
    fn text(&mut self, dictionary: &Dictionary, symbol: Symbol) -> ImmutableString {
        let at = symbol.0 as usize;
        if self.by_symbol.len() <= at {
            self.by_symbol.resize(dictionary.symbol_count().max(at + 1), None);
        }
        match self.by_symbol.get_mut(at) {
            Some(Some(text)) => text.clone(),
            Some(empty) => {
                let text = ImmutableString::from(dictionary.text(symbol));
                *empty = Some(text.clone());
                self.count += 1;
                text
            }
            None => ImmutableString::from(dictionary.text(symbol)),
        }
    }
}

impl ReadPath {
    fn start(&mut self) {
        self.steps.clear();
        self.stamp = self.stamp.wrapping_add(1);
        // After four billion resources an old stamp could look new.
        if self.stamp == 0 {
            self.seen.clear();
            self.stamp = 1;
        }
    }

    fn note(&mut self, key: Key, value: u32) {
        let at = key as usize;
        if self.seen.len() <= at {
            self.seen.resize(at + 1, 0);
        }
        if let Some(seen) = self.seen.get_mut(at)
            && *seen != self.stamp
        {
            *seen = self.stamp;
            self.steps.push((key, value));
        }
    }
}
