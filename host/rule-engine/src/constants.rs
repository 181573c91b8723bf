//! Decisions whose arguments are written out, run while the rules are checked.
//!
//! `split(#{a: 0})` fails on every charge that reaches it. So such calls are cut out of the text
//! and run once. Values of the charge and cells of tables are not known then. A text that nobody
//! writes stands in for them, and whatever is said about it is left out.

use crate::compile::Rule;
use crate::decision::{Opinion, Refusal};
use crate::set::RuleSet;
use crate::text_file::line_and_column;
use crate::tokens::{self, Word, closing};
use domain::code::Code;
use domain::decision::Decision;
use rhai::{Dynamic, EvalAltResult, Position, Token};
use std::ops::Range;

/// Functions that make decisions, and the pools in them.
const DECIDING: [&str; 10] = [
    "assign",
    "bounded",
    "by_cost",
    "by_usage",
    "even",
    "exclude",
    "plugin",
    "pool",
    "rate_card",
    "tiered",
];
/// `split` cuts texts too, as a method.
const SPLIT: &str = "split";
/// Stands in for each letter of a value that is not known.
const UNKNOWN: char = '\u{2423}';

/// A decision that is written out.
pub(crate) struct ConstantDecision {
    pub(crate) outcome: Result<Decision, ConstantFault>,
    /// The texts and keys of the call, with their places.
    texts: Vec<(String, Position)>,
    pub(crate) position: Position,
}

/// The failure of a call that is written out.
pub(crate) struct ConstantFault {
    pub(crate) code: Code,
    pub(crate) message: String,
    pub(crate) position: Position,
}

impl ConstantDecision {
    /// The place of a text in the call, or of the call itself.
    pub(crate) fn place(&self, is_meant: impl Fn(&str) -> bool) -> Position {
        let found = self.texts.iter().find(|(text, _)| is_meant(text));
        found.map_or(self.position, |(_, position)| *position)
    }
}

/// Whether a text stands in for a value that is not known.
pub(crate) fn is_unknown(text: &str) -> bool {
    text.contains(UNKNOWN)
}

/// The decisions of a rule that are written out, in the order of the text.
pub(crate) fn decisions(set: &RuleSet, rule: &Rule) -> Vec<ConstantDecision> {
    let text = &rule.file.text;
    let Some(words) = tokens::words(&set.engine, text) else { return Vec::new() };
    let mut found = Vec::new();
    let mut at = 0;
    while at < words.len() {
        let call = call_at(&words, at).filter(|_| is_deciding(&words, at));
        let Some(call) = call else {
            at += 1;
            continue;
        };
        let Some(run) = runnable(text, &words, call.clone()) else {
            at += 1;
            continue;
        };
        at = call.end;
        found.extend(decision(set, &words, call, &run));
    }
    found
}

/// The words of a call from its name to its closing bracket.
fn call_at(words: &[Word], at: usize) -> Option<Range<usize>> {
    let is_open = words.get(at + 1)?.token == Token::LeftParen;
    let is_call = is_open && matches!(words.get(at)?.token, Token::Identifier(_));
    // `()` is one word.
    if is_call { Some(at..closing(words, at + 1)? + 1) } else { unit_call(words, at) }
}

fn unit_call(words: &[Word], at: usize) -> Option<Range<usize>> {
    let is_call = matches!(words.get(at)?.token, Token::Identifier(_))
        && words.get(at + 1)?.token == Token::Unit;
    is_call.then_some(at..at + 2)
}

fn is_deciding(words: &[Word], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|before| words.get(before)).map(|word| &word.token);
    // The names of functions are no calls, and methods of texts are no decisions.
    let is_free = !matches!(before, Some(Token::Period | Token::Fn));
    match words.get(at).map(|word| &word.token) {
        Some(Token::Identifier(name)) => {
            is_free && (DECIDING.contains(&name.as_str()) || name.as_str() == SPLIT)
        }
        _ => false,
    }
}

/// The text of a call with its unknown values replaced, letter for letter, so that places stay
/// right. `None` if it holds anything else that is worked out.
fn runnable(text: &str, words: &[Word], call: Range<usize>) -> Option<String> {
    let start = words.get(call.start)?.at;
    let end = words.get(call.end - 1)?.at + if call.len() == 2 { 2 } else { 1 };
    let mut out = String::new();
    let mut copied = start;
    let mut at = call.start;
    while at < call.end {
        let next = words.get(at + 1).map(|word| &word.token);
        match &words.get(at)?.token {
            Token::Identifier(_) if next == Some(&Token::Colon) || is_deciding(words, at) => {}
            Token::Identifier(_) => {
                let unknown = unknown_value(words, at)?;
                let (from, after) = (words.get(at)?.at, words.get(unknown)?.at);
                let value = text.get(from..after)?.trim_end();
                let letters = value.chars().count().checked_sub(2)?;
                if value.contains('\n') {
                    return None;
                }
                out.push_str(text.get(copied..from)?);
                out.push_str(&format!("\"{}\"", UNKNOWN.to_string().repeat(letters)));
                copied = from + value.len();
                at = unknown;
                continue;
            }
            token if is_written_out(token) => {}
            _ => return None,
        }
        at += 1;
    }
    out.push_str(text.get(copied..end)?);
    Some(out)
}

fn is_written_out(token: &Token) -> bool {
    matches!(
        token,
        Token::LeftParen
            | Token::RightParen
            | Token::LeftBracket
            | Token::RightBracket
            | Token::MapStart
            | Token::RightBrace
            | Token::Comma
            | Token::Colon
            | Token::Unit
    ) || matches!(
        token,
        Token::IntegerConstant(_)
            | Token::DecimalConstant(_)
            | Token::StringConstant(_)
            | Token::True
            | Token::False
            | Token::Minus
            | Token::UnaryMinus
    )
}

/// The word behind a field or tag of the charge, or behind a lookup. Amounts are numbers, and no
/// text can stand in for them.
fn unknown_value(words: &[Word], at: usize) -> Option<usize> {
    let name = |at: usize| match words.get(at).map(|word| &word.token) {
        Some(Token::Identifier(name)) => name.as_str(),
        _ => "",
    };
    if name(at) == "lookup" {
        return Some(call_at(words, at)?.end);
    }
    if name(at) != "charge" || words.get(at + 1)?.token != Token::Period {
        return None;
    }
    match (name(at + 2), words.get(at + 3).map(|word| &word.token)) {
        ("tag", Some(Token::LeftParen)) => Some(closing(words, at + 3)? + 1),
        ("tags", Some(Token::LeftBracket)) => Some(closing(words, at + 3)? + 1),
        (
            field,
            Some(Token::Comma | Token::RightParen | Token::RightBrace | Token::RightBracket),
        ) if domain::field::Field::by_name(field).is_some() => Some(at + 3),
        _ => None,
    }
}

fn decision(
    set: &RuleSet,
    words: &[Word],
    call: Range<usize>,
    run: &str,
) -> Option<ConstantDecision> {
    let first = words.get(call.start)?;
    let outcome = match set.engine.eval_expression::<Dynamic>(run) {
        Ok(value) => Ok(value.try_cast::<Opinion>()?.decision?),
        Err(error) => Err(fault(*error, first.position, run)?),
    };
    let texts = words.get(call)?.iter().filter_map(|word| match &word.token {
        Token::Identifier(text) | Token::StringConstant(text) => {
            Some((text.to_string(), word.position))
        }
        _ => None,
    });
    Some(ConstantDecision { outcome, texts: texts.collect(), position: first.position })
}

/// The refusal, with its place in the rule. `None` where a value that is not known has a part in
/// it.
fn fault(mut error: EvalAltResult, start: Position, run: &str) -> Option<ConstantFault> {
    let mut inner = error.position();
    while let EvalAltResult::ErrorInFunctionCall(_, _, cause, _) = error {
        error = *cause;
        if !error.position().is_none() {
            inner = error.position();
        }
    }
    let position = moved(start, inner);
    let (code, message) = match error {
        EvalAltResult::ErrorRuntime(value, _) => {
            let refusal = value.try_cast::<Refusal>()?;
            (refusal.code, refusal.message)
        }
        EvalAltResult::ErrorFunctionNotFound(..) if !is_unknown(run) => {
            error.set_position(Position::NONE);
            (crate::code::RULE_FAILED, error.to_string())
        }
        _ => return None,
    };
    (!is_unknown(&message)).then_some(ConstantFault { code, message, position })
}

/// A place in the text that was cut out, as a place of the rule.
fn moved(start: Position, inner: Position) -> Position {
    let ((line, column), (down, right)) = (line_and_column(start), line_and_column(inner));
    if down == 0 {
        return start;
    }
    let column = if down == 1 { column + right.max(1) - 1 } else { right };
    let small = |number: u32| u16::try_from(number).unwrap_or(u16::MAX);
    Position::new(small(line + down - 1), small(column))
}
