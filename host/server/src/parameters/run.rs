//! The number of a run.

use crate::error::Problem;
use crate::parameters::ParameterKind;
use domain::run::RunId;
use serde_json::{Value, json};

impl ParameterKind for Option<RunId> {
    fn schema(_: Option<&Self>) -> Value {
        json!({ "type": "integer", "minimum": 1 })
    }

    fn read(name: &str, given: &[&str], _: Option<Self>) -> Result<Self, Problem> {
        let Some(text) = given.first() else { return Ok(None) };
        let run = text.parse().ok().filter(|run| *run > 0).map(RunId);
        let broken = || {
            let message = format!("{name}: '{text}' is not the number of a run");
            Problem::parameter(message, "/api/v1/runs lists the runs")
        };
        run.map(Some).ok_or_else(broken)
    }
}
