//! Reads a `[[property]]` of a cases file: a description of charges, and a law that holds for each.

use crate::case_file::{GivenUsage, given_usage};
use crate::case_number::{amount, detail_value, number_text};
use crate::case_value::{Read, Value, Wrong, table, text, unknown};
use crate::charge_view;
use domain::detail::Detail;
use domain::field::Field;
use domain::period::Day;
use std::ops::Range;
use toml::Spanned;
use toml::de::DeString;

#[derive(Clone, Debug)]
pub(crate) struct Property {
    pub(crate) name: String,
    /// The place of its law.
    pub(crate) line: u32,
    pub(crate) column: u32,
    pub(crate) slots: Vec<(ChargeSlot, SlotValues)>,
    pub(crate) usage: Vec<GivenUsage>,
    pub(crate) law: Law,
    /// Asks the whole set instead of the one rule.
    pub(crate) through_set: bool,
}

/// A part of a charge or of its day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ChargeSlot {
    Field(Field),
    Tag(String),
    Currency,
    Day,
    Billed,
    Effective,
    Detail(Detail),
    /// The total that is shared.
    Amount,
    /// The direct cost of a team.
    Cost(String),
}

/// The possible values of a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SlotValues {
    /// One or more texts, the simplest first.
    OneOf(Vec<String>),
    Any,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Law {
    Always(ExpectedAnswer),
    Never(ExpectedAnswer),
    /// Every share has the sign of the amount, and they add up to it.
    Shares,
    /// The answer does not depend on these slots.
    IndependentOf(Vec<ChargeSlot>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ExpectedAnswer {
    Decision,
    NoMatch,
    Pass,
    Error,
    Unallocated,
    /// A decision that names only these teams.
    TeamIn(Vec<String>),
}

const ANSWERS: [(&str, ExpectedAnswer); 5] = [
    ("decision", ExpectedAnswer::Decision),
    ("no match", ExpectedAnswer::NoMatch),
    ("pass", ExpectedAnswer::Pass),
    ("error", ExpectedAnswer::Error),
    ("unallocated", ExpectedAnswer::Unallocated),
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

impl ChargeSlot {
    pub(crate) fn is_amount(&self) -> bool {
        match self {
            ChargeSlot::Billed | ChargeSlot::Effective => true,
            ChargeSlot::Amount | ChargeSlot::Cost(_) => true,
            ChargeSlot::Field(_) | ChargeSlot::Tag(_) | ChargeSlot::Detail(_) => false,
            ChargeSlot::Currency | ChargeSlot::Day => false,
        }
    }

    fn by_name(name: &str) -> Option<ChargeSlot> {
        match (name.strip_prefix("tag:"), name) {
            (Some(""), _) => None,
            (Some(tag), _) => Some(ChargeSlot::Tag(tag.to_owned())),
            (None, "billing_currency") => Some(ChargeSlot::Currency),
            (None, "charge_period_start") => Some(ChargeSlot::Day),
            (None, "billed_cost") => Some(ChargeSlot::Billed),
            (None, "effective_cost") => Some(ChargeSlot::Effective),
            (None, name) => Field::by_name(name)
                .map(ChargeSlot::Field)
                .or_else(|| Detail::by_name(name).map(ChargeSlot::Detail)),
        }
    }
}

/// Reads a property, and the place of its law in the file.
pub(crate) fn property(value: &Value<'_>, later_stage: bool) -> Read<(Property, usize)> {
    let mut draft = PropertyDraft::default();
    for (key, value) in table(value, "a property")? {
        draft.read(key, value, later_stage)?;
    }
    let lacks = |what: &str| Wrong(format!("the property lacks {what}"), value.span());
    let (law, span) =
        draft.law.ok_or_else(|| lacks("a law: always, never, shares or independent_of"))?;
    let slots = with_slots_of_law(draft.slots, &law).ok_or_else(|| {
        Wrong("shares are shares of something: add amount = \"100\"".into(), span.clone())
    })?;
    let property = Property {
        name: draft.name.ok_or_else(|| lacks("'name'"))?,
        line: 0,
        column: 0,
        slots,
        usage: draft.usage,
        law,
        through_set: draft.through_set,
    };
    Ok((property, span.start))
}

/// A property whose keys are being read.
#[derive(Default)]
struct PropertyDraft {
    name: Option<String>,
    slots: Vec<(ChargeSlot, SlotValues)>,
    usage: Vec<GivenUsage>,
    /// With its place in the file.
    law: Option<(Law, Range<usize>)>,
    through_set: bool,
}

impl PropertyDraft {
    fn read(
        &mut self,
        key: &Spanned<DeString<'_>>,
        value: &Value<'_>,
        later_stage: bool,
    ) -> Read<()> {
        match key.get_ref().as_ref() {
            "name" => self.name = Some(text(value, "'name'")?),
            "charges" if later_stage => {
                let message = "the rule is asked for its pool or team and sees no charge";
                return Err(Wrong(message.into(), key.span()));
            }
            "charges" => self.slots.extend(charges(value)?),
            "amount" => {
                self.slots.push((ChargeSlot::Amount, values(value, &ChargeSlot::Amount)?));
            }
            "costs" => {
                for (team, value) in table(value, "'costs'")? {
                    let slot = ChargeSlot::Cost(team.get_ref().to_string());
                    self.slots.push((slot.clone(), values(value, &slot)?));
                }
            }
            "usage" => {
                let rows = value.get_ref().as_array().ok_or_else(|| {
                    Wrong("'usage' is a list of tables, [{ … }]".into(), value.span())
                })?;
                self.usage = rows.iter().map(given_usage).collect::<Read<_>>()?;
            }
            "through_set" => {
                self.through_set = value
                    .get_ref()
                    .as_bool()
                    .ok_or_else(|| Wrong("'through_set' is true or false".into(), value.span()))?;
            }
            word if LAWS.contains(&word) => {
                if self.law.replace((law(word, value)?, key.span())).is_some() {
                    let message = "a property has one law; write another [[property]] for the \
                                   other";
                    return Err(Wrong(message.into(), key.span()));
                }
            }
            _ => return Err(unknown("a property", key, KEYS.into_iter())),
        }
        Ok(())
    }
}

/// Adds a slot for each value that the answer must not depend on, so that the value varies. `None`
/// if the law is about shares and there is no amount to share.
fn with_slots_of_law(
    mut slots: Vec<(ChargeSlot, SlotValues)>,
    law: &Law,
) -> Option<Vec<(ChargeSlot, SlotValues)>> {
    let has =
        |slots: &[(ChargeSlot, SlotValues)], wanted| slots.iter().any(|(slot, _)| slot == wanted);
    match law {
        Law::Shares if !has(&slots, &ChargeSlot::Amount) => return None,
        Law::IndependentOf(free) => {
            let known = slots.clone();
            let missing = free.iter().filter(|slot| !has(&known, slot));
            slots.extend(missing.map(|slot| (slot.clone(), SlotValues::Any)));
        }
        Law::Always(_) | Law::Never(_) | Law::Shares => {}
    }
    Some(slots)
}

fn charges(value: &Value<'_>) -> Read<Vec<(ChargeSlot, SlotValues)>> {
    let mut slots = Vec::new();
    for (key, value) in table(value, "'charges'")? {
        if key.get_ref() == "tags" {
            for (tag, value) in table(value, "'tags'")? {
                let slot = ChargeSlot::Tag(tag.get_ref().to_string());
                slots.push((slot.clone(), values(value, &slot)?));
            }
            continue;
        }
        let slot = ChargeSlot::by_name(key.get_ref())
            .ok_or_else(|| Wrong(charge_view::no_field(key.get_ref()), key.span()))?;
        slots.push((slot.clone(), values(value, &slot)?));
    }
    Ok(slots)
}

/// Reads `"EC2"`, `["EC2", "S3"]` or `{ any = true }`.
fn values(value: &Value<'_>, slot: &ChargeSlot) -> Read<SlotValues> {
    if let Some(list) = value.get_ref().as_array() {
        let texts: Vec<String> =
            list.iter().map(|value| value_text(value, slot)).collect::<Read<_>>()?;
        return if texts.is_empty() {
            Err(Wrong("the list has no value".into(), value.span()))
        } else {
            Ok(SlotValues::OneOf(texts))
        };
    }
    if let Some(table) = value.get_ref().as_table() {
        let is_any = table.len() == 1
            && table.get("any").and_then(|any| any.get_ref().as_bool()) == Some(true);
        return if is_any {
            Ok(SlotValues::Any)
        } else {
            Err(Wrong("the table is { any = true }".into(), value.span()))
        };
    }
    Ok(SlotValues::OneOf(vec![value_text(value, slot)?]))
}

fn value_text(value: &Value<'_>, slot: &ChargeSlot) -> Read<String> {
    if slot.is_amount() {
        amount(value)?;
        return number_text(value, "an amount");
    }
    if let ChargeSlot::Detail(_) = slot {
        detail_value(value)?;
        return number_text(value, "a detail");
    }
    let written = text(value, "a value")?;
    if *slot == ChargeSlot::Day {
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
                ChargeSlot::by_name(&name).ok_or_else(|| {
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

fn answer(value: &Value<'_>) -> Read<ExpectedAnswer> {
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
    Ok(ExpectedAnswer::TeamIn(teams.iter().map(|team| text(team, "a team")).collect::<Read<_>>()?))
}
