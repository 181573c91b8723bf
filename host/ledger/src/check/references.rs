//! Checks the numbers that SQL cannot follow because they stand in blocks: decisions name outcomes,
//! outcomes name rules, weights name outcomes.

use crate::row;
use crate::weights;
use crate::{GenerationId, Reader, Result, VerifyReport};
use domain::decision::{OutcomeId, Verdict};

impl Reader {
    pub(super) fn check_references(&self, report: &mut VerifyReport) -> Result<()> {
        let generations =
            row::rows(&self.connection, "SELECT id FROM generation ORDER BY id", [], |row| {
                row::cell(row, 0).map(GenerationId)
            })?;
        let mut most = 0;
        for generation in generations {
            match self.check_generation(generation, report) {
                Ok(outcomes) => most = outcomes.max(most),
                Err(error) => {
                    report.find(format!("generation {}: {}", generation.0, error.message))
                }
            }
        }
        row::rows(
            &self.connection,
            "SELECT run, day, currency, data FROM weights ORDER BY id",
            [],
            |row| {
                let place = format!(
                    "the weights of run {} for {} in {}",
                    row::cell::<i64>(row, 0)?,
                    row::day(row, 1)?,
                    row::text(row, 2)?
                );
                match weights::read(&row::cell::<Vec<u8>>(row, 3)?) {
                    Ok(weights)
                        if weights.iter().all(|weights| (weights.outcome.0 as usize) < most) => {}
                    Ok(_) => report.find(format!("{place} name an outcome that does not exist")),
                    Err(error) => report.find(format!("{place}: {}", error.message)),
                }
                Ok(())
            },
        )?;
        Ok(())
    }

    /// Checks one generation, and returns the number of its outcomes.
    fn check_generation(
        &self,
        generation: GenerationId,
        report: &mut VerifyReport,
    ) -> Result<usize> {
        let (rules, outcomes) = (self.rules(generation)?, self.outcomes(generation)?);
        for (number, outcome) in outcomes.iter().enumerate() {
            if let Verdict::Decided { rule, .. } | Verdict::Suspense { rule, .. } = &outcome.verdict
                && rule.0 as usize >= rules.len()
            {
                report.find(format!(
                    "outcome {number} of generation {} names rule {} of {}",
                    generation.0,
                    rule.0,
                    rules.len()
                ));
            }
        }
        let is_unknown = |decision: &OutcomeId| {
            *decision != OutcomeId::PER_CHARGE && decision.0 as usize >= outcomes.len()
        };
        if let Some(resource) = self.decisions(generation)?.iter().position(is_unknown) {
            report.find(format!(
                "the decision of generation {} for resource {resource} names an \
                                 outcome that does not exist",
                generation.0
            ));
        }
        Ok(outcomes.len())
    }
}
