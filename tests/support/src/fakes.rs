//! A collector and rules in plain Rust: runs are tested without wasm and without scripts.

use domain::charge::ChargeLine;
use domain::decision::{Decision, Outcome, OutcomeId, RuleIndex, Verdict};
use domain::diagnostic::Diagnostic;
use domain::dictionary::{Dictionary, ResourceId};
use domain::entry::RuleVersion;
use domain::field::Field;
use domain::period::Day;
use domain::port::{
    Batch, CollectRequest, Collector, Decider, Explanation, Mutual, PluginIdentity, RuleFacts,
    Rules, Stage, TriedRule,
};
use domain::spread::Spread;
use std::sync::Arc;

pub fn plugin(name: &str) -> PluginIdentity {
    PluginIdentity { name: name.into(), version: "1.0.0".into(), digest: "d".repeat(64) }
}

/// A request for all that a source has.
pub fn request(source: &str) -> CollectRequest {
    CollectRequest {
        source: source.into(),
        config: "{}".into(),
        period: None,
        state: None,
        now: String::new(),
        tables: Vec::new(),
    }
}

/// A collector that hands over the same batches at each collection. Then it succeeds, or fails with
/// its `failure`.
pub struct FakeCollector {
    pub identity: PluginIdentity,
    pub batches: Vec<Batch>,
    pub failure: Option<Diagnostic>,
}

impl FakeCollector {
    pub fn new(batches: Vec<Batch>) -> FakeCollector {
        FakeCollector { identity: plugin("fake"), batches, failure: None }
    }
}

impl Collector for FakeCollector {
    fn identity(&self) -> &PluginIdentity {
        &self.identity
    }

    fn check(&self, _: &CollectRequest) -> Result<Vec<Diagnostic>, Diagnostic> {
        Ok(Vec::new())
    }

    fn collect(
        &self,
        _: &CollectRequest,
        sink: &mut dyn FnMut(Batch) -> Result<(), Diagnostic>,
    ) -> Result<(), Diagnostic> {
        self.batches.iter().cloned().try_for_each(sink)?;
        self.failure.clone().map_or(Ok(()), Err)
    }
}

/// Facts of an attribution rule; its source is its name.
pub fn rule_facts(name: &str) -> RuleFacts {
    RuleFacts {
        version: RuleVersion { rule: name.into(), digest: format!("digest of {name}") },
        name: name.into(),
        priority: 0,
        owner: "finops@example.com".into(),
        review_by: None,
        description: "A rule.".into(),
        enabled: true,
        from: None,
        until: None,
        stage: Stage::Attribution,
        mutual: Mutual::Reciprocal,
        source: format!("// {name}"),
    }
}

/// A charge that rules have to decide.
pub struct DecidedCharge<'a> {
    pub service: &'a str,
    /// The tag `team`, empty where there is none.
    pub team: &'a str,
    pub day: Day,
    /// The charge itself, where the rules asked for it.
    pub line: Option<&'a ChargeLine>,
}

/// A function that decides charges. `None` asks for each charge of the resource.
type Judge = dyn Fn(&DecidedCharge<'_>) -> Option<Verdict> + Send + Sync;

/// Rules whose verdicts come from a function.
#[derive(Clone)]
pub struct FakeRules {
    pub generation: String,
    pub facts: Vec<RuleFacts>,
    pub tables: Vec<(String, String)>,
    /// The rules of the later stages, each with its spread.
    pub later: Vec<(RuleIndex, Spread)>,
    judge: Arc<Judge>,
}

impl FakeRules {
    pub fn new(
        generation: &str,
        facts: Vec<RuleFacts>,
        judge: impl Fn(&DecidedCharge<'_>) -> Option<Verdict> + Send + Sync + 'static,
    ) -> FakeRules {
        FakeRules {
            generation: generation.into(),
            facts,
            tables: Vec::new(),
            later: Vec::new(),
            judge: Arc::new(judge),
        }
    }

    /// No rule at all: nobody pays for anything.
    pub fn none(generation: &str) -> FakeRules {
        FakeRules::new(generation, Vec::new(), |_| Some(Verdict::Unallocated))
    }
}

/// The verdict of a rule that decides.
pub fn decided(rule: u32, decision: Decision) -> Verdict {
    Verdict::Decided { rule: RuleIndex(rule), decision }
}

impl Rules for FakeRules {
    fn generation(&self) -> &str {
        &self.generation
    }

    fn facts(&self) -> &[RuleFacts] {
        &self.facts
    }

    fn tables(&self) -> Vec<(String, String)> {
        self.tables.clone()
    }

    fn cell(&self, _: &str, _: &[String], _: Day) -> Option<String> {
        None
    }

    fn decider(&self) -> Box<dyn Decider + '_> {
        let outcomes = vec![Outcome { verdict: Verdict::Unallocated }];
        Box::new(FakeDecider { rules: self, outcomes, calls: 0 })
    }
}

struct FakeDecider<'a> {
    rules: &'a FakeRules,
    outcomes: Vec<Outcome>,
    calls: u64,
}

impl FakeDecider<'_> {
    fn verdict(
        &self,
        dictionary: &Dictionary,
        resource: ResourceId,
        day: Day,
        line: Option<&ChargeLine>,
    ) -> Option<Verdict> {
        let service = dictionary.dimension_text(resource, Field::SERVICE_NAME);
        let team = dictionary.tag_text(resource, "team");
        (self.rules.judge)(&DecidedCharge { service, team, day, line })
    }

    fn outcome(&mut self, verdict: Verdict) -> OutcomeId {
        let outcome = Outcome { verdict };
        let known = self.outcomes.iter().position(|known| *known == outcome);
        OutcomeId(known.unwrap_or_else(|| {
            self.outcomes.push(outcome);
            self.outcomes.len() - 1
        }) as u32)
    }
}

impl Decider for FakeDecider<'_> {
    fn decide(
        &mut self,
        dictionary: &Dictionary,
        resource: ResourceId,
        day: Day,
        line: Option<&ChargeLine>,
    ) -> OutcomeId {
        self.calls += 1;
        match self.verdict(dictionary, resource, day, line) {
            Some(verdict) => self.outcome(verdict),
            None => OutcomeId::PER_CHARGE,
        }
    }

    fn later_stages(&mut self, _: Day) -> Vec<OutcomeId> {
        let later = self.rules.later.clone();
        let verdict = |(rule, spread)| Verdict::Decided { rule, decision: Decision::from(spread) };
        later.into_iter().map(verdict).map(|verdict| self.outcome(verdict)).collect()
    }

    fn outcomes(&self) -> &[Outcome] {
        &self.outcomes
    }

    fn calls(&self) -> u64 {
        self.calls
    }

    /// The deciding rule, as if it had read the service on its first line.
    fn explain(
        &mut self,
        dictionary: &Dictionary,
        resource: ResourceId,
        day: Day,
        line: Option<&ChargeLine>,
    ) -> Explanation {
        let rule = match self.verdict(dictionary, resource, day, line) {
            Some(Verdict::Decided { rule, .. } | Verdict::Suspense { rule, .. }) => rule,
            _ => return Explanation::default(),
        };
        let service = dictionary.dimension_text(resource, Field::SERVICE_NAME);
        let tried = self.rules.facts.get(rule.0 as usize).map(|facts| TriedRule {
            rule: facts.version.clone(),
            matched: true,
            read: vec![("service_name".into(), service.into())],
            line: 1,
        });
        Explanation { tried: tried.into_iter().collect() }
    }
}
