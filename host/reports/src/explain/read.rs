//! An explanation read from the ledger: charges are derived once more and summed, then made
//! readable.

use crate::bearer::Bearers;
use crate::derive::{Scope, derive, derive_entry};
use crate::explain::answer::{
    ExplainedAccount, ExplainedResource, ExplainedRule, ExplainedSource, ExplainedTerms,
    ExplainedWeights, Explanation,
};
use crate::explain::gather::{ExplanationSums, Line, LineKey, ResourceSums};
use crate::explain::query::ExplainQuery;
use crate::explain::subject::{SubjectKey, service};
use crate::measure::{Measure, MeasureKey, MeasuredSum, MeasuredSums};
use crate::portion::Portion;
use crate::stored::RulesOf;
use domain::decision::{Outcome, OutcomeId, Verdict};
use domain::diagnostic::Diagnostic;
use domain::dictionary::{Dictionary, ResourceId, Symbol};
use domain::entry::RuleVersion;
use domain::money::{Currency, Sum};
use domain::period::{Day, Period};
use domain::port::{PluginIdentity, RuleFacts, TriedRule};
use domain::run::{RunId, SourceDay};
use domain::terms::{Term, TermsId};
use ledger::{GenerationId, Reader};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Resources shown of each rule, the largest first.
const RESOURCES_SHOWN: usize = 20;
/// Days shown of how a pool was spread, the latest first.
const WEIGHTS_SHOWN: usize = 3;

pub fn explain(
    ledger: &Reader,
    query: &ExplainQuery,
    rules_of: &RulesOf<'_>,
) -> Result<Explanation, Diagnostic> {
    let dictionary = ledger.dictionary()?;
    let subject = SubjectKey::find(ledger, &dictionary, &query.what)?;
    let service =
        query.service_name.as_deref().map(|name| service(&dictionary, name)).transpose()?;
    let mut gathering = ExplanationSums {
        dictionary: &dictionary,
        subject: &subject,
        service,
        lines: BTreeMap::new(),
        sources: BTreeMap::new(),
    };
    let mut take = |portion: &Portion<'_>, bearers: &Bearers| {
        gathering.take(portion, bearers);
        Ok(())
    };
    let measure = Some(Measure::Terms);
    match &subject {
        SubjectKey::Entry(entry) => {
            derive_entry(ledger, &dictionary, entry.id, measure, Some(rules_of), &mut take)?;
        }
        SubjectKey::Account(_) | SubjectKey::Resource { .. } => {
            let scope = Scope { axis: query.axis, period: query.period, measure };
            derive(ledger, &dictionary, scope, Some(rules_of), &mut take)?;
        }
    }
    let ExplanationSums { lines, sources: by_source, .. } = gathering;
    let accounts =
        ExplanationWriter { ledger, dictionary: &dictionary, rules_of, facts: HashMap::new() }
            .accounts(lines)?;
    let mut totals: BTreeMap<Currency, Sum> = BTreeMap::new();
    accounts
        .iter()
        .for_each(|account| *totals.entry(account.currency).or_default() += account.amount);
    let sources = sources(ledger, by_source)?;
    let ExplainQuery { service_name, axis, period, .. } = query.clone();
    Ok(Explanation {
        subject: subject.subject(),
        service_name,
        axis,
        period,
        totals: totals.into_iter().collect(),
        accounts,
        sources,
    })
}

/// Turns sums into the parts of an explanation.
struct ExplanationWriter<'a> {
    ledger: &'a Reader,
    dictionary: &'a Dictionary,
    rules_of: &'a RulesOf<'a>,
    facts: HashMap<GenerationId, Vec<RuleFacts>>,
}

impl ExplanationWriter<'_> {
    fn accounts(
        &mut self,
        lines: BTreeMap<LineKey, Line>,
    ) -> Result<Vec<ExplainedAccount>, Diagnostic> {
        let mut accounts: Vec<ExplainedAccount> = Vec::new();
        for (LineKey { account, currency, correction, rule }, line) in lines {
            let rule = ExplainedRule { correction, ..self.rule(rule, currency, line)? };
            match accounts
                .last_mut()
                .filter(|last| last.account == account && last.currency == currency)
            {
                Some(last) => {
                    last.amount += rule.amount;
                    last.rules.push(rule);
                }
                None => accounts.push(ExplainedAccount {
                    account,
                    currency,
                    amount: rule.amount,
                    rules: vec![rule],
                }),
            }
        }
        for account in &mut accounts {
            account.rules.sort_by(|left, right| {
                let by_amount = right.amount.cmp(&left.amount);
                let order = left.correction.cmp(&right.correction).then(by_amount);
                order.then_with(|| left.version.cmp(&right.version))
            });
        }
        Ok(accounts)
    }

    fn rule(
        &mut self,
        version: Option<RuleVersion>,
        currency: Currency,
        line: Line,
    ) -> Result<ExplainedRule, Diagnostic> {
        let mut resources: Vec<(ResourceId, ResourceSums)> = line.resources.into_iter().collect();
        // By size, so that a large refund is shown too. A hash table has no order for ties.
        resources.sort_by(|(left_id, left), (right_id, right)| {
            let size = |seen: &ResourceSums| seen.amount.nanos().unsigned_abs();
            size(right).cmp(&size(left)).then(left_id.cmp(right_id))
        });
        let rest = resources.split_off(resources.len().min(RESOURCES_SHOWN));
        let (name, doc) =
            self.said_by(version.as_ref(), resources.first().map(|(_, seen)| seen.generation))?;
        let weights = self.weights(currency, version.as_ref(), line.spreads)?;
        Ok(ExplainedRule {
            correction: None,
            version,
            name,
            doc,
            amount: line.amount,
            charges: line.charges,
            rest_resources: rest.len() as u64,
            rest_amount: rest.iter().map(|(_, seen)| seen.amount).sum(),
            resources: self.resources(resources)?,
            weights,
        })
    }

    /// The rule's name and the first line of its doc.
    fn said_by(
        &mut self,
        version: Option<&RuleVersion>,
        generation: Option<GenerationId>,
    ) -> Result<(String, String), Diagnostic> {
        let (Some(version), Some(generation)) = (version, generation) else {
            return Ok(("no rule".into(), "No rule claims these charges.".into()));
        };
        if !self.facts.contains_key(&generation) {
            self.facts.insert(generation, self.ledger.rules(generation)?);
        }
        let facts = self
            .facts
            .get(&generation)
            .and_then(|facts| facts.iter().find(|facts| facts.version == *version));
        let first_line = |facts: &RuleFacts| {
            facts.description.lines().next().unwrap_or_default().trim().to_owned()
        };
        Ok(facts.map_or_else(
            || (version.rule.clone(), String::new()),
            |facts| (facts.name.clone(), first_line(facts)),
        ))
    }

    fn resources(
        &self,
        resources: Vec<(ResourceId, ResourceSums)>,
    ) -> Result<Vec<ExplainedResource>, Diagnostic> {
        let mut tried: HashMap<ResourceId, Vec<TriedRule>> = HashMap::new();
        let generations: BTreeSet<GenerationId> =
            resources.iter().map(|(_, seen)| seen.generation).collect();
        // Rules are compiled once for each generation, and not for each resource.
        for generation in generations {
            let rules =
                (self.rules_of)(&self.ledger.rules(generation)?, &self.ledger.tables(generation)?)?;
            let mut decider = rules.decider();
            for (resource, seen) in
                resources.iter().filter(|(_, seen)| seen.generation == generation)
            {
                let explained = decider.explain(
                    self.dictionary,
                    *resource,
                    seen.largest.day,
                    Some(&seen.largest),
                );
                tried.insert(*resource, explained.tried);
            }
        }
        let texts = |pairs: &[(Symbol, Symbol)]| {
            let text = |symbol: Symbol| self.dictionary.text(symbol).to_owned();
            let mut tags: Vec<(String, String)> =
                pairs.iter().map(|(key, value)| (text(*key), text(*value))).collect();
            tags.sort();
            tags
        };
        let priced = |sums: &MeasuredSums| {
            let mut sums: Vec<&MeasuredSum> = sums.into_iter().collect();
            sums.sort_by_key(|sum| sum.key);
            sums.into_iter().map(|sum| self.terms(sum)).collect()
        };
        let shown = |(resource, seen): (ResourceId, ResourceSums)| ExplainedResource {
            dimensions: self
                .dictionary
                .dimensions(resource)
                .map(|(field, value)| {
                    (field.name().to_owned(), self.dictionary.text(value).to_owned())
                })
                .collect(),
            tags: texts(self.dictionary.tags(self.dictionary.resource_tags(resource))),
            charges: seen.charges,
            charged: seen.charged,
            amount: seen.amount,
            priced: priced(&seen.priced),
            tried: tried.remove(&resource).unwrap_or_default(),
        };
        Ok(resources.into_iter().map(shown).collect())
    }

    fn terms(&self, sum: &MeasuredSum) -> ExplainedTerms {
        let (billing_period, terms) = match sum.key {
            MeasureKey::Terms { billing_period, terms } => (billing_period, terms),
            MeasureKey::Unit(_) => (None, TermsId::UNKNOWN),
        };
        let text = |term| match self.dictionary.term_text(terms, term) {
            "" => None,
            text => Some(text.to_owned()),
        };
        ExplainedTerms {
            billing_period,
            hours: sum.hours.clone(),
            list_unit_price: text(Term::ListUnitPrice),
            contracted_unit_price: text(Term::ContractedUnitPrice),
            pricing_unit: text(Term::PricingUnit),
            invoice_id: text(Term::InvoiceId),
            invoice_issuer_name: text(Term::InvoiceIssuerName),
            pricing_quantity: sum.value(),
            charges: sum.charges(),
            unknown_charges: sum.unknown,
        }
    }

    fn weights(
        &mut self,
        currency: Currency,
        version: Option<&RuleVersion>,
        spreads: BTreeMap<(Day, Option<OutcomeId>), (RunId, GenerationId)>,
    ) -> Result<Vec<ExplainedWeights>, Diagnostic> {
        let mut shown = Vec::new();
        for ((day, outcome), (run, generation)) in spreads.into_iter().rev().take(WEIGHTS_SHOWN) {
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
