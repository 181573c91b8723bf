//! The days that an answer goes by.

use crate::error::Problem;
use crate::parameters::ParameterKind;
use domain::axis::Axis;
use serde_json::{Value, json};

fn read(name: &str, text: &str) -> Result<Axis, Problem> {
    Axis::by_name(text).ok_or_else(|| {
        let hint = "use posting (what was owed) or charge (what was consumed)";
        Problem::parameter(format!("{name}: there is no '{text}'"), hint)
    })
}

fn names() -> Vec<&'static str> {
    Axis::ALL.into_iter().map(Axis::name).collect()
}

impl ParameterKind for Axis {
    fn schema(default: Option<&Self>) -> Value {
        json!({ "enum": names(), "default": default.copied().unwrap_or_default().name() })
    }

    fn read(name: &str, given: &[&str], default: Option<Self>) -> Result<Self, Problem> {
        given.first().map_or(Ok(default.unwrap_or_default()), |text| read(name, text))
    }
}

/// Where the default hangs on another parameter.
impl ParameterKind for Option<Axis> {
    fn schema(_: Option<&Self>) -> Value {
        json!({ "enum": names() })
    }

    fn read(name: &str, given: &[&str], _: Option<Self>) -> Result<Self, Problem> {
        given.first().map(|text| read(name, text)).transpose()
    }
}
