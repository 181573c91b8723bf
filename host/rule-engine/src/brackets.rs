//! Finds the bracket that is not closed. The parser tells only the end of the text, where it
//! noticed.

use crate::tokens::Word;
use rhai::{Position, Token};

/// A bracket without its other half.
pub(crate) struct LoneBracket {
    pub(crate) position: Position,
    pub(crate) message: String,
}

struct OpenBracket<'a> {
    word: &'a Word,
    /// How far the line is indented that it stands on.
    indent: usize,
}

/// The bracket that lacks its other half. `None` if all have theirs.
///
/// A brace that closes further left than the line of the one that it closes belongs to an outer
/// one, so the inner one is not closed. No function begins inside of another, either.
pub(crate) fn lone(text: &str, words: &[Word]) -> Option<LoneBracket> {
    let indents: Vec<usize> = text
        .lines()
        .map(|line| line.chars().take_while(|letter| letter.is_whitespace()).count())
        .collect();
    let line = |word: &Word| word.position.line().unwrap_or(1);
    let indent = |word: &Word| indents.get(line(word) - 1).copied().unwrap_or(0);
    let mut open: Vec<OpenBracket<'_>> = Vec::new();
    let mut suspect: Option<&Word> = None;
    for (at, word) in words.iter().enumerate() {
        match &word.token {
            Token::LeftBrace | Token::MapStart | Token::LeftParen | Token::LeftBracket => {
                open.push(OpenBracket { word, indent: indent(word) })
            }
            Token::RightBrace | Token::RightParen | Token::RightBracket => {
                let Some(opened) = open.pop() else { return Some(closes_nothing(word)) };
                if !is_pair(&opened.word.token, &word.token) {
                    return Some(never_closed(opened.word));
                }
                let column = word.position.position().unwrap_or(1) - 1;
                let begins_line = column == indent(word) && line(word) != line(opened.word);
                if begins_line && column < opened.indent {
                    suspect = suspect.or(Some(opened.word));
                }
            }
            Token::Fn if matches!(words.get(at + 1)?.token, Token::Identifier(_)) => {
                if let Some(last) = open.last() {
                    return Some(never_closed(suspect.unwrap_or(last.word)));
                }
            }
            _ => {}
        }
    }
    let last = open.last()?;
    Some(never_closed(suspect.unwrap_or(last.word)))
}

fn is_pair(open: &Token, close: &Token) -> bool {
    matches!(
        (open, close),
        (Token::LeftBrace | Token::MapStart, Token::RightBrace)
            | (Token::LeftParen, Token::RightParen)
            | (Token::LeftBracket, Token::RightBracket)
    )
}

fn never_closed(word: &Word) -> LoneBracket {
    let message = format!("the `{}` that stands here is not closed", word.token);
    LoneBracket { position: word.position, message }
}

fn closes_nothing(word: &Word) -> LoneBracket {
    let message = format!("the `{}` that stands here closes nothing", word.token);
    LoneBracket { position: word.position, message }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokens;
    use rhai::Engine;

    fn told(text: &str) -> String {
        let words = tokens::words(&Engine::new(), text).unwrap_or_default();
        lone(text, &words).map_or_else(String::new, |lone| {
            let part = |part: Option<usize>| part.unwrap_or_default();
            let (line, column) = (part(lone.position.line()), part(lone.position.position()));
            format!("{line}:{column}: {}", lone.message)
        })
    }

    #[test]
    fn the_bracket_without_its_half_is_told() {
        for (text, expect) in [
            ("fn a(x) {\n    1\n}\n", ""),
            ("fn a(x) {\n    1\n", "1:9: the `{` that stands here is not closed"),
            (
                "fn a(x) {\n    1\nfn b(x) {\n    2\n}\n",
                "1:9: the `{` that stands here is not closed",
            ),
            (
                "fn a(x) {\n    if x {\n        1\n}\n",
                "2:10: the `{` that stands here is not closed",
            ),
            (
                "fn a(x) {\n    if x {\n        1\n}\nfn b(x) {\n    2\n}\n",
                "2:10: the `{` that stands here is not closed",
            ),
            ("fn a(x) {\n    f(1\n}\n", "2:6: the `(` that stands here is not closed"),
            ("fn a(x) {\n    g(#{a: 1)\n}\n", "2:7: the `#{` that stands here is not closed"),
            ("fn a(x) {\n    1\n}\n}\n", "4:1: the `}` that stands here closes nothing"),
            ("fn a(x) { if x { 1 }\n", "1:9: the `{` that stands here is not closed"),
        ] {
            assert_eq!(told(text), expect, "{text}");
        }
    }
}
