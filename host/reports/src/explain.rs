//! Why somebody bears a cost: from the account through the rule to the resources, the values the rule read, the weights
//! of a shared pool, and the plugin that collected it.
//!
//! The sums of each level add up to the level above, to the nano; what is left out of a list is summed in its rest.
//! Nothing is taken from memory: charges are read again, and the stored version of each rule is asked again.

mod document;

use crate::code;
use crate::costs::team_text;
use crate::derive::{self, Bearer, BearerId, Bearers, Portion, RulesOf, Scope};
use domain::account::Account;
use domain::charge::ChargeLine;
use domain::decision::{Outcome, OutcomeId, Recipient, Verdict};
use domain::describe::describe;
use domain::diagnostic::{Diagnostic, did_you_mean};
use domain::dictionary::{Dictionary, ResourceId, Symbol};
use domain::entry::{EntryKind, Posting, RuleVersion};
use domain::field::Field;
use domain::money::{Currency, Sum};
use domain::period::{Day, Period};
use domain::port::{PluginIdentity, RuleFacts, TriedRule};
use domain::run::{RunId, SourceDay};
use ledger::{BalanceFilter, Bucket, EntryId, GenerationId, Reader, StoredEntry, Weights};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Resources shown of each rule, the largest first.
const RESOURCES_SHOWN: usize = 20;
/// Days shown of how a pool was spread, the latest first.
const WEIGHTS_SHOWN: usize = 3;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// A team, an account, a resource, or `entry:<number>`.
    pub what: String,
    /// With a team and a month this is a line of its invoice.
    pub service_name: Option<String>,
    /// By the day of the charge.
    pub period: Period,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    pub subject: Subject,
    /// Only charges of this service, where asked for.
    pub service_name: Option<String>,
    pub period: Period,
    pub totals: Vec<(Currency, Sum)>,
    /// By account and currency.
    pub accounts: Vec<ExplainedAccount>,
    /// Where the charges came from.
    pub sources: Vec<ExplainedSource>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A team, or an account that stands in for one.
    Account(Account),
    /// Everything with this resource id or resource name.
    Resource(String),
    Entry(EntryFacts),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryFacts {
    pub id: EntryId,
    pub kind: EntryKind,
    pub source_day: SourceDay,
    pub posting_day: Day,
    pub run: RunId,
    pub reverses: Option<EntryId>,
    pub reversed_by: Option<EntryId>,
    /// Hex.
    pub hash: String,
    pub postings: Vec<Posting>,
    /// Whether the entry counts: charges are shown for these only, since those of others have been restated.
    pub stands: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExplainedAccount {
    pub account: Account,
    pub currency: Currency,
    pub amount: Sum,
    pub rules: Vec<ExplainedRule>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExplainedRule {
    /// Nothing where no rule claimed the charges.
    pub version: Option<RuleVersion>,
    pub name: String,
    /// The first line of the rule's doc comment.
    pub doc: String,
    pub amount: Sum,
    pub charges: u64,
    pub resources: Vec<ExplainedResource>,
    pub rest_resources: u64,
    pub rest_amount: Sum,
    /// How shared costs were spread, where the day's costs decided it.
    pub weights: Vec<ExplainedWeights>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExplainedResource {
    pub dimensions: Vec<(String, String)>,
    pub tags: Vec<(String, String)>,
    pub charges: u64,
    /// What all bearers together bear of these charges.
    pub charged: Sum,
    /// The account's part of it.
    pub amount: Sum,
    /// The rules that were tried, with the values that they read.
    pub tried: Vec<TriedRule>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExplainedWeights {
    pub day: Day,
    /// What the rule said, such as `by_cost all teams`.
    pub decision: String,
    /// A recipient's weight; its share is the weight divided by `total`.
    pub weights: Vec<(Recipient, i64)>,
    pub total: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExplainedSource {
    pub source: String,
    pub plugin: PluginIdentity,
    pub currency: Currency,
    pub amount: Sum,
}

impl ExplainedWeights {
    /// In the smallest whole numbers of the same ratios.
    fn new(day: Day, decision: String, weights: Weights) -> ExplainedWeights {
        let divisor = weights
            .shares
            .weights()
            .fold(0, |divisor, weight| common_divisor(divisor, weight.unsigned_abs()))
            .max(1);
        let smaller = |weight: i64| weight / i64::try_from(divisor).unwrap_or(1);
        let total = smaller(weights.shares.total());
        ExplainedWeights {
            day,
            decision,
            weights: weights
                .recipients
                .into_iter()
                .zip(weights.shares.weights().map(smaller))
                .collect(),
            total,
        }
    }
}

fn common_divisor(left: u64, right: u64) -> u64 {
    if right == 0 { left } else { common_divisor(right, left % right) }
}

pub fn explain(
    ledger: &Reader,
    asked: &Asked,
    rules_of: &RulesOf<'_>,
) -> Result<Explanation, Diagnostic> {
    let dictionary = ledger.dictionary()?;
    let wanted = Wanted::find(ledger, &dictionary, &asked.what)?;
    let service =
        asked.service_name.as_deref().map(|name| service(&dictionary, name)).transpose()?;
    let mut gathering = Gathering {
        dictionary: &dictionary,
        wanted: &wanted,
        service,
        lines: BTreeMap::new(),
        sources: BTreeMap::new(),
    };
    let only = wanted.source_day();
    if let Some(scope) = wanted.scope(asked.period, only.as_ref()) {
        let mut take = |portion: &Portion<'_>, bearers: &Bearers| {
            gathering.take(portion, bearers);
            Ok(())
        };
        derive::derive(ledger, &dictionary, scope, Some(rules_of), &mut take)?;
    }
    let (lines, by_source) = (gathering.lines, gathering.sources);
    let accounts = Showing { ledger, dictionary: &dictionary, rules_of, facts: HashMap::new() }
        .accounts(lines)?;
    let mut totals: BTreeMap<Currency, Sum> = BTreeMap::new();
    accounts
        .iter()
        .for_each(|account| *totals.entry(account.currency).or_default() += account.amount);
    let sources = sources(ledger, by_source)?;
    let Asked { service_name, period, .. } = asked.clone();
    Ok(Explanation {
        subject: wanted.subject(),
        service_name,
        period,
        totals: totals.into_iter().collect(),
        accounts,
        sources,
    })
}

/// The service as charges name it.
fn service(dictionary: &Dictionary, name: &str) -> Result<Symbol, Diagnostic> {
    let names = || -> BTreeSet<Symbol> {
        let of = |id| dictionary.dimension(ResourceId(id as u32), Field::SERVICE_NAME);
        (0..dictionary.resource_count()).map(of).collect()
    };
    match dictionary.find_symbol(name).filter(|symbol| names().contains(symbol)) {
        Some(symbol) => Ok(symbol),
        None => {
            let names = names();
            let hint = match did_you_mean(name, names.iter().map(|symbol| dictionary.text(*symbol)))
            {
                Some(close) => format!("did you mean '{close}'?"),
                None => "`apportion costs --group-by service_name` lists the services".into(),
            };
            Err(Diagnostic::new(
                code::NOTHING_TO_EXPLAIN,
                format!("nothing was charged for the service '{name}'"),
            )
            .hint(hint))
        }
    }
}

/// What was asked for, found in the ledger.
enum Wanted {
    Account(Account),
    Resource { name: String, symbol: Symbol },
    Entry(Box<StoredEntry>),
}

impl Wanted {
    fn find(ledger: &Reader, dictionary: &Dictionary, what: &str) -> Result<Wanted, Diagnostic> {
        if let Some(number) = what.strip_prefix("entry:") {
            let id = number.parse().map(EntryId).ok();
            let entry = id.map(|id| ledger.entry(id)).transpose()?.flatten();
            let missing = || {
                Diagnostic::new(code::NOTHING_TO_EXPLAIN, format!("there is no entry '{number}'"))
                    .hint("entries are numbered from 1: `apportion explain entry:1`")
            };
            return entry.map(|entry| Wanted::Entry(Box::new(entry))).ok_or_else(missing);
        }
        // By day: what cancels out in the end has stood there too.
        let balances = BalanceFilter::of(Period::all()).by(Bucket::Day);
        for account in
            [Some(Account::Team(what.to_owned())), Account::parse(what).ok()].into_iter().flatten()
        {
            let of_account = balances.clone().accounts([account.clone()]);
            if account.is_cost() && !ledger.balances(&of_account)?.is_empty() {
                return Ok(Wanted::Account(account));
            }
        }
        let symbol = dictionary.find_symbol(what).filter(|symbol| *symbol != Symbol::NONE);
        if let Some(symbol) = symbol
            && (0..dictionary.resource_count())
                .any(|id| is_named(dictionary, ResourceId(id as u32), symbol))
        {
            return Ok(Wanted::Resource { name: what.to_owned(), symbol });
        }
        let all = ledger.balances(&balances)?;
        let accounts: BTreeSet<&Account> = all.iter().map(|balance| &balance.account).collect();
        let names: Vec<String> =
            accounts.into_iter().filter(|account| account.is_cost()).map(team_text).collect();
        let hint = match did_you_mean(what, names.iter().map(String::as_str)) {
            Some(close) => format!("did you mean `{close}`?"),
            None => {
                "name a team, a resource id, an account such as `unallocated`, or `entry:1`; `apportion costs --group-by team` lists the teams".into()
            }
        };
        Err(Diagnostic::new(
            code::NOTHING_TO_EXPLAIN,
            format!("nothing in the ledger is called '{what}'"),
        )
        .hint(hint))
    }

    fn source_day(&self) -> Option<SourceDay> {
        match self {
            Wanted::Account(_) | Wanted::Resource { .. } => None,
            Wanted::Entry(entry) => Some(source_day(entry)),
        }
    }

    /// An entry says its own day, whatever period was asked for.
    fn scope<'a>(&self, period: Period, only: Option<&'a SourceDay>) -> Option<Scope<'a>> {
        match self {
            Wanted::Account(_) | Wanted::Resource { .. } => {
                Some(Scope { period, source_day: None })
            }
            Wanted::Entry(entry) if !stands(entry) => None,
            Wanted::Entry(_) => Some(Scope { period: Period::all(), source_day: only }),
        }
    }

    fn subject(&self) -> Subject {
        match self {
            Wanted::Account(account) => Subject::Account(account.clone()),
            Wanted::Resource { name, .. } => Subject::Resource(name.clone()),
            Wanted::Entry(stored) => Subject::Entry(EntryFacts {
                id: stored.id,
                kind: stored.entry.kind(),
                source_day: source_day(stored),
                posting_day: stored.entry.posting_day(),
                run: stored.run,
                reverses: stored.reverses,
                reversed_by: stored.reversed_by,
                hash: stored.hash.iter().map(|byte| format!("{byte:02x}")).collect(),
                postings: stored.entry.postings().to_vec(),
                stands: stands(stored),
            }),
        }
    }

    /// The accounts that a portion adds to, of those that were asked for.
    fn amounts(
        &self,
        dictionary: &Dictionary,
        portion: &Portion<'_>,
        bearers: &Bearers,
    ) -> Vec<(BearerId, Sum)> {
        match self {
            Wanted::Account(account) => portion
                .borne
                .iter()
                .filter(|(bearer, _)| bearers.get(*bearer).account == *account)
                .copied()
                .collect(),
            Wanted::Resource { symbol, .. } if is_named(dictionary, portion.resource, *symbol) => {
                portion.borne.to_vec()
            }
            Wanted::Entry(entry) if *portion.source_day == source_day(entry) => {
                of_entry(entry, portion, bearers)
            }
            Wanted::Resource { .. } | Wanted::Entry(_) => Vec::new(),
        }
    }
}

/// An entry holds what one rule, or none, did with its source-day: took in what was charged, or passed it on.
fn of_entry(entry: &StoredEntry, portion: &Portion<'_>, bearers: &Bearers) -> Vec<(BearerId, Sum)> {
    let rule = entry.entry.postings().iter().find_map(|posting| posting.rule.as_ref());
    let is_its = |bearer: BearerId| bearers.get(bearer).rule.as_ref() == rule;
    let collected = is_its(portion.collected).then_some((portion.collected, portion.effective));
    match entry.entry.kind() {
        EntryKind::Collection => collected.into_iter().collect(),
        EntryKind::Distribution => {
            let mut moved: BTreeMap<BearerId, Sum> =
                portion.borne.iter().filter(|(bearer, _)| is_its(*bearer)).copied().collect();
            if let Some((bearer, amount)) = collected {
                *moved.entry(bearer).or_default() += -amount;
            }
            moved.into_iter().filter(|(_, amount)| !amount.is_zero()).collect()
        }
        EntryKind::Reversal => Vec::new(),
    }
}

fn stands(entry: &StoredEntry) -> bool {
    entry.reverses.is_none() && entry.reversed_by.is_none()
}

fn source_day(stored: &StoredEntry) -> SourceDay {
    SourceDay {
        source: stored.entry.source().to_owned(),
        day: stored.entry.charge_day(),
        currency: stored.entry.currency(),
    }
}

fn is_named(dictionary: &Dictionary, resource: ResourceId, symbol: Symbol) -> bool {
    let named = |field: Option<Field>| {
        field.is_some_and(|field| dictionary.dimension(resource, field) == symbol)
    };
    named(Some(Field::RESOURCE_ID)) || named(Field::by_name("resource_name"))
}

/// An account's part by one rule.
type LineKey = (Account, Currency, Option<RuleVersion>);

#[derive(Default)]
struct Line {
    amount: Sum,
    charges: u64,
    resources: HashMap<ResourceId, Seen>,
    /// Days on which the rule passed costs on: charges of an outcome, or, without one, what stood in its pool or with its team.
    spreads: BTreeMap<(Day, Option<OutcomeId>), (RunId, GenerationId)>,
}

/// What is known of one resource's part.
struct Seen {
    amount: Sum,
    charged: Sum,
    charges: u64,
    largest: ChargeLine,
    generation: GenerationId,
}

struct Gathering<'a> {
    dictionary: &'a Dictionary,
    wanted: &'a Wanted,
    service: Option<Symbol>,
    lines: BTreeMap<LineKey, Line>,
    sources: BTreeMap<SourceDay, Sum>,
}

impl Gathering<'_> {
    fn take(&mut self, portion: &Portion<'_>, bearers: &Bearers) {
        if self.service.is_some_and(|service| {
            self.dictionary.dimension(portion.resource, Field::SERVICE_NAME) != service
        }) {
            return;
        }
        let mut by_bearer: BTreeMap<LineKey, Sum> = BTreeMap::new();
        for (bearer, amount) in self.wanted.amounts(self.dictionary, portion, bearers) {
            let Bearer { account, rule, .. } = bearers.get(bearer);
            *by_bearer
                .entry((account.clone(), portion.source_day.currency, rule.clone()))
                .or_default() += amount;
        }
        for (key, amount) in by_bearer {
            let collected = bearers.get(portion.collected);
            let spread = match (&collected.account, key.2 == collected.rule) {
                (Account::Pool(_), true) => Some(Some(portion.outcome)),
                (_, false) => Some(None),
                (_, true) => None,
            };
            self.lines.entry(key).or_default().add(portion, amount, spread);
            *self.sources.entry(portion.source_day.clone()).or_default() += amount;
        }
    }
}

impl Line {
    fn add(&mut self, portion: &Portion<'_>, amount: Sum, spread: Option<Option<OutcomeId>>) {
        self.amount += amount;
        self.charges += portion.charges;
        if let Some(outcome) = spread {
            self.spreads
                .insert((portion.source_day.day, outcome), (portion.run, portion.generation));
        }
        let new = Seen {
            amount: Sum::ZERO,
            charged: Sum::ZERO,
            charges: 0,
            largest: portion.largest,
            generation: portion.generation,
        };
        let seen = self.resources.entry(portion.resource).or_insert(new);
        seen.amount += amount;
        seen.charged += portion.effective;
        seen.charges += portion.charges;
        let size = |line: &ChargeLine| line.effective_cost.nanos().unsigned_abs();
        if size(&portion.largest) >= size(&seen.largest) {
            (seen.largest, seen.generation) = (portion.largest, portion.generation);
        }
    }
}

/// Makes what was gathered readable.
struct Showing<'a> {
    ledger: &'a Reader,
    dictionary: &'a Dictionary,
    rules_of: &'a RulesOf<'a>,
    facts: HashMap<GenerationId, Vec<RuleFacts>>,
}

impl Showing<'_> {
    fn accounts(
        &mut self,
        lines: BTreeMap<LineKey, Line>,
    ) -> Result<Vec<ExplainedAccount>, Diagnostic> {
        let mut accounts: Vec<ExplainedAccount> = Vec::new();
        for ((account, currency, version), line) in lines {
            let rule = self.rule(version, currency, line)?;
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
                right.amount.cmp(&left.amount).then_with(|| left.version.cmp(&right.version))
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
        let mut resources: Vec<(ResourceId, Seen)> = line.resources.into_iter().collect();
        resources.sort_by(|(left_id, left), (right_id, right)| {
            let size = |seen: &Seen| seen.amount.nanos().unsigned_abs();
            size(right).cmp(&size(left)).then(left_id.cmp(right_id))
        });
        let rest = resources.split_off(resources.len().min(RESOURCES_SHOWN));
        let (name, doc) =
            self.said_by(version.as_ref(), resources.first().map(|(_, seen)| seen.generation))?;
        let weights = self.weights(currency, version.as_ref(), line.spreads)?;
        Ok(ExplainedRule {
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
        resources: Vec<(ResourceId, Seen)>,
    ) -> Result<Vec<ExplainedResource>, Diagnostic> {
        let mut tried: HashMap<ResourceId, Vec<TriedRule>> = HashMap::new();
        let generations: BTreeSet<GenerationId> =
            resources.iter().map(|(_, seen)| seen.generation).collect();
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
        let shown = |(resource, seen): (ResourceId, Seen)| ExplainedResource {
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
            tried: tried.remove(&resource).unwrap_or_default(),
        };
        Ok(resources.into_iter().map(shown).collect())
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
                    Some(Verdict::Decided { decision, .. }) => describe(decision),
                    _ => String::new(),
                };
                shown.push(ExplainedWeights::new(day, decision, weights));
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
