//! The costs of a case by team, and whether they answer what a rule asks.
//!
//! A plain amount is any cost that a rule may ask for, unless it filters. A table says more of it:
//! its dimensions, and the basis and the window that it is for.

use crate::case_number::{amount, key_text, pair};
use crate::case_value::{Read, Value, Wrong, known_word, text};
use crate::drivers::filter_key;
use crate::window::{BASES, BASIS_WORDS, WINDOWS, basis_of, window_of};
use domain::driver::facts::{CostBasis, CostQuestion, Window};
use domain::field::Field;
use domain::money::{Money, Sum};
use toml::de::{DeTable, DeValue};

/// A part of a team's cost.
#[derive(Clone, Debug, Default)]
pub(crate) struct GivenCost {
    pub(crate) team: String,
    pub(crate) amount: Money,
    /// Any, where the case does not say.
    basis: Option<CostBasis>,
    window: Option<Window>,
    /// Dimensions by name, and tags as `tag:<key>`.
    dimensions: Vec<(String, String)>,
}

/// The lack of an answer: a sentence, and the line of the case that mends it.
pub(crate) struct MissingCost {
    pub(crate) message: String,
    pub(crate) line: String,
}

impl GivenCost {
    pub(crate) fn plain(team: &str, amount: Money) -> GivenCost {
        GivenCost { team: team.to_owned(), amount, ..GivenCost::default() }
    }

    /// In words, as pages about rules show it.
    pub(crate) fn describe(&self) -> String {
        let mut words = vec![format!("{} costs {}", self.team, self.amount)];
        let basis = BASES.iter().find(|(_, basis)| Some(*basis) == self.basis);
        words.extend(basis.map(|(word, _)| format!("({word})")));
        let window = WINDOWS.iter().find(|(_, window)| Some(*window) == self.window);
        words.extend(window.map(|(word, _)| format!("in the {word}")));
        words.extend(
            self.dimensions.iter().map(|(key, value)| format!("where {key} = \"{value}\"")),
        );
        words.join(" ")
    }

    fn is_for(&self, question: &CostQuestion) -> bool {
        self.basis.is_none_or(|own| own == question.basis)
            && self.window.is_none_or(|own| own == question.window)
    }

    /// Whether it counts for a question. A plain amount says no dimension and passes every filter;
    /// [`missing`] refuses it in cases.
    pub(crate) fn counts_for(&self, question: &CostQuestion) -> bool {
        self.is_for(question)
            && question
                .filter
                .iter()
                .all(|(key, value)| self.value(key).is_none_or(|own| own == value))
    }

    fn value(&self, key: &str) -> Option<&str> {
        let (_, value) = self.dimensions.iter().find(|(known, _)| known == key)?;
        Some(value)
    }
}

/// What these costs lack to answer a question.
pub(crate) fn missing(costs: &[GivenCost], question: &CostQuestion) -> Option<MissingCost> {
    let first = costs.first()?;
    if !costs.iter().any(|cost| cost.is_for(question)) {
        let asked = asked(question);
        return Some(MissingCost {
            message: format!("a question about costs of {asked}, which the case does not give"),
            line: line(first, question),
        });
    }
    let counted = costs.iter().filter(|cost| cost.is_for(question));
    let mut lacks = counted.flat_map(|cost| {
        let unsaid = question.filter.iter().filter(|(key, _)| cost.value(key).is_none());
        unsaid.map(move |(key, value)| (cost, key, value))
    });
    lacks.next().map(|(cost, key, value)| MissingCost {
        message: format!(
            "a question about costs where {key} = \"{value}\", and the case does not say the \
             {key} of the cost of {}",
            cost.team
        ),
        line: line(cost, question),
    })
}

fn asked(question: &CostQuestion) -> String {
    let basis = BASES.iter().find(|(_, basis)| *basis == question.basis).map(|(word, _)| word);
    let window = WINDOWS.iter().find(|(_, known)| *known == question.window).map(|(word, _)| word);
    let words = [("basis", basis), ("window", window)];
    let said = words.iter().filter_map(|(name, word)| Some(format!("{name} \"{}\"", (*word)?)));
    said.collect::<Vec<_>>().join(" and ")
}

/// The cost as the case would say it for the question.
fn line(cost: &GivenCost, question: &CostQuestion) -> String {
    let mut parts = vec![pair("amount", &Sum::from(cost.amount).plain())];
    let basis = cost.basis.and_then(|_| BASES.iter().find(|(_, known)| *known == question.basis));
    parts.extend(basis.map(|(word, _)| pair("basis", word)));
    let window = cost.window.and_then(|_| WINDOWS.iter().find(|(_, it)| *it == question.window));
    parts.extend(window.map(|(word, _)| pair("window", word)));
    parts.extend(cost.dimensions.iter().map(|(key, value)| pair(key, value)));
    let unsaid = question.filter.iter().filter(|(key, _)| cost.value(key).is_none());
    parts.extend(unsaid.map(|(key, value)| pair(key, value)));
    format!("costs = {{ {} = {{ {} }} }}", key_text(&cost.team), parts.join(", "))
}

/// Reads `{ payments = "30" }`, where a table or a list of tables may stand for an amount.
pub(crate) fn read(costs: &DeTable<'_>, kept: &[Field]) -> Read<Vec<GivenCost>> {
    let mut given = Vec::new();
    for (team, value) in costs {
        let team = team.get_ref().as_ref();
        match value.get_ref() {
            DeValue::Array(parts) => {
                for part in parts.iter() {
                    given.push(cost(team, part, kept)?);
                }
            }
            _ => given.push(cost(team, value, kept)?),
        }
    }
    Ok(given)
}

fn cost(team: &str, value: &Value<'_>, kept: &[Field]) -> Read<GivenCost> {
    let Some(table) = value.get_ref().as_table() else {
        return Ok(GivenCost::plain(team, amount(value)?));
    };
    let mut cost = GivenCost { team: team.to_owned(), ..GivenCost::default() };
    let mut has_amount = false;
    for (key, value) in table {
        match key.get_ref().as_ref() {
            "amount" => (cost.amount, has_amount) = (amount(value)?, true),
            "basis" => {
                cost.basis = Some(known_word(value, "'basis'", BASIS_WORDS, basis_of)?);
            }
            "window" => {
                let words = "\"day\", \"week\" or \"month\"";
                cost.window = Some(known_word(value, "'window'", words, window_of)?);
            }
            name => {
                let key =
                    filter_key(name, kept).map_err(|refusal| Wrong(refusal.message, key.span()))?;
                cost.dimensions.push((key, text(value, "a dimension of a cost")?));
            }
        }
    }
    if !has_amount {
        let message = format!("the cost of {team} lacks its amount: {{ amount = \"10\" }}");
        return Err(Wrong(message, value.span()));
    }
    Ok(cost)
}
