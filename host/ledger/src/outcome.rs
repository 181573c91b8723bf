//! Outcomes and targets as JSON, which is what the journal keeps and what a reader of the file sees.

use crate::Result;
use crate::error::corrupt;
use domain::decision::{Candidates, Decision, DriverFilter, Outcome, RuleIndex, Target, Verdict, WhenZero};
use serde_json::{Map, Value, json};

pub fn write(outcome: &Outcome) -> String {
    match &outcome.verdict {
        Verdict::Unallocated => json!({ "verdict": "unallocated" }),
        Verdict::Suspense { rule, diagnostic } => json!({ "verdict": "suspense", "rule": rule.0, "diagnostic": diagnostic }),
        Verdict::Decided { rule, decision } => {
            let mut decided = decision_value(decision);
            decided.insert("rule".into(), json!(rule.0));
            Value::Object(decided)
        }
    }
    .to_string()
}

fn decision_value(decision: &Decision) -> Map<String, Value> {
    let fields = match decision {
        Decision::Assign(target) => vec![("verdict", json!("assign")), ("target", target_value(target))],
        Decision::Split(weights) => {
            let parts: Vec<Value> = weights.iter().map(|(target, weight)| json!({ "target": target_value(target), "weight": weight })).collect();
            vec![("verdict", json!("split")), ("parts", Value::Array(parts))]
        }
        Decision::ByCost { candidates, filter, when_zero } => {
            let candidates = match candidates {
                Candidates::AllTeams => Value::Null,
                Candidates::Listed(targets) => Value::Array(targets.iter().map(target_value).collect()),
            };
            let when_zero = match when_zero {
                WhenZero::Stay => "stay",
                WhenZero::Even => "even",
            };
            vec![("verdict", json!("by_cost")), ("candidates", candidates), ("filter", json!(filter)), ("when_zero", json!(when_zero))]
        }
        Decision::Exclude { reason } => vec![("verdict", json!("exclude")), ("reason", json!(reason))],
    };
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

pub fn target_value(target: &Target) -> Value {
    let mut value = Map::from_iter([("team".to_owned(), json!(target.team))]);
    for (name, part) in [("cost_center", &target.cost_center), ("environment", &target.environment), ("application", &target.application)] {
        if let Some(part) = part {
            value.insert(name.to_owned(), json!(part));
        }
    }
    Value::Object(value)
}

pub fn read(text: &str) -> Result<Outcome> {
    let parsed: Option<Value> = serde_json::from_str(text).ok();
    let verdict = parsed.as_ref().and_then(verdict);
    verdict.map(|verdict| Outcome { verdict }).ok_or_else(|| corrupt(format!("the stored outcome {text} cannot be understood")))
}

fn verdict(value: &Value) -> Option<Verdict> {
    let text = |name: &str| Some(value.get(name)?.as_str()?.to_owned());
    let rule = || Some(RuleIndex(u32::try_from(value.get("rule")?.as_u64()?).ok()?));
    let decision = match value.get("verdict")?.as_str()? {
        "unallocated" => return Some(Verdict::Unallocated),
        "suspense" => return Some(Verdict::Suspense { rule: rule()?, diagnostic: text("diagnostic")? }),
        "assign" => Decision::Assign(target(value.get("target")?)?),
        "split" => Decision::Split(list(value.get("parts")?, |part| Some((target(part.get("target")?)?, part.get("weight")?.as_u64()?)))?),
        "by_cost" => by_cost(value)?,
        "exclude" => Decision::Exclude { reason: text("reason")? },
        _ => return None,
    };
    Some(Verdict::Decided { rule: rule()?, decision })
}

fn by_cost(value: &Value) -> Option<Decision> {
    let candidates = match value.get("candidates")? {
        Value::Null => Candidates::AllTeams,
        listed => Candidates::Listed(list(listed, target)?),
    };
    let pairs = value.get("filter")?.as_object()?.iter().map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())));
    let filter: DriverFilter = pairs.collect::<Option<DriverFilter>>()?;
    let when_zero = match value.get("when_zero")?.as_str()? {
        "stay" => WhenZero::Stay,
        "even" => WhenZero::Even,
        _ => return None,
    };
    Some(Decision::ByCost { candidates, filter, when_zero })
}

pub fn target(value: &Value) -> Option<Target> {
    let part = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    Some(Target { team: part("team")?, cost_center: part("cost_center"), environment: part("environment"), application: part("application") })
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
        let filter = DriverFilter::from([("tag:env".to_owned(), "prod".to_owned())]);
        for verdict in [
            Verdict::Unallocated,
            Verdict::Suspense { rule: RuleIndex(u32::MAX), diagnostic: "rules/a.rhai:1:2: R202: no".into() },
            decided(Decision::Assign(full.clone())),
            decided(Decision::Split(vec![(full.clone(), u64::MAX), (Target::team("b"), 0)])),
            decided(Decision::ByCost { candidates: Candidates::AllTeams, filter, when_zero: WhenZero::Even }),
            decided(Decision::ByCost { candidates: Candidates::Listed(vec![full]), filter: DriverFilter::new(), when_zero: WhenZero::Stay }),
            decided(Decision::Exclude { reason: "tax".into() }),
        ] {
            let outcome = Outcome { verdict };
            assert_eq!(read(&write(&outcome)), Ok(outcome));
        }
        assert_eq!(read("{\"verdict\":\"guess\"}").map_err(|error| error.code), Err(domain::catalogue::LEDGER_CORRUPT));
    }
}
