//! An explanation read from the ledger: charges are derived once more and summed, then made
//! readable.

use crate::bearer::Bearers;
use crate::derive::{Scope, derive, derive_entry};
use crate::explain::answer::{
    ExplainedAccount, ExplainedRule, ExplainedSource, ExplainedWeights, Explanation,
    LargestResource,
};
use crate::explain::gather::{ExplanationSums, Line, LineKey, MovedSums, ResourceSums, RuleSums};
use crate::explain::query::{ExplainDepth, ExplainQuery};
use crate::explain::subject::{SubjectKey, service};
use crate::measure::Measure;
use crate::portion::Portion;
use crate::stored::RulesOf;
use domain::account::Account;
use domain::axis::Axis;
use domain::decision::{Outcome, OutcomeId, Verdict};
use domain::diagnostic::Diagnostic;
use domain::dictionary::{Dictionary, ResourceId};
use domain::entry::RuleVersion;
use domain::flow::station::{Station, pool_of};
use domain::money::{Currency, Sum};
use domain::period::{Day, Period};
use domain::port::{PluginIdentity, RuleFacts};
use domain::run::{RunId, SourceDay};
use ledger::{GenerationId, Reader};
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

/// Resources shown of an account, the largest first.
const LARGEST_SHOWN: usize = 10;

/// Resources shown of each rule, the largest first.
fn resources_shown(depth: ExplainDepth) -> usize {
    match depth {
        ExplainDepth::Summary | ExplainDepth::Rules => 0,
        ExplainDepth::Resources => 20,
        ExplainDepth::All => usize::MAX,
    }
}

/// Days shown of how a pool was spread, the latest first.
fn weights_shown(depth: ExplainDepth) -> usize {
    match depth {
        ExplainDepth::Summary => 0,
        ExplainDepth::Rules | ExplainDepth::Resources => 3,
        ExplainDepth::All => usize::MAX,
    }
}

pub fn explain(
    ledger: &Reader,
    query: &ExplainQuery,
    rules_of: &RulesOf<'_>,
) -> Result<Explanation, Diagnostic> {
    let dictionary = ledger.dictionary()?;
    let subject = SubjectKey::find(ledger, &dictionary, &query.what)?;
    let service =
        query.service_name.as_deref().map(|name| service(&dictionary, name)).transpose()?;
    let depth = query.depth.unwrap_or(subject.usual_depth());
    let resources = subject.resources(&dictionary, service);
    let mut gathering = ExplanationSums {
        subject: &subject,
        resources: resources.as_deref(),
        lines: BTreeMap::new(),
        sources: BTreeMap::new(),
        moved: MovedSums::default(),
    };
    let mut take = |portion: &Portion<'_>, bearers: &Bearers| {
        gathering.take(portion, bearers);
        Ok(())
    };
    // By the day of the charge, charges of nothing count too, and only a measure asks for them.
    let is_priced = depth >= ExplainDepth::Resources || query.axis == Axis::Charge;
    let measure = is_priced.then_some(Measure::Terms);
    match &subject {
        SubjectKey::Entry(entry) => {
            derive_entry(ledger, &dictionary, entry.id, measure, Some(rules_of), &mut take)?;
        }
        SubjectKey::Account(_) | SubjectKey::Resource { .. } => {
            let ExplainQuery { axis, period, .. } = *query;
            let scope = Scope { axis, period, measure, resources: resources.as_deref() };
            derive(ledger, &dictionary, scope, Some(rules_of), &mut take)?;
        }
    }
    let ExplanationSums { lines, sources: by_source, moved, .. } = gathering;
    let (dictionary, moved) = (&dictionary, moved.by_rule());
    let mut writer =
        ExplanationWriter { ledger, dictionary, rules_of, depth, moved, facts: HashMap::new() };
    let accounts = writer.accounts(lines)?;
    let mut totals: BTreeMap<Currency, Sum> = BTreeMap::new();
    accounts
        .iter()
        .for_each(|account| *totals.entry(account.currency).or_default() += account.amount);
    Ok(Explanation {
        subject: subject.subject(),
        service_name: query.service_name.clone(),
        axis: query.axis,
        period: query.period,
        depth,
        totals: totals.into_iter().collect(),
        accounts,
        sources: sources(ledger, by_source)?,
    })
}

/// Turns sums into the parts of an explanation.
pub(super) struct ExplanationWriter<'a> {
    pub(super) ledger: &'a Reader,
    pub(super) dictionary: &'a Dictionary,
    pub(super) rules_of: &'a RulesOf<'a>,
    depth: ExplainDepth,
    moved: RuleSums,
    facts: HashMap<GenerationId, Vec<RuleFacts>>,
}

/// The sums of an account's resources, by whatever rules.
type ResourceAmounts = HashMap<ResourceId, Sum>;

impl ExplanationWriter<'_> {
    fn accounts(
        &mut self,
        lines: BTreeMap<LineKey, Line>,
    ) -> Result<Vec<ExplainedAccount>, Diagnostic> {
        let mut accounts: Vec<(ExplainedAccount, ResourceAmounts)> = Vec::new();
        for (key, line) in lines {
            let is_its = |last: &ExplainedAccount| {
                (&last.account, last.currency) == (&key.account, key.currency)
            };
            if !accounts.last().is_some_and(|(last, _)| is_its(last)) {
                let LineKey { account, currency, .. } = key.clone();
                accounts.push((ExplainedAccount::new(account, currency), ResourceAmounts::new()));
            }
            let amounts: Vec<(ResourceId, Sum)> =
                line.resources.iter().map(|(resource, seen)| (*resource, seen.amount)).collect();
            let rule = self.rule(&key, line)?;
            if let Some((account, sums)) = accounts.last_mut() {
                account.amount += rule.amount;
                account.rules.push(rule);
                amounts
                    .into_iter()
                    .for_each(|(resource, amount)| *sums.entry(resource).or_default() += amount);
            }
        }
        Ok(accounts.into_iter().map(|(account, sums)| self.with_largest(account, sums)).collect())
    }

    /// The account with its rules in order, and its largest resources.
    fn with_largest(&self, account: ExplainedAccount, sums: ResourceAmounts) -> ExplainedAccount {
        let ExplainedAccount { mut rules, .. } = account;
        rules.sort_by(|left, right| {
            let by_amount = right.amount.cmp(&left.amount);
            let order = left.correction.cmp(&right.correction).then(by_amount);
            order.then_with(|| left.version.cmp(&right.version))
        });
        let mut sums: Vec<(ResourceId, Sum)> =
            sums.into_iter().filter(|(_, amount)| !amount.is_zero()).collect();
        sums.sort_by_key(|(resource, amount)| (Reverse(size(*amount)), *resource));
        let rest = sums.split_off(sums.len().min(LARGEST_SHOWN));
        let largest =
            |(resource, amount)| LargestResource { dimensions: self.dimensions(resource), amount };
        ExplainedAccount {
            rules,
            largest: sums.into_iter().map(largest).collect(),
            rest_resources: rest.len() as u64,
            rest_amount: rest.into_iter().map(|(_, amount)| amount).sum(),
            ..account
        }
    }

    fn rule(&mut self, key: &LineKey, line: Line) -> Result<ExplainedRule, Diagnostic> {
        let LineKey { currency, correction, rule: version, .. } = key.clone();
        let generation = line.resources.values().map(|seen| seen.generation).max();
        let (name, doc) = self.said_by(version.as_ref(), generation)?;
        let shared = match line.spreads.is_empty() {
            true => None,
            false => self.shared(key, generation)?,
        };
        let mut resources: Vec<(ResourceId, ResourceSums)> = line.resources.into_iter().collect();
        // By size, so that a large refund is shown too. A hash table has no order for ties.
        resources.sort_by_key(|(resource, seen)| (Reverse(size(seen.amount)), *resource));
        let rest = resources.split_off(resources.len().min(resources_shown(self.depth)));
        let weights = self.weights(currency, version.as_ref(), line.spreads)?;
        Ok(ExplainedRule {
            correction,
            version,
            name,
            doc,
            amount: line.amount,
            shared,
            charges: line.charges,
            rest_resources: rest.len() as u64,
            rest_amount: rest.iter().map(|(_, seen)| seen.amount).sum(),
            resources: self.resources(resources)?,
            weights,
        })
    }

    /// All that a rule gave to those who share with the account. Nothing for the pool or the team
    /// whose cost the rule passes on.
    fn shared(
        &mut self,
        key: &LineKey,
        generation: Option<GenerationId>,
    ) -> Result<Option<Sum>, Diagnostic> {
        let Some(facts) = self.facts_of(key.rule.as_ref(), generation)? else { return Ok(None) };
        let stands = Station::of(facts).map_or_else(|| pool_of(facts), |station| station.stands);
        let giver = Account::of(&stands);
        let sums = self.moved.get(&(key.rule.clone(), key.currency, key.correction));
        let given = sums.into_iter().flatten().filter(|(account, _)| **account != giver);
        let shared: Sum = given.map(|(_, amount)| *amount).sum();
        Ok((key.account != giver).then_some(shared))
    }

    /// A rule as a generation has it.
    fn facts_of(
        &mut self,
        version: Option<&RuleVersion>,
        generation: Option<GenerationId>,
    ) -> Result<Option<&RuleFacts>, Diagnostic> {
        let (Some(version), Some(generation)) = (version, generation) else { return Ok(None) };
        if !self.facts.contains_key(&generation) {
            self.facts.insert(generation, self.ledger.rules(generation)?);
        }
        let facts = self.facts.get(&generation).into_iter().flatten();
        Ok(facts.into_iter().find(|facts| facts.version == *version))
    }

    /// The rule's name and the first line of its doc.
    fn said_by(
        &mut self,
        version: Option<&RuleVersion>,
        generation: Option<GenerationId>,
    ) -> Result<(String, String), Diagnostic> {
        let Some(version) = version else {
            return Ok(("no rule".into(), "No rule claims these charges.".into()));
        };
        let facts = self.facts_of(Some(version), generation)?;
        let first_line = |facts: &RuleFacts| {
            facts.description.lines().next().unwrap_or_default().trim().to_owned()
        };
        Ok(facts.map_or_else(
            || (version.rule.clone(), String::new()),
            |facts| (facts.name.clone(), first_line(facts)),
        ))
    }

    fn weights(
        &mut self,
        currency: Currency,
        version: Option<&RuleVersion>,
        spreads: BTreeMap<(Day, Option<OutcomeId>), (RunId, GenerationId)>,
    ) -> Result<Vec<ExplainedWeights>, Diagnostic> {
        let (mut shown, shown_days) = (Vec::new(), weights_shown(self.depth));
        for ((day, outcome), (run, generation)) in spreads.into_iter().rev().take(shown_days) {
            let of_rule = match outcome {
                Some(outcome) => vec![outcome],
                None => self.outcomes_of(generation, version)?,
            };
            let all = self.ledger.weights(run, day, currency)?;
            if let Some(weights) =
                all.into_iter().find(|weights| of_rule.contains(&weights.outcome))
            {
                let outcomes = self.ledger.outcomes(generation)?;
                let decision = match outcomes
                    .get(weights.outcome.0 as usize)
                    .map(|outcome| &outcome.verdict)
                {
                    Some(Verdict::Decided { decision, .. }) => decision.describe(),
                    _ => String::new(),
                };
                shown.push(ExplainedWeights::new(day, decision, weights.sharing));
            }
        }
        Ok(shown)
    }

    /// The outcomes of one version of a rule.
    fn outcomes_of(
        &mut self,
        generation: GenerationId,
        version: Option<&RuleVersion>,
    ) -> Result<Vec<OutcomeId>, Diagnostic> {
        let facts = self.ledger.rules(generation)?;
        let outcomes = self.ledger.outcomes(generation)?;
        let is_its = |outcome: &Outcome| match outcome.verdict {
            Verdict::Decided { rule, .. } => {
                facts.get(rule.0 as usize).map(|facts| &facts.version) == version
            }
            Verdict::Suspense { .. } | Verdict::Unallocated => false,
        };
        Ok((0..)
            .zip(&outcomes)
            .filter(|(_, outcome)| is_its(outcome))
            .map(|(number, _)| OutcomeId(number))
            .collect())
    }
}

/// Without its sign.
fn size(amount: Sum) -> u128 {
    amount.nanos().unsigned_abs()
}

fn sources(
    ledger: &Reader,
    days: BTreeMap<SourceDay, Sum>,
) -> Result<Vec<ExplainedSource>, Diagnostic> {
    let plugins: HashMap<SourceDay, PluginIdentity> = ledger
        .source_days(Period::all())?
        .into_iter()
        .map(|stored| (stored.source_day, stored.plugin))
        .collect();
    let mut sums: BTreeMap<(String, Currency, String), (PluginIdentity, Sum)> = BTreeMap::new();
    for (source_day, amount) in days {
        if let Some(plugin) = plugins.get(&source_day) {
            let key = (source_day.source, source_day.currency, plugin.digest.clone());
            sums.entry(key).or_insert_with(|| (plugin.clone(), Sum::ZERO)).1 += amount;
        }
    }
    let shown = |((source, currency, _), (plugin, amount))| ExplainedSource {
        source,
        plugin,
        currency,
        amount,
    };
    Ok(sums.into_iter().map(shown).collect())
}
