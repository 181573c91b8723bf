//! The source's settings: the requests to OpenCost, and the use of its answers.

use apportion_plugin_sdk::{Error, Problem};
use serde_json::Value;
use table_settings::{
    Server, flag, known, object, settings, text, texts, texts_by_key, unknown, word,
};

const KEYS: [&str; 15] = [
    "url",
    "user",
    "headers",
    "api",
    "path",
    "mode",
    "aggregate",
    "metrics",
    "idle",
    "share_idle",
    "currency",
    "billed",
    "effective",
    "constants",
    "resolution",
];
const URL_EXAMPLE: &str = "http://opencost:9003";

#[derive(Debug)]
pub struct Options {
    /// The server; without one, the files of the source are read.
    pub server: Option<Server>,
    pub api: Api,
    pub path: String,
    pub mode: Mode,
    /// The keys that make up the names of rows; without any, each container has a row.
    pub aggregate: Vec<String>,
    pub metrics: Vec<Metric>,
    pub idle: bool,
    pub share_idle: bool,
    pub currency: String,
    /// The billed and the effective cost, by OpenCost's names.
    pub billed: Option<&'static str>,
    pub effective: Option<&'static str>,
    /// Tags and keys that all rows get.
    pub constants: Vec<(String, String)>,
    pub resolution: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Api {
    Allocation,
    /// Allocations with unrounded costs and nothing else.
    Summary,
    CloudCost,
    CustomCost,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Usage,
    Charges,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    Cpu,
    Memory,
    Gpu,
    Storage,
    Transmit,
    Receive,
    Cost,
}

const APIS: [(&str, Api); 4] = [
    ("allocation", Api::Allocation),
    ("summary", Api::Summary),
    ("cloud-cost", Api::CloudCost),
    ("custom-cost", Api::CustomCost),
];
pub const METRICS: [(&str, Metric); 7] = [
    ("cpu", Metric::Cpu),
    ("memory", Metric::Memory),
    ("gpu", Metric::Gpu),
    ("storage", Metric::Storage),
    ("transmit", Metric::Transmit),
    ("receive", Metric::Receive),
    ("cost", Metric::Cost),
];
const CLOUD_COSTS: [(&str, &str); 5] = [
    ("listCost", "listCost"),
    ("netCost", "netCost"),
    ("amortizedNetCost", "amortizedNetCost"),
    ("invoicedCost", "invoicedCost"),
    ("amortizedCost", "amortizedCost"),
];
const CUSTOM_COSTS: [(&str, &str); 2] = [("billedCost", "billedCost"), ("listCost", "listCost")];

impl Api {
    fn path(self) -> &'static str {
        match self {
            Api::Allocation => "/allocation/compute",
            Api::Summary => "/allocation/compute/summary",
            Api::CloudCost => "/cloudCost",
            Api::CustomCost => "/customCost/total",
        }
    }
}

impl Options {
    pub fn parse(config: &str) -> Result<Options, Error> {
        let config = settings(config)?;
        let config = object("the settings", &config)?;
        known("setting", config, &KEYS)?;
        let given = |key: &str| config.get(key);
        let api = given("api").map_or(Ok(Api::Allocation), |value| word("api", value, &APIS))?;
        let mode = given("mode").ok_or_else(|| {
            Error::Config(
                Problem::new(
                    "the settings do not say whether allocations are charges, or usage \
                    by which the bill of a cloud is shared",
                )
                .hint("mode = \"usage\" | \"charges\""),
            )
        })?;
        let mode = word("mode", mode, &[("usage", Mode::Usage), ("charges", Mode::Charges)])?;
        let options = Options {
            server: Server::read(config, URL_EXAMPLE)?,
            api,
            path: given("path").map_or_else(|| Ok(api.path().to_owned()), path)?,
            mode,
            aggregate: given("aggregate")
                .map_or_else(|| Ok(usual_aggregate(mode)), |value| texts("aggregate", value))?,
            metrics: given("metrics")
                .map_or_else(|| Ok(METRICS.map(|(_, metric)| metric).to_vec()), metrics)?,
            idle: given("idle").map_or(Ok(true), |value| flag("idle", value))?,
            share_idle: given("share_idle").map_or(Ok(false), |value| flag("share_idle", value))?,
            currency: given("currency")
                .map_or_else(|| Ok("USD".into()), |value| text("currency", value))?,
            billed: given("billed").map(|value| cost("billed", value, api)).transpose()?,
            effective: given("effective").map(|value| cost("effective", value, api)).transpose()?,
            constants: given("constants")
                .map_or_else(|| Ok(Vec::new()), |value| texts_by_key("constants", value))?,
            resolution: given("resolution").map(|value| text("resolution", value)).transpose()?,
        };
        if matches!(api, Api::CloudCost | Api::CustomCost) {
            crate::wants_charges(&options, "cloud and custom costs")?;
        }
        Ok(options)
    }
}

/// Usage is wanted for few keys, and charges with all details.
fn usual_aggregate(mode: Mode) -> Vec<String> {
    match mode {
        Mode::Usage => vec!["namespace".into()],
        Mode::Charges => Vec::new(),
    }
}

fn path(value: &Value) -> Result<String, Error> {
    let path = text("path", value)?;
    if path.starts_with('/') && !path.contains(['?', '#']) {
        return Ok(path);
    }
    Err(Error::Config(
        Problem::new(format!("path cannot be '{path}': it begins with a slash, and has no query"))
            .hint("path = \"/model/allocation\""),
    ))
}

fn metrics(value: &Value) -> Result<Vec<Metric>, Error> {
    let names = texts("metrics", value)?;
    let known =
        |name: &String| METRICS.iter().find(|(known, _)| known == name).map(|(_, metric)| *metric);
    names
        .iter()
        .map(|name| {
            known(name).ok_or_else(|| unknown("metric", name, METRICS.map(|(name, _)| name)))
        })
        .collect()
}

fn cost(key: &str, value: &Value, api: Api) -> Result<&'static str, Error> {
    match api {
        Api::CustomCost => word(key, value, &CUSTOM_COSTS),
        Api::CloudCost => word(key, value, &CLOUD_COSTS),
        Api::Allocation | Api::Summary => {
            let problem = Problem::new(format!(
                "an allocation has one cost, so that there is no {key} to choose"
            ));
            Err(Error::Config(problem.hint("api = \"cloud-cost\" | \"custom-cost\"")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_said_with_the_line_that_mends_it() {
        for (config, message, hint) in [
            (
                "{}",
                "the settings do not say whether allocations are charges",
                "mode = \"usage\" | \"charges\"",
            ),
            (r#"{"mode": "both"}"#, "mode cannot be \"both\"", "mode = \"usage\" | \"charges\""),
            (
                r#"{"mode": "usage", "api": "cloud-cost"}"#,
                "cloud and custom costs are costs, and no usage",
                "mode = \"charges\"",
            ),
            (
                r#"{"mode": "usage", "agregate": []}"#,
                "there is no setting 'agregate'",
                "did you mean `aggregate`?",
            ),
            (
                r#"{"mode": "usage", "metrics": ["ram"]}"#,
                "there is no metric 'ram'",
                "there are: cpu, memory",
            ),
            (r#"{"mode": "charges", "billed": "netCost"}"#, "an allocation has one cost", "api = "),
            (
                r#"{"mode": "charges", "api": "cloud-cost", "billed": "cost"}"#,
                "billed cannot be \"cost\"",
                "billed = \"listCost\" | \"netCost\"",
            ),
            (
                r#"{"mode": "usage", "path": "allocation"}"#,
                "path cannot be 'allocation'",
                "path = ",
            ),
            (
                r#"{"mode": "usage", "url": "opencost:9003"}"#,
                "url cannot be 'opencost:9003'",
                "url = \"http://opencost:9003\"",
            ),
        ] {
            match Options::parse(config) {
                Err(Error::Config(problem)) => {
                    let given = problem.hint.unwrap_or_default();
                    assert!(
                        problem.message.contains(message) && given.contains(hint),
                        "{config} gave {} / {given}",
                        problem.message
                    );
                }
                other => panic!("{config} gave {other:?}"),
            }
        }
    }

    #[test]
    fn weights_are_by_namespace_and_charges_by_container() {
        let usage = Options::parse(r#"{"mode": "usage"}"#).unwrap();
        assert_eq!(
            (usage.aggregate, usage.metrics.len(), usage.path.as_str()),
            (vec!["namespace".to_owned()], 7, "/allocation/compute")
        );
        let charges =
            Options::parse(r#"{"mode": "charges", "api": "cloud-cost", "billed": "netCost"}"#)
                .unwrap();
        assert_eq!(
            (charges.aggregate.len(), charges.billed, charges.effective, charges.path.as_str()),
            (0, Some("netCost"), None, "/cloudCost")
        );
    }
}
