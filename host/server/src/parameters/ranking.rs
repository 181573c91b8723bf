//! The order of groups, and how many of them have rows of their own.

use crate::error::Problem;
use crate::parameters::{ParameterKind, named};
use reports::costs::ranking::CostSort;
use serde_json::{Value, json};

/// Where the default hangs on another parameter.
impl ParameterKind for Option<CostSort> {
    fn schema(_: Option<&Self>) -> Value {
        json!({ "enum": CostSort::ALL.map(CostSort::name) })
    }

    fn read(name: &str, given: &[&str], _: Option<Self>) -> Result<Self, Problem> {
        let read = |text: &&str| text.parse().map_err(|error| named(name, error));
        given.first().map(read).transpose()
    }
}

/// So many groups; all where it is left out.
pub struct Top(pub Option<usize>);

impl ParameterKind for Top {
    fn schema(_: Option<&Self>) -> Value {
        json!({ "type": "integer", "minimum": 1 })
    }

    fn read(name: &str, given: &[&str], _: Option<Self>) -> Result<Self, Problem> {
        let read = |text: &&str| {
            text.parse().ok().filter(|count| *count > 0).ok_or_else(|| {
                let message = format!("{name}: '{text}' is not a number from 1 on");
                Problem::parameter(message, format!("{name}=10"))
            })
        };
        given.first().map(read).transpose().map(Top)
    }
}
