//! Outcomes and targets as JSON, which is what the journal keeps and what a reader of the file sees.

use crate::Result;
use crate::error::corrupt;
use domain::decision::{
    Basis, Bound, Candidates, Decision, Driver, DriverFilter, Limit, Outcome, Price, Recipient,
    RuleIndex, Spread, Target, Tier,
};
use domain::decision::{UnitPrice, Unknown, UsageDriver, Verdict, WhenNegative, WhenZero, Window};
use domain::money::Money;
use domain::usage::Quantity;
use serde_json::{Map, Value, json};

pub fn write(outcome: &Outcome) -> String {
    match &outcome.verdict {
        Verdict::Unallocated => json!({ "verdict": "unallocated" }),
        Verdict::Suspense { rule, diagnostic } => {
            json!({ "verdict": "suspense", "rule": rule.0, "diagnostic": diagnostic })
        }
        Verdict::Decided { rule, decision } => match decision {
            Decision::Assign(recipient) => {
                json!({ "verdict": "assign", "rule": rule.0, "to": recipient_value(recipient) })
            }
            Decision::Spread(spread) => {
                json!({ "verdict": "spread", "rule": rule.0, "spread": spread_value(spread) })
            }
            Decision::Exclude { reason } => {
                json!({ "verdict": "exclude", "rule": rule.0, "reason": reason })
            }
        },
    }
    .to_string()
}

pub fn recipient_value(recipient: &Recipient) -> Value {
    match recipient {
        Recipient::Team(target) => target_value(target),
        Recipient::Pool(rule) => json!({ "pool": rule }),
        Recipient::Unallocated => json!("unallocated"),
    }
}

fn target_value(target: &Target) -> Value {
    let mut value = Map::from_iter([("team".to_owned(), json!(target.team))]);
    for (name, part) in [
        ("cost_center", &target.cost_center),
        ("environment", &target.environment),
        ("application", &target.application),
    ] {
        if let Some(part) = part {
            value.insert(name.to_owned(), json!(part));
        }
    }
    Value::Object(value)
}

/// What is as usual is left out.
fn spread_value(spread: &Spread) -> Value {
    let mut value = driver_value(&spread.by);
    match &spread.when_zero {
        WhenZero::Stay => {}
        WhenZero::Even => drop(value.insert("when_zero".into(), json!("even"))),
        WhenZero::Spread(fallback) => {
            drop(value.insert("when_zero".into(), spread_value(fallback)))
        }
    }
    match spread.when_negative {
        WhenNegative::Zero => {}
        WhenNegative::Keep => drop(value.insert("when_negative".into(), json!("keep"))),
        WhenNegative::Stay => drop(value.insert("when_negative".into(), json!("stay"))),
    }
    if !spread.bounds.is_empty() {
        value
            .insert("bounds".into(), Value::Array(spread.bounds.iter().map(bound_value).collect()));
    }
    Value::Object(value)
}

fn driver_value(driver: &Driver) -> Map<String, Value> {
    let fields = match driver {
        Driver::Fixed(weights) => {
            let parts = weights.iter().map(
                |(recipient, weight)| json!({ "to": recipient_value(recipient), "weight": weight }),
            );
            vec![("by", json!("fixed")), ("parts", parts.collect())]
        }
        Driver::Cost { among, filter, basis } => {
            let basis = match basis {
                Basis::Effective => "effective_cost",
                Basis::Billed => "billed_cost",
            };
            vec![
                ("by", json!("cost")),
                ("among", among_value(among)),
                ("filter", json!(filter)),
                ("basis", json!(basis)),
            ]
        }
        Driver::Usage(usage) => vec![("by", json!("usage")), ("usage", usage_value(usage))],
        Driver::Tiers(tiers) => {
            let tiers = tiers.iter().map(|tier| json!({ "upto": tier.upto.map(Money::nanos), "spread": spread_value(&tier.spread) }));
            vec![("by", json!("tiers")), ("tiers", tiers.collect())]
        }
        Driver::RateCard { usage, prices, remainder } => {
            let prices = prices.iter().map(|price| json!({ "upto": price.upto.map(|upto| wide(upto.0)), "price": wide(price.price.0) }));
            let remainder = recipient_value(remainder);
            vec![
                ("by", json!("rate_card")),
                ("usage", usage_value(usage)),
                ("prices", prices.collect()),
                ("remainder", remainder),
            ]
        }
        Driver::Plugin { plugin, config, among, metrics } => {
            let plugin = ("plugin", json!(plugin));
            vec![
                ("by", json!("plugin")),
                plugin,
                ("config", json!(config)),
                ("among", among_value(among)),
                ("metrics", json!(metrics)),
            ]
        }
    };
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn among_value(among: &Candidates) -> Value {
    match among {
        Candidates::AllTeams => Value::Null,
        Candidates::Listed(targets) => targets.iter().map(target_value).collect(),
    }
}

fn usage_value(usage: &UsageDriver) -> Value {
    let recipients: Map<String, Value> = usage
        .recipients
        .iter()
        .map(|(value, recipient)| (value.clone(), recipient_value(recipient)))
        .collect();
    json!({
        "metric": usage.metric,
        "filter": usage.filter,
        "key": usage.key,
        "among": among_value(&usage.among),
        "recipients": recipients,
        "table": usage.table,
        "unknown": match &usage.unknown {
            Unknown::To(recipient) => recipient_value(recipient),
            Unknown::Ignore => Value::Null,
        },
        "window": match usage.window {
            Window::Days(days) => json!(days),
            Window::Month => json!("month"),
        },
    })
}

/// As text: 128 bits are more than a JSON number holds.
fn wide(number: i128) -> Value {
    json!(number.to_string())
}

fn bound_value(bound: &Bound) -> Value {
    let limit = |limit: Limit| match limit {
        Limit::Amount(amount) => json!({ "nanos": amount.nanos() }),
        Limit::Part(millionths) => json!({ "millionths": millionths }),
    };
    json!({ "to": recipient_value(&bound.recipient), "at_least": bound.at_least.map(limit), "at_most": bound.at_most.map(limit) })
}

pub fn read(text: &str) -> Result<Outcome> {
    let parsed: Option<Value> = serde_json::from_str(text).ok();
    let verdict = parsed.as_ref().and_then(verdict);
    verdict
        .map(|verdict| Outcome { verdict })
        .ok_or_else(|| corrupt(format!("the stored outcome {text} cannot be understood")))
}

fn verdict(value: &Value) -> Option<Verdict> {
    let rule = || Some(RuleIndex(u32::try_from(value.get("rule")?.as_u64()?).ok()?));
    let decision = match value.get("verdict")?.as_str()? {
        "unallocated" => return Some(Verdict::Unallocated),
        "suspense" => {
            return Some(Verdict::Suspense {
                rule: rule()?,
                diagnostic: text(value, "diagnostic")?,
            });
        }
        "assign" => Decision::Assign(recipient(value.get("to")?)?),
        "spread" => Decision::from(spread(value.get("spread")?)?),
        "exclude" => Decision::Exclude { reason: text(value, "reason")? },
        _ => return None,
    };
    Some(Verdict::Decided { rule: rule()?, decision })
}

fn text(value: &Value, name: &str) -> Option<String> {
    Some(value.get(name)?.as_str()?.to_owned())
}

pub fn recipient(value: &Value) -> Option<Recipient> {
    match (value.as_str(), value.get("pool")) {
        (Some("unallocated"), _) => Some(Recipient::Unallocated),
        (None, Some(pool)) => Some(Recipient::Pool(pool.as_str()?.to_owned())),
        (None, None) => target(value).map(Recipient::Team),
        (Some(_), _) => None,
    }
}

fn target(value: &Value) -> Option<Target> {
    let part = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    Some(Target {
        team: part("team")?,
        cost_center: part("cost_center"),
        environment: part("environment"),
        application: part("application"),
    })
}

fn spread(value: &Value) -> Option<Spread> {
    let when_zero = match value.get("when_zero") {
        None => WhenZero::Stay,
        Some(Value::String(word)) if word == "even" => WhenZero::Even,
        Some(fallback) => WhenZero::Spread(Box::new(spread(fallback)?)),
    };
    let when_negative = match value.get("when_negative").map(Value::as_str) {
        None => WhenNegative::Zero,
        Some(Some("keep")) => WhenNegative::Keep,
        Some(Some("stay")) => WhenNegative::Stay,
        Some(_) => return None,
    };
    let bounds = value.get("bounds").map_or(Some(Vec::new()), |bounds| list(bounds, bound))?;
    Some(Spread { by: driver(value)?, when_zero, when_negative, bounds })
}

fn driver(value: &Value) -> Option<Driver> {
    Some(match value.get("by")?.as_str()? {
        "fixed" => Driver::Fixed(list(value.get("parts")?, |part| {
            Some((recipient(part.get("to")?)?, part.get("weight")?.as_u64()?))
        })?),
        "cost" => {
            let basis = match value.get("basis")?.as_str()? {
                "effective_cost" => Basis::Effective,
                "billed_cost" => Basis::Billed,
                _ => return None,
            };
            Driver::Cost {
                among: among(value.get("among")?)?,
                filter: filter(value.get("filter")?)?,
                basis,
            }
        }
        "usage" => Driver::Usage(usage(value.get("usage")?)?),
        "tiers" => Driver::Tiers(list(value.get("tiers")?, tier)?),
        "rate_card" => {
            let prices = list(value.get("prices")?, price)?;
            Driver::RateCard {
                usage: usage(value.get("usage")?)?,
                prices,
                remainder: recipient(value.get("remainder")?)?,
            }
        }
        "plugin" => Driver::Plugin {
            plugin: text(value, "plugin")?,
            config: text(value, "config")?,
            among: among(value.get("among")?)?,
            metrics: list(value.get("metrics")?, |metric| metric.as_str().map(str::to_owned))?,
        },
        _ => return None,
    })
}

fn among(value: &Value) -> Option<Candidates> {
    Some(match value {
        Value::Null => Candidates::AllTeams,
        listed => Candidates::Listed(list(listed, target)?),
    })
}

fn filter(value: &Value) -> Option<DriverFilter> {
    value
        .as_object()?
        .iter()
        .map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
        .collect()
}

fn usage(value: &Value) -> Option<UsageDriver> {
    Some(UsageDriver {
        metric: text(value, "metric")?,
        filter: filter(value.get("filter")?)?,
        key: text(value, "key")?,
        among: among(value.get("among")?)?,
        recipients: value
            .get("recipients")?
            .as_object()?
            .iter()
            .map(|(key, value)| Some((key.clone(), recipient(value)?)))
            .collect::<Option<_>>()?,
        table: value.get("table")?.as_str().map(str::to_owned),
        unknown: match value.get("unknown")? {
            Value::Null => Unknown::Ignore,
            known => Unknown::To(recipient(known)?),
        },
        window: match value.get("window")? {
            Value::String(month) if month == "month" => Window::Month,
            days => Window::Days(u16::try_from(days.as_u64()?).ok()?),
        },
    })
}

fn tier(value: &Value) -> Option<Tier> {
    let upto = optional(value.get("upto")?, |nanos| nanos.as_i64().map(Money::from_nanos))?;
    Some(Tier { upto, spread: spread(value.get("spread")?)? })
}

fn price(value: &Value) -> Option<Price> {
    let number = |value: &Value| value.as_str()?.parse().ok();
    let upto = optional(value.get("upto")?, number)?.map(Quantity);
    Some(Price { upto, price: UnitPrice(number(value.get("price")?)?) })
}

fn bound(value: &Value) -> Option<Bound> {
    let limit = |value: &Value| match (value.get("nanos"), value.get("millionths")) {
        (Some(nanos), None) => nanos.as_i64().map(|nanos| Limit::Amount(Money::from_nanos(nanos))),
        (None, Some(part)) => {
            part.as_u64().and_then(|part| u32::try_from(part).ok()).map(Limit::Part)
        }
        _ => None,
    };
    Some(Bound {
        recipient: recipient(value.get("to")?)?,
        at_least: optional(value.get("at_least")?, limit)?,
        at_most: optional(value.get("at_most")?, limit)?,
    })
}

/// `null` is nothing; what is there must be understood.
fn optional<T>(value: &Value, read: impl Fn(&Value) -> Option<T>) -> Option<Option<T>> {
    if value.is_null() { Some(None) } else { read(value).map(Some) }
}

pub fn list<T>(value: &Value, read: impl Fn(&Value) -> Option<T>) -> Option<Vec<T>> {
    value.as_array()?.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_comes_back() {
        let full = Target {
            team: "payments \"quoted\" 多".into(),
            cost_center: Some("4711".into()),
            environment: Some(String::new()),
            application: Some("shop".into()),
        };
        let decided = |decision| Verdict::Decided { rule: RuleIndex(7), decision };
        let spread = |by| decided(Decision::from(Spread::new(by)));
        let filter = DriverFilter::from([("tag:env".to_owned(), "prod".to_owned())]);
        let listed = Candidates::Listed(vec![full.clone()]);
        let usage = UsageDriver {
            metric: "network.egress.bytes".into(),
            filter: filter.clone(),
            key: "namespace".into(),
            among: listed.clone(),
            recipients: [("__idle__".to_owned(), Recipient::Pool("shared/idle".into()))].into(),
            table: Some("namespaces".into()),
            unknown: Unknown::Ignore,
            window: Window::Days(30),
        };
        let open = UsageDriver {
            unknown: Unknown::To(Recipient::Unallocated),
            window: Window::Month,
            table: None,
            ..usage.clone()
        };
        let fixed = Driver::Fixed(vec![
            (full.clone().into(), u64::MAX),
            (Recipient::Pool("a/b".into()), 0),
        ]);
        let prices = vec![
            Price { upto: Some(Quantity(i128::MAX)), price: UnitPrice(5) },
            Price { upto: None, price: UnitPrice(-1) },
        ];
        let tier = |upto| Tier { upto, spread: Spread::new(fixed.clone()) };
        let bound = Bound {
            recipient: full.clone().into(),
            at_least: Some(Limit::Part(250_000)),
            at_most: Some(Limit::Amount(Money::from_nanos(-7))),
        };
        let by_cost = Driver::Cost {
            among: Candidates::AllTeams,
            filter: filter.clone(),
            basis: Basis::Billed,
        };
        let policies = Spread {
            by: Driver::Cost {
                among: listed.clone(),
                filter: DriverFilter::new(),
                basis: Basis::Effective,
            },
            when_zero: WhenZero::Spread(Box::new(Spread {
                when_zero: WhenZero::Even,
                ..Spread::new(by_cost.clone())
            })),
            when_negative: WhenNegative::Keep,
            bounds: vec![bound],
        };
        for verdict in [
            Verdict::Unallocated,
            Verdict::Suspense {
                rule: RuleIndex(u32::MAX),
                diagnostic: "rules/a.rhai:1:2: R202: no".into(),
            },
            decided(Decision::Assign(full.clone().into())),
            decided(Decision::Assign(Recipient::Unallocated)),
            decided(Decision::Exclude { reason: "tax".into() }),
            decided(Decision::from(policies)),
            decided(Decision::from(Spread {
                when_negative: WhenNegative::Stay,
                ..Spread::new(fixed.clone())
            })),
            spread(by_cost),
            spread(Driver::Usage(usage.clone())),
            spread(Driver::Tiers(vec![tier(Some(Money::from_nanos(1))), tier(None)])),
            spread(Driver::RateCard { usage: open, prices, remainder: Recipient::Unallocated }),
            spread(Driver::Plugin {
                plugin: "p".into(),
                config: "{}".into(),
                among: listed,
                metrics: vec!["m".into()],
            }),
        ] {
            let outcome = Outcome { verdict };
            assert_eq!(read(&write(&outcome)), Ok(outcome));
        }
        assert_eq!(
            read("{\"verdict\":\"guess\"}").map_err(|error| error.code),
            Err(crate::code::LEDGER_CORRUPT)
        );
    }
}
