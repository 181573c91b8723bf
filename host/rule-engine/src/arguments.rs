//! The arguments of functions that share: teams, filters and options, and the values in them.

use crate::decision::{Opinion, Refusal, among, kind, meant, refuse, text};
use domain::decision::Decision;
use domain::diagnostic::did_you_mean;
use domain::driver::candidates::Candidates;
use domain::field::Field;
use domain::money::Money;
use domain::spread::{Spread, WhenNegative, WhenZero};
use rhai::{Array, Dynamic, Map};
use rust_decimal::Decimal;

/// Options of functions that nobody means as filters.
const OPTION_NAMES: [&str; 9] = [
    "at_least",
    "at_most",
    "basis",
    "recipients",
    "remainder",
    "unknown",
    "when_negative",
    "when_zero",
    "window",
];
/// The options of `bounded`.
pub(crate) const BOUNDS: [&str; 2] = ["at_least", "at_most"];

/// The optional arguments of a function.
pub(crate) struct Arguments {
    pub(crate) among: Candidates,
    pub(crate) filters: Option<Map>,
    pub(crate) options: Map,
}

impl Arguments {
    /// A map that has the name of an option is the map of options.
    pub(crate) fn read(
        function: &str,
        arguments: &[Dynamic],
        options: &[&str],
    ) -> Result<Arguments, Refusal> {
        let mut rest = arguments.iter().peekable();
        let mut read =
            Arguments { among: Candidates::AllTeams, filters: None, options: Map::new() };
        if let Some(list) = rest.next_if(|first| first.is_array()) {
            read.among = among(function, list)?;
        }
        let mut has_options = false;
        for argument in rest {
            let Some(map) = argument.read_lock::<Map>() else {
                return Err(refuse(format!(
                    "`{function}` takes a list of teams, a map of filters and a map of options, \
                     not {}",
                    kind(argument)
                )));
            };
            if map.keys().any(|key| options.contains(&key.as_str())) && !has_options {
                has_options = true;
                read.options = checked(function, &map, options)?;
            } else if read.filters.is_none() && !has_options {
                refuse_options(function, &map, options)?;
                read.filters = Some(map.clone());
            } else {
                return Err(refuse(format!(
                    "`{function}` takes at most one map of filters, and the options last"
                )));
            }
        }
        Ok(read)
    }
}

/// Refuses filters that are options of another function, or misspelled ones of this.
fn refuse_options(function: &str, map: &Map, options: &[&str]) -> Result<(), Refusal> {
    let own = || OPTION_NAMES.into_iter().filter(|name| options.contains(name));
    for key in map.keys().map(|key| key.as_str()).filter(|key| Field::by_name(key).is_none()) {
        if BOUNDS.contains(&key) {
            return Err(refuse(format!(
                "`{function}` has no option '{key}'; limits stand around the decision: \
                 bounded({function}(…), #{{ {key}: #{{ web: \"50%\" }} }})"
            )));
        }
        if OPTION_NAMES.contains(&key) {
            let known = options.join(", ");
            return Err(refuse(format!("`{function}` has no option '{key}'; it has {known}")));
        }
        if let Some(close) = did_you_mean(key, own()) {
            return Err(refuse(format!(
                "`{function}`: there is no option '{key}'; did you mean '{close}'? A filter by \
                 this name is written \"tag:{key}\""
            )));
        }
    }
    Ok(())
}

/// The map, if all of its keys are options.
pub(crate) fn checked(function: &str, map: &Map, options: &[&str]) -> Result<Map, Refusal> {
    match map.keys().find(|key| !options.contains(&key.as_str())) {
        Some(other) => {
            let others: Vec<&str> =
                map.keys().map(|key| key.as_str()).filter(|key| options.contains(key)).collect();
            let beside = if others.is_empty() {
                String::new()
            } else {
                format!(
                    " beside the option {}; filters are a map of their own, before it",
                    others.join(", ")
                )
            };
            Err(refuse(format!(
                "`{function}`: there is no option '{other}'{}{beside}",
                meant(other, options.iter().copied())
            )))
        }
        None => Ok(map.clone()),
    }
}

/// Reads `when_zero` and `when_negative`, which all weighing functions have.
pub(crate) fn policies(function: &str, spread: Spread, options: &Map) -> Result<Decision, Refusal> {
    let when_zero = match options.get("when_zero") {
        None => WhenZero::Stay,
        Some(value) => match (text(value).as_deref(), spread_of(value)) {
            (Some("stay"), _) => WhenZero::Stay,
            (Some("even"), _) => WhenZero::Even,
            (None, Some(fallback)) => WhenZero::Spread(Box::new(fallback)),
            _ => {
                return Err(refuse(format!(
                    "`{function}`: when_zero is \"stay\", \"even\", or another way to share, such \
                     as by_cost()"
                )));
            }
        },
    };
    let when_negative = match word(function, options, "when_negative")?.as_deref() {
        None | Some("zero") => WhenNegative::Zero,
        Some("keep") => WhenNegative::Keep,
        Some("stay") => WhenNegative::Stay,
        Some(_) => {
            return Err(refuse(format!(
                "`{function}`: when_negative is \"zero\", \"keep\" or \"stay\""
            )));
        }
    };
    Ok(Decision::from(Spread { when_zero, when_negative, ..spread }))
}

/// The spread of a decision. One recipient for all is a spread with one weight.
pub(crate) fn spread_of(value: &Dynamic) -> Option<Spread> {
    match value.read_lock::<Opinion>()?.decision.clone()? {
        Decision::Spread(spread) => Some(*spread),
        Decision::Assign(recipient) => Some(Spread::fixed(vec![(recipient, 1)])),
        Decision::Exclude { .. } => None,
    }
}

/// An option that is a text.
pub(crate) fn word(function: &str, options: &Map, key: &str) -> Result<Option<String>, Refusal> {
    match options.get(key) {
        None => Ok(None),
        Some(value) => text(value)
            .map(Some)
            .ok_or_else(|| refuse(format!("`{function}`: {key} is a text, not {}", kind(value)))),
    }
}

fn number(function: &str, value: &Dynamic) -> Result<Decimal, Refusal> {
    let number = value.as_int().map(Decimal::from).or_else(|_| value.as_decimal());
    number.map_err(|_| refuse(format!("`{function}` takes a number here, not {}", kind(value))))
}

/// A number that is not negative, in units of 10^-`places`, exactly.
pub(crate) fn scaled(function: &str, value: &Dynamic, places: u32) -> Result<i128, Refusal> {
    let number = number(function, value)?.normalize();
    let fits = number.scale() <= places && number >= Decimal::ZERO;
    let scaled = fits
        .then(|| {
            10_i128
                .checked_pow(places - number.scale())
                .and_then(|factor| number.mantissa().checked_mul(factor))
        })
        .flatten();
    scaled.ok_or_else(|| {
        refuse(format!(
            "`{function}`: {number} is negative, too large, or has more than {places} decimals"
        ))
    })
}

/// An amount of money.
pub(crate) fn amount(function: &str, value: &Dynamic) -> Result<Money, Refusal> {
    let nanos = scaled(function, value, 9)?;
    i64::try_from(nanos)
        .map(Money::from_nanos)
        .map_err(|_| refuse(format!("`{function}`: the amount {} is too large", kind(value))))
}

/// Writes a value as JSON. Numbers stay as they are written, so no float is made of them.
pub(crate) fn write_json(json: &mut String, value: &Dynamic) -> Result<(), Refusal> {
    if let Some(map) = value.read_lock::<Map>() {
        json.push('{');
        for (number, (key, value)) in map.iter().enumerate() {
            json.push_str(if number > 0 { "," } else { "" });
            write_text(json, key);
            json.push(':');
            write_json(json, value)?;
        }
        json.push('}');
    } else if let Some(list) = value.read_lock::<Array>() {
        json.push('[');
        for (number, value) in list.iter().enumerate() {
            json.push_str(if number > 0 { "," } else { "" });
            write_json(json, value)?;
        }
        json.push(']');
    } else if let Some(text) = text(value) {
        write_text(json, &text);
    } else if value.is_unit() {
        json.push_str("null");
    } else if value.is_bool() || value.is_int() || value.is_decimal() {
        json.push_str(&value.to_string());
    } else {
        return Err(refuse(format!("`plugin` cannot hand over {}", kind(value))));
    }
    Ok(())
}

fn write_text(json: &mut String, text: &str) {
    json.push('"');
    for letter in text.chars() {
        match letter {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            letter if u32::from(letter) < 0x20 => {
                json.push_str(&format!("\\u{:04x}", u32::from(letter)))
            }
            letter => json.push(letter),
        }
    }
    json.push('"');
}
