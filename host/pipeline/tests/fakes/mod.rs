//! A collector and rules made of plain Rust, so that runs are tested without wasm and scripts.

use arrow_array::{ArrayRef, RecordBatch};
use domain::charge::{ChargeLine, RawCharge, RawUsage};
use domain::decision::{Decision, Outcome, OutcomeId, RuleIndex, Verdict};
use domain::detail::Detail;
use domain::diagnostic::Diagnostic;
use domain::dictionary::{Dictionary, ResourceId};
use domain::driver::Driver;
use domain::driver::candidates::Candidates;
use domain::driver::cost::CostDriver;
use domain::driver::facts::{CostQuestion, DriverFilter, UsageQuery, Window};
use domain::driver::rate_card::RateCard;
use domain::driver::usage::{Unknown, UsageDriver};
use domain::entry::RuleVersion;
use domain::field::Field;
use domain::period::{Day, Period};
use domain::port::{
    Batch, Decider, Explanation, Mutual, NoAllocators, Rows, RuleFacts, Rules, Stage,
};
use domain::recipient::Recipient;
use domain::spread::{Spread, WhenZero};
use domain::tag::TagSchema;
use ledger::{Ledger, Reader};
use parquet::arrow::ArrowWriter;
use pipeline::feed::Patience;
use pipeline::report::{RunReport, SourceReport};
use pipeline::run::{Rehearsal, RunOptions, rehearse, run};
use pipeline::source::{RepeatPolicy, Source};
use std::path::Path;
use test_support::fakes::{FakeCollector, request};

/// Hands over the charges in pages of seven. Then it succeeds, or fails with `failure`.
fn given(charges: &[RawCharge], failure: Option<Diagnostic>) -> Box<FakeCollector> {
    let page =
        |page: &[RawCharge]| Batch { rows: Rows::Charges(page.to_vec()), ..Batch::default() };
    let batches = charges.chunks(7).map(page).collect();
    Box::new(FakeCollector { failure, ..FakeCollector::new(batches) })
}

pub fn source(name: &str, charges: Vec<RawCharge>) -> Source {
    Source {
        name: name.into(),
        collector: given(&charges, None),
        request: request(name),
        accrues_for: None,
        formerly: Vec::new(),
        kept: domain::charge::KeptDetails::default(),
        window: None,
        delivery: None,
        repeats: RepeatPolicy::Refuse,
    }
}

pub fn failing(name: &str, charges: Vec<RawCharge>, failure: Diagnostic) -> Source {
    Source { collector: given(&charges, Some(failure)), ..source(name, Vec::new()) }
}

/// A source of nothing but usage: `day metric value unit key=value…`, one row a line.
pub fn usage_source(name: &str, text: &str) -> Source {
    let row = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let keys = words[4..]
            .iter()
            .filter_map(|word| word.split_once('='))
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect();
        RawUsage {
            metric: words[1].into(),
            period_start: words[0].into(),
            keys,
            value: words[2].into(),
            unit: words[3].into(),
        }
    };
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let usage: Vec<RawUsage> = lines.map(row).collect();
    let page = |page: &[RawUsage]| Batch { usage: page.to_vec(), ..Batch::default() };
    let batches = usage.chunks(2).map(page).collect();
    Source { collector: Box::new(FakeCollector::new(batches)), ..source(name, Vec::new()) }
}

/// `day service team amount [billed]`, one charge a line; `-` is no team.
pub fn charges(text: &str) -> Vec<RawCharge> {
    let charge = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let tags =
            if words[2] == "-" { vec![] } else { vec![("team".to_owned(), words[2].to_owned())] };
        RawCharge {
            charge_period_start: format!("{}T00:00:00Z", words[0]),
            billed_cost: words.get(4).unwrap_or(&words[3]).to_string(),
            effective_cost: words[3].into(),
            billing_currency: "USD".into(),
            dimensions: vec![(Field::SERVICE_NAME, words[1].into())],
            tags,
            ..RawCharge::default()
        }
    };
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(charge).collect()
}

/// Rules where the first match wins: `tax`, `support` and `pinned` by service, else the team tag.
#[derive(Clone)]
pub struct ByService {
    pub facts: Vec<RuleFacts>,
    pub generation: String,
    pub when_zero: WhenZero,
    /// Whether charges of the service `big` above 10 go to the team `whales`, and others to
    /// `minnows`.
    pub reads_amount: bool,
    /// Whether charges of the service `sized` go the same way by a pricing quantity above 100, and
    /// are in suspense where it is unknown.
    pub reads_quantity: bool,
    pub split: Vec<(&'static str, u64)>,
    /// The costs by which charges of the service `tax` are shared, and those of `fee`.
    pub tax: CostQuestion,
    pub fee: Spread,
    /// The prices of the service `gateway`. Its rest goes to the team in the tag, if there is one.
    pub gateway: Option<RateCard>,
    /// The rules of the later stages, each with its spread.
    pub later: Vec<(u32, Spread)>,
}

/// The rule that takes all charges, once its first day has come.
pub const LATE: usize = 4;

/// The rules of the services `fee` and `gateway`.
pub const FEE: usize = 5;
pub const GATEWAY: usize = 6;

pub fn rules() -> ByService {
    let fact = |rule: &str| RuleFacts {
        version: RuleVersion { rule: rule.into(), digest: format!("digest of {rule}") },
        name: rule.into(),
        priority: 0,
        owner: "finops@example.com".into(),
        review_by: None,
        description: "A rule.".into(),
        enabled: true,
        from: None,
        until: None,
        stage: Stage::Attribution,
        mutual: Mutual::Reciprocal,
        source: format!("// {rule}"),
    };
    ByService {
        facts: [
            "shared/tax",
            "shared/support",
            "direct/team",
            "direct/big",
            "late",
            "shared/fee",
            "shared/gateway",
        ]
        .map(fact)
        .to_vec(),
        generation: "first".into(),
        when_zero: WhenZero::Stay,
        reads_amount: false,
        reads_quantity: false,
        split: vec![("a", 60), ("b", 40)],
        tax: CostQuestion::direct(DriverFilter::new()),
        fee: Spread::fixed(vec![(Recipient::team("fees"), 1)]),
        gateway: None,
        later: Vec::new(),
    }
}

impl Rules for ByService {
    fn generation(&self) -> &str {
        &self.generation
    }
    fn facts(&self) -> &[RuleFacts] {
        &self.facts
    }
    fn tables(&self) -> Vec<(String, String)> {
        Vec::new()
    }
    fn cell(&self, _: &str, _: &[String], _: Day) -> Option<String> {
        None
    }
    fn reads_details(&self) -> bool {
        self.reads_quantity
    }
    fn decider(&self) -> Box<dyn Decider + '_> {
        Box::new(ServiceDecider {
            rules: self,
            outcomes: vec![Outcome { verdict: Verdict::Unallocated }],
            calls: 0,
        })
    }
}

struct ServiceDecider<'a> {
    rules: &'a ByService,
    outcomes: Vec<Outcome>,
    calls: u64,
}

impl ServiceDecider<'_> {
    fn outcome(&mut self, rule: u32, decision: Decision) -> OutcomeId {
        let outcome = Outcome { verdict: Verdict::Decided { rule: RuleIndex(rule), decision } };
        let known = self.outcomes.iter().position(|known| *known == outcome);
        OutcomeId(known.unwrap_or_else(|| {
            self.outcomes.push(outcome);
            self.outcomes.len() - 1
        }) as u32)
    }
}

impl ServiceDecider<'_> {
    fn by_quantity(&mut self, line: &ChargeLine) -> OutcomeId {
        let details = line.details.as_deref().unwrap_or_else(|| panic!("no details were read"));
        let Some(quantity) = details.get(Detail::PricingQuantity) else {
            let diagnostic = format!("R207: the charge of the source '{}'", details.source);
            let outcome = Outcome { verdict: Verdict::Suspense { rule: RuleIndex(3), diagnostic } };
            let known = self.outcomes.iter().position(|known| *known == outcome);
            return OutcomeId(known.unwrap_or_else(|| {
                self.outcomes.push(outcome);
                self.outcomes.len() - 1
            }) as u32);
        };
        // Longer ones are larger here.
        let is_large = quantity.short().is_none_or(|short| short.units() > 100 * 10_i128.pow(18));
        let team = if is_large { "whales" } else { "minnows" };
        self.outcome(3, Decision::Assign(Recipient::team(team)))
    }
}

fn for_remainder(card: &RateCard, team: &str) -> RateCard {
    let card = card.clone();
    if team.is_empty() { card } else { RateCard { remainder: Recipient::team(team), ..card } }
}

impl Decider for ServiceDecider<'_> {
    fn decide(
        &mut self,
        dictionary: &Dictionary,
        resource: ResourceId,
        day: Day,
        line: Option<&ChargeLine>,
    ) -> OutcomeId {
        self.calls += 1;
        let (service, team) = (
            dictionary.dimension_text(resource, Field::SERVICE_NAME),
            dictionary.tag_text(resource, "team"),
        );
        if self.rules.facts[LATE].from.is_some_and(|from| day >= from) {
            return self.outcome(LATE as u32, Decision::Assign(Recipient::team("late")));
        }
        match service {
            "tax" => {
                let by = Driver::Cost(CostDriver {
                    among: Candidates::AllTeams,
                    costs: self.rules.tax.clone(),
                });
                let spread = Spread { when_zero: self.rules.when_zero.clone(), ..Spread::new(by) };
                self.outcome(0, Decision::from(spread))
            }
            "support" => {
                let weights = self
                    .rules
                    .split
                    .iter()
                    .map(|(team, weight)| (Recipient::team(*team), *weight))
                    .collect();
                self.outcome(1, Decision::fixed(weights))
            }
            "big" if self.rules.reads_amount => match line {
                None => OutcomeId::PER_CHARGE,
                Some(line) if line.effective_cost.nanos() > 10_000_000_000 => {
                    self.outcome(3, Decision::Assign(Recipient::team("whales")))
                }
                Some(_) => self.outcome(3, Decision::Assign(Recipient::team("minnows"))),
            },
            "sized" if self.rules.reads_quantity => match line {
                None => OutcomeId::PER_CHARGE,
                Some(line) => self.by_quantity(line),
            },
            "broken" => {
                let outcome = Outcome {
                    verdict: Verdict::Suspense {
                        rule: RuleIndex(2),
                        diagnostic: "R202: thrown".into(),
                    },
                };
                self.outcomes.push(outcome);
                OutcomeId(self.outcomes.len() as u32 - 1)
            }
            "fee" => self.outcome(FEE as u32, Decision::from(self.rules.fee.clone())),
            "gateway" if let Some(card) = &self.rules.gateway => {
                let driver = Driver::RateCard(for_remainder(card, team));
                self.outcome(GATEWAY as u32, Decision::from(Spread::new(driver)))
            }
            "idle" => self.outcome(2, Decision::Assign(Recipient::Pool("pools/idle".into()))),
            "ours" => self.outcome(2, Decision::Exclude { reason: "not to be shared".into() }),
            _ if team.is_empty() => OutcomeId::UNALLOCATED,
            _ => {
                let recipient = Recipient::team(team);
                self.outcome(2, Decision::Assign(recipient))
            }
        }
    }
    fn later_stages(&mut self, _: Day) -> Vec<OutcomeId> {
        let later = self.rules.later.clone();
        later.into_iter().map(|(rule, spread)| self.outcome(rule, Decision::from(spread))).collect()
    }
    fn outcomes(&self) -> &[Outcome] {
        &self.outcomes
    }
    fn calls(&self) -> u64 {
        self.calls
    }
    fn explain(
        &mut self,
        _: &Dictionary,
        _: ResourceId,
        _: Day,
        _: Option<&ChargeLine>,
    ) -> Explanation {
        Explanation::default()
    }
}

pub fn try_run(
    ledger: &mut Ledger,
    sources: Vec<Source>,
    rules: &ByService,
) -> Result<RunReport, Diagnostic> {
    try_run_at(ledger, sources, rules, 1_790_000_000_000)
}

pub fn try_run_at(
    ledger: &mut Ledger,
    sources: Vec<Source>,
    rules: &ByService,
    at_ms: i64,
) -> Result<RunReport, Diagnostic> {
    run_with(
        ledger,
        sources,
        rules,
        at_ms,
        Effort { at_once: 2, patience: Patience { tries: 1, wait: &|_| {} } },
    )
}

/// The number of sources that are collected at the same time, and the patience with each.
pub struct Effort<'a> {
    pub at_once: usize,
    pub patience: Patience<'a>,
}

/// A run into an empty ledger, whose sources are compared with `other`.
pub fn try_rehearsal(
    other: &Reader,
    sources: Vec<Source>,
    rules: &ByService,
) -> Result<Rehearsal, Diagnostic> {
    let options = RunOptions {
        collect: true,
        sources,
        rules,
        allocators: &NoAllocators,
        tag_schema: &TagSchema::default(),
        dimensions: &Field::default_dimensions(),
        threads: 2,
        sources_at_once: 2,
        patience: Patience { tries: 1, wait: &|_| {} },
        at_ms: 1,
        now_ms: &|| 1,
        version: "test".into(),
    };
    rehearse(&mut Ledger::in_memory()?, Some(other), options, &mut |_| {})
}

/// All that a source's report says of the ledger: what became of its days, and why it failed.
pub fn foretold(source: &SourceReport) -> String {
    let SourceReport { name, charges, set_aside, billed, days_taken_back, failure, .. } = source;
    let SourceReport { days_new, days_changed, days_unchanged, days_kept, .. } = source;
    let SourceReport { withdrawn, restated, totals, .. } = source;
    format!(
        "{name} {charges} {set_aside} {billed} {days_taken_back} {failure:?} {days_new} \
         {days_changed} {days_unchanged} {days_kept} {withdrawn:?} {restated:?} {totals:?}"
    )
}

/// A run that takes 1.5 seconds.
pub fn run_with(
    ledger: &mut Ledger,
    sources: Vec<Source>,
    rules: &ByService,
    at_ms: i64,
    effort: Effort<'_>,
) -> Result<RunReport, Diagnostic> {
    let dimensions = Field::default_dimensions();
    let schema = TagSchema::default();
    let options = RunOptions {
        collect: !sources.is_empty(),
        sources,
        sources_at_once: effort.at_once,
        patience: effort.patience,
        now_ms: &|| at_ms + 1_500,
        ..over_stored(rules, at_ms, &dimensions, &schema)
    };
    run(ledger, options, &mut |_| {})
}

/// A run over stored charges.
pub fn over_stored<'a>(
    rules: &'a ByService,
    at_ms: i64,
    dimensions: &'a [Field],
    tag_schema: &'a TagSchema,
) -> RunOptions<'a> {
    RunOptions {
        sources: Vec::new(),
        rules,
        allocators: &NoAllocators,
        tag_schema,
        dimensions,
        collect: false,
        threads: 2,
        sources_at_once: 2,
        patience: Patience { tries: 1, wait: &|_| {} },
        at_ms,
        // In 1970.
        now_ms: &|| 0,
        version: "test".into(),
    }
}

/// `account [service] amount` of the whole ledger, one a line.
pub fn balances(ledger: &Reader) -> Vec<String> {
    let mut lines: Vec<String> = ledger
        .balances(&ledger::BalanceFilter::of(Period::all()))
        .unwrap()
        .into_iter()
        .filter(|balance| !balance.amount.is_zero())
        .map(|balance| {
            format!(
                "{} {} {}",
                balance.account,
                balance.service_name.unwrap_or("-".into()),
                balance.amount.rounded_text(9)
            )
        })
        .collect();
    lines.sort();
    lines
}

/// Adds a rule of a later stage. It shares the money of the pool that has the rule's name, or of
/// the team, by fixed weights.
pub fn passing(rules: &mut ByService, rule: &str, stage: Stage, weights: &[(&str, u64)]) {
    let recipient = |name: &str| {
        name.strip_prefix("pool ")
            .map_or_else(|| Recipient::team(name), |pool| Recipient::Pool(pool.into()))
    };
    let weights = weights.iter().map(|(name, weight)| (recipient(name), *weight)).collect();
    passing_by(rules, rule, stage, Spread::fixed(weights));
}

pub fn passing_by(rules: &mut ByService, rule: &str, stage: Stage, spread: Spread) {
    let version = RuleVersion { rule: rule.into(), digest: format!("digest of {rule}") };
    let facts = RuleFacts {
        version,
        name: rule.into(),
        stage,
        source: format!("// {rule}"),
        ..rules.facts[0].clone()
    };
    rules.later.push((rules.facts.len() as u32, spread));
    rules.facts.push(facts);
}

/// Usage of all teams by the key `team`.
pub fn used_by_team(metric: &str, window: Window) -> UsageDriver {
    UsageDriver {
        query: UsageQuery {
            metric: metric.into(),
            filter: DriverFilter::new(),
            key: vec!["team".into()],
            window,
        },
        among: Candidates::AllTeams,
        recipients: Default::default(),
        table: None,
        unknown: Unknown::Ignore,
    }
}

/// A file of one row group.
pub fn write_parquet<const N: usize>(path: &Path, columns: [(&str, ArrayRef); N]) {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let file = std::fs::File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}
