//! The source's settings: the server and its queries.

use crate::preset::{self, Preset};
use apportion_plugin_sdk::{Error, Problem};
use serde_json::{Map, Value};
use table_settings::{Server, known, object, settings, text, texts, texts_by_key, unknown, word};

const KEYS: [&str; 5] = ["url", "user", "headers", "constants", "queries"];
const QUERY_KEYS: [&str; 6] = ["metric", "unit", "query", "keys", "step", "aggregate"];
const PRESET_KEYS: [&str; 8] =
    ["preset", "metric", "unit", "by", "labels", "basis", "step", "gpus"];

const DAY_SECONDS: u32 = 86_400;
/// Five minutes: shorter than most pods live, and 288 samples a day.
const STEP_DEFAULT: u32 = 300;
const URL_EXAMPLE: &str = "http://prometheus:9090";

#[derive(Debug)]
pub struct Options {
    pub server: Server,
    pub queries: Vec<Query>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    pub metric: String,
    pub unit: String,
    /// The query in PromQL.
    pub text: String,
    /// Labels and their keys; without this, all labels are keys.
    pub keys: Option<Vec<(String, String)>>,
    pub constants: Vec<(String, String)>,
    /// Seconds from one instant to the next.
    pub step: u32,
    pub aggregate: Aggregate,
}

/// The way from the samples of a day to its quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aggregate {
    /// Each value counts until the next instant: it is multiplied by those hours.
    Integral,
    Sum,
    /// The highest sum of all series with the same keys.
    Max,
    /// The query itself looks back over the day. It is asked once, at the day's end.
    Increase,
}

impl Options {
    pub fn parse(config: &str) -> Result<Options, Error> {
        let config = settings(config)?;
        let config = object("the settings", &config)?;
        known("setting", config, &KEYS)?;
        let server = Server::read(config, URL_EXAMPLE)?.ok_or_else(|| {
            let problem = Problem::new("the settings do not say where Prometheus is");
            Error::Config(problem.hint(format!("url = \"{URL_EXAMPLE}\"")))
        })?;
        let constants = config
            .get("constants")
            .map_or_else(|| Ok(Vec::new()), |constants| texts_by_key("constants", constants))?;
        let hint = "queries = [\"cpu\", \
            { metric = \"requests\", query = \"sum by (team) (increase(requests_total[1d]))\", aggregate = \"increase\" }]";
        let list =
            config.get("queries").and_then(Value::as_array).filter(|queries| !queries.is_empty());
        let list = list.ok_or_else(|| {
            Error::Config(
                Problem::new("the settings name no queries, so there is nothing to ask").hint(hint),
            )
        })?;
        let mut queries = Vec::new();
        for given in list {
            queries.push(Query { constants: constants.clone(), ..query(given)? });
        }
        Ok(Options { server, queries })
    }
}

fn query(given: &Value) -> Result<Query, Error> {
    if let Some(name) = given.as_str() {
        return Preset::new(preset::known(name)?).query();
    }
    let given = object("an entry of queries", given)?;
    match given.get("preset") {
        Some(name) => of_preset(&text("preset", name)?, given),
        None => custom(given),
    }
}

fn of_preset(name: &str, given: &Map<String, Value>) -> Result<Query, Error> {
    let mut preset = Preset::new(preset::known(name)?);
    for (key, value) in given {
        match key.as_str() {
            "preset" => {}
            "metric" => preset.metric = text(key, value)?,
            "unit" => preset.unit = text(key, value)?,
            "by" => preset.by = texts(key, value)?,
            "labels" => preset.labels = texts(key, value)?,
            "basis" => preset.basis = word(key, value, &preset::BASES)?,
            "step" => preset.step = step(value)?,
            "gpus" => preset.gpus = parts_of_gpus(value)?,
            _ => return Err(unknown("setting of a preset", key, PRESET_KEYS)),
        }
    }
    preset.query()
}

fn custom(given: &Map<String, Value>) -> Result<Query, Error> {
    let (mut metric, mut query) = (None, None);
    let (mut unit, mut keys) = (String::new(), None);
    let (mut seconds, mut aggregate) = (STEP_DEFAULT, Aggregate::Integral);
    for (key, value) in given {
        match key.as_str() {
            "metric" => metric = Some(text(key, value)?),
            "query" => query = Some(text(key, value)?),
            "unit" => unit = text(key, value)?,
            "keys" => keys = Some(labels(value)?),
            "step" => seconds = step(value)?,
            "aggregate" => {
                let known = [
                    ("integral", Aggregate::Integral),
                    ("sum", Aggregate::Sum),
                    ("max", Aggregate::Max),
                    ("increase", Aggregate::Increase),
                ];
                aggregate = word(key, value, &known)?;
            }
            _ => return Err(unknown("setting of a query", key, QUERY_KEYS)),
        }
    }
    let missing = |what: &str| {
        Error::Config(
            Problem::new(format!("an entry of queries has no {what}"))
                .hint("{ metric = \"gpu.hours\", query = \"sum by (team) (gpu_in_use)\", unit = \"h\" }, or the name of a preset"),
        )
    };
    let metric =
        metric.filter(|metric| !metric.trim().is_empty()).ok_or_else(|| missing("metric"))?;
    let text = query.filter(|query| !query.trim().is_empty()).ok_or_else(|| missing("query"))?;
    Ok(Query { metric, unit, text, keys, constants: Vec::new(), step: seconds, aggregate })
}

/// Labels and keys: a table, or a list of labels that keep their names.
fn labels(value: &Value) -> Result<Vec<(String, String)>, Error> {
    if value.is_array() {
        return Ok(texts("keys", value)?.into_iter().map(|label| (label.clone(), label)).collect());
    }
    texts_by_key("keys", value)
}

/// Resources with the part of a GPU that one of each is, which goes into the query as it is.
fn parts_of_gpus(value: &Value) -> Result<Vec<(String, String)>, Error> {
    let parts = texts_by_key("gpus", value)?;
    let is_part = |part: &str| {
        let (whole, fraction) = part.split_once('.').unwrap_or((part, "0"));
        let digits = |text: &str| {
            !text.is_empty() && text.len() < 10 && text.bytes().all(|byte| byte.is_ascii_digit())
        };
        digits(whole) && digits(fraction)
    };
    match parts.iter().find(|(_, part)| !is_part(part)) {
        None => Ok(parts),
        Some((resource, part)) => Err(Error::Config(
            Problem::new(format!("gpus: the part of '{resource}' cannot be '{part}'"))
                .hint("gpus = { \"nvidia.com/gpu.shared\" = \"0.25\" }"),
        )),
    }
}

/// `30s`, `5m`, `1h`, or a number of seconds. A step has to divide a day, so that all days have the same
/// instants.
fn step(value: &Value) -> Result<u32, Error> {
    let refuse = || {
        let message = format!(
            "step cannot be {value}: it is a time such as \"5m\" of which a day has a whole number"
        );
        Error::Config(Problem::new(message).hint("step = \"1m\" | \"5m\" | \"15m\" | \"1h\""))
    };
    let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let (number, unit) =
        shown.split_at(shown.find(|c: char| !c.is_ascii_digit()).unwrap_or(shown.len()));
    let number: u32 = number.parse().map_err(|_| refuse())?;
    let factor = match unit {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => DAY_SECONDS,
        _ => return Err(refuse()),
    };
    let seconds = number
        .checked_mul(factor)
        .filter(|seconds| *seconds > 0 && DAY_SECONDS.is_multiple_of(*seconds));
    seconds.ok_or_else(refuse)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(config: &str) -> (String, String) {
        match Options::parse(config) {
            Err(Error::Config(problem)) => (problem.message, problem.hint.unwrap_or_default()),
            other => panic!("{config} gave {other:?}"),
        }
    }

    #[test]
    fn a_custom_query_says_what_it_is_of() {
        let options = Options::parse(
            r#"{"url": "https://p/prefix/", "user": "ann", "headers": {"X-Scope-OrgID": "7"},
                "constants": {"cluster": "eu"},
                "queries": [{"metric": "requests", "unit": "1",
                "query": "sum by (app) (increase(r[1d]))", "keys": {"app": "team"},
                             "step": "1h", "aggregate": "increase"},
                            {"metric": "m", "query": "up", "keys": ["job"], "step": 15}]}"#,
        );
        let options = options.unwrap();
        let headers = vec![("X-Scope-OrgID".to_owned(), "7".to_owned())];
        assert_eq!(
            options.server,
            Server { url: "https://p/prefix".into(), user: Some("ann".into()), headers }
        );
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let requests = Query {
            metric: "requests".into(),
            unit: "1".into(),
            text: "sum by (app) (increase(r[1d]))".into(),
            keys: Some(vec![pair("app", "team")]),
            constants: vec![pair("cluster", "eu")],
            step: 3_600,
            aggregate: Aggregate::Increase,
        };
        assert_eq!(options.queries[0], requests);
        let second = &options.queries[1];
        assert_eq!(
            (second.step, second.aggregate, second.keys.clone()),
            (15, Aggregate::Integral, Some(vec![pair("job", "job")]))
        );
    }

    #[test]
    fn what_is_wrong_is_said_with_the_line_that_mends_it() {
        let query = r#"{"metric": "m", "query": "up""#;
        let of_query =
            |more: &str| format!(r#"{{"url": "http://p", "queries": [{query}{more}}}]}}"#);
        for (config, message, hint) in [
            (
                "{}".to_owned(),
                "the settings do not say where Prometheus is",
                "url = \"http://prometheus:9090\"",
            ),
            (
                r#"{"url": "prometheus:9090"}"#.to_owned(),
                "url cannot be 'prometheus:9090'",
                "url = \"http://prometheus:9090\"",
            ),
            (
                r#"{"url": "http://p"}"#.to_owned(),
                "the settings name no queries",
                "queries = [\"cpu\"",
            ),
            (
                r#"{"url": "http://p", "queries": []}"#.to_owned(),
                "the settings name no queries",
                "queries = [\"cpu\"",
            ),
            (
                r#"{"url": "http://p", "queries": ["cpus"]}"#.to_owned(),
                "there is no preset 'cpus'",
                "did you mean `cpu`?",
            ),
            (
                r#"{"url": "http://p", "querys": []}"#.to_owned(),
                "there is no setting 'querys'",
                "did you mean `queries`?",
            ),
            (
                r#"{"url": "http://p", "queries": [{"metric": "m"}]}"#.to_owned(),
                "an entry of queries has no query",
                "{ metric = ",
            ),
            (
                r#"{"url": "http://p", "queries": [{"query": "up"}]}"#.to_owned(),
                "an entry of queries has no metric",
                "{ metric = ",
            ),
            (of_query(r#", "step": "7m""#), "step cannot be \"7m\"", "step = \"1m\""),
            (of_query(r#", "step": 0"#), "step cannot be 0", "step = \"1m\""),
            (of_query(r#", "step": "48h""#), "step cannot be \"48h\"", "step = \"1m\""),
            (
                of_query(r#", "aggregate": "avg""#),
                "aggregate cannot be \"avg\"",
                "aggregate = \"integral\" | \"sum\" | \"max\" | \"increase\"",
            ),
            (
                of_query(r#", "agregate": "max""#),
                "there is no setting of a query 'agregate'",
                "did you mean `aggregate`?",
            ),
        ] {
            let refusal = refused(&config);
            assert!(
                refusal.0.contains(message) && refusal.1.contains(hint),
                "{config} gave {refusal:?}"
            );
        }
    }
}
