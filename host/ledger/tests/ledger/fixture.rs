//! Small runs as the pipeline makes them: the only rule assigns every charge to a team.

use domain::account::Account;
use domain::decision::{Decision, Outcome, OutcomeId, RuleIndex, Verdict};
use domain::dictionary::{Dictionary, Resource, ResourceId};
use domain::entry::{Entry, EntryKind, Posting, RuleVersion};
use domain::field::Field;
use domain::money::{Currency, Money, Sum};
use domain::period::{Day, Month};
use domain::port::{Decider, Mutual, PluginIdentity, RuleFacts, Rules, Stage};
use domain::recipient::{Recipient, Target};
use domain::run::{DayTotals, RunState, SourceDay};
use ledger::segment::{ChargeColumns, encode};
use ledger::{GenerationId, Ledger, Reader, Restated, RunEnd, RunStart, Settled, Transaction};

pub struct OneRule {
    pub generation: String,
    pub facts: Vec<RuleFacts>,
}

impl OneRule {
    pub fn new(generation: &str) -> OneRule {
        let version =
            RuleVersion { rule: "rules/team".into(), digest: format!("digest of {generation}") };
        let facts = RuleFacts {
            version,
            name: "Team tag".into(),
            priority: 100,
            owner: "finops@example.com".into(),
            review_by: Some(day("2027-03-31")),
            description: "Charges with a team tag belong to that team.".into(),
            enabled: true,
            from: None,
            until: Some(day("2030-01-01")),
            stage: Stage::Attribution,
            mutual: Mutual::Reciprocal,
            source: format!("// {generation}\nfn matches(charge) {{ true }}"),
        };
        OneRule { generation: generation.into(), facts: vec![facts] }
    }
}

impl Rules for OneRule {
    fn generation(&self) -> &str {
        &self.generation
    }

    fn facts(&self) -> &[RuleFacts] {
        &self.facts
    }

    fn tables(&self) -> Vec<(String, String)> {
        vec![("accounts".into(), "account,team\n1,payments\n".into())]
    }

    fn settings(&self) -> Vec<(String, String)> {
        vec![("dimensions".into(), "service_name\n".into())]
    }

    fn cell(&self, _: &str, _: &[String], _: Day) -> Option<String> {
        None
    }

    fn decider(&self) -> Box<dyn Decider + '_> {
        unreachable!("the journal takes no decisions")
    }
}

pub struct Charge {
    pub team: String,
    pub billed: i64,
    pub effective: i64,
}

pub fn charge(team: &str, billed: i64, effective: i64) -> Charge {
    Charge { team: team.into(), billed, effective }
}

pub fn day(text: &str) -> Day {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

pub fn month(text: &str) -> Month {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

pub fn usd() -> Currency {
    "USD".parse().unwrap_or_else(|error| panic!("{error}"))
}

pub fn source_day(source: &str, text: &str) -> SourceDay {
    SourceDay { source: source.into(), day: day(text), currency: usd() }
}

pub fn plugin() -> PluginIdentity {
    PluginIdentity { name: "focus-bill".into(), version: "1.0.0".into(), digest: "ab".repeat(32) }
}

pub fn start() -> RunStart {
    RunStart { at_ms: 1_767_225_600_000, version: "0.1.0".into() }
}

pub fn end(generation: GenerationId) -> RunEnd {
    RunEnd {
        at_ms: 1_767_225_601_000,
        state: RunState::Complete,
        generation,
        charges: 0,
        rejected: 0,
        note: String::new(),
    }
}

pub fn good<T>(result: ledger::Result<T>) -> T {
    result.unwrap_or_else(|error| panic!("{error}"))
}

/// Interns a charge's resource: the team's one resource of the service Compute.
fn resource(dictionary: &mut Dictionary, team: &str, currency: Currency) -> ResourceId {
    let (key, value) = (dictionary.symbol("team"), dictionary.symbol(team));
    let service = dictionary.symbol("Compute");
    let tags = dictionary.tag_set(&[(key, value)]);
    dictionary.resource(&Resource {
        currency,
        tags,
        dimensions: vec![(Field::SERVICE_NAME, service)],
    })
}

/// Adds segments of two charges each, and answers with the totals of all.
pub fn collect(
    transaction: &mut Transaction<'_>,
    collection: ledger::CollectionId,
    day: &SourceDay,
    charges: &[Charge],
) -> DayTotals {
    let mut dictionary = good(transaction.dictionary());
    let mut totals = DayTotals::default();
    for charges in charges.chunks(2) {
        let resources: Vec<u32> = charges
            .iter()
            .map(|charge| resource(&mut dictionary, &charge.team, day.currency).0)
            .collect();
        let billed: Vec<i64> = charges.iter().map(|charge| charge.billed).collect();
        let effective: Vec<i64> = charges.iter().map(|charge| charge.effective).collect();
        for ((resource, billed), effective) in resources.iter().zip(&billed).zip(&effective) {
            totals.fingerprint.add(dictionary.digest(ResourceId(*resource)), *billed, *effective);
        }
        let segment = encode(&ChargeColumns {
            resources: &resources,
            billed: &billed,
            effective: &effective,
        });
        totals.charges += u64::from(segment.rows);
        totals.billed += segment.billed;
        totals.effective += segment.effective;
        good(transaction.add_segment(collection, &day.clone().without_period(), &segment));
    }
    good(transaction.save_dictionary(&dictionary));
    totals
}

pub fn posting(account: Account, amount: i64, rule: Option<RuleVersion>) -> Posting {
    let target = account.team().map(Target::team);
    let service_name = target.as_ref().map(|_| "Compute".to_owned());
    Posting { account, target, rule, service_name, amount: Money::from_nanos(amount) }
}

/// The collection entry of a source-day, or none if there is nothing to post.
pub fn entries(
    day: &SourceDay,
    charges: &[Charge],
    totals: &DayTotals,
    rule: &RuleVersion,
) -> Vec<Entry> {
    let nanos = |sum: Sum| i64::try_from(sum.nanos()).unwrap_or_else(|error| panic!("{error}"));
    let rest = |rest: &domain::decimal::Exact| {
        i64::try_from(rest.rounded_nanos()).unwrap_or_else(|error| panic!("{error}"))
    };
    let (billed, effective, rounding) = (
        nanos(totals.billed) + rest(&totals.billed_rest),
        nanos(totals.effective),
        rest(&totals.effective_rest),
    );
    let mut postings = vec![
        posting(Account::Provider(day.source.clone()), -billed, None),
        posting(Account::Prepaid(day.source.clone()), billed - effective - rounding, None),
        posting(Account::Rounding(day.source.clone()), rounding, None),
    ];
    postings.extend(charges.iter().map(|charge| {
        posting(Account::Team(charge.team.clone()), charge.effective, Some(rule.clone()))
    }));
    Entry::new(EntryKind::Collection, &day.source, day.day, day.currency, postings)
        .into_iter()
        .collect()
}

pub fn decisions(transaction: &mut Transaction<'_>, generation: GenerationId) {
    let dictionary = good(transaction.dictionary());
    let mut outcomes = good(transaction.outcomes(generation));
    let mut decisions = good(transaction.decisions(generation));
    if outcomes.is_empty() {
        outcomes.push(Outcome { verdict: Verdict::Unallocated });
    }
    for id in decisions.len()..dictionary.resource_count() {
        let target = Recipient::team(dictionary.tag_text(ResourceId(id as u32), "team"));
        outcomes.push(Outcome {
            verdict: Verdict::Decided { rule: RuleIndex(0), decision: Decision::Assign(target) },
        });
        decisions.push(OutcomeId(outcomes.len() as u32 - 1));
    }
    good(transaction.save_decisions(generation, &outcomes, &decisions));
}

/// A whole run of one source-day.
pub fn run(
    ledger: &mut Ledger,
    rules: &OneRule,
    day: &SourceDay,
    charges: &[Charge],
) -> (Restated, Settled) {
    let mut transaction = good(ledger.begin(&start()));
    let generation = good(transaction.save_generation(rules, None));
    let collection = good(transaction.begin_source(&day.source, &plugin()));
    let totals = collect(&mut transaction, collection, day, charges);
    let restated = good(transaction.restate(collection, &day.clone().without_period(), &totals));
    good(transaction.keep_source(None));
    decisions(&mut transaction, generation);
    let settled = good(transaction.settle(
        day,
        generation,
        entries(day, charges, &totals, &rules.facts[0].version),
    ));
    good(transaction.commit(&end(generation)));
    (restated, settled)
}

pub fn findings(ledger: &Reader) -> Vec<String> {
    good(ledger.verify(&mut |_| {})).findings.into_iter().map(|finding| finding.message).collect()
}
