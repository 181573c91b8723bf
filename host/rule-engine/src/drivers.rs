//! What pools are shared by, as scripts write it: `by_cost`, `by_usage`, `tiered`, `rate_card`, `bounded`, `plugin`.
//!
//! All take what they are about first, then perhaps a list of teams, a map of filters, and a map of options last.

use crate::decision::{Opinion, Refusal, TARGET_KEYS, among, kind, meant, recipient, refuse, text};
use domain::decision::{
    Basis, Bound, Candidates, Decision, Driver, DriverFilter, Limit, Price, Recipient, Spread,
    Tier, UnitPrice, Unknown,
};
use domain::decision::{UsageDriver, WhenNegative, WhenZero, Window};
use domain::field::Field;
use domain::money::Money;
use domain::usage::Quantity;
use rhai::{Array, Dynamic, Map};
use rust_decimal::Decimal;
use std::collections::BTreeMap;

const COST_OPTIONS: &[&str] = &["when_zero", "when_negative", "basis"];
const USAGE_OPTIONS: &[&str] =
    &["when_zero", "when_negative", "key", "table", "recipients", "unknown", "window"];
const PRICE_OPTIONS: &[&str] = &["remainder", "key", "table", "recipients", "unknown", "window"];
const PLUGIN_OPTIONS: &[&str] = &["when_zero", "usage", "teams"];
const BOUNDS: &[&str] = &["at_least", "at_most"];
/// A window of a year and a bit; longer ones would only be slow.
const WINDOW_DAYS_MAX: i64 = 400;

/// The optional arguments of a function.
struct Arguments {
    among: Candidates,
    filters: Option<Map>,
    options: Map,
}

impl Arguments {
    /// A map that has the name of an option is the map of options.
    fn read(function: &str, arguments: &[Dynamic], options: &[&str]) -> Result<Arguments, Refusal> {
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
                    "`{function}` takes a list of teams, a map of filters and a map of options, not {}",
                    kind(argument)
                )));
            };
            if map.keys().any(|key| options.contains(&key.as_str())) && !has_options {
                has_options = true;
                read.options = checked(function, &map, options)?;
            } else if read.filters.is_none() && !has_options {
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

fn checked(function: &str, map: &Map, options: &[&str]) -> Result<Map, Refusal> {
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

pub(crate) fn by_cost(arguments: &[Dynamic], kept: &[Field]) -> Result<Decision, Refusal> {
    let Arguments { among, filters, options } =
        Arguments::read("by_cost", arguments, COST_OPTIONS)?;
    let basis = match word("by_cost", &options, "basis")?.as_deref() {
        None | Some("effective_cost") => Basis::Effective,
        Some("billed_cost") => Basis::Billed,
        Some(_) => return Err(refuse("`by_cost`: basis is \"effective_cost\" or \"billed_cost\"")),
    };
    let filter = filters.map_or(Ok(DriverFilter::new()), |map| cost_filter(&map, kept))?;
    policies("by_cost", Spread::new(Driver::Cost { among, filter, basis }), &options)
}

fn cost_filter(map: &Map, kept: &[Field]) -> Result<DriverFilter, Refusal> {
    map.iter()
        .map(|(key, value)| {
            let value = text(value).ok_or_else(|| {
                refuse(format!("`by_cost` compares '{key}' with a text, not {}", kind(value)))
            })?;
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
        Some(_) => Err(refuse(format!(
            "`by_cost` cannot filter by '{key}': that dimension is not collected; add it to `dimensions` in apportion.toml"
        ))),
        None => {
            let known = kept.iter().map(|field| field.name()).chain(TARGET_KEYS);
            Err(refuse(format!(
                "`by_cost` cannot filter by '{key}'{}; tags are written \"tag:<key>\"",
                meant(key, known)
            )))
        }
    }
}

/// `when_zero` and `when_negative`, in the same words everywhere.
fn policies(function: &str, spread: Spread, options: &Map) -> Result<Decision, Refusal> {
    let when_zero = match options.get("when_zero") {
        None => WhenZero::Stay,
        Some(value) => match (text(value).as_deref(), spread_of(value)) {
            (Some("stay"), _) => WhenZero::Stay,
            (Some("even"), _) => WhenZero::Even,
            (None, Some(fallback)) => WhenZero::Spread(Box::new(fallback)),
            _ => {
                return Err(refuse(format!(
                    "`{function}`: when_zero is \"stay\", \"even\", or another way to share, such as by_cost()"
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

/// A decision that shares; one recipient for all is the simplest of them.
fn spread_of(value: &Dynamic) -> Option<Spread> {
    match value.read_lock::<Opinion>()?.decision.clone()? {
        Decision::Spread(spread) => Some(*spread),
        Decision::Assign(recipient) => Some(Spread::new(Driver::Fixed(vec![(recipient, 1)]))),
        Decision::Exclude { .. } => None,
    }
}

fn word(function: &str, options: &Map, key: &str) -> Result<Option<String>, Refusal> {
    match options.get(key) {
        None => Ok(None),
        Some(value) => text(value)
            .map(Some)
            .ok_or_else(|| refuse(format!("`{function}`: {key} is a text, not {}", kind(value)))),
    }
}

pub(crate) fn by_usage(
    metric: &str,
    arguments: &[Dynamic],
    tables: &dyn Fn(&str) -> Result<(), String>,
) -> Result<Decision, Refusal> {
    let arguments = Arguments::read("by_usage", arguments, USAGE_OPTIONS)?;
    let usage = usage_driver("by_usage", metric, &arguments, tables)?;
    policies("by_usage", Spread::new(Driver::Usage(usage)), &arguments.options)
}

fn usage_driver(
    function: &str,
    metric: &str,
    arguments: &Arguments,
    tables: &dyn Fn(&str) -> Result<(), String>,
) -> Result<UsageDriver, Refusal> {
    if metric.trim().is_empty() {
        return Err(refuse(format!("`{function}` needs the name of a metric, and it is blank")));
    }
    let Arguments { among, filters, options } = arguments;
    let table = word(function, options, "table")?;
    if let Some(table) = &table {
        tables(table).map_err(|problem| refuse(format!("`{function}`: {problem}")))?;
    }
    let recipients = match options
        .get("recipients")
        .map(|value| value.read_lock::<Map>().ok_or_else(|| kind(value)))
    {
        None => BTreeMap::new(),
        Some(Err(kind)) => {
            return Err(refuse(format!(
                "`{function}`: recipients is a map from values of the key to teams or pools, not {kind}"
            )));
        }
        Some(Ok(map)) => map
            .iter()
            .map(|(value, to)| Ok((value.to_string(), recipient(function, to)?)))
            .collect::<Result<_, Refusal>>()?,
    };
    let unknown = match options.get("unknown") {
        None => Unknown::To(Recipient::Unallocated),
        Some(value) => match text(value).as_deref() {
            Some("unallocated") => Unknown::To(Recipient::Unallocated),
            Some("ignore") => Unknown::Ignore,
            Some(other) => {
                return Err(refuse(format!(
                    "`{function}`: unknown is \"unallocated\", \"ignore\", #{{team: \"{other}\"}} or a pool"
                )));
            }
            None => Unknown::To(recipient(function, value)?),
        },
    };
    let filter = filters.iter().flatten().map(|(key, value)| {
        let value = text(value).ok_or_else(|| {
            refuse(format!("`{function}` compares '{key}' with a text, not {}", kind(value)))
        })?;
        let key = key.strip_prefix("tag:").unwrap_or(key).to_owned();
        let value = if key == "resource_id" {
            domain::usage::resource_key(&value).into_owned()
        } else {
            value
        };
        Ok((key, value))
    });
    Ok(UsageDriver {
        metric: metric.to_owned(),
        filter: filter.collect::<Result<_, Refusal>>()?,
        key: word(function, options, "key")?.map_or_else(
            || "team".into(),
            |key| key.strip_prefix("tag:").unwrap_or(&key).to_owned(),
        ),
        among: among.clone(),
        recipients,
        table,
        unknown,
        window: window(function, options.get("window"))?,
    })
}

fn window(function: &str, value: Option<&Dynamic>) -> Result<Window, Refusal> {
    let Some(value) = value else { return Ok(Window::Days(1)) };
    match (text(value).as_deref(), value.as_int()) {
        (Some("day"), _) => Ok(Window::Days(1)),
        (Some("month"), _) => Ok(Window::Month),
        (None, Ok(days)) if (1..=WINDOW_DAYS_MAX).contains(&days) => Ok(Window::Days(days as u16)),
        _ => Err(refuse(format!(
            "`{function}`: window is \"day\", \"month\" or a number of days up to {WINDOW_DAYS_MAX}, not {}",
            kind(value)
        ))),
    }
}

/// `[[1000, even([…])], [(), by_cost()]]`: the first thousand of the day so, the rest so.
pub(crate) fn tiered(tiers: &Array) -> Result<Decision, Refusal> {
    let wrong = |value: &Dynamic| {
        refuse(format!(
            "`tiered` takes pairs such as [1000, by_cost()], and () for the last tier, not {}",
            kind(value)
        ))
    };
    let mut read: Vec<Tier> = Vec::new();
    for tier in tiers {
        let Some(pair) = tier.read_lock::<Array>().filter(|pair| pair.len() == 2) else {
            return Err(wrong(tier));
        };
        let upto = if pair[0].is_unit() { None } else { Some(amount("tiered", &pair[0])?) };
        let spread = spread_of(&pair[1]).ok_or_else(|| wrong(&pair[1]))?;
        let before = read.last().map(|tier| tier.upto);
        match (before, upto) {
            (Some(None), _) => {
                return Err(refuse("`tiered`: only the last tier can be without an end"));
            }
            (Some(Some(before)), Some(upto)) if upto <= before => {
                return Err(refuse(format!(
                    "`tiered`: a tier up to {upto} follows one up to {before}"
                )));
            }
            _ => read.push(Tier { upto, spread }),
        }
    }
    if read.is_empty() {
        return Err(refuse("`tiered` needs at least one tier"));
    }
    Ok(Decision::from(Spread::new(Driver::Tiers(read))))
}

/// A price for each unit of usage, or a list of tiers `[[upto, price], [(), price]]`.
pub(crate) fn rate_card(
    metric: &str,
    price: &Dynamic,
    arguments: &[Dynamic],
    tables: &dyn Fn(&str) -> Result<(), String>,
) -> Result<Decision, Refusal> {
    let arguments = Arguments::read("rate_card", arguments, PRICE_OPTIONS)?;
    let usage = usage_driver("rate_card", metric, &arguments, tables)?;
    let remainder = match arguments.options.get("remainder") {
        Some(value) => recipient("rate_card", value)?,
        None => {
            return Err(refuse(
                "`rate_card` needs the option remainder: who bears what the prices leave of the cost",
            ));
        }
    };
    Ok(Decision::from(Spread::new(Driver::RateCard { usage, prices: prices(price)?, remainder })))
}

fn prices(value: &Dynamic) -> Result<Vec<Price>, Refusal> {
    let Some(tiers) = value.read_lock::<Array>() else {
        return Ok(vec![Price { upto: None, price: unit_price(value)? }]);
    };
    let mut prices: Vec<Price> = Vec::new();
    for tier in tiers.iter() {
        let wrong = || {
            refuse(format!(
                "`rate_card` takes a price or pairs such as [1000, 0.05], not {}",
                kind(tier)
            ))
        };
        let Some(pair) = tier.read_lock::<Array>().filter(|pair| pair.len() == 2) else {
            return Err(wrong());
        };
        let upto = if pair[0].is_unit() {
            None
        } else {
            Some(Quantity(scaled("rate_card", &pair[0], 9)?))
        };
        let ordered = match (prices.last().map(|price| price.upto), upto) {
            (None, _) => true,
            (Some(None), _) => false,
            (Some(Some(before)), Some(upto)) => upto > before,
            (Some(Some(_)), None) => true,
        };
        if !ordered {
            return Err(refuse(
                "`rate_card`: the tiers must rise, and only the last can be without an end",
            ));
        }
        prices.push(Price { upto, price: unit_price(&pair[1])? });
    }
    match prices.last() {
        Some(Price { upto: None, .. }) => Ok(prices),
        _ => Err(refuse("`rate_card` needs a last tier without an end, [(), price]")),
    }
}

fn unit_price(value: &Dynamic) -> Result<UnitPrice, Refusal> {
    scaled("rate_card", value, 18).map(UnitPrice)
}

fn number(function: &str, value: &Dynamic) -> Result<Decimal, Refusal> {
    let number = value.as_int().map(Decimal::from).or_else(|_| value.as_decimal());
    number.map_err(|_| refuse(format!("`{function}` takes a number here, not {}", kind(value))))
}

/// A number that is not negative, in units of 10^-`places`, exactly.
fn scaled(function: &str, value: &Dynamic, places: u32) -> Result<i128, Refusal> {
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

fn amount(function: &str, value: &Dynamic) -> Result<Money, Refusal> {
    let nanos = scaled(function, value, 9)?;
    i64::try_from(nanos)
        .map(Money::from_nanos)
        .map_err(|_| refuse(format!("`{function}`: the amount {} is too large", kind(value))))
}

/// `bounded(by_cost(), #{at_least: #{web: 10}, at_most: #{search: "40%"}})`: amounts and parts of the pool's total of the day.
pub(crate) fn bounded(decision: &Dynamic, bounds: &Map) -> Result<Decision, Refusal> {
    let bounds = checked("bounded", bounds, BOUNDS)?;
    let mut spread = spread_of(decision).ok_or_else(|| {
        refuse(format!("`bounded` takes a way to share, such as by_cost(), not {}", kind(decision)))
    })?;
    for (name, limits) in &bounds {
        let Some(limits) = limits.read_lock::<Map>() else {
            return Err(refuse(format!(
                "`bounded`: {name} is a map from teams to amounts or parts, such as #{{search: \"40%\"}}, not {}",
                kind(limits)
            )));
        };
        for (team, value) in limits.iter() {
            let limit = Some(limit(value)?);
            let recipient = recipient("bounded", &Dynamic::from(team.to_string()))?;
            let at =
                spread.bounds.iter().position(|bound| bound.recipient == recipient).unwrap_or_else(
                    || {
                        spread.bounds.push(Bound { recipient, at_least: None, at_most: None });
                        spread.bounds.len() - 1
                    },
                );
            if let Some(bound) = spread.bounds.get_mut(at) {
                let slot =
                    if name == "at_least" { &mut bound.at_least } else { &mut bound.at_most };
                *slot = limit;
            }
        }
    }
    if spread.bounds.is_empty() {
        return Err(refuse("`bounded` needs at_least or at_most, with at least one team"));
    }
    Ok(Decision::from(spread))
}

fn limit(value: &Dynamic) -> Result<Limit, Refusal> {
    let Some(written) = text(value) else { return amount("bounded", value).map(Limit::Amount) };
    let part = written
        .strip_suffix('%')
        .and_then(|part| part.trim().parse::<Decimal>().ok())
        .map(|part| part.normalize());
    let millionths = part.filter(|part| part.scale() <= 4).and_then(|part| {
        10_i128.checked_pow(4 - part.scale()).and_then(|factor| part.mantissa().checked_mul(factor))
    });
    match millionths
        .and_then(|millionths| u32::try_from(millionths).ok())
        .filter(|millionths| *millionths <= 1_000_000)
    {
        Some(millionths) => Ok(Limit::Part(millionths)),
        None => Err(refuse(format!(
            "`bounded`: '{written}' is not a part such as \"40%\" or \"12.5%\""
        ))),
    }
}

/// `plugin("name", #{its own settings}, #{teams: […], usage: ["metric"]})`.
pub(crate) fn plugin(name: &str, arguments: &[Dynamic]) -> Result<Decision, Refusal> {
    if name.trim().is_empty() {
        return Err(refuse("`plugin` needs the name of an allocator plugin, and it is blank"));
    }
    let map = |value: &Dynamic| {
        value
            .read_lock::<Map>()
            .map(|map| map.clone())
            .ok_or_else(|| refuse(format!("`plugin` takes maps, not {}", kind(value))))
    };
    let config = arguments.first().map_or(Ok(Map::new()), map)?;
    let options = arguments.get(1).map_or(Ok(Map::new()), map)?;
    let options = checked("plugin", &options, PLUGIN_OPTIONS)?;
    let among =
        options.get("teams").map_or(Ok(Candidates::AllTeams), |teams| among("plugin", teams))?;
    let metrics = match options
        .get("usage")
        .map(|value| value.read_lock::<Array>().ok_or_else(|| kind(value)))
    {
        None => Vec::new(),
        Some(Err(kind)) => {
            return Err(refuse(format!("`plugin`: usage is a list of metrics, not {kind}")));
        }
        Some(Ok(list)) => {
            let metric = |value: &Dynamic| {
                text(value).ok_or_else(|| {
                    refuse(format!("`plugin`: a metric is a text, not {}", kind(value)))
                })
            };
            list.iter().map(metric).collect::<Result<_, _>>()?
        }
    };
    let mut json = String::new();
    write_json(&mut json, &Dynamic::from(config))?;
    policies(
        "plugin",
        Spread::new(Driver::Plugin { plugin: name.to_owned(), config: json, among, metrics }),
        &options,
    )
}

/// Numbers as they are written, so that no float is made of them.
fn write_json(json: &mut String, value: &Dynamic) -> Result<(), Refusal> {
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

#[cfg(test)]
mod tests {
    use super::*;

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
