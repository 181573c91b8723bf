//! A ledger with six charges, made by a real run. Its collector and its rules give fixed answers.

use domain::charge::{ChargeLine, RawCharge, RawUsage};
use domain::decision::{Decision, Outcome, OutcomeId, RuleIndex, Verdict};
use domain::diagnostic::Diagnostic;
use domain::dictionary::{Dictionary, ResourceId};
use domain::entry::RuleVersion;
use domain::field::Field;
use domain::period::Day;
use domain::port::{
    Batch, Decider, Explanation, Mutual, NoAllocators, Rows, RuleFacts, Rules, Stage,
};
use domain::recipient::Recipient;
use domain::tag::TagSchema;
use ledger::Ledger;
use pipeline::feed::Patience;
use pipeline::run::{RunOptions, run};
use pipeline::source::{RepeatPolicy, Source};
use std::path::Path;
use test_support::fakes::{FakeCollector, plugin, request};

/// `Compute` goes to the team of the tag, `Network` to payments and search as 1 to 2, all else to
/// nobody.
pub struct FixedRules {
    facts: Vec<RuleFacts>,
}

impl FixedRules {
    pub fn new() -> FixedRules {
        let fact = |rule: &str, name: &str, priority| RuleFacts {
            version: RuleVersion { rule: rule.into(), digest: "0".repeat(64) },
            name: name.into(),
            priority,
            owner: "finops@example.com".into(),
            review_by: "2027-03-31".parse().ok(),
            description: format!("{name} has a payer."),
            enabled: true,
            from: None,
            until: None,
            stage: Stage::Attribution,
            mutual: Mutual::Reciprocal,
            source: format!("// {name}"),
        };
        FixedRules {
            facts: vec![
                fact("direct/compute", "Compute", 100),
                fact("shared/network", "Network", 200),
            ],
        }
    }
}

impl Rules for FixedRules {
    fn generation(&self) -> &str {
        "generation-one"
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

    fn decider(&self) -> Box<dyn Decider> {
        Box::new(FixedDecider(vec![Outcome { verdict: Verdict::Unallocated }]))
    }
}

struct FixedDecider(Vec<Outcome>);

impl Decider for FixedDecider {
    fn decide(
        &mut self,
        dictionary: &Dictionary,
        resource: ResourceId,
        _: Day,
        _: Option<&ChargeLine>,
    ) -> OutcomeId {
        let team = Recipient::team(dictionary.tag_text(resource, "team"));
        let verdict = match dictionary.dimension_text(resource, Field::SERVICE_NAME) {
            "Compute" => Verdict::Decided { rule: RuleIndex(0), decision: Decision::Assign(team) },
            "Network" => Verdict::Decided {
                rule: RuleIndex(1),
                decision: Decision::fixed(vec![
                    (Recipient::team("payments"), 1),
                    (Recipient::team("search"), 2),
                ]),
            },
            _ => Verdict::Unallocated,
        };
        let outcome = Outcome { verdict };
        if !self.0.contains(&outcome) {
            self.0.push(outcome.clone());
        }
        OutcomeId(self.0.iter().position(|known| *known == outcome).unwrap_or_default() as u32)
    }

    fn later_stages(&mut self, _: Day) -> Vec<OutcomeId> {
        Vec::new()
    }

    fn outcomes(&self) -> &[Outcome] {
        &self.0
    }

    fn calls(&self) -> u64 {
        0
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

pub fn charge(
    day: &str,
    service: &str,
    tags: &[(&str, &str)],
    cost: &str,
    currency: &str,
) -> RawCharge {
    RawCharge {
        charge_period_start: format!("{day}T00:00:00Z"),
        billed_cost: cost.into(),
        effective_cost: cost.into(),
        billing_currency: currency.into(),
        dimensions: vec![(Field::SERVICE_NAME, service.into())],
        tags: tags.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect(),
        ..RawCharge::default()
    }
}

pub fn charges() -> Vec<RawCharge> {
    vec![
        charge(
            "2026-01-30",
            "Compute",
            &[("team", "payments"), ("environment", "prod"), ("application", "shop")],
            "10",
            "USD",
        ),
        charge(
            "2026-02-02",
            "Compute",
            &[("team", "payments"), ("environment", "dev")],
            "2.5",
            "USD",
        ),
        charge("2026-02-02", "Compute", &[("team", "search"), ("environment", "prod")], "4", "USD"),
        charge("2026-02-03", "Network", &[], "3", "USD"),
        charge("2026-02-03", "Other", &[], "0.000000001", "USD"),
        charge("2026-02-04", "Compute", &[("team", "payments")], "1", "EUR"),
        // This row is set aside, so the run is incomplete.
        charge("2026-02-04", "Compute", &[("team", "payments")], "a lot", "EUR"),
    ]
}

fn usage() -> Vec<RawUsage> {
    let row = |(day, team, value): (&str, &str, &str)| RawUsage {
        metric: "network.egress.bytes".into(),
        period_start: day.into(),
        keys: vec![("team".into(), team.into())],
        value: value.into(),
        unit: "B".into(),
    };
    [
        ("2026-02-01", "payments", "10"),
        ("2026-02-01", "search", "5"),
        ("2026-02-04", "payments", "0.5"),
    ]
    .map(row)
    .to_vec()
}

/// One run at 2026-02-05T06:07:08.009Z. It takes one and a half seconds.
pub fn run_once(path: &Path, charges: Vec<RawCharge>, failure: Option<Diagnostic>) {
    let mut ledger = Ledger::open_or_create(path).unwrap_or_else(|error| panic!("{error}"));
    let batch = Batch { rows: Rows::Charges(charges), usage: usage(), ..Batch::default() };
    let options = RunOptions {
        sources: vec![Source {
            name: "aws".into(),
            collector: Box::new(FakeCollector {
                identity: plugin("fixed"),
                failure,
                ..FakeCollector::new(vec![batch])
            }),
            request: request("aws"),
            accrues_for: None,
            formerly: Vec::new(),
            kept: domain::charge::KeptDetails::default(),
            window: None,
            delivery: None,
            repeats: RepeatPolicy::Refuse,
        }],
        rules: &FixedRules::new(),
        allocators: &NoAllocators,
        tag_schema: &TagSchema::default(),
        dimensions: &Field::default_dimensions(),
        collect: true,
        threads: 1,
        sources_at_once: 1,
        patience: Patience { tries: 1, wait: &|_| {} },
        at_ms: 1_770_271_628_009,
        now_ms: &|| 1_770_271_629_509,
        version: "0.1.0".into(),
    };
    run(&mut ledger, options, &mut |_| {}).unwrap_or_else(|error| panic!("{error}"));
}
