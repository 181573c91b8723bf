//! An answer of Prometheus: series of samples, still as text, or the error.

use apportion_plugin_sdk::http::Response;
use apportion_plugin_sdk::{Error, Problem, Rejected};
use serde_json::Value;

/// Characters of an answer that an error or an excerpt quotes.
const QUOTED_CHARS: usize = 200;

pub struct Series {
    pub labels: Vec<(String, String)>,
    /// Seconds since 1970, and the value as text.
    pub samples: Vec<(i64, String)>,
}

#[derive(Default)]
pub struct Answer {
    pub series: Vec<Series>,
    pub rejected: Vec<Rejected>,
    pub warnings: Vec<String>,
}

/// The server and the query that an error is about.
pub struct Asked<'a> {
    pub url: &'a str,
    pub metric: &'a str,
    pub query: &'a str,
}

impl Asked<'_> {
    pub fn answer(&self, response: Response) -> Result<Answer, Error> {
        let body: Option<Value> = serde_json::from_slice(&response.body).ok();
        let said = body.as_ref().and_then(|body| {
            Some((body.get("errorType")?.as_str()?, body.get("error")?.as_str()?))
        });
        if let Some((kind, message)) = said {
            return Err(self.refused(response.status, kind, message));
        }
        if response.status == 401 || response.status == 403 {
            let hint = "a secret in the slot `token` is sent as a bearer, one in `password` for \
                basic authentication";
            return Err(Error::Auth(format!("{} answered {}: {hint}", self.url, response.status)));
        }
        let is_well = (200..300).contains(&response.status);
        let data = body
            .as_ref()
            .filter(|body| body.get("status").and_then(Value::as_str) == Some("success"))
            .and_then(|body| body.get("data"));
        match (data, is_well || response.status == 404 || response.status == 405) {
            (Some(data), _) if is_well => {
                let warnings = body
                    .as_ref()
                    .and_then(|body| body.get("warnings"))
                    .and_then(Value::as_array)
                    .map_or(&[][..], Vec::as_slice);
                let warnings =
                    warnings.iter().filter_map(Value::as_str).map(str::to_owned).collect();
                self.read(data, Answer { warnings, ..Answer::default() })
            }
            (_, true) => Err(self.elsewhere(&response)),
            (_, false) => match response.well(self.url) {
                Ok(_) => Err(Error::Bug("a status that is not well was taken for well".into())),
                Err(error) => Err(error),
            },
        }
    }

    /// The error that Prometheus reports. Its kind decides whether the query or the server is at
    /// fault.
    fn refused(&self, status: u16, kind: &str, message: &str) -> Error {
        let message: String = message.chars().take(4 * QUOTED_CHARS).collect();
        match kind {
            "bad_data" | "execution" | "not_acceptable" => {
                let problem = Problem::new(format!(
                    "Prometheus refuses the query of {} ({kind}): {message}",
                    self.metric
                ));
                Error::Config(problem.hint(format!("the query is: {}", self.query)))
            }
            "not_found" => Error::Config(Problem::new(format!(
                "{} says that it is not found: {message}",
                self.url
            ))),
            "timeout" | "canceled" => Error::Transient(format!(
                "Prometheus gave up the query of {} ({kind}): {message}; a longer step asks for \
                 less, and a recording rule for less still",
                self.metric
            )),
            _ => Error::Unavailable(format!("{} answered {status} ({kind}): {message}", self.url)),
        }
    }

    fn elsewhere(&self, response: &Response) -> Error {
        let text: String =
            String::from_utf8_lossy(&response.body).trim().chars().take(QUOTED_CHARS).collect();
        let problem = Problem::new(format!(
            "{} answered {}, and not as Prometheus does: {text}",
            self.url, response.status
        ));
        Error::Config(
            problem.hint(
                "url = \"http://prometheus:9090\" with the path before /api/v1, if there is one",
            ),
        )
    }

    fn read(&self, data: &Value, mut answer: Answer) -> Result<Answer, Error> {
        let strange = |what: &str| {
            Error::Transient(format!(
                "{} answers the query of {} with {what}",
                self.url, self.metric
            ))
        };
        let kind = data.get("resultType").and_then(Value::as_str).unwrap_or_default();
        let result = data.get("result").ok_or_else(|| strange("no result"))?;
        if kind == "scalar" {
            answer.series.push(Series {
                labels: Vec::new(),
                samples: vec![sample(result).ok_or_else(|| strange("a strange scalar"))?],
            });
            return Ok(answer);
        }
        if !["matrix", "vector"].contains(&kind) {
            let problem = Problem::new(format!(
                "the query of {} gives a {kind}, and not numbers over time",
                self.metric
            ));
            return Err(Error::Config(problem.hint(format!("the query is: {}", self.query))));
        }
        for series in result.as_array().ok_or_else(|| strange("a result that is no list"))? {
            let metric = series
                .get("metric")
                .and_then(Value::as_object)
                .ok_or_else(|| strange("a series without labels"))?;
            let labels: Vec<(String, String)> = metric
                .iter()
                .filter_map(|(label, value)| Some((label.clone(), value.as_str()?.to_owned())))
                .collect();
            if series.get("histogram").is_some() || series.get("histograms").is_some() {
                answer.rejected.push(Rejected {
                    location: format!("{} {}", self.metric, shown(&labels)),
                    reason: "it is a histogram, which is no quantity: ask for histogram_sum() or \
                        histogram_count() of it"
                        .into(),
                    excerpt: String::new(),
                });
                continue;
            }
            let samples =
                match (series.get("values").and_then(Value::as_array), series.get("value")) {
                    (Some(values), _) => values.iter().map(sample).collect(),
                    (None, Some(value)) => {
                        Some(vec![sample(value).ok_or_else(|| strange("a strange sample"))?])
                    }
                    (None, None) => None,
                };
            answer.series.push(Series {
                labels,
                samples: samples.ok_or_else(|| strange("strange samples"))?,
            });
        }
        Ok(answer)
    }
}

fn sample(value: &Value) -> Option<(i64, String)> {
    let [time, value] = value.as_array()?.as_slice() else { return None };
    // Instants are whole seconds, because days and steps are. Some servers write 1791417600.000.
    let time = time.as_number()?.to_string();
    let (seconds, fraction) = time.split_once('.').unwrap_or((&time, ""));
    fraction.bytes().all(|digit| digit == b'0').then_some(())?;
    Some((seconds.parse().ok()?, value.as_str()?.to_owned()))
}

/// Labels in the spelling of PromQL.
pub fn shown(labels: &[(String, String)]) -> String {
    let labels: Vec<String> =
        labels.iter().map(|(label, value)| format!("{label}={value:?}")).collect();
    format!("{{{}}}", labels.join(", "))
}
