//! Members of JSON objects, read without losing a digit, and what comes out of a document.

use apportion_plugin_sdk::{Charge, Rejected, Usage};
use exact::{Day, Decimal};
use serde_json::{Map, Value};

pub type Object = Map<String, Value>;

/// What an answer of OpenCost comes to.
#[derive(Debug, Default)]
pub struct Found {
    pub charges: Vec<Charge>,
    pub usage: Vec<Usage>,
    pub rejected: Vec<Rejected>,
    pub warnings: Vec<String>,
    /// Of the answer, whatever became of them.
    pub rows: usize,
}

impl Found {
    pub fn reject(&mut self, location: &str, reason: String, row: &Value) {
        self.rejected.push(Rejected {
            location: location.to_owned(),
            reason,
            excerpt: row.to_string().chars().take(EXCERPT_CHARS).collect(),
        });
    }

    pub fn warn(&mut self, warning: String) {
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }
}

const EXCERPT_CHARS: usize = 200;

/// What is not there is zero: older versions have fewer costs. Null is what OpenCost could not compute.
pub fn number(row: &Object, name: &str) -> Result<Decimal, String> {
    match row.get(name) {
        None => Ok(Decimal::zero()),
        Some(Value::Number(number)) => {
            Decimal::parse(&number.to_string()).map_err(|error| format!("{name}: {error}"))
        }
        Some(Value::Null) => {
            Err(format!("{name} is null, which OpenCost writes for what it could not compute"))
        }
        Some(other) => Err(format!("{name}: {other} is not a number")),
    }
}

/// A text that says something.
pub fn text<'a>(row: &'a Object, name: &str) -> Option<&'a str> {
    row.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

pub fn object<'a>(row: &'a Object, name: &str) -> Option<&'a Object> {
    row.get(name).and_then(Value::as_object)
}

/// The time that a row is of.
#[derive(Clone, Debug)]
pub struct Window {
    pub start: String,
    /// Whether it is longer than a day.
    pub is_long: bool,
}

/// The window of the row, or of the set that it is in.
pub fn window(row: &Object, set: Option<&Object>) -> Result<Window, String> {
    let window =
        object(row, "window").or(set).ok_or("it has no window, so that it is of no day")?;
    let (Some(start), Some(end)) = (text(window, "start"), text(window, "end")) else {
        return Err("its window has no start or no end".into());
    };
    let day = |text: &str| Day::parse(text).map_err(|error| format!("its window: {error}"));
    Ok(Window { start: start.to_owned(), is_long: day(start)?.plus(1) < day(end)? })
}
