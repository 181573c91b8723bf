//! From a decision or a refusal to the value that a script gets.

use crate::decision::{Opinion, Refusal};
use crate::known_teams::KnownTeams;
use domain::decision::Decision;
use domain::period::Day;
use rhai::{Dynamic, EvalAltResult, NativeCallContext, Position};

pub(crate) type OpinionResult = Result<Opinion, Box<EvalAltResult>>;

impl KnownTeams {
    /// The decision with its teams as they are called on the day, unless one of them is none.
    pub(crate) fn answer(
        &self,
        context: &NativeCallContext,
        decision: Result<Decision, Refusal>,
    ) -> OpinionResult {
        let named = decision.and_then(|decision| self.named(decision, day_of(context)));
        answer(context, named)
    }
}

/// The day that a rule is asked about. `None` where a text is looked at without any.
pub(crate) fn day_of(context: &NativeCallContext) -> Option<Day> {
    let days = context.tag()?.as_int().ok()?;
    i32::try_from(days).ok().map(Day::from_epoch)
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
