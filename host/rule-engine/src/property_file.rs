//! Reads a `[[property]]` of a cases file: which charges there can be, and what holds for each of them.

use crate::case_file::{
    GivenUsage, Read, Value, Wrong, amount, given_usage, number_text, table, text, unknown,
};
use crate::charge_view;
use domain::field::Field;
use domain::period::Day;

#[derive(Clone, Debug)]
pub(crate) struct Property {
    pub(crate) name: String,
    /// Where its law stands.
    pub(crate) line: u32,
    pub(crate) column: u32,
    pub(crate) slots: Vec<(Slot, Values)>,
    pub(crate) usage: Vec<GivenUsage>,
    pub(crate) law: Law,
    /// Asks the whole set instead of the one rule.
    pub(crate) through_set: bool,
}

/// A part of a charge or of its day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Slot {
    Field(Field),
    Tag(String),
    Currency,
    Day,
    Billed,
    Effective,
    /// The total that is shared.
    Amount,
    /// The direct cost of a team.
    Cost(String),
}

/// What can stand in a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Values {
    /// One or more texts, the simplest first.
    OneOf(Vec<String>),
    Any,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Law {
    Always(Answer),
    Never(Answer),
    /// Every share has the sign of the amount, and they add up to it.
    Shares,
    /// Whatever stands in these slots, the answer is the same.
    IndependentOf(Vec<Slot>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Decision,
    NoMatch,
    Pass,
    Error,
    Unallocated,
    /// Said of decisions: their teams.
    TeamIn(Vec<String>),
}

const ANSWERS: [(&str, Answer); 5] = [
    ("decision", Answer::Decision),
    ("no match", Answer::NoMatch),
    ("pass", Answer::Pass),
    ("error", Answer::Error),
    ("unallocated", Answer::Unallocated),
];
const LAWS: [&str; 4] = ["always", "never", "shares", "independent_of"];
const KEYS: [&str; 10] = [
    "name",
    "charges",
    "amount",
    "costs",
    "usage",
    "through_set",
    "always",
    "never",
    "shares",
    "independent_of",
];

impl Slot {
    pub(crate) fn is_amount(&self) -> bool {
        matches!(self, Slot::Billed | Slot::Effective | Slot::Amount | Slot::Cost(_))
    }

    fn by_name(name: &str) -> Option<Slot> {
        match (name.strip_prefix("tag:"), name) {
            (Some(""), _) => None,
            (Some(tag), _) => Some(Slot::Tag(tag.to_owned())),
            (None, "billing_currency") => Some(Slot::Currency),
            (None, "charge_period_start") => Some(Slot::Day),
            (None, "billed_cost") => Some(Slot::Billed),
            (None, "effective_cost") => Some(Slot::Effective),
            (None, name) => Field::by_name(name).map(Slot::Field),
        }
    }
}

/// The property, and where its law stands in the file.
pub(crate) fn property(value: &Value<'_>, later_stage: bool) -> Read<(Property, usize)> {
    let (mut name, mut slots, mut usage, mut law, mut through_set) =
        (None, Vec::new(), Vec::new(), None, false);
    for (key, value) in table(value, "a property")? {
        match key.get_ref().as_ref() {
            "name" => name = Some(text(value, "'name'")?),
            "charges" if later_stage => {
                return Err(Wrong(
                    "the rule is asked for its pool or team and sees no charge".into(),
                    key.span(),
                ));
            }
            "charges" => slots.extend(charges(value)?),
            "amount" => slots.push((Slot::Amount, values(value, &Slot::Amount)?)),
            "costs" => {
                for (team, value) in table(value, "'costs'")? {
                    let slot = Slot::Cost(team.get_ref().to_string());
                    slots.push((slot.clone(), values(value, &slot)?));
                }
            }
            "usage" => {
                let rows = value.get_ref().as_array().ok_or_else(|| {
                    Wrong("'usage' is a list of tables, [{ … }]".into(), value.span())
                })?;
                usage = rows.iter().map(given_usage).collect::<Read<_>>()?;
            }
            "through_set" => {
                through_set = value
                    .get_ref()
                    .as_bool()
                    .ok_or_else(|| Wrong("'through_set' is true or false".into(), value.span()))?;
            }
            word if LAWS.contains(&word) => {
                if law.replace((self::law(word, value)?, key.span())).is_some() {
                    return Err(Wrong(
                        "a property has one law; write another [[property]] for the other".into(),
                        key.span(),
                    ));
                }
            }
            _ => return Err(unknown("a property", key, KEYS.into_iter())),
        }
    }
    let lacks = |what: &str| Wrong(format!("the property lacks {what}"), value.span());
    let (law, span) = law.ok_or_else(|| lacks("a law: always, never, shares or independent_of"))?;
    match &law {
        Law::Shares if !slots.iter().any(|(slot, _)| *slot == Slot::Amount) => {
            return Err(Wrong("shares are shares of something: add amount = \"100\"".into(), span));
        }
        Law::IndependentOf(free) => {
            for slot in free
                .iter()
                .filter(|free| !slots.iter().any(|(slot, _)| slot == *free))
                .cloned()
                .collect::<Vec<_>>()
            {
                slots.push((slot, Values::Any));
            }
        }
        _ => {}
    }
    let property = Property {
        name: name.ok_or_else(|| lacks("'name'"))?,
        line: 0,
        column: 0,
        slots,
        usage,
        law,
        through_set,
    };
    Ok((property, span.start))
}

fn charges(value: &Value<'_>) -> Read<Vec<(Slot, Values)>> {
    let mut slots = Vec::new();
    for (key, value) in table(value, "'charges'")? {
        if key.get_ref() == "tags" {
            for (tag, value) in table(value, "'tags'")? {
                let slot = Slot::Tag(tag.get_ref().to_string());
                slots.push((slot.clone(), values(value, &slot)?));
            }
            continue;
        }
        let slot = Slot::by_name(key.get_ref())
            .ok_or_else(|| Wrong(charge_view::no_field(key.get_ref()), key.span()))?;
        slots.push((slot.clone(), values(value, &slot)?));
    }
    Ok(slots)
}

/// `"EC2"`, `["EC2", "S3"]` or `{ any = true }`.
fn values(value: &Value<'_>, slot: &Slot) -> Read<Values> {
    if let Some(list) = value.get_ref().as_array() {
        let texts: Vec<String> =
            list.iter().map(|value| value_text(value, slot)).collect::<Read<_>>()?;
        return if texts.is_empty() {
            Err(Wrong("the list has no value".into(), value.span()))
        } else {
            Ok(Values::OneOf(texts))
        };
    }
    if let Some(table) = value.get_ref().as_table() {
        let is_any = table.len() == 1
            && table.get("any").and_then(|any| any.get_ref().as_bool()) == Some(true);
        return if is_any {
            Ok(Values::Any)
        } else {
            Err(Wrong("the table is { any = true }".into(), value.span()))
        };
    }
    Ok(Values::OneOf(vec![value_text(value, slot)?]))
}

fn value_text(value: &Value<'_>, slot: &Slot) -> Read<String> {
    if slot.is_amount() {
        amount(value)?;
        return number_text(value, "an amount");
    }
    let written = text(value, "a value")?;
    if *slot == Slot::Day {
        written.parse::<Day>().map_err(|error| Wrong(error.to_string(), value.span()))?;
    }
    Ok(written)
}

fn law(word: &str, value: &Value<'_>) -> Read<Law> {
    match word {
        "always" => Ok(Law::Always(answer(value)?)),
        "never" => Ok(Law::Never(answer(value)?)),
        "shares" => match text(value, "'shares'")?.as_str() {
            "positive" => Ok(Law::Shares),
            other => Err(Wrong(format!("'shares' is \"positive\", not '{other}'"), value.span())),
        },
        _ => {
            let list = value.get_ref().as_array().ok_or_else(|| {
                Wrong(
                    "'independent_of' is a list, [\"region_id\", \"tag:note\"]".into(),
                    value.span(),
                )
            })?;
            let slot = |value: &Value<'_>| {
                let name = text(value, "a name")?;
                Slot::by_name(&name).ok_or_else(|| {
                    Wrong(
                        format!("{}; a tag is \"tag:{name}\"", charge_view::no_field(&name)),
                        value.span(),
                    )
                })
            };
            Ok(Law::IndependentOf(list.iter().map(slot).collect::<Read<_>>()?))
        }
    }
}

fn answer(value: &Value<'_>) -> Read<Answer> {
    if let Some(word) = value.get_ref().as_str() {
        let names =
            || ANSWERS.iter().map(|(name, _)| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
        let known =
            ANSWERS.iter().find(|(name, _)| *name == word).map(|(_, answer)| answer.clone());
        return known.ok_or_else(|| {
            Wrong(
                format!(
                    "'{word}' is not an answer; there are {} and {{ team_in = [ … ] }}",
                    names()
                ),
                value.span(),
            )
        });
    }
    let teams =
        table(value, "the answer")?.get("team_in").and_then(|teams| teams.get_ref().as_array());
    let teams = teams.ok_or_else(|| {
        Wrong("the table is { team_in = [\"payments\", \"search\"] }".into(), value.span())
    })?;
    Ok(Answer::TeamIn(teams.iter().map(|team| text(team, "a team")).collect::<Read<_>>()?))
}
