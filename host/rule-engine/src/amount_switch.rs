//! Finds whole numbers that a `switch` compares with an amount. Amounts are decimals, and no
//! decimal is the same value as a whole number there.

use crate::code::RULE_SYNTAX;
use crate::text_file::TextFile;
use crate::tokens::{Word, closing};
use domain::diagnostic::Diagnostic;
use rhai::Token;
use std::collections::BTreeSet;

/// `charge_names` are the names of the charge in the rule.
pub(crate) fn findings(
    file: &TextFile,
    words: &[Word],
    charge_names: &BTreeSet<String>,
) -> Vec<Diagnostic> {
    let token = |at: usize| words.get(at).map(|word| &word.token);
    let is_amount = |at: usize| match (token(at), token(at + 1), token(at + 2), token(at + 3)) {
        (
            Some(Token::Identifier(charge)),
            Some(Token::Period),
            Some(Token::Identifier(field)),
            Some(Token::LeftBrace),
        ) => {
            charge_names.contains(charge.as_str())
                && matches!(field.as_str(), "billed_cost" | "effective_cost")
        }
        _ => false,
    };
    let arms = (0..words.len())
        .filter(|at| token(*at) == Some(&Token::Switch) && is_amount(at + 1))
        .filter_map(|at| Some(at + 4..closing(words, at + 4)?))
        .flatten();
    let is_compared = |at: &usize| {
        let begins = matches!(token(at - 1), Some(Token::LeftBrace | Token::Comma | Token::Pipe));
        let ends = matches!(token(at + 1), Some(Token::DoubleArrow | Token::Pipe | Token::If));
        begins && ends
    };
    arms.filter(is_compared).filter_map(|at| whole_number(file, words.get(at)?)).collect()
}

fn whole_number(file: &TextFile, word: &Word) -> Option<Diagnostic> {
    let Token::IntegerConstant(number) = &word.token else { return None };
    let message = format!(
        "an amount is never the whole number {number} in a `switch`, because amounts are decimals"
    );
    Some(file.finding(RULE_SYNTAX, message, word.position).hint(format!("{number}.0")))
}
