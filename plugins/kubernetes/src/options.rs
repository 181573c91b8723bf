//! The settings of a source.

use crate::quantity::price;
use apportion_plugin_sdk::{Error, Problem};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Names of keys, each with the labels that may hold its value, in order of preference.
pub type Labels = Vec<(String, Vec<String>)>;

/// A GPU, in the unit of written parts.
const PART_OF_GPU: u128 = 1_000_000_000_000;

const LABELS: [&str; 6] =
    ["business-unit", "cost-center", "environment", "owner", "product", "team"];

#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// The cluster's name; empty for the source's name.
    pub cluster: String,
    pub labels: Labels,
    /// Whether pods have rows of their own.
    pub pods: bool,
    /// Whether owners of owners are looked up, to find a Deployment behind its ReplicaSet.
    pub workloads: bool,
    pub volumes: bool,
    pub load_balancers: bool,
    /// Extended resources, with the 10⁻¹² GPUs that one of each is. Others are known by name.
    pub gpu_resources: BTreeMap<String, u128>,
    pub weights: Weights,
    pub page_size: u32,
    pub prices: Option<Prices>,
}

/// The weights of a core, a GiB and a GPU when a node is shared, as whole numbers without a common
/// factor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weights {
    pub cpu: u128,
    pub memory: u128,
    pub gpu: u128,
}

/// Prices by the hour, in 10⁻¹² of the currency.
#[derive(Clone, Debug, PartialEq)]
pub struct Prices {
    pub currency: String,
    /// Prices by instance type; `*` is any other.
    pub node_hour: BTreeMap<String, u128>,
    /// Prices of a GiB by storage class; `*` is any other.
    pub volume_gib_hour: BTreeMap<String, u128>,
    pub load_balancer_hour: Option<u128>,
    /// Whether a node has a charge for each workload and one for its idle part, or one in all.
    pub by_workload: bool,
}

impl Prices {
    pub fn of(table: &BTreeMap<String, u128>, kind: &str) -> Option<u128> {
        table.get(kind).or_else(|| table.get("*")).copied()
    }
}

impl Default for Options {
    fn default() -> Options {
        let keys = |name: &str| {
            if name.contains('-') {
                vec![name.into(), name.replace('-', "_")]
            } else {
                vec![name.into()]
            }
        };
        Options {
            cluster: String::new(),
            labels: LABELS.iter().map(|name| ((*name).to_owned(), keys(name))).collect(),
            pods: false,
            workloads: true,
            volumes: true,
            load_balancers: true,
            gpu_resources: BTreeMap::new(),
            // The list prices of OpenCost: 0.031611 a core, 0.004237 a GiB, 0.95 a GPU.
            weights: Weights { cpu: 31_611, memory: 4_237, gpu: 950_000 },
            page_size: 500,
            prices: None,
        }
    }
}

fn wrong(key: &str, expected: &str) -> Error {
    Error::Config(Problem::new(format!("the setting '{key}' has to be {expected}")))
}

fn unknown(key: &str, known: &str) -> Error {
    Error::Config(
        Problem::new(format!("there is no setting '{key}'"))
            .hint(format!("the settings are: {known}")),
    )
}

impl Options {
    pub fn parse(config: &str) -> Result<Options, Error> {
        let config = if config.trim().is_empty() { "{}" } else { config };
        let value: Value = serde_json::from_str(config)
            .map_err(|error| Error::config(format!("the settings are no JSON: {error}")))?;
        let mut options = Options::default();
        for (key, value) in
            value.as_object().ok_or_else(|| Error::config("the settings have to be a table"))?
        {
            options.set(key, value)?;
        }
        Ok(options)
    }

    fn set(&mut self, key: &str, value: &Value) -> Result<(), Error> {
        match key {
            "cluster" => self.cluster = text(key, value)?,
            "labels" => self.set_labels(table(key, value)?)?,
            "pods" => self.pods = switch(key, value)?,
            "workloads" => self.workloads = switch(key, value)?,
            "volumes" => self.volumes = switch(key, value)?,
            "load_balancers" => self.load_balancers = switch(key, value)?,
            "gpu_resources" => self.gpu_resources = parts_of_gpus(key, value)?,
            "weights" => self.set_weights(table(key, value)?)?,
            "page_size" => {
                let size = value
                    .as_u64()
                    .filter(|size| (1..=500).contains(size))
                    .and_then(|size| u32::try_from(size).ok());
                self.page_size = size.ok_or_else(|| wrong(key, "a number from 1 to 500"))?;
            }
            "prices" => self.prices = Some(Prices::parse(table(key, value)?)?),
            _ => {
                return Err(unknown(
                    key,
                    "cluster, labels, pods, workloads, volumes, load_balancers, gpu_resources, \
                     weights, page_size, prices",
                ));
            }
        }
        Ok(())
    }

    /// Names with their labels. A written name replaces the usual one; a name without labels is
    /// left out.
    fn set_labels(&mut self, labels: &Map<String, Value>) -> Result<(), Error> {
        for (name, keys) in labels {
            let keys = texts(&format!("labels.{name}"), keys)?;
            self.labels.retain(|(known, _)| known != name);
            if !keys.is_empty() {
                self.labels.push((name.clone(), keys));
            }
        }
        self.labels.sort();
        Ok(())
    }

    fn set_weights(&mut self, weights: &Map<String, Value>) -> Result<(), Error> {
        // The usual weights, in the same unit as written ones.
        self.weights = Weights {
            cpu: self.weights.cpu * 1_000_000,
            memory: self.weights.memory * 1_000_000,
            gpu: self.weights.gpu * 1_000_000,
        };
        for (name, value) in weights {
            let weight = amount(&format!("weights.{name}"), value)?;
            match name.as_str() {
                "cpu" => self.weights.cpu = weight,
                "memory" => self.weights.memory = weight,
                "gpu" => self.weights.gpu = weight,
                _ => {
                    return Err(unknown(
                        &format!("weights.{name}"),
                        "weights.cpu, weights.memory, weights.gpu",
                    ));
                }
            }
        }
        if self.weights.cpu == 0 && self.weights.memory == 0 {
            return Err(wrong("weights", "above zero for cpu or memory"));
        }
        let Weights { cpu, memory, gpu } = self.weights;
        let factor = common_factor(common_factor(cpu, memory), gpu);
        self.weights = Weights { cpu: cpu / factor, memory: memory / factor, gpu: gpu / factor };
        Ok(())
    }
}

fn common_factor(a: u128, b: u128) -> u128 {
    if b == 0 { a } else { common_factor(b, a % b) }
}

impl Prices {
    fn parse(table_of_prices: &Map<String, Value>) -> Result<Prices, Error> {
        let mut prices = Prices {
            currency: String::new(),
            node_hour: BTreeMap::new(),
            volume_gib_hour: BTreeMap::new(),
            load_balancer_hour: None,
            by_workload: true,
        };
        for (name, value) in table_of_prices {
            let key = format!("prices.{name}");
            match name.as_str() {
                "currency" => prices.currency = text(&key, value)?,
                "node_hour" => prices.node_hour = amounts(&key, value)?,
                "volume_gib_hour" => prices.volume_gib_hour = amounts(&key, value)?,
                "load_balancer_hour" => prices.load_balancer_hour = Some(amount(&key, value)?),
                "split" => {
                    prices.by_workload = match value.as_str() {
                        Some("workload") => true,
                        Some("node") => false,
                        _ => return Err(wrong(&key, "\"workload\" or \"node\"")),
                    };
                }
                _ => {
                    return Err(unknown(
                        &key,
                        "prices.currency, prices.node_hour, prices.volume_gib_hour, \
                         prices.load_balancer_hour, prices.split",
                    ));
                }
            }
        }
        if prices.currency.len() != 3
            || !prices.currency.bytes().all(|byte| byte.is_ascii_uppercase())
        {
            return Err(wrong("prices.currency", "a currency such as \"USD\""));
        }
        Ok(prices)
    }
}

fn text(key: &str, value: &Value) -> Result<String, Error> {
    value
        .as_str()
        .filter(|text| !text.trim().is_empty())
        .map(str::to_owned)
        .ok_or_else(|| wrong(key, "a text"))
}

fn texts(key: &str, value: &Value) -> Result<Vec<String>, Error> {
    let list = value.as_array().ok_or_else(|| wrong(key, "a list of texts"))?;
    list.iter()
        .map(|value| text(key, value))
        .collect::<Result<_, _>>()
        .map_err(|_| wrong(key, "a list of texts"))
}

fn switch(key: &str, value: &Value) -> Result<bool, Error> {
    value.as_bool().ok_or_else(|| wrong(key, "true or false"))
}

fn table<'a>(key: &str, value: &'a Value) -> Result<&'a Map<String, Value>, Error> {
    value.as_object().ok_or_else(|| wrong(key, "a table"))
}

/// Amounts are texts, so that no reader makes floats of them on the way.
fn amount(key: &str, value: &Value) -> Result<u128, Error> {
    let text = value
        .as_str()
        .ok_or_else(|| wrong(key, "a decimal number in quotes, such as \"0.192\""))?;
    price(text).map_err(|error| Error::config(format!("the setting '{key}': {error}")))
}

fn amounts(key: &str, value: &Value) -> Result<BTreeMap<String, u128>, Error> {
    table(key, value)?
        .iter()
        .map(|(name, value)| Ok((name.clone(), amount(&format!("{key}.{name}"), value)?)))
        .collect()
}

/// Names of resources, with the GPUs that one of each is: at most a thousand.
fn parts_of_gpus(key: &str, value: &Value) -> Result<BTreeMap<String, u128>, Error> {
    let expected = "a table from resources to the GPUs that one of each is, such as \
        { \"nvidia.com/gpu.shared\" = \"0.25\" }";
    if !value.is_object() {
        return Err(wrong(key, expected));
    }
    let parts = amounts(key, value)?;
    match parts.iter().find(|(_, part)| **part > 1000 * PART_OF_GPU) {
        None => Ok(parts),
        Some((name, _)) => Err(wrong(&format!("{key}.{name}"), "at most \"1000\"")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(config: &str) -> String {
        match Options::parse(config) {
            Err(Error::Config(problem)) => problem.message,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn nothing_has_to_be_set() {
        assert_eq!(Options::parse(""), Ok(Options::default()));
        assert_eq!(Options::parse("{}"), Ok(Options::default()));
    }

    #[test]
    fn labels_replace_the_usual_ones_by_name() {
        let options = Options::parse(
            r#"{"labels": {"team": ["squad", "team"], "owner": [], "tier": ["tier"]}}"#,
        )
        .unwrap();
        let names: Vec<&str> = options.labels.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names,
            ["business-unit", "cost-center", "environment", "product", "team", "tier"]
        );
        assert_eq!(options.labels[4].1, ["squad", "team"]);
        assert_eq!(options.labels[1].1, ["cost-center", "cost_center"]);
    }

    #[test]
    fn weights_are_a_ratio() {
        let weights = |config: &str| Options::parse(config).unwrap().weights;
        assert_eq!(
            weights(r#"{"weights": {"cpu": "9", "memory": "1", "gpu": "0"}}"#),
            Weights { cpu: 9, memory: 1, gpu: 0 }
        );
        assert_eq!(
            weights(r#"{"weights": {"cpu": "0.031611", "memory": "0.004237"}}"#),
            Options::default().weights
        );
    }

    #[test]
    fn prices_are_decimal_texts() {
        let config = r#"{"prices": {"currency": "EUR", "node_hour": {"m5.xlarge": "0.192",
            "*": "1"}, "volume_gib_hour": {"gp3": "0.00005479452"},
            "load_balancer_hour": "0.0225", "split": "node"}}"#;
        let prices = Options::parse(config).unwrap().prices.unwrap();
        assert_eq!(Prices::of(&prices.node_hour, "m5.xlarge"), Some(192_000_000_000));
        assert_eq!(Prices::of(&prices.node_hour, "other"), Some(1_000_000_000_000));
        assert_eq!(Prices::of(&prices.volume_gib_hour, "gp2"), None);
        assert!(!prices.by_workload);
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_its_name() {
        for (config, expect) in [
            ("[]", "the settings have to be a table"),
            ("{", "the settings are no JSON: EOF while parsing an object at line 1 column 1"),
            (r#"{"namespace": "a"}"#, "there is no setting 'namespace'"),
            (r#"{"cluster": ""}"#, "the setting 'cluster' has to be a text"),
            (r#"{"pods": "yes"}"#, "the setting 'pods' has to be true or false"),
            (r#"{"page_size": 501}"#, "the setting 'page_size' has to be a number from 1 to 500"),
            (
                r#"{"labels": {"team": "team"}}"#,
                "the setting 'labels.team' has to be a list of texts",
            ),
            (
                r#"{"weights": {"cpu": 9}}"#,
                "the setting 'weights.cpu' has to be a decimal number in quotes, such as \"0.192\"",
            ),
            (
                r#"{"weights": {"cpu": "0", "memory": "0"}}"#,
                "the setting 'weights' has to be above zero for cpu or memory",
            ),
            (
                r#"{"gpu_resources": ["nvidia.com/gpu"]}"#,
                "the setting 'gpu_resources' has to be a table from resources to the GPUs that one \
                 of each is, such as { \"nvidia.com/gpu.shared\" = \"0.25\" }",
            ),
            (
                r#"{"gpu_resources": {"x.com/gpu": "1001"}}"#,
                "the setting 'gpu_resources.x.com/gpu' has to be at most \"1000\"",
            ),
            (r#"{"weights": {"disk": "1"}}"#, "there is no setting 'weights.disk'"),
            (
                r#"{"prices": {"node_hour": {}}}"#,
                "the setting 'prices.currency' has to be a currency such as \"USD\"",
            ),
            (
                r#"{"prices": {"currency": "USD", "split": "pod"}}"#,
                "the setting 'prices.split' has to be \"workload\" or \"node\"",
            ),
        ] {
            assert_eq!(refusal(config), expect, "{config}");
        }
        let refusal = refusal(r#"{"prices": {"currency": "USD", "node_hour": {"m5": "1e3"}}}"#);
        assert!(
            refusal.starts_with("the setting 'prices.node_hour.m5': '1e3' is no decimal number"),
            "{refusal}"
        );
    }
}
