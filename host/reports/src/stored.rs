//! The decisions and rules that the ledger keeps of one generation.

use domain::code::QUERY_INVALID;
use domain::decision::{Outcome, OutcomeId, Verdict};
use domain::diagnostic::Diagnostic;
use domain::hint::Hint;
use domain::port::{RuleFacts, Rules};
use ledger::{GenerationId, Reader};

/// Makes rules of their stored sources and tables.
pub type RulesOf<'a> =
    dyn Fn(&[RuleFacts], &[(String, String)]) -> Result<Box<dyn Rules>, Diagnostic> + 'a;

/// The record of one generation in the ledger.
pub struct StoredGeneration {
    pub generation: GenerationId,
    decisions: Vec<OutcomeId>,
    pub outcomes: Vec<Outcome>,
    pub facts: Vec<RuleFacts>,
    tables: Vec<(String, String)>,
}

impl StoredGeneration {
    pub fn load(ledger: &Reader, generation: GenerationId) -> Result<StoredGeneration, Diagnostic> {
        Ok(StoredGeneration {
            generation,
            decisions: ledger.decisions(generation)?,
            outcomes: ledger.outcomes(generation)?,
            facts: ledger.rules(generation)?,
            tables: ledger.tables(generation)?,
        })
    }

    /// Rules run again only where a decision hangs on the single charge.
    pub fn rules_if_needed(
        &self,
        rules_of: Option<&RulesOf<'_>>,
    ) -> Result<Option<Box<dyn Rules>>, Diagnostic> {
        if !self.decisions.contains(&OutcomeId::PER_CHARGE) {
            return Ok(None);
        }
        let Some(rules_of) = rules_of else {
            let message =
                "a rule reads amounts or dates, so its decisions are not stored by resource";
            return Err(Diagnostic::new(QUERY_INVALID, message).hint(
                "group by team, service_name, rule, source or account, which are answered from \
                 postings",
            ));
        };
        rules_of(&self.facts, &self.tables).map(Some)
    }

    pub fn resource_count(&self) -> usize {
        self.decisions.len()
    }

    pub fn decision(&self, resource: u32) -> Result<OutcomeId, Diagnostic> {
        self.decisions
            .get(resource as usize)
            .copied()
            .ok_or_else(|| corrupt(format!("resource {resource} has charges and no decision")))
    }

    /// The rule that took a decision, or failed to.
    pub fn rule_of(&self, outcome: OutcomeId) -> Option<&RuleFacts> {
        match self.outcomes.get(outcome.0 as usize)?.verdict {
            Verdict::Decided { rule, .. } | Verdict::Suspense { rule, .. } => {
                self.facts.get(rule.0 as usize)
            }
            Verdict::Unallocated => None,
        }
    }

    pub fn verdict(&self, outcome: OutcomeId) -> Result<&Verdict, Diagnostic> {
        let found = self.outcomes.get(outcome.0 as usize).map(|outcome| &outcome.verdict);
        found.ok_or_else(|| corrupt(format!("outcome {} is decided and not stored", outcome.0)))
    }
}

pub fn corrupt(message: String) -> Diagnostic {
    let hint = Hint::text("run ").then(Hint::command("ledger verify")).then(
        ": it says whether the file was changed; if it finds nothing, this is a fault of Apportion",
    );
    Diagnostic::new(ledger::code::LEDGER_CORRUPT, message).hint(hint)
}
