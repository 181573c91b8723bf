//! How many columns of each table are the key: as many as the lists have that rules look up with.

use crate::text_file::TextFile;
use crate::tokens::{self, Word, closing};
use rhai::{Engine, Token};
use std::collections::BTreeMap;

/// The longest list by which any rule looks something up, by table. Lists of other lengths are
/// found when the rules are checked.
pub(crate) fn key_widths(engine: &Engine, rules: &[TextFile]) -> BTreeMap<String, usize> {
    let mut widths = BTreeMap::new();
    // A text that cannot be cut into words does not compile, and is refused there.
    for words in rules.iter().filter_map(|rule| tokens::words(engine, &rule.text)) {
        for at in 0..words.len() {
            let found = list_lookup(&words, at).or_else(|| list_option(&words, at));
            if let Some((table, width)) = found {
                let known = widths.entry(table).or_insert(width);
                *known = width.max(*known);
            }
        }
    }
    widths
}

/// The table and the number of elements of `lookup("table", [a, b], …)`.
fn list_lookup(words: &[Word], at: usize) -> Option<(String, usize)> {
    let token = |at: usize| words.get(at).map(|word| &word.token);
    let (Token::Identifier(name), Token::LeftParen) = (token(at)?, token(at + 1)?) else {
        return None;
    };
    let (Token::StringConstant(table), Token::Comma, Token::LeftBracket) =
        (token(at + 2)?, token(at + 3)?, token(at + 4)?)
    else {
        return None;
    };
    if name.as_str() != "lookup" {
        return None;
    }
    Some((table.to_string(), elements(words, at + 4)?))
}

/// The table and the number of keys of `#{ key: ["a", "b"], table: "table" }`.
fn list_option(words: &[Word], at: usize) -> Option<(String, usize)> {
    let token = |at: usize| words.get(at).map(|word| &word.token);
    if !matches!(token(at)?, Token::MapStart) {
        return None;
    }
    let close = closing(words, at)?;
    let (mut place, mut table, mut width) = (at + 1, None, None);
    while place < close {
        match (token(place)?, token(place + 1)?, token(place + 2)?) {
            (Token::Identifier(name), Token::Colon, Token::StringConstant(value))
                if name.as_str() == "table" =>
            {
                table = Some(value.to_string());
            }
            (Token::Identifier(name), Token::Colon, Token::LeftBracket)
                if name.as_str() == "key" =>
            {
                width = elements(words, place + 2);
            }
            (opening, ..) if is_opening(opening) => place = closing(words, place)?,
            _ => {}
        }
        place += 1;
    }
    Some((table?, width?))
}

/// The number of elements of a list that begins there, if it has any.
fn elements(words: &[Word], open: usize) -> Option<usize> {
    let close = closing(words, open)?;
    let (mut place, mut elements) = (open + 1, 0);
    let mut is_begun = false;
    while place < close {
        match &words.get(place)?.token {
            Token::Comma => is_begun = false,
            opening => {
                elements += usize::from(!is_begun);
                is_begun = true;
                if is_opening(opening) {
                    place = closing(words, place)?;
                }
            }
        }
        place += 1;
    }
    (elements > 0).then_some(elements)
}

fn is_opening(token: &Token) -> bool {
    matches!(token, Token::LeftBrace | Token::MapStart | Token::LeftParen | Token::LeftBracket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_list_of_each_table_counts() {
        let text = "fn f() { lookup(\"a\", [x, g(1, [2, 3]),], \"c\"); lookup(\"a\", [x]); \
                    lookup(\"b\", x); lookup(\"c\", [ ]); other(\"d\", [1, 2]); \
                    lookup(\"e\", [x, y, #{a: 1, b: 2}]); \
                    by_usage(\"m\", #{key: \"k\"}, #{when_zero: by_usage(\"n\", #{}, \
                    #{table: \"g\", key: [\"a\", \"b\"]}), table: \"h\", key: \"c\"}) }";
        let file = TextFile { id: "r".into(), label: "r".into(), text: text.into() };
        let widths = key_widths(&Engine::new(), &[file]);
        let pairs: Vec<(&str, usize)> =
            widths.iter().map(|(table, width)| (table.as_str(), *width)).collect();
        assert_eq!(pairs, [("a", 2), ("e", 3), ("g", 2)]);
    }
}
