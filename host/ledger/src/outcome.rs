//! Outcomes and targets as JSON. A person can read them in the file, and equal outcomes have equal
//! bytes.

mod driver;

use crate::Result;
use crate::error::corrupt;
use domain::decision::{Decision, Outcome, RuleIndex, Verdict};
use domain::driver::bounds::{Bound, Limit};
use domain::money::Money;
use domain::recipient::{Recipient, Target};
use domain::spread::{Spread, WhenNegative, WhenZero};
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

/// Defaults are left out.
fn spread_value(spread: &Spread) -> Value {
    let mut value = driver::write(&spread.by);
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

fn bound_value(bound: &Bound) -> Value {
    let limit = |limit: Limit| match limit {
        Limit::Amount(amount) => json!({ "nanos": amount.nanos() }),
        Limit::Part(millionths) => json!({ "millionths": millionths }),
    };
    json!({
        "to": recipient_value(&bound.recipient),
        "at_least": bound.at_least.map(limit),
        "at_most": bound.at_most.map(limit),
    })
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
    Some(Spread { by: driver::read(value)?, when_zero, when_negative, bounds })
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

/// `null` is nothing. Any other value must be understood.
fn optional<T>(value: &Value, read: impl Fn(&Value) -> Option<T>) -> Option<Option<T>> {
    if value.is_null() { Some(None) } else { read(value).map(Some) }
}

pub fn list<T>(value: &Value, read: impl Fn(&Value) -> Option<T>) -> Option<Vec<T>> {
    value.as_array()?.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::driver::Driver;
    use domain::driver::candidates::Candidates;
    use domain::driver::cost::CostDriver;
    use domain::driver::facts::{CostQuestion, DriverFilter};

    fn full() -> Target {
        Target {
            team: "payments \"quoted\" 多".into(),
            cost_center: Some("4711".into()),
            environment: Some(String::new()),
            application: Some("shop".into()),
        }
    }

    fn by_cost() -> Spread {
        Spread::new(Driver::Cost(CostDriver {
            among: Candidates::AllTeams,
            costs: CostQuestion::direct(DriverFilter::new()),
        }))
    }

    fn assert_comes_back(verdict: Verdict) {
        let outcome = Outcome { verdict };
        assert_eq!(read(&write(&outcome)), Ok(outcome));
    }

    #[test]
    fn every_verdict_comes_back() {
        let decided = |decision| Verdict::Decided { rule: RuleIndex(7), decision };
        assert_comes_back(Verdict::Unallocated);
        assert_comes_back(Verdict::Suspense {
            rule: RuleIndex(u32::MAX),
            diagnostic: "rules/a.rhai:1:2: R202: no".into(),
        });
        assert_comes_back(decided(Decision::Assign(full().into())));
        assert_comes_back(decided(Decision::Assign(Recipient::Unallocated)));
        assert_comes_back(decided(Decision::Exclude { reason: "tax".into() }));
        let unknown = read("{\"verdict\":\"guess\"}").map_err(|error| error.code);
        assert_eq!(unknown, Err(crate::code::LEDGER_CORRUPT));
    }

    #[test]
    fn policies_and_bounds_come_back_in_these_words() {
        let bound = Bound {
            recipient: full().into(),
            at_least: Some(Limit::Part(250_000)),
            at_most: Some(Limit::Amount(Money::from_nanos(-7))),
        };
        let even = Spread { when_zero: WhenZero::Even, ..by_cost() };
        let spread = Spread {
            when_zero: WhenZero::Spread(Box::new(even)),
            when_negative: WhenNegative::Keep,
            bounds: vec![bound],
            ..by_cost()
        };
        let cost = json!({
            "by": "cost", "among": null, "filter": {}, "basis": "effective_cost",
            "when_zero": "even",
        });
        let stored = json!({
            "by": "cost", "among": null, "filter": {}, "basis": "effective_cost",
            "when_zero": cost,
            "when_negative": "keep",
            "bounds": [{
                "to": target_value(&full()),
                "at_least": { "millionths": 250_000 },
                "at_most": { "nanos": -7 },
            }],
        });
        assert_eq!(spread_value(&spread), stored);
        assert_eq!(super::spread(&stored), Some(spread));
        let stays = Spread { when_negative: WhenNegative::Stay, ..by_cost() };
        assert_eq!(super::spread(&spread_value(&stays)), Some(stays));
    }
}
