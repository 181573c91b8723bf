//! Runs one rule on one charge.

use crate::answer::Ending;
use crate::charge_view::{Charge, ChargeRead};
use crate::code::{RULE_FAILED, RULE_LIMIT, RULE_THROWN};
use crate::compile::Rule;
use crate::decision::{Opinion, Refusal, kind};
use crate::options::RuleLimits;
use crate::text_file::line_and_column;
use domain::code::Code;
use domain::code::RULE_DECISION;
use domain::decision::Decision;
use domain::diagnostic::Diagnostic;
use domain::period::Day;
use domain::port::Stage;
use domain::spread::Spread;
use rhai::{CallFnOptions, Dynamic, Engine, EvalAltResult, Position, Scope};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The answer of one rule to one charge.
#[derive(Clone, Debug)]
pub(crate) enum RuleAnswer {
    NoMatch,
    Pass,
    Decided(Decision),
    /// The rule read an amount or a date, and a resource as such has none.
    NeedsLine,
    Failed(RuleFailure),
}

#[derive(Clone, Debug)]
pub(crate) struct RuleFailure {
    pub(crate) code: Code,
    pub(crate) message: String,
    pub(crate) line: u32,
    pub(crate) column: u32,
}

/// An answer, and the reads and calls that led to it.
#[derive(Debug)]
pub(crate) struct Trial {
    pub(crate) answer: RuleAnswer,
    /// In the order of reading, each once.
    pub(crate) reads: Vec<ChargeRead>,
    /// The line of the call that decided; 0 if none did.
    pub(crate) line: u32,
    pub(crate) allocate_ran: bool,
}

impl Trial {
    /// Calls of the rule's functions.
    pub(crate) fn calls(&self) -> u64 {
        1 + u64::from(self.allocate_ran)
    }
}

/// Calls `matches`, and `allocate` if the rule applies. Tables are read as they are on the day.
pub(crate) fn try_rule(
    engine: &Engine,
    limits: &RuleLimits,
    rule: &Rule,
    charge: &Charge,
    day: Day,
) -> Trial {
    // Forgets the reads of the rule before, which was tried on the same charge.
    charge.take_reads();
    let mut trial =
        Trial { answer: RuleAnswer::NoMatch, reads: Vec::new(), line: 0, allocate_ran: false };
    let argument = Dynamic::from(charge.clone());
    trial.answer = match call(engine, limits, rule, "matches", &argument, day)
        .and_then(|value| truth(rule, &value))
    {
        Ok(false) => RuleAnswer::NoMatch,
        Ok(true) => {
            trial.allocate_ran = true;
            match call(engine, limits, rule, "allocate", &argument, day)
                .and_then(|value| opinion(rule, value))
            {
                Ok(opinion) => {
                    trial.line = opinion.line;
                    opinion.decision.map_or(RuleAnswer::Pass, RuleAnswer::Decided)
                }
                Err(failure) => RuleAnswer::Failed(failure),
            }
        }
        Err(failure) => RuleAnswer::Failed(failure),
    };
    trial.reads = charge.take_reads();
    // A read of an absent value ends the script, so whatever came out of it is no answer.
    if trial.reads.iter().any(|read| !charge.has(read)) {
        trial.answer = RuleAnswer::NeedsLine;
    }
    trial
}

/// Asks a rule of a later stage how it shares the cost of its pool or team. `None` if it has no
/// opinion.
pub(crate) fn ask(
    engine: &Engine,
    limits: &RuleLimits,
    rule: &Rule,
    day: Day,
) -> Result<Option<Spread>, RuleFailure> {
    let name = match &rule.header.stage {
        Stage::Cascade(team) => team,
        Stage::Attribution | Stage::Distribution => &rule.id,
    };
    let opinion = call(engine, limits, rule, "allocate", &Dynamic::from(name.clone()), day)
        .and_then(|value| opinion(rule, value))?;
    match opinion.decision {
        None => Ok(None),
        Some(Decision::Spread(spread)) => Ok(Some(*spread)),
        // A pool is passed on by shares, and one recipient has a share of all.
        Some(Decision::Assign(recipient)) => Ok(Some(Spread::fixed(vec![(recipient, 1)]))),
        Some(Decision::Exclude { .. }) => Err(wrong_type(
            rule,
            "allocate",
            "`exclude` sets charges aside, not what stands in a pool".to_owned(),
            false,
        )),
    }
}

fn call(
    engine: &Engine,
    limits: &RuleLimits,
    rule: &Rule,
    function: &str,
    argument: &Dynamic,
    day: Day,
) -> Result<Dynamic, RuleFailure> {
    // The only statement outside functions is the header, which is data and must not run.
    let options = CallFnOptions::new().eval_ast(false);
    let run = || {
        engine.call_fn_with_options::<Dynamic>(
            options.with_tag(i64::from(day.epoch_days())),
            &mut Scope::new(),
            &rule.ast,
            function,
            (argument.clone(),),
        )
    };
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => {
            let is_endless =
                matches!(error.unwrap_inner(), EvalAltResult::ErrorTooManyOperations(_));
            // Rhai forgets the place at which a limit was met.
            let place = rule.insight.endless.filter(|_| is_endless);
            Err(failure(limits, *error, place.unwrap_or_else(|| start(rule, function))))
        }
        // Functions of Rhai's library have panicked on odd input before. A panic must cost one
        // resource and not the run.
        Err(_) => Err(RuleFailure {
            code: RULE_FAILED,
            message: "the script engine broke down on it".to_owned(),
            line: 0,
            column: 0,
        }),
    }
}

fn truth(rule: &Rule, value: &Dynamic) -> Result<bool, RuleFailure> {
    value.as_bool().map_err(|_| {
        wrong_type(
            rule,
            "matches",
            format!("`matches` must answer true or false, not {}", kind(value)),
            value.is_unit(),
        )
    })
}

fn opinion(rule: &Rule, value: Dynamic) -> Result<Opinion, RuleFailure> {
    let message = format!(
        "`allocate` must answer a decision such as assign(\"payments\"), not {}",
        kind(&value)
    );
    let is_unit = value.is_unit();
    value.try_cast::<Opinion>().ok_or_else(|| wrong_type(rule, "allocate", message, is_unit))
}

/// The failure of a function with a wrong answer, at its start, or at its end where it ends without
/// an answer.
fn wrong_type(rule: &Rule, function: &str, mut message: String, is_missing: bool) -> RuleFailure {
    let end = rule.insight.ends.iter().find(|end| is_missing && end.function == function);
    if end.is_some_and(|end| end.is_semicolon) {
        message.push_str("; this `;` drops the answer of its line");
    }
    let place = end.map_or_else(|| start(rule, function), |end| end.position);
    let (line, column) = line_and_column(place);
    RuleFailure { code: RULE_DECISION, message, line, column }
}

/// The start of a function's body.
fn start(rule: &Rule, function: &str) -> Position {
    rule.ast
        .iter_fn_def()
        .find(|known| known.name == function)
        .map_or(Position::NONE, |known| known.body.start_position())
}

/// The innermost error with the innermost known place.
fn failure(limits: &RuleLimits, mut error: EvalAltResult, place: Position) -> RuleFailure {
    let mut position = error.position();
    while let EvalAltResult::ErrorInFunctionCall(_, _, inner, _) = error {
        error = *inner;
        if !error.position().is_none() {
            position = error.position();
        }
    }
    if let EvalAltResult::ErrorTerminated(value, _) = &error
        && let Some(Ending { refusal, position }) = value.clone().try_cast::<Ending>()
    {
        let (line, column) = line_and_column(position);
        return RuleFailure { code: refusal.code, message: refusal.message, line, column };
    }
    let (line, column) = line_and_column(if position.is_none() { place } else { position });
    let (code, message) = match error {
        EvalAltResult::ErrorRuntime(value, _) => match value.clone().try_cast::<Refusal>() {
            Some(refusal) => (refusal.code, refusal.message),
            None => (RULE_THROWN, format!("the rule threw: {}", shortened(&value.to_string()))),
        },
        EvalAltResult::ErrorTooManyOperations(_) => (
            RULE_LIMIT,
            format!(
                "the rule used up its limit of {} operations; is there an endless loop?",
                limits.operations
            ),
        ),
        EvalAltResult::ErrorStackOverflow(_) => (
            RULE_LIMIT,
            format!("the rule's calls went deeper than the limit of {} levels", limits.call_levels),
        ),
        EvalAltResult::ErrorTooManyVariables(_) => (
            RULE_LIMIT,
            format!("the rule declared more than the limit of {} variables", limits.variables),
        ),
        EvalAltResult::ErrorDataTooLarge(what, _) => {
            let RuleLimits { string_bytes, array_size, map_size, .. } = limits;
            let what = what.to_lowercase();
            let message = format!(
                "{what} is beyond the limit (texts {string_bytes} bytes, \
                 lists {array_size} elements, maps {map_size} entries)"
            );
            (RULE_LIMIT, message)
        }
        mut other => {
            // The finding has the place already, and Rhai would write it into the text again.
            other.set_position(Position::NONE);
            (RULE_FAILED, shortened(&other.to_string()))
        }
    };
    RuleFailure { code, message, line, column }
}

fn shortened(text: &str) -> String {
    const SHOWN: usize = 300;
    if text.chars().count() <= SHOWN {
        text.to_owned()
    } else {
        format!("{}…", text.chars().take(SHOWN).collect::<String>())
    }
}

/// The failure of a rule of a later stage as a finding. Such a rule reads no values.
pub(crate) fn stage_finding(rule: &Rule, failure: &RuleFailure) -> Diagnostic {
    placed(rule, rule.file.finding_at(failure.code, &failure.message, failure.line, failure.column))
}

/// The failure as a finding that names the values read.
pub(crate) fn failure_finding(
    rule: &Rule,
    failure: &RuleFailure,
    reads: &[ChargeRead],
    charge: &Charge,
) -> Diagnostic {
    let read: Vec<String> = reads
        .iter()
        .map(|read| match charge.failure_text(read) {
            Some(text) => format!("{} ({text})", read.name()),
            None => format!("{} = \"{}\"", read.name(), shortened(&charge.text(read))),
        })
        .collect();
    let read = if read.is_empty() {
        "it read nothing".to_owned()
    } else {
        format!("it read {}", read.join(", "))
    };
    placed(
        rule,
        rule.file.finding_at(
            failure.code,
            format!("{} ({read})", failure.message),
            failure.line,
            failure.column,
        ),
    )
}

fn placed(rule: &Rule, mut finding: Diagnostic) -> Diagnostic {
    if let Some(location) = &mut finding.location {
        // The finding is stored in the ledger, which must not depend on the folder that the rules
        // lie in.
        location.file = format!("{}.rhai", rule.id);
    }
    finding
}
