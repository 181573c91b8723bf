//! The source's settings.

use crate::eks::{Cluster, ClusterTag};
use apportion_plugin_sdk::aws::cost_explorer::{Granularity, Group};
use apportion_plugin_sdk::{Error, Field, Problem};
use serde_json::Value;
use table_settings::{flag, object, text, texts, texts_by_key, unknown, word};

const COST_METRICS: [&str; 5] =
    ["UnblendedCost", "NetUnblendedCost", "AmortizedCost", "NetAmortizedCost", "BlendedCost"];
pub const CATEGORIES: [&str; 5] = ["Usage", "Purchase", "Tax", "Credit", "Adjustment"];
const KEYS: [&str; 8] = [
    "metric_billed",
    "metric_effective",
    "granularity",
    "group_by",
    "filter",
    "usage_quantity",
    "record_types",
    "eks",
];

/// Dimensions to group by, and the fields that they become. Service and record type are handled
/// apart.
const DIMENSIONS: [(&str, Meaning); 6] = [
    ("SERVICE", Meaning::Service),
    ("RECORD_TYPE", Meaning::RecordType),
    ("LINKED_ACCOUNT", Meaning::Field(Field::SubAccountId)),
    ("REGION", Meaning::Field(Field::RegionId)),
    ("AZ", Meaning::Field(Field::AvailabilityZone)),
    ("USAGE_TYPE", Meaning::Field(Field::SkuMeter)),
];

/// The part of a charge that the key of a group becomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meaning {
    Service,
    RecordType,
    Field(Field),
    /// The key of a tag or the name of a cost category.
    Tag(String),
}

#[derive(Clone, Debug, PartialEq)]
pub struct GroupBy {
    /// The group's name in the settings, which is also its key in usage.
    pub name: String,
    pub group: Group,
    pub meaning: Meaning,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    pub metric_billed: String,
    pub metric_effective: String,
    pub granularity: Granularity,
    pub group_by: Vec<GroupBy>,
    /// An `Expression` in JSON.
    pub filter: Option<Value>,
    pub usage_quantity: bool,
    /// Charge categories of record types that this plugin does not know.
    pub record_types: Vec<(String, String)>,
    pub clusters: Vec<Cluster>,
}

impl Options {
    pub fn parse(config: &str) -> Result<Options, Error> {
        let value: Value =
            if config.is_empty() { Value::Object(Default::default()) } else { parsed(config)? };
        let mut options = Options {
            metric_billed: "UnblendedCost".into(),
            metric_effective: "AmortizedCost".into(),
            granularity: Granularity::Daily,
            group_by: Vec::new(),
            filter: None,
            usage_quantity: false,
            record_types: Vec::new(),
            clusters: Vec::new(),
        };
        let mut groups = None;
        for (key, value) in object("the settings", &value)? {
            match key.as_str() {
                "metric_billed" => options.metric_billed = metric(key, value)?,
                "metric_effective" => options.metric_effective = metric(key, value)?,
                "granularity" => {
                    options.granularity = word(
                        key,
                        value,
                        &[("daily", Granularity::Daily), ("monthly", Granularity::Monthly)],
                    )?
                }
                "group_by" => groups = Some(group_by(value)?),
                "filter" => options.filter = Some(filter(value)?),
                "usage_quantity" => options.usage_quantity = flag(key, value)?,
                "record_types" => options.record_types = record_types(value)?,
                "eks" => options.clusters = clusters(value)?,
                _ => return Err(unknown("setting", key, KEYS)),
            }
        }
        options.group_by = match (groups, options.clusters.is_empty()) {
            (Some(_), false) => {
                let problem = Problem::new(
                    "group_by and eks exclude each other: the cost of a cluster is asked for by \
                     service and usage type",
                );
                return Err(Error::Config(
                    problem.hint("leave group_by out, or put it into another source without eks"),
                ));
            }
            (Some(groups), true) => groups,
            (None, true) => vec![group("SERVICE")?, group("LINKED_ACCOUNT")?],
            (None, false) => vec![group("SERVICE")?, group("USAGE_TYPE")?],
        };
        Ok(options)
    }

    /// Settings that work, but probably not as intended.
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let has_usage_type = self.group_by.iter().any(|group| group.name == "USAGE_TYPE");
        if self.usage_quantity && !has_usage_type {
            let problem = Problem::new(
                "without the group USAGE_TYPE, quantities of different units are added up: hours, \
                 gigabytes, requests",
            );
            problems.push(problem.hint("group_by = [\"SERVICE\", \"USAGE_TYPE\"]"));
        }
        problems
    }

    pub fn metrics(&self) -> Vec<String> {
        let mut metrics = vec![self.metric_billed.clone()];
        if self.metric_effective != self.metric_billed {
            metrics.push(self.metric_effective.clone());
        }
        if self.usage_quantity {
            metrics.push("UsageQuantity".into());
        }
        metrics
    }
}

fn parsed(config: &str) -> Result<Value, Error> {
    serde_json::from_str(config)
        .map_err(|error| Error::config(format!("the settings are not JSON: {error}")))
}

fn metric(key: &str, value: &Value) -> Result<String, Error> {
    let name = text(key, value)?;
    if COST_METRICS.contains(&name.as_str()) {
        Ok(name)
    } else {
        Err(unknown("metric of cost", &name, COST_METRICS))
    }
}

fn filter(value: &Value) -> Result<Value, Error> {
    match value {
        Value::Object(_) => Ok(value.clone()),
        Value::String(text) => serde_json::from_str(text)
            .map_err(|error| Error::config(format!("filter is not JSON: {error}"))),
        other => Err(Error::config(format!(
            "filter must be an expression of AWS as a table or as JSON, not {other}"
        ))),
    }
}

fn group_by(value: &Value) -> Result<Vec<GroupBy>, Error> {
    let names = texts("group_by", value)?;
    if names.len() > 2 {
        let problem = Problem::new(format!(
            "Cost Explorer groups by two at most, and group_by has {}; two questions with other \
             groups cannot be joined, for each holds all of the cost",
            names.len()
        ));
        return Err(Error::Config(problem.hint(format!(
            "group_by = [\"{}\", \"{}\"]; a bill by `aws-cur` has everything at once",
            names[0], names[1]
        ))));
    }
    if names.len() == 2 && names[0] == names[1] {
        return Err(Error::config(format!("group_by has '{}' twice", names[0])));
    }
    names.iter().map(|name| group(name)).collect()
}

fn group(name: &str) -> Result<GroupBy, Error> {
    let made =
        |group: Group, meaning: Meaning| Ok(GroupBy { name: name.to_owned(), group, meaning });
    if let Some(key) = name.strip_prefix("tag:").filter(|key| !key.is_empty()) {
        return made(Group::Tag(key.into()), Meaning::Tag(key.into()));
    }
    if let Some(category) = name.strip_prefix("category:").filter(|category| !category.is_empty()) {
        return made(Group::CostCategory(category.into()), Meaning::Tag(category.into()));
    }
    match DIMENSIONS.iter().find(|(known, _)| *known == name) {
        Some((_, meaning)) => made(Group::Dimension(name.into()), meaning.clone()),
        None => Err(unknown(
            "group",
            name,
            DIMENSIONS.iter().map(|(known, _)| *known).chain(["tag:KEY", "category:NAME"]),
        )),
    }
}

fn record_types(value: &Value) -> Result<Vec<(String, String)>, Error> {
    let written = texts_by_key("record_types", value)?;
    match written.iter().find(|(_, category)| !CATEGORIES.contains(&category.as_str())) {
        Some((_, category)) => Err(unknown("charge category", category, CATEGORIES)),
        None => Ok(written),
    }
}

fn clusters(value: &Value) -> Result<Vec<Cluster>, Error> {
    let (mut names, mut tag, mut shared) = (Vec::new(), ClusterTag::Kubernetes, false);
    for (key, value) in object("eks", value)? {
        match key.as_str() {
            "cluster" if value.is_string() => names = vec![text("eks.cluster", value)?],
            "cluster" => names = texts("eks.cluster", value)?,
            "tag" => {
                let words = [
                    ("kubernetes.io/cluster", ClusterTag::Kubernetes),
                    ("aws:eks:cluster-name", ClusterTag::Eks),
                ];
                tag = word("eks.tag", value, &words)?;
            }
            "shared" => shared = flag("eks.shared", value)?,
            _ => return Err(unknown("setting of eks", key, ["cluster", "tag", "shared"])),
        }
    }
    let mut seen = names.clone();
    seen.sort();
    seen.dedup();
    if names.is_empty() || names.iter().any(String::is_empty) || seen.len() != names.len() {
        let problem = Problem::new("eks needs the names of clusters, each once");
        return Err(Error::Config(
            problem.hint("eks = { cluster = [\"production\", \"staging\"] }"),
        ));
    }
    if shared && (names.len() > 1 || tag == ClusterTag::Eks) {
        let problem = Problem::new("what clusters share would count once for each of them");
        return Err(Error::Config(problem.hint(
            "eks = { cluster = \"production\", shared = true } counts it for one \
                cluster, found by kubernetes.io/cluster",
        )));
    }
    Ok(names.into_iter().map(|name| Cluster { name, tag, shared }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(config: &str) -> (String, String) {
        match Options::parse(config) {
            Err(Error::Config(problem)) => (problem.message, problem.hint.unwrap_or_default()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn groups_have_meanings() {
        let options = Options::parse(
            r#"{"group_by": ["tag:team", "category:Division"], "usage_quantity": true}"#,
        )
        .unwrap();
        assert_eq!(options.metrics(), ["UnblendedCost", "AmortizedCost", "UsageQuantity"]);
        let groups: Vec<_> = options
            .group_by
            .iter()
            .map(|group| (group.group.clone(), group.meaning.clone()))
            .collect();
        let tag = (Group::Tag("team".into()), Meaning::Tag("team".into()));
        assert_eq!(
            groups,
            [tag, (Group::CostCategory("Division".into()), Meaning::Tag("Division".into()))]
        );
        assert_eq!(options.problems().len(), 1);
        let names = |config: &str| {
            Options::parse(config)
                .unwrap()
                .group_by
                .into_iter()
                .map(|group| group.name)
                .collect::<Vec<_>>()
        };
        assert_eq!(names(""), ["SERVICE", "LINKED_ACCOUNT"]);
        assert_eq!(names(r#"{"group_by": []}"#), [""; 0]);
        assert_eq!(names(r#"{"eks": {"cluster": "a"}}"#), ["SERVICE", "USAGE_TYPE"]);
        assert_eq!(
            Options::parse(r#"{"metric_effective": "UnblendedCost"}"#).unwrap().metrics(),
            ["UnblendedCost"]
        );
    }

    #[test]
    fn what_cannot_be_is_refused_with_the_reason() {
        let (message, hint) = refusal(r#"{"group_by": ["SERVICE", "REGION", "tag:team"]}"#);
        assert_eq!(
            message,
            "Cost Explorer groups by two at most, and group_by has 3; two questions with other \
             groups cannot be joined, for each holds all of the cost"
        );
        assert!(hint.starts_with(r#"group_by = ["SERVICE", "REGION"]"#), "{hint}");
        for (config, expect) in [
            (r#"{"group_by": ["SERVICES"]}"#, "there is no group 'SERVICES'"),
            (r#"{"group_by": ["AZ", "AZ"]}"#, "group_by has 'AZ' twice"),
            (r#"{"metric_billed": "UsageQuantity"}"#, "there is no metric of cost 'UsageQuantity'"),
            (r#"{"metrics": []}"#, "there is no setting 'metrics'"),
            (r#"{"granularity": "hourly"}"#, "granularity cannot be \"hourly\""),
            (r#"{"record_types": {"Odd": "Fee"}}"#, "there is no charge category 'Fee'"),
            (r#"{"eks": {"cluster": []}}"#, "eks needs the names of clusters, each once"),
            (r#"{"eks": {"cluster": ["a", "a"]}}"#, "eks needs the names of clusters, each once"),
            (
                r#"{"eks": {"cluster": ["a", "b"], "shared": true}}"#,
                "what clusters share would count once for each of them",
            ),
            (
                r#"{"eks": {"cluster": "a"}, "group_by": ["SERVICE"]}"#,
                "group_by and eks exclude each other: the cost of a cluster is asked for by \
                 service and usage type",
            ),
            (
                r#"{"filter": "{"}"#,
                "filter is not JSON: EOF while parsing an object at line 1 column 1",
            ),
        ] {
            assert_eq!(refusal(config).0, expect, "{config}");
        }
    }
}
