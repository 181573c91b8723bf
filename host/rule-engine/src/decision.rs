//! From what a script writes (`split(#{payments: 60})`) to a decision, refusing what would have to be guessed.

use domain::catalogue::{Code, RULE_DECISION};
use domain::decision::{Candidates, Decision, DriverFilter, Target, WhenZero};
use domain::diagnostic::did_you_mean;
use domain::field::Field;
use rhai::{Array, Dynamic, Map};
use rust_decimal::Decimal;

/// What `allocate` hands back. Scripts cannot look inside.
#[derive(Clone, Debug)]
pub(crate) struct Opinion {
    /// `None` is `pass()`.
    pub(crate) decision: Option<Decision>,
    /// The line of the call that made it.
    pub(crate) line: u32,
}

/// A host function's refusal, distinct from a script's own `throw`.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) code: Code,
    pub(crate) message: String,
}

pub(crate) fn refuse(message: impl Into<String>) -> Refusal {
    Refusal { code: RULE_DECISION, message: message.into() }
}

const TARGET_KEYS: [&str; 4] = ["team", "cost_center", "environment", "application"];

pub(crate) fn assign(value: &Dynamic) -> Result<Decision, Refusal> {
    Ok(Decision::Assign(target("assign", value)?))
}

/// A team's name, or a map with a team and what else is known.
fn target(function: &str, value: &Dynamic) -> Result<Target, Refusal> {
    if let Some(team) = text(value) {
        return Ok(Target::team(team_name(function, &team)?));
    }
    let Some(map) = value.read_lock::<Map>() else {
        return Err(refuse(format!("`{function}` takes a team's name or a map such as #{{team: \"payments\"}}, not {}", kind(value))));
    };
    target_of_map(function, &map, &[])
}

fn target_of_map(function: &str, map: &Map, also: &[&str]) -> Result<Target, Refusal> {
    let known = || TARGET_KEYS.iter().chain(also).copied();
    if let Some(unknown) = map.keys().find(|key| !known().any(|name| name == key.as_str())) {
        return Err(refuse(format!("`{function}` does not know '{unknown}'{}", meant(unknown, known()))));
    }
    let part = |key: &str| -> Result<Option<String>, Refusal> {
        match map.get(key) {
            None => Ok(None),
            Some(value) if value.is_unit() => Ok(None),
            Some(value) => match text(value) {
                Some(text) if text.trim().is_empty() => Ok(None),
                Some(text) => Ok(Some(text)),
                None => Err(refuse(format!("`{function}` takes a text for '{key}', not {}", kind(value)))),
            },
        }
    };
    let team = team_name(function, &part("team")?.unwrap_or_default())?;
    Ok(Target { team, cost_center: part("cost_center")?, environment: part("environment")?, application: part("application")? })
}

fn team_name(function: &str, name: &str) -> Result<String, Refusal> {
    if name.trim().is_empty() {
        return Err(refuse(format!("`{function}` needs the name of a team, and it is blank")));
    }
    if name.trim() != name {
        return Err(refuse(format!("`{function}`: the team '{name}' begins or ends with a blank; use `trim(…)`")));
    }
    Ok(name.to_owned())
}

/// Weights by name (`#{payments: 60}`, in the order of the names) or listed (`[["payments", 60]]`, in that order).
pub(crate) fn split(value: &Dynamic) -> Result<Decision, Refusal> {
    let mut targets: Vec<(Target, Decimal)> = Vec::new();
    if let Some(map) = value.read_lock::<Map>() {
        for (team, weight_value) in map.iter() {
            targets.push((Target::team(team_name("split", team)?), weight(team, weight_value)?));
        }
    } else if let Some(list) = value.read_lock::<Array>() {
        for element in list.iter() {
            targets.push(weighted(element)?);
        }
    } else {
        return Err(refuse(format!("`split` takes a map of weights or a list of [team, weight], not {}", kind(value))));
    }
    weighted_split(targets)
}

/// Checks and scales weights; shared with the cases' expectations.
pub(crate) fn weighted_split(targets: Vec<(Target, Decimal)>) -> Result<Decision, Refusal> {
    refuse_twice("split", targets.iter().map(|(target, _)| target))?;
    let weights = whole_weights(&targets.iter().map(|(_, weight)| *weight).collect::<Vec<_>>())?;
    if weights.iter().all(|weight| *weight == 0) {
        return Err(refuse("`split` needs at least one weight above zero"));
    }
    Ok(Decision::Split(targets.into_iter().map(|(target, _)| target).zip(weights).collect()))
}

/// `["payments", 60]` or `#{team: "payments", weight: 60}`.
fn weighted(element: &Dynamic) -> Result<(Target, Decimal), Refusal> {
    if let Some(map) = element.read_lock::<Map>() {
        let target = target_of_map("split", &map, &["weight"])?;
        let value = map.get("weight").ok_or_else(|| refuse(format!("`split` needs a weight for '{}'", target.team)))?;
        let weight = weight(&target.team, value)?;
        return Ok((target, weight));
    }
    if let Some(pair) = element.read_lock::<Array>()
        && let [first, second] = pair.as_slice()
    {
        let target = target("split", first)?;
        let weight = weight(&target.team, second)?;
        return Ok((target, weight));
    }
    Err(refuse(format!("`split` takes pairs such as [\"payments\", 60], not {}", kind(element))))
}

fn weight(team: &str, value: &Dynamic) -> Result<Decimal, Refusal> {
    let number = value.as_int().map(Decimal::from).or_else(|_| value.as_decimal());
    match number {
        Ok(weight) if weight.is_sign_negative() && !weight.is_zero() => Err(refuse(format!("the weight of '{team}' is negative: {weight}"))),
        Ok(weight) => Ok(weight),
        Err(_) => Err(refuse(format!("the weight of '{team}' must be a number, not {}", kind(value)))),
    }
}

/// Scales fractions up to whole numbers by one power of ten: 12.5 and 87.5 become 125 and 875.
fn whole_weights(weights: &[Decimal]) -> Result<Vec<u64>, Refusal> {
    let weights: Vec<Decimal> = weights.iter().map(Decimal::normalize).collect();
    let scale = weights.iter().map(Decimal::scale).max().unwrap_or(0);
    let mut total: u64 = 0;
    weights
        .iter()
        .map(|weight| {
            let whole = 10_i128.checked_pow(scale - weight.scale()).and_then(|factor| weight.mantissa().checked_mul(factor));
            let whole = whole.and_then(|whole| u64::try_from(whole).ok());
            let sum = whole.and_then(|whole| total.checked_add(whole)).filter(|sum| i64::try_from(*sum).is_ok());
            total = sum.ok_or_else(|| refuse(format!("the weights together have more than 18 digits, at {weight}")))?;
            Ok(whole.unwrap_or_default())
        })
        .collect()
}

pub(crate) fn even(value: &Dynamic) -> Result<Decision, Refusal> {
    let targets = listed("even", value)?;
    Ok(Decision::Split(targets.into_iter().map(|target| (target, 1)).collect()))
}

fn listed(function: &str, value: &Dynamic) -> Result<Vec<Target>, Refusal> {
    let Some(list) = value.read_lock::<Array>() else {
        return Err(refuse(format!("`{function}` takes a list of teams, not {}", kind(value))));
    };
    let targets = list.iter().map(|element| target(function, element)).collect::<Result<Vec<_>, _>>()?;
    if targets.is_empty() {
        return Err(refuse(format!("`{function}` needs at least one team, and the list is empty")));
    }
    refuse_twice(function, targets.iter())?;
    Ok(targets)
}

fn refuse_twice<'a>(function: &str, targets: impl Iterator<Item = &'a Target>) -> Result<(), Refusal> {
    let mut seen: Vec<&Target> = Vec::new();
    for target in targets {
        if seen.contains(&target) {
            return Err(refuse(format!("`{function}` names '{}' twice", target.team)));
        }
        seen.push(target);
    }
    Ok(())
}

/// `by_cost([teams], #{filter}, #{when_zero: …})`, each of them optional.
pub(crate) fn by_cost(arguments: &[Dynamic], kept: &[Field]) -> Result<Decision, Refusal> {
    let mut rest = arguments.iter().peekable();
    let candidates = match rest.next_if(|first| first.is_array()) {
        Some(list) => Candidates::Listed(listed("by_cost", list)?),
        None => Candidates::AllTeams,
    };
    let (mut filter, mut when_zero) = (DriverFilter::new(), None);
    let mut has_filter = false;
    for argument in rest {
        let Some(map) = argument.read_lock::<Map>() else {
            return Err(refuse(format!("`by_cost` takes a list of teams, a map of filters and a map of options, not {}", kind(argument))));
        };
        if map.contains_key("when_zero") && when_zero.is_none() {
            when_zero = Some(options(&map)?);
        } else if !has_filter && when_zero.is_none() {
            has_filter = true;
            filter = driver_filter(&map, kept)?;
        } else {
            return Err(refuse("`by_cost` takes at most one map of filters, and the options last"));
        }
    }
    Ok(Decision::ByCost { candidates, filter, when_zero: when_zero.unwrap_or_default() })
}

fn options(map: &Map) -> Result<WhenZero, Refusal> {
    if let Some(other) = map.keys().find(|key| key.as_str() != "when_zero") {
        return Err(refuse(format!("`by_cost`: '{other}' stands beside the option when_zero; filters are a map of their own, before it")));
    }
    match map.get("when_zero").and_then(text).as_deref() {
        Some("even") => Ok(WhenZero::Even),
        Some("stay") => Ok(WhenZero::Stay),
        _ => Err(refuse("`by_cost`: when_zero is \"stay\" or \"even\"")),
    }
}

fn driver_filter(map: &Map, kept: &[Field]) -> Result<DriverFilter, Refusal> {
    map.iter()
        .map(|(key, value)| {
            let value = text(value).ok_or_else(|| refuse(format!("`by_cost` compares '{key}' with a text, not {}", kind(value))))?;
            Ok((filter_key(key, kept)?, value))
        })
        .collect()
}

/// `environment` and its like are tags; everything else is a dimension or says `tag:`.
pub(crate) fn filter_key(key: &str, kept: &[Field]) -> Result<String, Refusal> {
    if TARGET_KEYS.contains(&key) {
        return Ok(format!("tag:{key}"));
    }
    if key.strip_prefix("tag:").is_some_and(|tag| !tag.is_empty()) {
        return Ok(key.to_owned());
    }
    match Field::by_name(key) {
        Some(field) if kept.contains(&field) => Ok(key.to_owned()),
        Some(_) => {
            Err(refuse(format!("`by_cost` cannot filter by '{key}': that dimension is not collected; add it to `dimensions` in apportion.toml")))
        }
        None => {
            let known = kept.iter().map(|field| field.name()).chain(TARGET_KEYS);
            Err(refuse(format!("`by_cost` cannot filter by '{key}'{}; tags are written \"tag:<key>\"", meant(key, known))))
        }
    }
}

pub(crate) fn exclude(reason: &str) -> Result<Decision, Refusal> {
    if reason.trim().is_empty() {
        return Err(refuse("`exclude` needs a reason, and it is blank"));
    }
    Ok(Decision::Exclude { reason: reason.to_owned() })
}

/// The decision as a person would say it: for findings, the functions' page and reports.
pub fn describe(decision: &Decision) -> String {
    match decision {
        Decision::Assign(target) => format!("assign {}", describe_target(target)),
        Decision::Split(targets) => {
            let parts: Vec<String> = targets.iter().map(|(target, weight)| format!("{} {weight}", describe_target(target))).collect();
            format!("split {}", parts.join(", "))
        }
        Decision::ByCost { candidates, filter, when_zero } => {
            let mut words = vec!["by_cost".to_owned()];
            match candidates {
                Candidates::AllTeams => words.push("all teams".into()),
                Candidates::Listed(targets) => words.push(targets.iter().map(describe_target).collect::<Vec<_>>().join(", ")),
            }
            words.extend(filter.iter().map(|(key, value)| format!("where {key} = \"{value}\"")));
            if *when_zero == WhenZero::Even {
                words.push("when_zero even".into());
            }
            words.join(" ")
        }
        Decision::Exclude { reason } => format!("exclude \"{reason}\""),
    }
}

fn describe_target(target: &Target) -> String {
    let extra = [("cost_center", &target.cost_center), ("environment", &target.environment), ("application", &target.application)];
    let extra: Vec<String> = extra.iter().filter_map(|(key, value)| value.as_ref().map(|value| format!("{key}={value}"))).collect();
    if extra.is_empty() { target.team.clone() } else { format!("{} ({})", target.team, extra.join(", ")) }
}

pub(crate) fn text(value: &Dynamic) -> Option<String> {
    value.read_lock::<rhai::ImmutableString>().map(|text| text.to_string())
}

/// What kind of value it is, in the words of the rule language.
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
        name if name.ends_with("Opinion") => "a decision".to_owned(),
        name if name.ends_with("Charge") => "the charge".to_owned(),
        name if name.ends_with("Tags") => "the charge's tags".to_owned(),
        name => format!("a value of type {name}"),
    }
}

/// `; did you mean 'x'?` or nothing.
pub(crate) fn meant<'a>(written: &str, known: impl Iterator<Item = &'a str>) -> String {
    did_you_mean(written, known).map(|name| format!("; did you mean '{name}'?")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scaled(weights: &[&str]) -> Result<Vec<u64>, String> {
        let weights: Vec<Decimal> = weights.iter().map(|text| text.parse().unwrap_or_else(|_| panic!("{text}"))).collect();
        whole_weights(&weights).map_err(|refusal| refusal.message)
    }

    #[test]
    fn fractions_become_whole_numbers_exactly() {
        assert_eq!(scaled(&["12.5", "87.5"]), Ok(vec![125, 875]));
        assert_eq!(scaled(&["60.00", "40"]), Ok(vec![60, 40]));
        assert_eq!(scaled(&["0.001", "1", "0"]), Ok(vec![1, 1000, 0]));
        assert_eq!(scaled(&["1", "0.0000000000000000000001"]), Err("the weights together have more than 18 digits, at 1".to_owned()));
        assert_eq!(scaled(&["9223372036854775807", "1"]), Err("the weights together have more than 18 digits, at 1".to_owned()));
    }

    #[test]
    fn filters_name_dimensions_or_tags() {
        let kept = Field::default_dimensions();
        let key = |key: &str| filter_key(key, &kept).map_err(|refusal| refusal.message);
        assert_eq!(key("environment"), Ok("tag:environment".into()));
        assert_eq!(key("tag:a/b.c"), Ok("tag:a/b.c".into()));
        assert_eq!(key("region_id"), Ok("region_id".into()));
        assert_eq!(key("regionid"), Err("`by_cost` cannot filter by 'regionid'; did you mean 'region_id'?; tags are written \"tag:<key>\"".into()));
        let unkept = "`by_cost` cannot filter by 'sku_meter': that dimension is not collected; add it to `dimensions` in apportion.toml";
        assert_eq!(key("sku_meter"), Err(unkept.into()));
    }
}
