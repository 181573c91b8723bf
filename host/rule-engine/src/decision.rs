//! Turns the arguments of a script's call, such as `split(#{payments: 60})`, into a decision.
//! An argument that would have to be guessed is refused.

use domain::code::Code;
use domain::code::RULE_DECISION;
use domain::decision::Decision;
use domain::diagnostic::did_you_mean;
use domain::driver::candidates::Candidates;
use domain::driver::even::evenly;
use domain::recipient::{Recipient, Target};
use rhai::{Array, Dynamic, Map};
use rust_decimal::Decimal;

/// The value that `allocate` returns. Scripts cannot look inside.
#[derive(Clone, Debug)]
pub(crate) struct Opinion {
    /// `None` is `pass()`.
    pub(crate) decision: Option<Decision>,
    /// The line of the call that made the decision.
    pub(crate) line: u32,
}

/// A refusal by a function of the host. A script's own `throw` is another error.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) code: Code,
    pub(crate) message: String,
}

pub(crate) fn refuse(message: impl Into<String>) -> Refusal {
    Refusal { code: RULE_DECISION, message: message.into() }
}

pub(crate) const TARGET_KEYS: [&str; 4] = ["team", "cost_center", "environment", "application"];

pub(crate) fn assign(value: &Dynamic) -> Result<Decision, Refusal> {
    Ok(Decision::Assign(recipient("assign", value)?))
}

/// Reads a pool or a team.
pub(crate) fn recipient(function: &str, value: &Dynamic) -> Result<Recipient, Refusal> {
    match value.read_lock::<Recipient>() {
        Some(recipient) => Ok(recipient.clone()),
        None => Ok(Recipient::Team(target(function, value)?)),
    }
}

/// Reads a team's name, or a map with a team and its other parts.
pub(crate) fn target(function: &str, value: &Dynamic) -> Result<Target, Refusal> {
    if let Some(team) = text(value) {
        return Ok(Target::team(team_name(function, &team)?));
    }
    if let Some(recipient) = value.read_lock::<Recipient>() {
        return Err(refuse(format!("`{function}` takes teams here, not {}", recipient.describe())));
    }
    let Some(map) = value.read_lock::<Map>() else {
        return Err(refuse(format!(
            "`{function}` takes a team's name or a map such as #{{team: \"payments\"}}, not {}",
            kind(value)
        )));
    };
    target_of_map(function, &map, &[])
}

fn target_of_map(function: &str, map: &Map, also: &[&str]) -> Result<Target, Refusal> {
    let known = || TARGET_KEYS.iter().chain(also).copied();
    if let Some(unknown) = map.keys().find(|key| !known().any(|name| name == key.as_str())) {
        return Err(refuse(format!(
            "`{function}` does not know '{unknown}'{}",
            meant(unknown, known())
        )));
    }
    let part = |key: &str| -> Result<Option<String>, Refusal> {
        match map.get(key) {
            None => Ok(None),
            Some(value) if value.is_unit() => Ok(None),
            Some(value) => match text(value) {
                Some(text) if text.trim().is_empty() => Ok(None),
                Some(text) => Ok(Some(text)),
                None => Err(refuse(format!(
                    "`{function}` takes a text for '{key}', not {}",
                    kind(value)
                ))),
            },
        }
    };
    let team = team_name(function, &part("team")?.unwrap_or_default())?;
    Ok(Target {
        team,
        cost_center: part("cost_center")?,
        environment: part("environment")?,
        application: part("application")?,
    })
}

fn team_name(function: &str, name: &str) -> Result<String, Refusal> {
    if name.trim().is_empty() {
        return Err(refuse(format!("`{function}` needs the name of a team, and it is blank")));
    }
    Ok(name.to_owned())
}

/// Reads weights. A map, `#{payments: 60}`, has the order of the names; a list, `[["payments",
/// 60]]`, has its own order.
pub(crate) fn split(value: &Dynamic) -> Result<Decision, Refusal> {
    let mut targets: Vec<(Recipient, Decimal)> = Vec::new();
    if let Some(map) = value.read_lock::<Map>() {
        for (team, weight_value) in map.iter() {
            targets.push((Recipient::team(team_name("split", team)?), weight(team, weight_value)?));
        }
    } else if let Some(list) = value.read_lock::<Array>() {
        for element in list.iter() {
            targets.push(weighted(element)?);
        }
    } else {
        return Err(refuse(format!(
            "`split` takes a map of weights or a list of [team, weight], not {}",
            kind(value)
        )));
    }
    weighted_split(targets)
}

/// Checks and scales weights. The cases' expectations are read by the same function.
pub(crate) fn weighted_split(targets: Vec<(Recipient, Decimal)>) -> Result<Decision, Refusal> {
    refuse_twice("split", targets.iter().map(|(target, _)| target))?;
    let weights = whole_weights(&targets.iter().map(|(_, weight)| *weight).collect::<Vec<_>>())?;
    if weights.iter().all(|weight| *weight == 0) {
        return Err(refuse("`split` needs at least one weight above zero"));
    }
    Ok(Decision::fixed(targets.into_iter().map(|(target, _)| target).zip(weights).collect()))
}

/// Reads `["payments", 60]` or `#{team: "payments", weight: 60}`.
fn weighted(element: &Dynamic) -> Result<(Recipient, Decimal), Refusal> {
    if let Some(map) = element.read_lock::<Map>() {
        let target = target_of_map("split", &map, &["weight"])?;
        let value = map
            .get("weight")
            .ok_or_else(|| refuse(format!("`split` needs a weight for '{}'", target.team)))?;
        let weight = weight(&target.team, value)?;
        return Ok((Recipient::Team(target), weight));
    }
    if let Some(pair) = element.read_lock::<Array>()
        && let [first, second] = pair.as_slice()
    {
        let recipient = recipient("split", first)?;
        let weight = weight(&recipient.describe(), second)?;
        return Ok((recipient, weight));
    }
    Err(refuse(format!("`split` takes pairs such as [\"payments\", 60], not {}", kind(element))))
}

fn weight(team: &str, value: &Dynamic) -> Result<Decimal, Refusal> {
    let number = value.as_int().map(Decimal::from).or_else(|_| value.as_decimal());
    match number {
        Ok(weight) if weight.is_sign_negative() && !weight.is_zero() => {
            Err(refuse(format!("the weight of '{team}' is negative: {weight}")))
        }
        Ok(weight) => Ok(weight),
        Err(_) => {
            Err(refuse(format!("the weight of '{team}' must be a number, not {}", kind(value))))
        }
    }
}

/// Scales fractions up to whole numbers by one power of ten: 12.5 and 87.5 become 125 and 875. The
/// ratios stay exact, which is all that a split depends on.
fn whole_weights(weights: &[Decimal]) -> Result<Vec<u64>, Refusal> {
    let weights: Vec<Decimal> = weights.iter().map(Decimal::normalize).collect();
    let scale = weights.iter().map(Decimal::scale).max().unwrap_or(0);
    // The sum is bounded and not each weight, because shares are fractions of the sum.
    let mut total: u64 = 0;
    weights
        .iter()
        .map(|weight| {
            let whole = 10_i128
                .checked_pow(scale - weight.scale())
                .and_then(|factor| weight.mantissa().checked_mul(factor));
            let whole = whole.and_then(|whole| u64::try_from(whole).ok());
            let sum = whole
                .and_then(|whole| total.checked_add(whole))
                .filter(|sum| i64::try_from(*sum).is_ok());
            total = sum.ok_or_else(|| {
                refuse(format!("the weights together have more than 18 digits, at {weight}"))
            })?;
            Ok(whole.unwrap_or_default())
        })
        .collect()
}

pub(crate) fn even(value: &Dynamic) -> Result<Decision, Refusal> {
    let recipients = listed("even", value, recipient)?;
    refuse_twice("even", recipients.iter())?;
    Ok(Decision::fixed(evenly(recipients).weights))
}

/// Reads the teams that a driver is limited to.
pub(crate) fn among(function: &str, value: &Dynamic) -> Result<Candidates, Refusal> {
    let targets = listed(function, value, target)?;
    let recipients: Vec<Recipient> = targets.iter().cloned().map(Recipient::Team).collect();
    refuse_twice(function, recipients.iter())?;
    Ok(Candidates::Listed(targets))
}

fn listed<T>(
    function: &str,
    value: &Dynamic,
    read: impl Fn(&str, &Dynamic) -> Result<T, Refusal>,
) -> Result<Vec<T>, Refusal> {
    let Some(list) = value.read_lock::<Array>() else {
        return Err(refuse(format!("`{function}` takes a list of teams, not {}", kind(value))));
    };
    let elements =
        list.iter().map(|element| read(function, element)).collect::<Result<Vec<_>, _>>()?;
    if elements.is_empty() {
        return Err(refuse(format!("`{function}` needs at least one team, and the list is empty")));
    }
    Ok(elements)
}

fn refuse_twice<'a>(
    function: &str,
    recipients: impl Iterator<Item = &'a Recipient>,
) -> Result<(), Refusal> {
    let mut seen: std::collections::BTreeSet<&Recipient> = std::collections::BTreeSet::new();
    for recipient in recipients {
        if !seen.insert(recipient) {
            let name = recipient
                .target()
                .map_or_else(|| recipient.describe(), |target| target.team.clone());
            return Err(refuse(format!("`{function}` names '{name}' twice")));
        }
    }
    Ok(())
}

pub(crate) fn exclude(reason: &str) -> Result<Decision, Refusal> {
    if reason.trim().is_empty() {
        return Err(refuse("`exclude` needs a reason, and it is blank"));
    }
    Ok(Decision::Exclude { reason: reason.to_owned() })
}

pub(crate) fn text(value: &Dynamic) -> Option<String> {
    value.read_lock::<rhai::ImmutableString>().map(|text| text.to_string())
}

/// The kind of a value, in the words of the rule language.
pub(crate) fn kind(value: &Dynamic) -> String {
    match value.type_name() {
        "()" => "nothing, ()".to_owned(),
        "bool" => "true or false".to_owned(),
        "i64" => format!("the number {value}"),
        "decimal" => format!("the number {value}"),
        "string" => {
            let shown: String = value.to_string().chars().take(40).collect();
            format!("the text \"{shown}\"")
        }
        "array" => "a list".to_owned(),
        "map" => "a map".to_owned(),
        name if name.ends_with("Recipient") => "a pool".to_owned(),
        name if name.ends_with("Opinion") => "a decision".to_owned(),
        name if name.ends_with("Charge") => "the charge".to_owned(),
        name if name.ends_with("Tags") => "the charge's tags".to_owned(),
        name => format!("a value of type {name}"),
    }
}

/// `; did you mean 'x'?`, or an empty text.
pub(crate) fn meant<'a>(written: &str, known: impl Iterator<Item = &'a str>) -> String {
    did_you_mean(written, known).map(|name| format!("; did you mean '{name}'?")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scaled(weights: &[&str]) -> Result<Vec<u64>, String> {
        let weights: Vec<Decimal> =
            weights.iter().map(|text| text.parse().unwrap_or_else(|_| panic!("{text}"))).collect();
        whole_weights(&weights).map_err(|refusal| refusal.message)
    }

    #[test]
    fn fractions_become_whole_numbers_exactly() {
        assert_eq!(scaled(&["12.5", "87.5"]), Ok(vec![125, 875]));
        assert_eq!(scaled(&["60.00", "40"]), Ok(vec![60, 40]));
        assert_eq!(scaled(&["0.001", "1", "0"]), Ok(vec![1, 1000, 0]));
        assert_eq!(
            scaled(&["1", "0.0000000000000000000001"]),
            Err("the weights together have more than 18 digits, at 1".to_owned())
        );
        assert_eq!(
            scaled(&["9223372036854775807", "1"]),
            Err("the weights together have more than 18 digits, at 1".to_owned())
        );
    }
}
