//! From a decision or a refusal to the value that a script gets.

use crate::code::RULE_TEAM;
use crate::decision::{self, Opinion, Refusal};
use crate::table::{TEAMS, Tables};
use domain::decision::Decision;
use rhai::{Dynamic, EvalAltResult, NativeCallContext, Position};
use std::sync::Arc;

pub(crate) type OpinionResult = Result<Opinion, Box<EvalAltResult>>;

/// Refuses decisions that name unknown teams, if the settings say so.
#[derive(Clone)]
pub(crate) struct KnownTeams {
    pub(crate) tables: Arc<Tables>,
    pub(crate) refuses: bool,
}

impl KnownTeams {
    /// The decision, unless it names an unknown team.
    pub(crate) fn answer(
        &self,
        context: &NativeCallContext,
        decision: Result<Decision, Refusal>,
    ) -> OpinionResult {
        let table = self.tables.get(TEAMS).filter(|_| self.refuses);
        if let (Some(table), Ok(decision)) = (table, &decision)
            && let Some(team) = decision.teams().into_iter().find(|team| !table.has(team))
        {
            let advice = decision::meant(team, table.keys());
            let message = format!("there is no team '{team}' in tables/{TEAMS}.csv{advice}");
            return Err(thrown(Refusal { code: RULE_TEAM, message }));
        }
        answer(context, decision)
    }
}

pub(crate) fn answer(
    context: &NativeCallContext,
    decision: Result<Decision, Refusal>,
) -> OpinionResult {
    match decision {
        Ok(decision) => Ok(Opinion { decision: Some(decision), line: line_of(context) }),
        Err(refusal) => Err(thrown(refusal)),
    }
}

/// The refusal as an error of the script. Rhai adds the place of the call.
pub(crate) fn thrown(refusal: Refusal) -> Box<EvalAltResult> {
    Box::new(EvalAltResult::ErrorRuntime(Dynamic::from(refusal), Position::NONE))
}

/// A refusal that ends the rule, and its place. Rhai forgets the place of such an error.
#[derive(Clone, Debug)]
pub(crate) struct Ending {
    pub(crate) refusal: Refusal,
    pub(crate) position: Position,
}

/// The refusal as an error that `try` does not catch, so that no rule can pass over it unseen.
pub(crate) fn ended(context: &NativeCallContext, refusal: Refusal) -> Box<EvalAltResult> {
    let ending = Ending { refusal, position: context.call_position() };
    Box::new(EvalAltResult::ErrorTerminated(Dynamic::from(ending), Position::NONE))
}

pub(crate) fn line_of(context: &NativeCallContext) -> u32 {
    context.call_position().line().and_then(|line| u32::try_from(line).ok()).unwrap_or(0)
}
