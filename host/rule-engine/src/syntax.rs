//! Errors of the parser in the words of rules, at the place where the fault is and not where it was
//! noticed.

use crate::brackets;
use crate::code::RULE_SYNTAX;
use crate::language::{ABSENT, absent};
use crate::text_file::TextFile;
use crate::tokens::{self, Word};
use domain::diagnostic::Diagnostic;
use rhai::{Engine, LexError, ParseError, ParseErrorType, Position, Token};

pub(crate) const COMPARES: &str = "`=` sets a value, and `==` compares two";

pub(crate) fn finding(engine: &Engine, file: &TextFile, error: &ParseError) -> Diagnostic {
    let words = tokens::words(engine, &file.text);
    let words = words.as_deref().unwrap_or_default();
    if let Some(lone) = brackets::lone(&file.text, words) {
        return file.finding(RULE_SYNTAX, lone.message, lone.position);
    }
    if let Some(key) = hyphened_key(words, error.position()) {
        let message = format!("the key {key} needs quotes, because of its hyphen");
        return file.finding(RULE_SYNTAX, message, error.position()).hint(format!("\"{key}\": …"));
    }
    match error.err_type() {
        ParseErrorType::Reserved(word)
        | ParseErrorType::BadInput(LexError::ImproperSymbol(word, _))
            if ABSENT.contains(&word.as_str()) =>
        {
            file.finding(RULE_SYNTAX, absent(word), error.position())
        }
        ParseErrorType::BadInput(LexError::ImproperSymbol(word, _)) if word == "=" => {
            file.finding(RULE_SYNTAX, COMPARES, error.position())
        }
        other => file.finding(RULE_SYNTAX, in_small_letters(&other.to_string()), error.position()),
    }
}

fn in_small_letters(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_lowercase().collect::<String>());
    first.unwrap_or_default() + letters.as_str()
}

/// The key of a map that is not in quotes and has a hyphen at a place: `#{cost-center: 1}`.
fn hyphened_key(words: &[Word], at: Position) -> Option<String> {
    let hyphen = words.iter().position(|word| word.position == at)?;
    let token = |at: usize| words.get(at).map(|word| &word.token);
    let part = |at: usize| match token(at) {
        Some(Token::Identifier(part)) => Some(part.to_string()),
        _ => None,
    };
    let first = hyphen.checked_sub(1)?;
    let opens = first.checked_sub(1).and_then(token);
    if !matches!(opens, Some(Token::MapStart | Token::Comma)) {
        return None;
    }
    let mut key = part(first)?;
    let mut next = hyphen;
    while matches!(token(next), Some(Token::Minus | Token::UnaryMinus)) {
        key = format!("{key}-{}", part(next + 1)?);
        next += 2;
    }
    (next > hyphen && token(next) == Some(&Token::Colon)).then_some(key)
}
