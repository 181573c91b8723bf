//! The ends of a rule's functions, to be shown where an answer is missing.

use crate::tokens::{self, FunctionWords, Word};
use rhai::{Position, Token};

/// Where a function ends without an answer, if it does.
#[derive(Clone, Debug)]
pub(crate) struct FunctionEnd {
    pub(crate) function: String,
    pub(crate) position: Position,
    /// A semicolon drops the value of the statement before it.
    pub(crate) is_semicolon: bool,
}

pub(crate) fn function_ends(words: &[Word]) -> Vec<FunctionEnd> {
    let end = |function: FunctionWords| {
        let last = words.get(function.all.end.checked_sub(2)?)?;
        let is_semicolon = last.token == Token::SemiColon;
        Some(FunctionEnd { function: function.name, position: last.position, is_semicolon })
    };
    tokens::functions(words).into_iter().filter_map(end).collect()
}
