//! The words of a rule's text with their places, cut by the script engine itself.

use crate::digest;
use rhai::{Engine, Position, Token};
use std::ops::Range;

/// One word of the language.
#[derive(Clone, Debug)]
pub(crate) struct Word {
    pub(crate) token: Token,
    pub(crate) position: Position,
    /// The byte that it begins at.
    pub(crate) at: usize,
}

/// Cuts a text into words. `None` if that is not possible; a text that compiles can always be cut.
pub(crate) fn words(engine: &Engine, text: &str) -> Option<Vec<Word>> {
    let starts: Vec<usize> =
        std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
    let (tokens, control) = engine.lex([&text]);
    let mut words: Vec<Word> = Vec::new();
    // The number of open braces inside each `${…}`. When the last one closes, the text goes on.
    let mut inner: Vec<usize> = Vec::new();
    for (token, position) in tokens {
        match &token {
            Token::LexError(_) => return None,
            Token::EOF => break,
            Token::InterpolatedString(_) => inner.push(0),
            Token::LeftBrace | Token::MapStart => {
                inner.iter_mut().last().into_iter().for_each(|open| *open += 1)
            }
            Token::RightBrace => {
                if let Some(open) = inner.last_mut() {
                    *open = open.saturating_sub(1);
                    if *open == 0 {
                        inner.pop();
                        control.borrow_mut().is_within_text = true;
                    }
                }
            }
            _ => {}
        }
        let (position, at) = match (position.line(), words.last()) {
            (Some(line), _) => (
                position,
                byte(text, *starts.get(line.checked_sub(1)?)?, position.position().unwrap_or(1))?,
            ),
            // Behind `${…}` an empty end of a text has no place of its own.
            (None, Some(before)) => (before.position, before.at),
            (None, None) => return None,
        };
        words.push(Word { token, position, at });
    }
    Some(words)
}

/// The byte of a column in the line that begins at `start`.
fn byte(text: &str, start: usize, column: usize) -> Option<usize> {
    let rest = text.get(start..)?;
    Some(start + rest.char_indices().nth(column.saturating_sub(1)).map_or(rest.len(), |(at, _)| at))
}

/// A function among the words of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FunctionWords {
    pub(crate) name: String,
    /// From `fn` to the closing brace, which is included.
    pub(crate) all: Range<usize>,
    /// The opening brace of the body.
    pub(crate) body: usize,
}

/// The functions of a rule. Rhai has no functions inside functions.
pub(crate) fn functions(words: &[Word]) -> Vec<FunctionWords> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(word) = words.get(at) {
        at += 1;
        if word.token != Token::Fn {
            continue;
        }
        let start = at - 1;
        let name = match words.get(at).map(|word| &word.token) {
            Some(Token::Identifier(name)) => name.to_string(),
            _ => continue,
        };
        let Some(body) = (at..words.len())
            .find(|at| words.get(*at).is_some_and(|word| word.token == Token::LeftBrace))
        else {
            break;
        };
        let Some(end) = closing(words, body) else { break };
        found.push(FunctionWords { name, all: start..end + 1, body });
        at = end + 1;
    }
    found
}

/// The place at which the bracket that opens at `open` closes.
pub(crate) fn closing(words: &[Word], open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, word) in words.iter().enumerate().skip(open) {
        match word.token {
            Token::LeftBrace | Token::MapStart | Token::LeftParen | Token::LeftBracket => {
                depth += 1
            }
            Token::RightBrace | Token::RightParen | Token::RightBracket => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

/// A digest of `matches` that does not depend on layout. Rules with equal digests apply to the same
/// charges. Empty where there is no `matches`.
pub(crate) fn applies_to(engine: &Engine, text: &str) -> String {
    let Some(words) = words(engine, text) else { return String::new() };
    let functions = functions(&words);
    if !functions.iter().any(|function| function.name == "matches") {
        return String::new();
    }
    // `matches` may call the rule's other functions, so they belong to the digest.
    let mut said: Vec<String> = functions
        .into_iter()
        .filter(|function| function.name != "allocate")
        .map(|function| {
            words
                .get(function.all)
                .unwrap_or_default()
                .iter()
                .map(|word| format!("{:?}\n", word.token))
                .collect()
        })
        .collect();
    said.sort();
    digest::hex(&digest::of_bytes(said.concat().as_bytes()))
}
