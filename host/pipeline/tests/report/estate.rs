//! Charges, and rules that decide by service, put into a ledger by real runs.

use domain::charge::{ChargeLine, RawCharge};
use domain::decision::{Decision, Outcome, OutcomeId, RuleIndex, Verdict};
use domain::dictionary::{Dictionary, ResourceId};
use domain::driver::Driver;
use domain::driver::candidates::Candidates;
use domain::driver::cost::CostDriver;
use domain::driver::facts::{CostQuestion, DriverFilter};
use domain::entry::RuleVersion;
use domain::field::Field;
use domain::period::Day;
use domain::port::{
    Batch, Decider, Explanation, Mutual, NoAllocators, Rows, RuleFacts, Rules, Stage, TriedRule,
};
use domain::recipient::{Recipient, Target};
use domain::spread::{Spread, WhenZero};
use domain::tag::TagSchema;
use ledger::Ledger;
use pipeline::feed::Patience;
use pipeline::run::{RunOptions, run};
use pipeline::source::{RepeatPolicy, Source};
use test_support::fakes::{FakeCollector, plugin, request};

/// The services that the rules decide by. Each service has one rule, in this order.
pub const SERVICES: [&str; 7] =
    ["Compute", "Database", "Network", "Support", "Tax", "Marketplace", "Broken"];

const NETWORK: usize = 2;

#[derive(Clone)]
pub struct FixedRules {
    pub generation: String,
    /// The weight of team `a` in the split of `Network`.
    pub weight: u64,
    pub when_zero: WhenZero,
    /// Whether `Compute` is only assigned where a charge costs something.
    pub by_amount: bool,
    pub facts: Vec<RuleFacts>,
}

impl FixedRules {
    pub fn new(generation: &str, weight: u64) -> FixedRules {
        let fact = |service: &str| RuleFacts {
            // Only the split rule changes with its weight; the others keep their version.
            version: RuleVersion {
                rule: service.to_lowercase(),
                digest: if service == "Network" { format!("{weight:064}") } else { "0".repeat(64) },
            },
            name: service.into(),
            priority: 100,
            owner: "finops@example.com".into(),
            review_by: None,
            description: format!("Says who pays for {service}.\nAnd more."),
            enabled: true,
            from: None,
            until: None,
            stage: Stage::Attribution,
            mutual: Mutual::Reciprocal,
            source: format!("// {service} {weight}"),
        };
        FixedRules {
            generation: generation.into(),
            weight,
            when_zero: WhenZero::Stay,
            by_amount: false,
            facts: SERVICES.iter().map(|service| fact(service)).collect(),
        }
    }

    /// From this day on the split of `Network` gives team `a` ten more.
    pub fn turning(mut self, day: Day) -> FixedRules {
        self.facts[NETWORK].from = Some(day);
        self
    }

    fn by_cost(&self, among: Candidates, filter: DriverFilter) -> Decision {
        let by = Driver::Cost(CostDriver { among, costs: CostQuestion::direct(filter) });
        Decision::from(Spread { when_zero: self.when_zero.clone(), ..Spread::new(by) })
    }

    fn decision(&self, service: usize, team: &str, day: Day) -> Decision {
        let weight = if self.facts[NETWORK].from.is_some_and(|from| day >= from) {
            self.weight + 10
        } else {
            self.weight
        };
        let listed = |teams: &[&str]| {
            Candidates::Listed(teams.iter().map(|team| Target::team(*team)).collect())
        };
        match SERVICES[service] {
            "Compute" => Decision::Assign(Recipient::team(team)),
            "Database" => Decision::Assign(Recipient::Team(Target {
                team: team.into(),
                environment: Some("prod".into()),
                application: Some("db".into()),
                cost_center: None,
            })),
            "Network" => Decision::fixed(vec![
                (Recipient::team("a"), weight),
                (Recipient::team("b"), 3),
                (Recipient::team("c"), 1),
            ]),
            "Support" => self.by_cost(Candidates::AllTeams, DriverFilter::new()),
            "Tax" => self.by_cost(
                listed(&["c", "a"]),
                DriverFilter::from([("tag:environment".into(), "prod".into())]),
            ),
            _ => Decision::Exclude { reason: "not ours".into() },
        }
    }
}

impl Rules for FixedRules {
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

    fn decider(&self) -> Box<dyn Decider + '_> {
        Box::new(FixedDecider {
            rules: self,
            outcomes: vec![Outcome { verdict: Verdict::Unallocated }],
        })
    }
}

pub struct FixedDecider<'a> {
    rules: &'a FixedRules,
    outcomes: Vec<Outcome>,
}

impl FixedDecider<'_> {
    fn verdict(&self, dictionary: &Dictionary, resource: ResourceId, day: Day) -> Verdict {
        let (service, team) = (
            dictionary.dimension_text(resource, Field::SERVICE_NAME),
            dictionary.tag_text(resource, "team"),
        );
        let Some(number) = SERVICES.iter().position(|known| *known == service) else {
            return Verdict::Unallocated;
        };
        match service {
            "Broken" => Verdict::Suspense {
                rule: RuleIndex(number as u32),
                diagnostic: "R202: it throws".into(),
            },
            "Compute" | "Database" if team.is_empty() => Verdict::Unallocated,
            _ => Verdict::Decided {
                rule: RuleIndex(number as u32),
                decision: self.rules.decision(number, team, day),
            },
        }
    }
}

impl Decider for FixedDecider<'_> {
    fn decide(
        &mut self,
        dictionary: &Dictionary,
        resource: ResourceId,
        day: Day,
        line: Option<&ChargeLine>,
    ) -> OutcomeId {
        let mut verdict = self.verdict(dictionary, resource, day);
        if self.rules.by_amount
            && dictionary.dimension_text(resource, Field::SERVICE_NAME) == "Compute"
        {
            match line {
                None => return OutcomeId::PER_CHARGE,
                Some(line) if line.effective_cost.nanos() <= 0 => verdict = Verdict::Unallocated,
                Some(_) => {}
            }
        }
        let outcome = Outcome { verdict };
        let known = self.outcomes.iter().position(|known| *known == outcome).unwrap_or_else(|| {
            self.outcomes.push(outcome);
            self.outcomes.len() - 1
        });
        OutcomeId(known as u32)
    }

    fn later_stages(&mut self, _: Day) -> Vec<OutcomeId> {
        Vec::new()
    }

    fn outcomes(&self) -> &[Outcome] {
        &self.outcomes
    }

    fn calls(&self) -> u64 {
        0
    }

    fn explain(
        &mut self,
        dictionary: &Dictionary,
        resource: ResourceId,
        _: Day,
        _: Option<&ChargeLine>,
    ) -> Explanation {
        let service = dictionary.dimension_text(resource, Field::SERVICE_NAME);
        let tried =
            self.rules.facts.iter().filter(|facts| facts.name == service).map(|facts| TriedRule {
                rule: facts.version.clone(),
                matched: true,
                read: vec![("service_name".into(), service.into())],
                line: 1,
            });
        Explanation { tried: tried.collect() }
    }
}

pub fn charge(day: &str, service: &str, tags: &[(&str, &str)], effective: &str) -> RawCharge {
    RawCharge {
        charge_period_start: format!("{day}T00:00:00Z"),
        billed_cost: effective.into(),
        effective_cost: effective.into(),
        billing_currency: "USD".into(),
        dimensions: vec![(Field::SERVICE_NAME, service.into())],
        tags: tags
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(key, value)| ((*key).into(), (*value).into()))
            .collect(),
        ..RawCharge::default()
    }
}

pub fn run_on(ledger: &mut Ledger, sources: &[(&str, Vec<RawCharge>)], rules: &dyn Rules) {
    let source = |(name, charges): &(&str, Vec<RawCharge>)| Source {
        name: (*name).into(),
        collector: Box::new(FakeCollector {
            identity: plugin("fixed"),
            ..FakeCollector::new(vec![Batch {
                rows: Rows::Charges(charges.clone()),
                ..Batch::default()
            }])
        }),
        request: request(name),
        accrues_for: None,
        formerly: Vec::new(),
        kept: domain::charge::KeptDetails::default(),
        window: None,
        delivery: None,
        repeats: RepeatPolicy::Refuse,
    };
    let options = RunOptions {
        sources: sources.iter().map(source).collect(),
        rules,
        allocators: &NoAllocators,
        tag_schema: &TagSchema::default(),
        dimensions: &Field::default_dimensions(),
        collect: true,
        threads: 2,
        sources_at_once: 2,
        patience: Patience { tries: 1, wait: &|_| {} },
        at_ms: 1_767_225_600_000,
        now_ms: &|| 1_767_225_600_000,
        version: "0.1.0".into(),
    };
    run(ledger, options, &mut |_| {}).unwrap_or_else(|error| panic!("{error}"));
}
