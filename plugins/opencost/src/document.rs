//! An answer of OpenCost, live or saved. Its shape tells which API it comes from.

use crate::options::Options;
use crate::row::{Found, Object};
use crate::{allocation, cloud, custom};
use apportion_plugin_sdk::{Error, Problem};
use serde_json::Value;

const QUOTED_CHARS: usize = 200;

/// Reads an answer. `place` is its file or its request.
pub fn read(place: &str, body: &[u8], options: &Options) -> Result<Found, Error> {
    let document: Value = serde_json::from_slice(body)
        .map_err(|error| strange(place, body, &format!("no JSON: {error}")))?;
    let code = document.get("code").and_then(Value::as_u64);
    if let Some(code) = code.filter(|code| *code != 200) {
        let message =
            document.get("message").and_then(Value::as_str).unwrap_or("without a message");
        return Err(Error::Unavailable(format!("{place}: OpenCost says {code}: {message}")));
    }
    let mut found = Found::default();
    if let Some(warning) =
        document.get("warning").and_then(Value::as_str).filter(|warning| !warning.is_empty())
    {
        found.warn(format!("{place}: OpenCost warns: {warning}"));
    }
    match document.get("data") {
        Some(Value::Array(sets)) => {
            for set in sets.iter().filter_map(Value::as_object) {
                allocation::read(place, set, None, options, &mut found)?;
            }
        }
        Some(Value::Object(data)) if data.contains_key("sets") => {
            for set in data
                .get("sets")
                .and_then(Value::as_array)
                .map_or(&[][..], Vec::as_slice)
                .iter()
                .filter_map(Value::as_object)
            {
                of_set(place, set, options, &mut found)?;
            }
        }
        Some(Value::Object(data)) if data.contains_key("customCosts") => {
            custom::read(place, data, options, &mut found)?
        }
        // A window without anything in it.
        Some(Value::Null) if code == Some(200) => {}
        _ => return Err(strange(place, body, "nothing that OpenCost answers")),
    }
    Ok(found)
}

fn of_set(place: &str, set: &Object, options: &Options, found: &mut Found) -> Result<(), Error> {
    let window = set.get("window").and_then(Value::as_object);
    match (set.get("allocations"), set.get("cloudCosts")) {
        (Some(Value::Object(allocations)), _) => {
            allocation::read(place, allocations, window, options, found)
        }
        (_, Some(Value::Object(costs))) => cloud::read(place, costs, window, options, found),
        // An empty set.
        (None | Some(Value::Null), None | Some(Value::Null)) => Ok(()),
        _ => Err(Error::Transient(format!(
            "{place}: a set holds neither allocations nor cloud costs"
        ))),
    }
}

fn strange(place: &str, body: &[u8], what: &str) -> Error {
    let text: String = String::from_utf8_lossy(body).trim().chars().take(QUOTED_CHARS).collect();
    let problem = Problem::new(format!("{place} is {what}: {text}"));
    Error::Config(problem.hint(
        "url = \"http://opencost:9003\" with the path before /allocation, \
        if there is one, or files with its answers",
    ))
}
