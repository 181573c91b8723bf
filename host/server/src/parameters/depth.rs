//! How deep an explanation goes.

use crate::error::Problem;
use crate::parameters::{ParameterKind, named};
use reports::explain::query::ExplainDepth;
use serde_json::{Value, json};

/// Where the default hangs on the subject.
impl ParameterKind for Option<ExplainDepth> {
    fn schema(_: Option<&Self>) -> Value {
        json!({ "enum": ExplainDepth::EACH.map(ExplainDepth::name) })
    }

    fn read(name: &str, given: &[&str], _: Option<Self>) -> Result<Self, Problem> {
        let read = |text: &&str| text.parse().map_err(|error| named(name, error));
        given.first().map(read).transpose()
    }
}
