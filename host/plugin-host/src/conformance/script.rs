//! `conformance.toml`, in which the author of a plugin describes it to the kit.

use crate::allocator::{AllocatorDriver, AllocatorPool};
use crate::code;
use domain::diagnostic::{Diagnostic, did_you_mean};
use domain::hint::Hint;
use domain::period::{Day, Period};
use domain::recipient::Target;
use reach::cassette::RecordedResponse;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// The logical time.
    #[serde(default = "some_day")]
    pub now: String,
    /// Recordings that answer the plugin's HTTP requests, relative to the script.
    #[serde(default)]
    pub cassettes: Vec<String>,
    /// A file with the answers of Kubernetes, AWS Cost Explorer and AWS Organizations, relative to
    /// the script.
    pub answers: Option<String>,
    /// Slots of secrets that have a value.
    #[serde(default)]
    pub secrets: Vec<String>,
    /// Tables that it is granted, relative to the script.
    #[serde(default)]
    pub paths: Vec<String>,
    /// Other files that it reads itself with the power `file`, which sees the tables too; relative
    /// to the script.
    #[serde(default)]
    pub files: Vec<String>,
    #[serde(default)]
    pub period: Spans,
    /// The answer to a request that is not recorded.
    pub otherwise: Option<RecordedResponse>,
    /// Settings that are in order.
    #[serde(default)]
    pub good: Vec<Value>,
    /// Changes to the first good settings that lead to the same charges.
    #[serde(default)]
    pub paging: Vec<Value>,
    /// Settings that have to be refused.
    #[serde(default)]
    pub bad: Vec<Value>,
    /// Cases that make no sense for the plugin, each with the reason.
    #[serde(default)]
    pub skip: BTreeMap<String, String>,
    pub pool: Option<PoolScript>,
    #[serde(default)]
    pub targets: Vec<TargetScript>,
    #[serde(default)]
    pub drivers: Vec<UsageScript>,
}

/// First day and day after the last.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spans {
    pub usual: Option<[String; 2]>,
    pub empty: Option<[String; 2]>,
    pub huge: Option<[String; 2]>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoolScript {
    #[serde(default)]
    pub rule: String,
    pub period_start: String,
    pub amount: String,
    pub currency: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetScript {
    pub team: String,
    pub cost_center: Option<String>,
    pub environment: Option<String>,
    pub application: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UsageScript {
    pub metric: String,
    pub keys: BTreeMap<String, String>,
    pub value: String,
}

fn some_day() -> String {
    "2026-04-01T00:00:00Z".into()
}

fn wrong(message: impl Into<String>, hint: impl Into<Hint>) -> Diagnostic {
    Diagnostic::new(code::PLUGIN_PROJECT, message).hint(hint)
}

impl Script {
    /// Refuses a script that would try nothing, or skips a case that does not exist.
    pub fn checked(&self, names: &[&str]) -> Result<(), Diagnostic> {
        if self.good.is_empty() {
            return Err(wrong(
                "conformance.toml has no settings that are in order",
                "add a section `[[good]]` with what the plugin needs",
            ));
        }
        for (name, reason) in &self.skip {
            if !names.contains(&name.as_str()) {
                let hint = did_you_mean(name, names.iter().copied())
                    .map_or_else(|| names.join(", "), |meant| format!("Did you mean `{meant}`?"));
                return Err(wrong(
                    format!("conformance.toml skips '{name}', and there is no such case"),
                    hint,
                ));
            }
            if reason.trim().is_empty() {
                return Err(wrong(
                    format!("conformance.toml skips '{name}' without a reason"),
                    Hint::setting(format!("[skip]\n{name} = \"why\"")),
                ));
            }
        }
        Ok(())
    }

    pub fn first_good(&self) -> &Value {
        self.good.first().unwrap_or(&Value::Null)
    }

    pub fn pool(&self) -> Result<AllocatorPool, Diagnostic> {
        let Some(pool) = &self.pool else {
            return Err(wrong(
                "conformance.toml has no section [pool]",
                "[pool]\namount = \"100\"\ncurrency = \"EUR\"\nperiod_start = \"2026-03-01\"",
            ));
        };
        let rule =
            if pool.rule.is_empty() { "shared/conformance".into() } else { pool.rule.clone() };
        Ok(AllocatorPool {
            rule,
            period_start: pool.period_start.clone(),
            amount: pool.amount.clone(),
            currency: pool.currency.clone(),
        })
    }

    pub fn targets(&self) -> Vec<Target> {
        let target = |target: &TargetScript| Target {
            team: target.team.clone(),
            cost_center: target.cost_center.clone(),
            environment: target.environment.clone(),
            application: target.application.clone(),
        };
        self.targets.iter().map(target).collect()
    }

    pub fn drivers(&self) -> Vec<AllocatorDriver> {
        let driver = |usage: &UsageScript| AllocatorDriver {
            metric: usage.metric.clone(),
            keys: usage.keys.clone().into_iter().collect(),
            value: usage.value.clone(),
        };
        self.drivers.iter().map(driver).collect()
    }
}

/// The days of a span; `None` where the script gives none.
pub fn period(span: Option<&[String; 2]>) -> Result<Option<Period>, Diagnostic> {
    let Some([start, end]) = span else { return Ok(None) };
    let day = |text: &str| text.parse::<Day>().map_err(|error| error.to_string());
    let between = |start, end| Period::new(start, end).map_err(|error| error.to_string());
    let period = day(start).and_then(|start| between(start, day(end)?));
    period.map(Some).map_err(|error| {
        wrong(
            format!("conformance.toml has a period that is none: {error}"),
            "usual = [\"2026-03-01\", \"2026-04-01\"]",
        )
    })
}
